"""The state machine: random histories on the database and on a model, compared at every step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from evidentsource_core import (
    AppendCondition,
    Constraint,
    DuplicateTransactionId,
    EffectiveTimeRange,
    Event,
    EventSelector,
    EvidentSourceError,
    Parameter,
    ProspectiveEvent,
    QueryDirection,
    QueryOptions,
    QueryTemporality,
    Range,
    RangeCursor,
    RevisionRange,
    Selector,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_core.domain.selectors import AndSelector, OrSelector, any_of
from evidentsource_functions import DatabaseAccess
from evidentsource_functions.state_change import SpeculativeDatabase
from evidentsource_runtime.contract.driver import Capability, DatabaseUnderTest
from evidentsource_runtime.contract.model import Entry, Model
from evidentsource_runtime.contract.programs import SEEN
from evidentsource_runtime.contract.values import day

_STREAMS, _SUBJECTS, _TYPES = (
    ("aa", "ab", "b1"),
    ("x", "xy", "z", None),
    ("opened", "closed", "open"),
)
_FEW_TRANSACTION_IDS = ("t-1", "t-2", "t-3")
_VIEWS = {"recorded": QueryTemporality.REVISION, "effective": QueryTemporality.EFFECTIVE_TIMESTAMP}

_EVERYTHING = any_of([Selector.stream(name) for name in _STREAMS])

_days = st.integers(-2, 6).map(day)
_events = st.builds(
    ProspectiveEvent,
    id=st.integers(0, 60).map(str),
    stream=st.sampled_from(_STREAMS),
    event_type=st.sampled_from(_TYPES),
    subject=st.sampled_from(_SUBJECTS),
    time=st.none() | _days,
    data=st.none() | st.sampled_from(("text", b"\x00\xff")),
)
_batches = st.lists(_events, min_size=1, max_size=4)
_leaves = st.one_of(
    st.sampled_from(_STREAMS).map(Selector.stream),
    st.sampled_from(_SUBJECTS).map(Selector.subject),
    st.sampled_from(_TYPES).map(Selector.event_type),
    st.sampled_from(("a", "aa", "c")).map(Selector.stream_starts_with),
    st.sampled_from(("x", "z")).map(Selector.subject_starts_with),
    st.sampled_from(("open", "c")).map(Selector.event_type_starts_with),
)
_selectors: st.SearchStrategy[EventSelector] = st.recursive(
    _leaves,
    lambda inner: st.builds(AndSelector, inner, inner) | st.builds(OrSelector, inner, inner),
    max_leaves=5,
)
_bounds = st.integers(0, 30)
_conditions = st.one_of(
    st.builds(Constraint.min, _selectors, st.integers(0, 3)),
    st.builds(Constraint.max, _selectors, _bounds),
    st.builds(
        Constraint.range, _selectors, st.integers(0, 3).map(lambda low: Range(low, low + 30))
    ),
    st.builds(Constraint.must_not_exist, _selectors),
)
_ranges = st.one_of(
    st.none(),
    st.builds(RevisionRange, st.none() | _bounds),
    st.builds(
        EffectiveTimeRange, st.none() | st.builds(RangeCursor, _days, _bounds), st.none() | _days
    ),
)
_options = st.builds(
    QueryOptions,
    direction=st.sampled_from(QueryDirection),
    limit=st.none() | st.integers(0, 5),
    range=_ranges,
)
_places = st.none() | st.floats(0, 1)
"""At which revision to look: a part of the latest one, None for the latest."""


class DatabaseMachine(RuleBasedStateMachine):
    """Plays one database. :meth:`for_database` makes the class that knows how to get a new one."""

    @classmethod
    def for_database(cls, new_database: Callable[[], DatabaseUnderTest]) -> type[DatabaseMachine]:
        """The machine over databases that ``new_database`` makes."""

        class Machine(cls):  # type: ignore[valid-type,misc]  # any class of machines
            def new_database(self) -> DatabaseUnderTest:
                return new_database()

        Machine.__name__ = Machine.__qualname__ = cls.__name__
        return Machine

    def new_database(self) -> DatabaseUnderTest:
        """An empty database for one history."""
        raise NotImplementedError("make the class with DatabaseMachine.for_database")

    def __init__(self) -> None:
        super().__init__()
        self.database = self.new_database()
        self.model = Model()
        if Capability.VIEWS not in self.database.missing:
            for name, temporality in _VIEWS.items():
                template = Parameter.subject("who") & Selector.stream_starts_with("a")
                definition = StateViewDefinition(
                    StateViewName(name), template, temporality=temporality
                )
                self.database.publish_view(definition, SEEN)

    def has(self, *capabilities: Capability) -> bool:
        """Whether the database has all of these."""
        return not any(each in self.database.missing for each in capabilities)

    # --- writing -----------------------------------------------------------------------------------

    @rule(
        events=_batches,
        conditions=st.lists(_conditions, max_size=2),
        transaction_id=st.none() | st.sampled_from(_FEW_TRANSACTION_IDS),
    )
    def transact(
        self,
        events: list[ProspectiveEvent],
        conditions: list[AppendCondition],
        transaction_id: str | None,
    ) -> None:
        """Commit, or be refused for the reason that the model gives."""
        known = self.model.transactions.get(transaction_id or "")
        if known is not None:
            expected = set() if known[:2] == (events, conditions) else {"duplicate-transaction-id"}
        else:
            expected = self.model.refuses(events, conditions)
        refusal, result = None, None
        try:
            result = self.database.transact(events, conditions, transaction_id=transaction_id)
        except EvidentSourceError as error:
            refusal = error
        if refusal is not None:
            assert refusal.code in expected, f"refused with {refusal!r}, the model says {expected}"
            return
        assert not expected, f"taken, the model says {expected}"
        assert result is not None
        if known is not None:
            assert result.revision == known[2]
            return
        self._committed(events, conditions, transaction_id, result)

    def _committed(
        self,
        events: list[ProspectiveEvent],
        conditions: list[AppendCondition],
        transaction_id: str | None,
        result: Any,
    ) -> None:
        earliest = [entry.recorded_at for entry in self.model.entries[-1:]]
        assert all(result.timestamp >= each for each in earliest)
        assert result.basis == self.model.revision
        self.model.commit(events, result.timestamp)
        assert result.revision == self.model.revision
        self.model.transactions[result.id] = (events, conditions, result.revision)
        assert transaction_id in (None, result.id)
        self._look_around(self.model.entries[-1])

    def _look_around(self, entry: Entry) -> None:
        """What most mistakes show in: ranges that begin and end with an entry, in both directions."""
        latest, revision, moment = self.database.latest(), self.model.revision, entry.effective_at
        options = [
            QueryOptions(range=RevisionRange(entry.revision)),
            QueryOptions(range=EffectiveTimeRange(RangeCursor(moment, entry.revision))),
            QueryOptions(range=EffectiveTimeRange(end_at=moment), limit=3),
        ]
        for each in options:
            for turned in (each, each.reverse()):
                expected = self.model.query(_EVERYTHING, turned, revision)
                assert told(latest.query_events(_EVERYTHING, turned)) == listed(expected)
        if self.has(Capability.EFFECTIVE_TIME):
            bound = latest.at_effective_timestamp(moment)
            expected = self.model.query(_EVERYTHING, QueryOptions(), revision, moment)
            assert told(bound.query_events(_EVERYTHING)) == listed(expected)
        self._compare_views(latest, self.model, revision, None)

    @precondition(lambda self: self.model.transactions)
    @rule(number=st.integers(0, 1000), changed=st.booleans())
    def commit_again(self, number: int, changed: bool) -> None:
        """A transaction that was committed gives its result again; with other content, it cannot."""
        known = sorted(self.model.transactions)
        transaction_id = known[number % len(known)]
        events, conditions, revision = self.model.transactions[transaction_id]
        if changed:
            more = [*conditions, Constraint.min(_EVERYTHING, 0)]
            with pytest.raises(DuplicateTransactionId):
                self.database.transact(events, more, transaction_id=transaction_id)
            return
        result = self.database.transact(events, conditions, transaction_id=transaction_id)
        assert (result.id, result.revision) == (transaction_id, revision)

    @precondition(lambda self: self.has(Capability.REOPEN))
    @rule()
    def reopen(self) -> None:
        """Close the database and open it again."""
        self.database = self.database.reopen()

    # --- reading -----------------------------------------------------------------------------------

    @rule(selector=_selectors, options=_options, place=_places, bound=st.none() | _days)
    def query(
        self,
        selector: EventSelector,
        options: QueryOptions,
        place: float | None,
        bound: datetime | None,
    ) -> None:
        """A query gives what the model gives."""
        snapshot, revision, bound = self._snapshot(place, bound)
        expected = self.model.query(selector, options, revision, bound)
        assert told(snapshot.query_events(selector, options)) == listed(expected)

    @precondition(lambda self: self.has(Capability.SPECULATION))
    @rule(
        steps=st.lists(_batches, min_size=1, max_size=2),
        selector=_selectors,
        options=_options,
        place=_places,
        bound=st.none() | _days,
    )
    def speculate(
        self,
        steps: list[list[ProspectiveEvent]],
        selector: EventSelector,
        options: QueryOptions,
        place: float | None,
        bound: datetime | None,
    ) -> None:
        """A speculation reads as the commit of its events would."""
        snapshot, revision, bound = self._snapshot(place, bound)
        speculated = snapshot.speculate_with_transaction(steps[0])
        for step in steps[1:]:
            speculated = speculated.speculate_with_transaction(step)
        added = [each for step in steps for each in step]
        model = self.model.speculated(added, revision, snapshot.revision_timestamp)
        assert speculated.revision == model.revision
        expected = model.query(selector, options, model.revision, bound)
        assert told(speculated.query_events(selector, options)) == listed(expected)
        self._compare_views(speculated, model, model.revision, bound)

    @precondition(lambda self: self.has(Capability.VIEWS))
    @rule(place=_places, bound=st.none() | _days)
    def read_views(self, place: float | None, bound: datetime | None) -> None:
        """Views are the fold of what the model selects."""
        snapshot, revision, bound = self._snapshot(place, bound)
        self._compare_views(snapshot, self.model, revision, bound)

    def _snapshot(
        self, place: float | None, bound: datetime | None
    ) -> tuple[DatabaseAccess, int, datetime | None]:
        """A snapshot with its revision and its bound on effective time, if it can have one."""
        if place is None:
            snapshot, revision = self.database.latest(), self.model.revision
        else:
            revision = round(place * self.model.revision)
            snapshot = self.database.at_revision(revision)
        assert snapshot.revision == revision
        if bound is None or not self.has(Capability.EFFECTIVE_TIME):
            return snapshot, revision, None
        return snapshot.at_effective_timestamp(bound), revision, bound

    def _compare_views(
        self,
        snapshot: DatabaseAccess | SpeculativeDatabase,
        model: Model,
        revision: int,
        bound: datetime | None,
    ) -> None:
        if not self.has(Capability.VIEWS):
            return
        for name, temporality in _VIEWS.items():
            by_revision = temporality is QueryTemporality.REVISION
            span = RevisionRange() if by_revision else EffectiveTimeRange()
            selector = Selector.subject("x") & Selector.stream_starts_with("a")
            expected = model.query(selector, QueryOptions(range=span), revision, bound)
            view = snapshot.view_state(name, 1, {"who": "x"})
            if not expected:
                assert view is None
                continue
            assert view is not None
            assert view.json()["ids"] == [entry.event.id for entry in expected]
            assert view.last_modified_revision == max(entry.revision for entry in expected)

    @invariant()
    def stands_where_the_model_stands(self) -> None:
        """Nothing but a commit moves the revision, and the log says each."""
        assert self.database.latest().revision == self.model.revision
        assert [each.revision for each in self.database.log()] == self.model.revisions

    def teardown(self) -> None:
        """Let go of the database."""
        self.database.close()


def told(events: list[Event]) -> list[tuple[object, ...]]:
    """What a database says of events."""
    return [
        (
            each.revision(),
            each.stream(),
            each.id,
            each.event_type,
            each.subject,
            each.time,
            each.data,
        )
        for each in events
    ]


def listed(entries: list[Entry]) -> list[tuple[object, ...]]:
    """The same of a model's entries."""
    return [
        (entry.revision, each.stream, each.id, each.event_type, each.subject, each.time, each.data)
        for entry in entries
        for each in [entry.event]
    ]
