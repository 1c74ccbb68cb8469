"""Running a rule: what it may return, and what becomes of whatever it raises."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import (
    Command,
    Constraint,
    DatabaseAccessError,
    InvalidDefinition,
    ProspectiveEvent,
    Selector,
    StateChangeError,
    StateChangeErrorKind,
    StateChangeMetadata,
    create_state_change_handler,
)
from evidentsource_functions.wasm import StateChangeAdapter

DB = ReferenceDatabase("bank").latest()
METADATA = StateChangeMetadata("deposit", 1, 0, datetime(2024, 1, 1, tzinfo=UTC))
EVENT = ProspectiveEvent("e-1", "accounts", "account.opened")
CONDITION = Constraint.must_exist(Selector.stream("accounts"))


def run(rule: Any, body: bytes = b"{}", command_type: Any = dict) -> Any:
    return create_state_change_handler(command_type, rule)(DB, Command(body), METADATA)


def refusal(rule: Any, **arguments: Any) -> StateChangeError:
    with pytest.raises(StateChangeError) as caught:
        run(rule, **arguments)
    return caught.value


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (([EVENT], [CONDITION]), ([EVENT], [CONDITION])),
        (((EVENT,), (CONDITION,)), ([EVENT], [CONDITION])),
        ([EVENT], ([EVENT], [])),
        ((EVENT, EVENT), ([EVENT, EVENT], [])),
        ((EVENT,), ([EVENT], [])),
        ([], ([], [])),
        (([], []), ([], [])),
    ],
)
def test_a_rule_may_return_a_tuple_or_only_events(returned: Any, expected: Any) -> None:
    assert run(lambda db, command, metadata: returned) == expected


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (None, "events: expected a list, got None; decide returns"),
        ("events", "events: expected a list, got str"),
        ({"events": []}, "events: expected a list, got dict"),
        ([{"id": "e"}], "events[0]: expected a ProspectiveEvent, got dict"),
        ([EVENT, None], "events[1]: expected a ProspectiveEvent, got NoneType"),
        (([EVENT], ["must_exist"]), "conditions[0]: expected a condition such as"),
        (([EVENT], None), "conditions: expected a list, got None"),
        (([EVENT], CONDITION), "conditions: expected a list, got MinConstraint"),
        ([ProspectiveEvent("e", "1st", "t")], "events[0]: invalid stream name: '1st'"),
        ([ProspectiveEvent(" ", "ok", " ")], "events[0]: invalid event id: ' '"),
        (
            [ProspectiveEvent("e", "ok", "t", extensions={"Bad-Name": "x"})],
            "events[0]: invalid extension attribute 'Bad-Name'",
        ),
        (
            [ProspectiveEvent("e", "ok", "t", extensions={"subject": "x"})],
            "events[0]: invalid extension attribute 'subject'",
        ),
    ],
)
def test_a_wrong_shape_is_internal_and_names_the_field(returned: Any, text: str) -> None:
    error = refusal(lambda db, command, metadata: returned)
    assert error.kind is StateChangeErrorKind.INTERNAL
    assert text in error.message


@pytest.mark.parametrize("kind", list(StateChangeErrorKind))
def test_a_refusal_keeps_its_kind_and_text(kind: StateChangeErrorKind) -> None:
    def decide(db: Any, command: Any, metadata: Any) -> Any:
        raise StateChangeError(kind, "because: é")

    assert refusal(decide) == StateChangeError(kind, "because: é")


def helper_that_fails() -> None:
    raise KeyError("boom")


def test_any_other_exception_is_internal_with_type_message_and_the_users_frames() -> None:
    def decide(db: Any, command: Any, metadata: Any) -> Any:
        helper_that_fails()

    lines = refusal(decide).message.splitlines()
    assert lines[0] == "KeyError: 'boom'"
    assert lines[-2].endswith("in decide")
    assert lines[-1].endswith("in helper_that_fails")
    assert "test_state_changes:" in lines[-1]


def test_an_internal_error_names_the_cause_too() -> None:
    def decide(db: Any, command: Any, metadata: Any) -> Any:
        try:
            helper_that_fails()
        except KeyError as error:
            raise RuntimeError("no luck") from error

    message = refusal(decide).message
    assert message.startswith("RuntimeError: no luck")
    assert "caused by KeyError: 'boom'" in message


def test_endless_recursion_and_exit_are_internal_errors() -> None:
    def endless(db: Any, command: Any, metadata: Any) -> Any:
        return endless(db, command, metadata)

    def leaves(db: Any, command: Any, metadata: Any) -> Any:
        sys.exit(3)

    assert refusal(endless).message.startswith("RecursionError")
    assert refusal(leaves).message.startswith("SystemExit: 3")


def test_a_refused_database_access_is_internal_and_keeps_its_kind() -> None:
    def decide(db: Any, command: Any, metadata: Any) -> Any:
        db.at_revision(9)

    error = refusal(decide)
    assert error.message.startswith("DatabaseAccessError: Invalid revision: ")
    assert isinstance(error.__cause__, DatabaseAccessError)
    assert error.__cause__.kind.value == "invalid_revision"


def test_errors_can_be_hashed_compared_and_printed_in_sets() -> None:
    error = StateChangeError.conflict("x")
    assert {error, StateChangeError.conflict("x")} == {error}
    assert hash(DatabaseAccessError("x")) is not None
    assert str(error) == "conflict: x"


@dataclass
class Deposit:
    amount: int


def decide(db: Any, command: Deposit, metadata: Any) -> list[ProspectiveEvent]:
    return [ProspectiveEvent(f"e-{command.amount}", "accounts", "account.credited")]


EXPECTED: Any = ([ProspectiveEvent("e-5", "accounts", "account.credited")], [])


class WithStaticmethod(StateChangeAdapter):
    command_type = Deposit
    decide_func = staticmethod(decide)


class WithoutStaticmethod(StateChangeAdapter):
    command_type = Deposit
    decide_func = decide


class NamingTheModulesOwn(StateChangeAdapter):
    command_type = Deposit


class WithoutCommandType(StateChangeAdapter):
    decide_func = decide


class AssigningDecide(StateChangeAdapter):
    command_type = Deposit
    decide = decide  # type: ignore[assignment]  # the rule in place of the export


class AsMethod(StateChangeAdapter):
    command_type = Deposit

    def decide(self, db: Any, command: Deposit, metadata: Any) -> Any:
        return decide(db, command, metadata)


class AsStaticmethod(StateChangeAdapter):
    command_type = Deposit

    @staticmethod
    def decide(db: Any, command: Deposit, metadata: Any) -> Any:
        return decide(db, command, metadata)


class AsClassmethod(StateChangeAdapter):
    command_type = Deposit

    @classmethod
    def decide_func(cls, db: Any, command: Deposit, metadata: Any) -> Any:
        return decide(db, command, metadata)


class Inheriting(AsMethod):
    pass


@pytest.mark.parametrize(
    "adapter",
    [
        WithStaticmethod,
        WithoutStaticmethod,
        NamingTheModulesOwn,
        WithoutCommandType,
        AssigningDecide,
        AsMethod,
        AsStaticmethod,
        AsClassmethod,
        Inheriting,
    ],
)
def test_an_adapter_finds_its_rule_in_every_form(adapter: type[StateChangeAdapter]) -> None:
    assert adapter().decide(DB, Command(b'{"amount": 5}'), METADATA) == EXPECTED


def test_a_handler_can_take_its_command_type_from_the_rules_annotation() -> None:
    handler = create_state_change_handler(decide)
    assert handler(DB, Command(b'{"amount": 5}'), METADATA) == EXPECTED


class Opaque:
    pass


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"command_type": Opaque, "decide_func": decide}, "Opaque cannot be read from a command"),
        ({"command_type": Deposit(1), "decide_func": decide}, "command_type is Deposit(amount=1)"),
        ({"command_type": Deposit, "decide_func": 7}, "decide_func is 7"),
        ({"decide_func": lambda db, command, metadata: []}, "the type of the command is not known"),
    ],
)
def test_a_wrong_set_up_is_refused_when_the_adapter_is_made(
    attributes: dict[str, Any], text: str
) -> None:
    adapter = type("WitWorld", (StateChangeAdapter,), attributes)
    with pytest.raises(InvalidDefinition) as caught:
        adapter()
    assert text in str(caught.value)
