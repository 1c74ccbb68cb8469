"""Publishing: versions, code in the file and outside of it, projects, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import (
    EventType,
    InvalidType,
    Parameter,
    QueryTemporality,
    Selector,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
    StateViewNotFound,
)
from evidentsource_functions.wasm import StateChangeAdapter, StateViewAdapter
from evidentsource_runtime.build import ManifestError
from evidentsource_runtime.database import CodeNotAttached, Database, UnusableCode
from evidentsource_runtime.database.definitions import from_text, to_text
from evidentsource_runtime.store import StoreReadOnly
from tests.unit.database.bank import (
    CHANGE,
    Balance,
    Counting,
    Deposit,
    balance,
    deposit,
    order,
    paid,
    total,
)


class BalanceWorld(StateViewAdapter):
    state_view_type = Balance


class DepositWorld(StateChangeAdapter):
    command_type = Deposit
    decide_func = staticmethod(deposit)


def test_every_version_stays_callable(bank: Database) -> None:
    assert bank.publish_state_view(total(), Counting()).version == 1
    assert bank.publish_state_view(total(), lambda state, events: b"second").version == 2
    bank.transact([paid("e-1")])
    found = [bank.latest().view_state("total", version) for version in (1, 2)]
    assert [each.content for each in found if each] == [b"1", b"second"]


@pytest.mark.parametrize("code", [Balance, BalanceWorld], ids=["class", "world"])
def test_a_view_is_published_as_a_class_of_state_or_as_its_world(bank: Database, code: Any) -> None:
    bank.publish_state_view(balance(), code)
    bank.transact([paid("e-1")])
    view = bank.latest().view_state("balance", 1, {"who": "ann"})
    assert view is not None
    assert view.json() == {"amount": 5, "events": 1}


@pytest.mark.parametrize("code", [deposit, DepositWorld], ids=["rule", "world"])
def test_a_change_is_published_as_a_rule_or_as_its_world(bank: Database, code: Any) -> None:
    bank.publish_state_change(CHANGE, code)
    assert bank.execute("deposit", None, order("e-1")).revision == 1


def test_if_changed_keeps_the_version_of_what_is_the_same(
    open_bank: Callable[..., Database],
) -> None:
    def publish(bank: Database, code: Any = Balance, **fields: Any) -> int:
        definition = replace(balance(), **fields)
        return bank.publish_state_view(definition, code, if_changed=True).version

    with open_bank() as bank:
        assert [publish(bank), publish(bank)] == [1, 1]
        bank.transact([paid("e-1")])
    with open_bank() as bank:
        assert publish(bank) == 1, "and its code is attached by that"
        assert bank.latest().view_state("balance", 1, {"who": "ann"}) is not None
        assert publish(bank, description="another") == 2
        assert publish(bank, Counting(), description="another") == 3


def test_code_that_is_not_in_the_file_has_to_be_attached(
    open_bank: Callable[..., Database],
) -> None:
    with open_bank() as bank:
        bank.publish_state_view(balance(), Balance)
        bank.publish_state_change(CHANGE, deposit)
        bank.transact([paid("e-1")])
    with open_bank() as bank:
        with pytest.raises(CodeNotAttached, match=r"db.attach_state_view\('balance', 1, ...\)"):
            bank.latest().view_state("balance", 1, {"who": "ann"})
        with pytest.raises(CodeNotAttached, match=r"bank:deposit.*db.attach_state_change"):
            bank.execute("deposit", None, order("e-2"))
        bank.attach_state_view("balance", 1, Balance)
        bank.attach_state_change("deposit", 1, deposit)
        assert bank.execute("deposit", None, order("e-2")).revision == 2
        with pytest.raises(StateViewNotFound):
            bank.attach_state_view("balance", 2, Balance)


def test_what_is_published_is_listed_with_its_code(bank: Database) -> None:
    bank.publish_state_view(balance(), Balance)
    bank.publish_state_view(total(), Counting())
    bank.publish_state_change(CHANGE, deposit)
    views = [(str(view), view.origin.name) for view in bank.state_views()]
    assert views == [
        ("balance.v1", "tests.unit.database.bank:Balance"),
        ("total.v1", "tests.unit.database.bank:Counting"),
    ]
    (change,) = bank.state_changes()
    assert (str(change), change.origin.kind, change.definition.version) == (
        "deposit.v1",
        "python",
        1,
    )


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("view", 7, "int is no code of a state view"),
        ("view", int, "int"),
        ("change", 7, "int is no code of a state change"),
        ("change", Balance, "Balance is no code of a state change"),
    ],
)
def test_what_is_no_code_is_refused_and_nothing_is_published(
    bank: Database, kind: str, code: Any, text: str
) -> None:
    publish: Any = bank.publish_state_view if kind == "view" else bank.publish_state_change
    definition = total() if kind == "view" else CHANGE
    with pytest.raises(UnusableCode, match=text):
        publish(definition, code)
    assert not bank.state_views()
    assert not bank.state_changes()


def test_a_definition_of_the_other_kind_is_refused(bank: Database) -> None:
    with pytest.raises(InvalidType, match="definition"):
        bank.publish_state_view(CHANGE, Balance)  # type: ignore[arg-type]  # that is the point


def test_a_reader_finds_what_a_writer_publishes_and_publishes_nothing(
    open_bank: Callable[..., Database],
) -> None:
    writer, reader = open_bank(), open_bank(mode="read")
    writer.publish_state_view(total(), Counting())
    writer.transact([paid("e-1")])
    reader.attach_state_view("total", 1, Counting())
    view = reader.latest().view_state("total", 1)
    assert view is not None
    assert view.content == b"1"
    with pytest.raises(StoreReadOnly):
        reader.publish_state_view(total(), Counting())
    with pytest.raises(StoreReadOnly):
        reader.transact([paid("e-2")])


def test_a_project_that_was_not_built_says_so(bank: Database, tmp_path: Path) -> None:
    manifest = tmp_path / "pyproject.toml"
    manifest.write_text(
        '[tool.evidentsource]\ndatabase = "bank"\n'
        "[tool.evidentsource.state-views.seen]\n"
        'module = "seen"\nselector = { stream = "accounts" }\n'
    )
    with pytest.raises(ManifestError, match=r"(?s)seen was not built.*source=True"):
        bank.publish_project(tmp_path)


_SELECTOR = (
    Parameter.subject("who", starts_with=True) & Selector.stream_starts_with("a")
) | Selector.no_subject()


@pytest.mark.parametrize(
    "definition",
    [
        StateViewDefinition(
            StateViewName("every-thing"),
            (_SELECTOR | Selector.event_type_starts_with("x")) & Parameter.stream("s"),
            3,
            QueryTemporality.EFFECTIVE_TIMESTAMP,
            "text/plain",
            "urn:schema",
            "Ünïcode",
        ),
        StateViewDefinition(
            StateViewName("by-type"), Parameter.event_type("kind") & Selector.event_type("t")
        ),
        StateChangeDefinition(StateChangeName("deposit"), 2, "Pay in.", "https://example.com"),
    ],
    ids=lambda each: str(each.name),
)
def test_a_definition_comes_back_as_it_was(definition: Any) -> None:
    assert from_text(to_text(definition), definition.version) == definition


def test_types_bind_parameters_by_kind(bank: Database) -> None:
    definition = StateViewDefinition(StateViewName("kinds"), Parameter.event_type("kind"))
    bank.publish_state_view(definition, Counting())
    bank.transact([paid("e-1"), paid("e-2", None)])
    report = bank.rebuild_state_view("kinds", 1)
    assert (report.progress.bindings, report.progress.events) == (1, 2)
    view = bank.latest().view_state("kinds", 1, {"kind": EventType("account.credited")})
    assert view is not None
    assert view.content == b"2"


def test_bindings_of_several_parameters_are_found(bank: Database) -> None:
    selector = Parameter.subject("who") & Parameter.stream("where")
    bank.publish_state_view(StateViewDefinition(StateViewName("pairs"), selector), Counting())
    bank.transact([paid("e-1"), paid("e-2"), paid("e-3", "bob"), paid("e-4", None)])
    assert bank.rebuild_state_view("pairs", 1).progress.bindings == 3
