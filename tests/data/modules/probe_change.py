"""A rule that does whatever its command names, so that every use of the database can be compared.

Each probe returns something JSON can say, or raises. What came of it is the payload of one event.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from evidentsource_functions import (
    Constraint,
    DatabaseAccess,
    DatabaseAccessError,
    EffectiveTimeRange,
    Event,
    EventTypeAttribute,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    Range,
    RangeCursor,
    RevisionRange,
    Selector,
    StateChangeError,
    StateChangeErrorKind,
    StreamAttribute,
    SubjectAttribute,
)
from evidentsource_functions.wasm import StateChangeAdapter

ALL = Selector.stream_starts_with("a")
NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)


def told(event: Event) -> list[Any]:
    return [
        event.id,
        event.source,
        event.stream(),
        event.event_type,
        event.subject,
        event.data_as_string(),
        None if event.time is None else event.time.isoformat(),
        {key: str(value.value) for key, value in event.extensions.items()},
    ]


def ids(events: list[Event]) -> list[str]:
    return [event.id for event in events]


def new(n: int, subject: str | None = "a-1", amount: int = 7) -> ProspectiveEvent:
    return ProspectiveEvent(
        f"new-{n}", "accounts", "credited", subject, json.dumps({"amount": amount})
    )


def view(db: Any, *parameters: Any) -> Any:
    found = db.view_state("balance", 1, *(parameters or ({"account": "a-1"},)))
    if found is None:
        return None
    return [
        found.json(),
        found.content_type,
        found.content_schema_url,
        found.last_modified_revision,
        found.last_modified_timestamp.isoformat(),
        found.version,
        str(found.name),
        str(found.database),
    ]


def facts(db: Any) -> Any:
    moment = db.effective_timestamp
    return [
        db.name,
        db.created_at.isoformat(),
        db.revision,
        db.revision_timestamp.isoformat(),
        None if moment is None else moment.isoformat(),
    ]


def caught(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except DatabaseAccessError as error:
        return [error.kind.value, str(error), error.reason]


def speculated(db: DatabaseAccess) -> Any:
    once = db.speculate_with_transaction([new(1), new(2, None)])
    twice = once.speculate_with_transaction([new(3)])
    return [
        facts(once),
        once.speculated_event_count,
        twice.speculated_event_count,
        facts(twice.basis),
        [told(event) for event in twice.query_events(ALL)],
        view(once),
        view(twice),
        view(twice.at_effective_timestamp(NOON)),
        ids(twice.at_effective_timestamp(NOON).query_events(ALL)),
    ]


def ranges(db: DatabaseAccess) -> Any:
    cursor = RangeCursor(NOON, 2)
    return [
        ids(db.query_events(ALL, range=RevisionRange(2))),
        ids(db.query_events(ALL, range=RevisionRange())),
        ids(db.query_events(ALL, range=EffectiveTimeRange())),
        ids(db.query_events(ALL, range=EffectiveTimeRange(cursor))),
        ids(db.query_events(ALL, range=EffectiveTimeRange(end_at=NOON))),
        ids(db.query_events(ALL, range=EffectiveTimeRange(cursor, NOON), limit=1)),
        ids(db.query_events(ALL, QueryOptions().reverse().limit(2))),
        ids(db.query_events(ALL, direction=QueryDirection.REVERSE, range=RevisionRange(2))),
        ids(db.query_events(ALL, limit=0)),
    ]


PROBES: dict[str, Callable[[Any], Any]] = {
    "facts": facts,
    "events": lambda db: [told(event) for event in db.query_events(ALL)],
    "selector": lambda db: ids(
        db.query_events(
            (Selector.subject("a-1") & Selector.event_type("credited")) | Selector.no_subject()
        )
    ),
    "ranges": ranges,
    "options": lambda db: ids(db.query_events_with_options(ALL, QueryOptions(limit=1))),
    "earlier": lambda db: [facts(db.at_revision(1)), ids(db.at_revision(1).query_events(ALL))],
    "too late": lambda db: caught(lambda: db.at_revision(99)),
    "effective": lambda db: [
        facts(db.at_effective_timestamp(NOON)),
        ids(db.at_effective_timestamp(NOON).query_events(ALL)),
        view(db.at_effective_timestamp(NOON)),
    ],
    "view by mapping": lambda db: view(db, {"account": "a-1"}),
    "view by pairs": lambda db: view(db, [("account", SubjectAttribute("a-1"))]),
    "view of no subject": lambda db: view(db, {"account": None}),
    "view never touched": lambda db: view(db, {"account": "nobody"}),
    "view by stream and type": lambda db: db.view_state(
        "by-kind",
        1,
        {"stream": StreamAttribute("accounts"), "type": EventTypeAttribute("credited")},
    ).json(),
    "no such view": lambda db: db.view_state("nothing", 1, {}),
    "no such version": lambda db: db.view_state("balance", 9, {"account": "a-1"}),
    "unbound parameter": lambda db: caught(lambda: db.view_state("balance", 1)),
    "unknown parameter": lambda db: caught(
        lambda: db.view_state("balance", 1, {"account": "a-1", "more": "x"})
    ),
    "wrong kind of parameter": lambda db: caught(
        lambda: db.view_state("by-kind", 1, {"stream": "accounts", "type": "credited"})
    ),
    "speculated": speculated,
    "many handles": lambda db: sum(db.at_revision(1).revision for _ in range(2000)),
    "late imports": lambda db: [
        datetime.strptime("2024-01-02 +0000", "%Y-%m-%d %z").isoformat(),
        "é".encode("latin-1").hex(),
        "é".encode("utf-16-le").hex(),
    ],
    "bad speculation": lambda db: db.speculate_with_transaction([ProspectiveEvent("1", "1", "t")]),
    "not an event": lambda db: db.speculate_with_transaction(["x"]),
    "naive time": lambda db: db.at_effective_timestamp(datetime(2024, 1, 1)),  # noqa: DTZ001
    "bad revision": lambda db: db.at_revision(-1),
    "bad limit": lambda db: db.query_events(ALL, limit=-1),
    "recursion": lambda db: [PROBES["recursion"](db)],
    "exit": lambda db: sys.exit(3),
    "key error": lambda db: {}["boom"],
    "unhandled access": lambda db: db.at_revision(99),
}

RESULTS: dict[str, Any] = {
    "nothing": [],
    "none": None,
    "a tuple for an event": ("x",),
    "a dict": {"events": []},
    "wrong event": [{"id": "x"}],
    "wrong condition": ([new(1)], ["x"]),
    "bad name": [ProspectiveEvent("1", "1st", "t")],
    "bad extension": [ProspectiveEvent("1", "ok", "t", extensions={"Bad": "x"})],
    "conditions": (
        [new(1)],
        [
            Constraint.must_exist(ALL),
            Constraint.must_not_exist(ALL & Selector.subject_starts_with("x")),
            Constraint.range(Selector.event_type_starts_with("c") | ALL, Range(1, 2**64 - 1)),
        ],
    ),
}


def decide(db: DatabaseAccess, command: dict[str, Any], metadata: Any) -> Any:
    if "refuse" in command:
        raise StateChangeError(StateChangeErrorKind(command["refuse"]), "because: é\U0001f600")
    if "return" in command:
        return RESULTS[command["return"]]
    if "random" in command:
        return [ProspectiveEvent(str(uuid.uuid4()), "accounts", "t")]
    if "metadata" in command:
        result: Any = [
            metadata.state_change_name,
            metadata.state_change_version,
            metadata.last_seen_revision,
            metadata.command_received_at.isoformat(),
            metadata.command_headers,
            metadata.get_header("x-trace"),
        ]
    else:
        result = PROBES[command["probe"]](db)
    return [ProspectiveEvent("probed", "accounts", "probed", data=json.dumps(result))]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
