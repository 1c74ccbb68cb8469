"""One rule, natively and as each kind of component: equal results and errors, whatever it uses."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import (
    Event,
    Parameter,
    ProspectiveEvent,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_functions import (
    Command,
    StateChangeError,
    StateChangeErrorKind,
    StateChangeMetadata,
    StateViewBase,
    create_state_view_handler,
)
from evidentsource_runtime.build import build
from evidentsource_runtime.host import Host, StateChangeComponent
from tests.whole import whole

MODULE = Path(__file__).parents[2] / "data" / "modules" / "probe_change.py"
START = datetime(2024, 1, 1, tzinfo=UTC)
RECEIVED = datetime(2024, 1, 3, 4, 5, 6, 789_012, UTC)

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]


class Balance(StateViewBase):
    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def evolve_event(self, event: Event) -> None:
        self.seen.append([event.id, event.data_as_json()])

    def to_dict(self) -> dict[str, Any]:
        return {"seen": self.seen}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Balance:
        return cls(data.get("seen", []))


@pytest.fixture(scope="module")
def database() -> ReferenceDatabase:
    clock = iter(START + timedelta(days=day) for day in range(1, 100))
    database = ReferenceDatabase("bank", created_at=START, clock=lambda: next(clock))
    handler = create_state_view_handler(Balance)
    for name, template, temporality in (
        ("balance", Parameter.subject("account"), QueryTemporality.EFFECTIVE_TIMESTAMP),
        ("by-kind", Parameter.stream("stream") & Parameter.event_type("type"), None),
    ):
        database.publish_state_view(
            StateViewDefinition(
                StateViewName(name),
                SelectorTemplate.of(template),
                temporality=temporality or QueryTemporality.REVISION,
                content_schema="urn:balance",
            ),
            handler,
        )
    for n, (subject, effective) in enumerate(
        [
            ("a-1", None),
            ("a-1", datetime(2024, 1, 2, 6, tzinfo=UTC)),
            (None, None),
            ("b-1", RECEIVED),
        ]
    ):
        database.transact(
            [
                ProspectiveEvent(
                    f"e-{n}",
                    "accounts",
                    "credited",
                    subject,
                    f'{{"amount": {n}, "text": "é\U0001f600"}}',
                    effective,
                    "application/json",
                    "urn:schema",
                    {"tenant": "acme", "retry": 2, "live": True, "raw": b"\x00\xff", "due": START},
                )
            ]
        )
    return database


@pytest.fixture(
    scope="module", params=[pytest.param("built", marks=whole), "loaded from source", "filled base"]
)
def component(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> StateChangeComponent:
    if request.param == "loaded from source":
        loaded = Host().load_source(MODULE)
    else:
        output = tmp_path_factory.mktemp("built") / "probe_change.wasm"
        filled = request.param == "filled base"
        loaded = Host().load(build(MODULE, output=output, reproducible=filled).path)
    assert isinstance(loaded, StateChangeComponent)
    return loaded


@pytest.fixture(scope="module")
def native() -> Any:
    spec = importlib.util.spec_from_file_location("probe_change", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outcome(decide: Any, database: ReferenceDatabase, command: dict[str, Any]) -> Any:
    metadata = StateChangeMetadata("probe", 3, 4, RECEIVED, [("X-Trace", "7"), ("x-trace", "8")])
    body = Command(json.dumps(command).encode(), "application/json; charset=utf-8")
    try:
        return decide(database.latest(), body, metadata)
    except StateChangeError as error:
        return error


def both(component: StateChangeComponent, native: Any, database: Any, command: Any) -> list[Any]:
    deciders = (native.WitWorld().decide, component.decide)
    return [outcome(decide, database, command) for decide in deciders]


def names(table: str) -> list[str]:
    text = MODULE.read_text()
    body = text.split(f"{table}: dict", 1)[1].split("\n}\n", 1)[0]
    return [line.split('"')[1] for line in body.splitlines() if line.startswith('    "')]


@pytest.mark.parametrize("probe", [n for n in names("PROBES") if n != "recursion"])
def test_every_use_of_the_database_gives_the_same(
    component: StateChangeComponent, native: Any, database: ReferenceDatabase, probe: str
) -> None:
    expected, got = both(component, native, database, {"probe": probe})
    assert got == expected
    assert isinstance(got, StateChangeError) or got[0][0].data is not None


@pytest.mark.parametrize("result", names("RESULTS"))
def test_every_result_of_a_rule_gives_the_same(
    component: StateChangeComponent, native: Any, database: ReferenceDatabase, result: str
) -> None:
    expected, got = both(component, native, database, {"return": result})
    assert got == expected


@pytest.mark.parametrize("kind", list(StateChangeErrorKind))
def test_every_kind_of_refusal_arrives_with_its_text(
    component: StateChangeComponent, database: ReferenceDatabase, kind: StateChangeErrorKind
) -> None:
    got = outcome(component.decide, database, {"refuse": kind.value})
    assert got == StateChangeError(kind, "because: é\U0001f600")


def test_metadata_arrives_whole(
    component: StateChangeComponent, native: Any, database: ReferenceDatabase
) -> None:
    expected, got = both(component, native, database, {"metadata": True})
    assert got == expected
    assert json.loads(got[0][0].data.data) == [
        *("probe", 3, 4, RECEIVED.isoformat()),
        [["X-Trace", "7"], ["x-trace", "8"]],
        "7",
    ]


def test_an_endless_recursion_is_an_ordinary_internal_error(
    component: StateChangeComponent, database: ReferenceDatabase
) -> None:
    error = outcome(component.decide, database, {"probe": "recursion"})
    assert error.kind is StateChangeErrorKind.INTERNAL
    assert error.message.startswith("RecursionError")


def test_an_internal_error_shows_the_users_lines(
    component: StateChangeComponent, database: ReferenceDatabase
) -> None:
    error = outcome(component.decide, database, {"probe": "key error"})
    assert error.message.splitlines()[0] == "KeyError: 'boom'"
    line = next(
        n for n, text in enumerate(MODULE.read_text().splitlines(), 1) if '{}["boom"]' in text
    )
    assert error.message.splitlines()[-1] == f"  at probe_change:{line} in <lambda>"


def test_random_ids_differ_from_call_to_call(
    component: StateChangeComponent, database: ReferenceDatabase
) -> None:
    made = {outcome(component.decide, database, {"random": True})[0][0].id for _ in range(3)}
    assert len(made) == 3


def test_the_selectors_of_the_database_see_what_was_stored(database: ReferenceDatabase) -> None:
    assert [e.id for e in database.latest().query_events(Selector.no_subject())] == ["e-2"]
