"""Any history, on the database and on the reference: the same events, the same views, byte for byte.

Views are folded a few events at a time, so that states are kept, gone on from and dropped all the
time; the file is closed and opened, and its clock goes its own way.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import evidentsource_runtime
from evidentsource_core import (
    Event,
    EventType,
    EvidentSourceError,
    Parameter,
    ProspectiveEvent,
    QueryTemporality,
    Selector,
    SelectorTemplate,
    StateChangeDefinition,
    StateChangeName,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.domain.state_change import CommandRequest
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_runtime.contract.programs import OBEYING
from evidentsource_runtime.database import Database, folding, kept, rebuilding

EXAMPLES = int(os.environ.get("EVIDENTSOURCE_EXAMPLES", "10"))
START = datetime(2024, 1, 1, tzinfo=UTC)
SUBJECTS = ["a", "b", None]
STREAMS = ["one", "two"]
TYPES = ["opened", "moved", "closed"]
VIEWS = [
    SelectorTemplate.of(Selector.stream("one")),
    Selector.stream("one") & Parameter.subject("who"),
    Parameter.event_type("kind") | (Selector.stream("two") & Selector.subject("a")),
]


def evolve(state: RenderedStateView, events: list[Event]) -> bytes | None:
    """Everything that it was given, in order; an event that closes fails on an odd subject."""
    seen = [] if state.content is None else json.loads(state.content)
    for event in events:
        if event.event_type == "closed" and event.subject == "b":
            raise ValueError(event.id)
        seen.append([event.id, event.revision(), str(event.time), event.subject])
    return json.dumps(seen).encode()


days = st.integers(0, 6)
moments = st.none() | days.map(lambda day: START + timedelta(days=day, microseconds=day))


@st.composite
def transactions(draw: Any) -> list[tuple[str, str | None, str, datetime | None]]:
    event = st.tuples(
        st.sampled_from(STREAMS), st.sampled_from(SUBJECTS), st.sampled_from(TYPES), moments
    )
    found: list[Any] = draw(st.lists(event, min_size=1, max_size=5))
    return found


class SideBySide(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="evidentsource-test-"))
        self.now = START
        self.count = 0
        self.database = self.opened()
        self.reference = ReferenceDatabase(
            "bank", clock=lambda: self.now, created_at=START, view_batch_size=2
        )

    def opened(self) -> Database:
        return evidentsource_runtime.open(self.folder / "bank.db", clock=lambda: self.now)

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    def publish(self, database: Any) -> None:
        again = isinstance(database, Database) and database.state_views()
        for selector in VIEWS:
            for temporality in QueryTemporality:
                number = VIEWS.index(selector) * 2 + list(QueryTemporality).index(temporality)
                name = StateViewName(f"view-{number}")
                if again:
                    database.attach_state_view(name, 1, evolve)
                    continue
                definition = StateViewDefinition(name, selector, temporality=temporality)
                database.publish_state_view(definition, evolve)
        if again:
            database.attach_state_change("obey", 1, OBEYING.decide)
        else:
            change = StateChangeDefinition(StateChangeName("obey"))
            database.publish_state_change(change, OBEYING.decide)

    @initialize()
    def published(self) -> None:
        self.publish(self.database)
        self.publish(self.reference)

    def events(self, given: Any, prefix: str = "e") -> list[ProspectiveEvent]:
        made = []
        for stream, subject, event_type, time in given:
            self.count += 1
            event_id = f"{prefix}-{self.count}"
            made.append(ProspectiveEvent(event_id, stream, event_type, subject, time=time))
        return made

    def both(self, act: Any) -> None:
        results = []
        for database in (self.database, self.reference):
            try:
                results.append(act(database))
            except EvidentSourceError as error:
                results.append(error.code.replace("state-view-failed", "database-access-error"))
        assert results[0] == results[1]

    @rule(given=transactions(), later=st.integers(-2, 5))
    def transact(self, given: Any, later: int) -> None:
        self.now += timedelta(hours=later)
        events = self.events(given)
        self.both(lambda db: db.transact(events, transaction_id=f"t-{self.count}"))

    @rule(
        count=st.integers(0, 2),
        back=st.none() | st.integers(0, 3),
        unchanged=st.booleans(),
        view=st.sampled_from([None, "view-0"]),
        again=st.booleans(),
    )
    def execute(
        self, count: int, back: int | None, unchanged: bool, view: Any, again: bool
    ) -> None:
        if not again:
            self.count += 1
        order = {
            "ids": [f"o-{self.count}-{i}" for i in range(count)],
            "subject": "a",
            "unchanged": unchanged,
        }
        seen = None if back is None else max(0, self.reference.latest().revision - back)
        self.both(
            lambda db: db.execute(
                "obey",
                1,
                CommandRequest.json(order),
                last_seen_revision=seen,
                transaction_id=f"x-{self.count}",
                received_at=START,
            )
        )

    @rule(
        who=st.sampled_from(SUBJECTS),
        kind=st.sampled_from(TYPES),
        back=st.just(0) | st.integers(0, 12),
        bound=moments,
        speculated=st.none() | transactions(),
    )
    def view(self, who: Any, kind: str, back: int, bound: Any, speculated: Any) -> None:
        parameters: list[dict[str, Any]] = [{}, {"who": who}, {"kind": EventType(kind)}]
        revision = max(0, self.reference.latest().revision - back)
        added = None if speculated is None else self.events(speculated, "s")

        def read(database: Any, view: int) -> Any:
            snapshot = database.at_revision(revision)
            if bound is not None:
                snapshot = snapshot.at_effective_timestamp(bound)
            if added is not None:
                snapshot = snapshot.speculate_with_transaction(added)
            return snapshot.view_state(f"view-{view}", 1, parameters[view // 2])

        for view in range(6):
            self.both(lambda db, view=view: read(db, view))

    @rule(what=st.sampled_from(["drop", "keep", "rebuild", "refresh", "reopen"]))
    def tend(self, what: str) -> None:
        if what == "drop":
            self.database.drop_snapshots()
        elif what == "keep":
            self.database.keep_snapshots()
        elif what == "reopen":
            self.database.close()
            self.database = self.opened()
            self.publish(self.database)
        else:
            for view in range(6):
                self.database.rebuild_state_view(f"view-{view}", 1, afresh=what == "rebuild")

    @invariant()
    def stands_where_the_reference_stands(self) -> None:
        latest, wanted = self.database.latest(), self.reference.latest()
        assert (latest.revision, latest.revision_timestamp) == (
            wanted.revision,
            wanted.revision_timestamp,
        )


def test_any_history_is_as_the_reference_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folding, "BATCH", 3)
    monkeypatch.setattr(folding, "CHECKPOINT", 2)
    monkeypatch.setattr(kept, "MOST_OF_ONE", 4)
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    run_state_machine_as_test(
        SideBySide,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
