"""Every shape of selector is answered by an index where one can, and in the order asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from evidentsource_core import EventSelector, ProspectiveEvent, Selector
from evidentsource_runtime.store import SqliteStore, plans, reading, statements
from evidentsource_runtime.store.entries import COLUMN, LEVELS
from evidentsource_runtime.store.fetching import fetch
from evidentsource_runtime.store.terms import NOTHING, Numbers, after_prefix, looked_up
from evidentsource_runtime.store.ways import Plan, Source, Way, Window
from tests.crash.folders import fast_folder
from tests.whole import WHOLE

EVENTS = 4000


@pytest.fixture(scope="module")
def store() -> Iterator[SqliteStore]:
    with (
        fast_folder() as folder,
        SqliteStore.open(folder / "bank.db", synchronous="NORMAL") as opened,
    ):
        for start in range(0, EVENTS, 1000):
            opened.transact(
                [
                    ProspectiveEvent(
                        f"e-{n}", f"stream-{n % 3}", f"type-{n % 2}", f"a-{n % 400:03}"
                    )
                    for n in range(start, start + 1000)
                ]
            )
        yield opened


def explained(
    store: SqliteStore, selector: EventSelector, *, by_time: bool = False, reverse: bool = False
) -> tuple[Way, list[str]]:
    """The way that is taken, and its steps: first the attributes by which the index is entered."""
    window = Window(0, EVENTS)
    with store.read() as db:
        term = looked_up(db, store._names.find, selector)
        chosen = plans.plan(db, term, window, by_time=by_time)
        if chosen.way is Way.NOTHING:
            return chosen.way, []
        sql, values = statements.statement(chosen, window, by_time=by_time, reverse=reverse)
        steps = fetch(db, f"EXPLAIN QUERY PLAN {sql}", (*values, 10))
    entered = [f"by {COLUMN[source.shape.kind]}" for source in chosen.sources]
    return chosen.way, [*entered, *(step[3] for step in steps)]


stream, kind, subject = Selector.stream, Selector.event_type, Selector.subject
subjects, kinds = Selector.subject_starts_with, Selector.event_type_starts_with

ORDERED: dict[str, tuple[EventSelector, str]] = {
    "stream": (stream("stream-1"), "stream"),
    "subject": (subject("a-001"), "subject"),
    "type": (kind("type-1"), "type"),
    "stream and subject": (stream("stream-1") & subject("a-001"), "subject"),
    "stream and type": (stream("stream-1") & kind("type-1"), "stream"),
    "type and either subject": (kind("type-1") & (subject("a-001") | subject("a-003")), "subject"),
    "prefix of few subjects": (subjects("a-00"), "subject"),
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ORDERED)
def test_few_values_come_out_of_the_index_in_order_without_a_sort(
    store: SqliteStore, name: str, reverse: bool
) -> None:
    selector, attribute = ORDERED[name]
    way, steps = explained(store, selector, reverse=reverse)
    assert way is Way.MERGE
    assert {step for step in steps if step.startswith("by ")} == {f"by {attribute}"}
    searched = [step for step in steps if "USING PRIMARY KEY (kind=? AND value=?" in step]
    assert len(searched) % len(LEVELS) == 0 < len(searched)
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN e") for step in steps), steps


@pytest.mark.parametrize(
    ("selector", "way"),
    [
        (subjects("a-00") | subjects("a-01"), Way.SORT),
        (subject("a-001") | kind("type-3"), Way.MERGE),
        (kinds("type-"), Way.SCAN),
        (stream("stream-1") | subject("a-001"), Way.SCAN),
        (subjects("a-1"), Way.SCAN),
        (subjects("a-"), Way.SCAN),
        (subjects("a-0") & stream("stream-1"), Way.MERGE),
    ],
)
def test_many_values_are_sorted_or_scanned_whichever_is_less_work(
    store: SqliteStore, selector: EventSelector, way: Way
) -> None:
    found, steps = explained(store, selector)
    assert found is way
    entered = any("USING PRIMARY KEY (kind=? AND value=?" in step for step in steps)
    assert entered is (way is not Way.SCAN), steps


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_of_effective_time_is_merged_of_two(store: SqliteStore, reverse: bool) -> None:
    way, steps = explained(store, kind("type-1"), by_time=True, reverse=reverse)
    assert way is Way.SCAN
    assert "MERGE (UNION ALL)" in steps
    assert any("event_by_time" in step for step in steps)
    assert "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in steps
    way, steps = explained(store, subject("a-001"), by_time=True, reverse=reverse)
    assert way is Way.SORT
    assert "by subject" in steps


@pytest.mark.parametrize(
    "selector",
    [
        subject("nobody"),
        subject("a-001") & subject("a-002"),
        subjects("b") & stream("stream-1"),
        (stream("nowhere") | subject("nobody")) & kind("type-1"),
    ],
)
def test_what_nothing_can_meet_is_not_even_looked_for(
    store: SqliteStore, selector: EventSelector
) -> None:
    assert explained(store, selector) == (Way.NOTHING, [])


def test_a_thousand_subjects_are_one_term(store: SqliteStore) -> None:
    selector: EventSelector = subject("a-000")
    for number in range(1, 400):
        selector = selector | subject(f"a-{number:03}")
    with store.read() as db:
        term = looked_up(db, store._names.find, selector)
    assert isinstance(term, Numbers)
    assert len(term.numbers) == 400
    assert store.count(selector) == EVENTS


def test_a_contradiction_and_what_nobody_has_are_nothing(store: SqliteStore) -> None:
    with store.read() as db:
        find = store._names.find
        assert looked_up(db, find, subject("a-001") & Selector.no_subject()) == NOTHING
        either = looked_up(db, find, subject("nobody") | stream("stream-1"))
    assert isinstance(either, Numbers)


def test_a_selector_deeper_and_larger_than_sql_allows_is_answered(store: SqliteStore) -> None:
    deep: EventSelector = subject("a-001")
    for _ in range(600 if WHOLE else 350):
        deep = (deep & stream("stream-1")) | kind("nothing-of-it") & subjects("zz")
        deep = (deep & kinds("type-")) | (subjects("a-00") & stream("stream-1") & kind("type-1"))
    expected = [event.id for event in store.query(stream("stream-1")) if deep.matches(event)]
    assert [event.id for event in store.query(deep)] == expected
    wide: EventSelector = kind("type-1") & subject("a-000")
    for number in range(1200):
        wide = wide | (kind(f"type-{number % 2}") & subjects(f"a-{number % 400:03}"))
    assert store.count(wide) == EVENTS


@pytest.mark.parametrize(
    ("prefix", "after"),
    [("a", "b"), ("a\ud7ff", "a\ue000"), ("a\U0010ffff", "b"), ("\U0010ffff", None), ("", None)],
)
def test_the_end_of_a_prefix_is_the_next_text_in_the_order_of_characters(
    prefix: str, after: str | None
) -> None:
    assert after_prefix(prefix) == after


@pytest.mark.parametrize("selector", [subjects("a-1"), subjects("a-1") | subjects("a-2")])
def test_a_scan_gives_only_what_is_selected(store: SqliteStore, selector: EventSelector) -> None:
    assert explained(store, selector)[0] is Way.SCAN
    found = list(store.query(selector))
    assert all(selector.matches(event) for event in found)
    assert len(found) == store.count(selector) == (1000 if "Starts" in repr(selector)[:8] else 2000)


def test_no_connection_prepares_statements_anew_for_other_values(store: SqliteStore) -> None:
    def stable(db: apsw.Connection) -> int:
        return db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1)

    with store.read() as db:
        assert stable(db) == 1
    assert store.write(stable) == 1


def test_of_two_ways_that_both_lead_to_many_the_subjects_are_taken(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "PROBE", 20)
    _, steps = explained(store, kind("type-1") & subjects("a-00"))
    assert "by subject" in steps
    assert "by type" not in steps


@pytest.mark.parametrize(
    ("selector", "everything", "streams"),
    [
        (kinds("type-"), True, 3),
        (stream("stream-0") | stream("stream-1") | stream("stream-2"), True, 3),
        (stream("stream-0") | stream("stream-1"), False, 2),
        (kinds("type-") & (stream("stream-0") | stream("stream-1")), False, 2),
    ],
)
def test_what_leads_to_every_event_is_read_without_the_index(
    store: SqliteStore, selector: EventSelector, streams: int, *, everything: bool
) -> None:
    query = reading.asked(selector, reading.NO_OPTIONS, EVENTS)
    run = reading.Run(store._pool, store._names.find, query, reading.PAGE)
    with store.read() as db:
        assert (run.plan(db) == Plan(Way.SCAN)) == everything
        sql, values, _ = run.statement(db, statements.rows_statement)
        steps = [step[3] for step in fetch(db, f"EXPLAIN QUERY PLAN {sql}", values)]
    if everything:
        assert steps[0] == "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    wanted = [n for n in range(EVENTS) if n % 3 < streams]
    assert [event.id for event in store.query(selector)] == [f"e-{n}" for n in wanted]


@pytest.mark.parametrize(
    ("selector", "looked_at"),
    [
        # Many at both ends: the rest is not counted.
        (kinds("type-") & (stream("stream-0") | stream("stream-1")), [100, 100]),
        # Many at neither, or not of streams and types alone: everything counts.
        (stream("stream-0") | subject("a-001"), [EVENTS]),
        (subjects("a-1"), [EVENTS]),
    ],
)
def test_of_a_long_history_the_ends_are_looked_at_first(
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
    selector: EventSelector,
    looked_at: list[int],
) -> None:
    counted = plans._are_many
    lengths = []

    def noted(db: apsw.Connection, sources: tuple[Source, ...], window: Window) -> bool:
        lengths.append(window.upto - window.after)
        return counted(db, sources, window)

    monkeypatch.setattr(plans, "SAMPLE", 100)
    monkeypatch.setattr(plans, "_are_many", noted)
    assert explained(store, selector)[0] is Way.SCAN
    assert lengths == looked_at


def test_many_at_one_end_alone_are_not_taken_for_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SAMPLE", 64)
    with SqliteStore.open(tmp_path / "bank.db") as store:
        names = ("most", "few", "fewer")
        for start in range(0, EVENTS, 1000):
            kinds_of = [names[n % 3 if n < 100 else 0] for n in range(start, start + 1000)]
            store.transact(
                [ProspectiveEvent(f"e-{start + n}", "s1", name) for n, name in enumerate(kinds_of)]
            )
        either = kind("few") | kind("fewer")
        assert explained(store, either)[0] is Way.SORT
        assert store.count(either) == 66
