"""What is written: transactions that share a commit, ids, names and the text of checksums."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from evidentsource_core import (
    Constraint,
    ConstraintViolations,
    InvalidEvents,
    InvalidValue,
    ProspectiveEvent,
    Selector,
)
from evidentsource_core.rules import event_size
from evidentsource_runtime.store import (
    Index,
    Module,
    StoreError,
    commits,
    verify,
)
from evidentsource_runtime.store.fetching import fetch_one
from evidentsource_runtime.store.rows import columns
from evidentsource_runtime.store.writing import Writer
from evidentsource_runtime.testing.strategies.domain import prospective_events
from tests.unit.core.reference.helpers import START
from tests.unit.store.helpers import bank, event

ACCOUNTS = Selector.stream("accounts")
NOTES = Module("notes", ("CREATE TABLE note (text TEXT NOT NULL) STRICT",))


def test_transactions_that_wait_together_share_a_commit_and_each_has_its_own_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        groups = _the_first_waits_for(monkeypatch, 9)
        verdicts: dict[int, object] = {}

        def write(number: int) -> None:
            only_one = Constraint.must_not_exist(Selector.subject("shared"))
            shared = event(f"e-{number}", "shared" if number else "first")
            try:
                verdicts[number] = store.transact([shared], [only_one] if number else ()).revision
            except ConstraintViolations:
                verdicts[number] = "refused"

        threads = [threading.Thread(target=write, args=(number,)) for number in range(9)]
        _run(threads, groups)
        assert groups == [1, 8]
        assert verdicts[0] == 1
        assert sorted(map(str, verdicts.values())) == ["1", "2", *["refused"] * 7]
        assert store.head().revision == 2


def test_an_id_is_taken_by_whoever_came_first_in_the_same_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        groups = _the_first_waits_for(monkeypatch, 3)
        verdicts: list[str] = []

        def write(event_id: str) -> None:
            try:
                store.transact([event(event_id)])
                verdicts.append("written")
            except InvalidEvents as refused:
                verdicts.append(refused.errors[0].code)

        threads = [threading.Thread(target=write, args=(name,)) for name in ("first", "e", "e")]
        _run(threads, groups)
        assert sorted(verdicts) == ["duplicate-event-id", "written", "written"]
        assert groups == [1, 2], "and nobody's commit was undone for it"
        assert store.head().revision == 2


def test_an_id_that_the_file_has_is_refused_alone_of_those_that_share_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        store.transact([event("used")])
        groups = _the_first_waits_for(monkeypatch, 5)
        verdicts: dict[str, object] = {}

        def write(event_id: str) -> None:
            try:
                verdicts[event_id] = store.transact([event(event_id)]).events[0].id
            except InvalidEvents as refused:
                verdicts[event_id] = refused.errors[0].code

        names = ("first", "e-1", "used", "e-2", "e-3")
        threads = [threading.Thread(target=write, args=(name,)) for name in names]
        _run(threads, groups)
        assert verdicts == {name: name for name in names} | {"used": "duplicate-event-id"}
        assert groups == [1, 4], "which is not begun again for it"
        assert [found.id for found in store.query(ACCOUNTS)].count("used") == 1
        assert store.head().revision == 5


def test_an_id_that_is_used_is_said_before_a_condition_that_does_not_hold(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-1")])
        free = Constraint.must_not_exist(ACCOUNTS)
        with pytest.raises(InvalidEvents, match=r"events\[1\]: .*e-1"):
            store.transact([event("e-2"), event("e-1")], [free])
        with pytest.raises(ConstraintViolations):
            store.transact([event("e-2")], [free])


def test_names_that_readers_forget_while_a_transaction_is_written_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evidentsource_runtime.store.names._REMEMBERED", 2)
    with bank(tmp_path) as store:
        for turn in range(3):
            subjects = [f"a-{number}" for number in range(turn, turn + 5)]
            store.transact([event(f"e-{turn}-{name}", name) for name in subjects])
        assert [store.count(Selector.subject(f"a-{n}")) for n in range(7)] == [1, 2, 3, 3, 3, 2, 1]
        assert list(store.keys(Index.SUBJECT)) == [f"a-{n}" for n in range(7)]
        assert list(verify(store)) == []


@given(prospective_events())
def test_the_text_that_checksums_are_made_of_is_json_and_no_shorter_than_its_event_counts(
    found: ProspectiveEvent,
) -> None:
    kept = columns(found)
    payload = [kept.data.hex()] if isinstance(kept.data, bytes) else kept.data
    array = [*kept[:5], payload, *kept[6:]]
    text = kept.text()
    assert text == json.dumps(array, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) >= event_size(found)


def _run(threads: list[threading.Thread], groups: list[int]) -> None:
    threads[0].start()
    while not groups:
        time.sleep(0.001)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()


def _the_first_waits_for(monkeypatch: pytest.MonkeyPatch, waiting: int) -> list[int]:
    """Have the first commit wait until so many are there; tells how many each commit has."""
    groups: list[int] = []
    real = commits.GroupCommit._commit

    def slow(self: commits.GroupCommit, group: list[Any], **how: Any) -> Any:
        groups.append(len(group))
        if len(groups) == 1:
            while len(self._waiting) < waiting:
                time.sleep(0.001)
        return real(self, group, **how)

    monkeypatch.setattr(commits.GroupCommit, "_commit", slow)
    return groups


def test_one_that_fails_in_a_group_is_alone_in_that(tmp_path: Path) -> None:
    with bank(tmp_path, modules=[NOTES]) as store:
        outcomes: list[object] = []

        def write(number: int) -> None:
            def also(db: Any, _record: Any) -> None:
                db.execute("INSERT INTO note VALUES (?)", (None if number % 3 == 0 else "x",))

            try:
                outcomes.append(store.transact([event(f"e-{number}")], also=also).revision)
            except StoreError:
                outcomes.append("failed")

        threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, outcomes)) == sorted([*map(str, range(1, 9)), *["failed"] * 4])
        with store.read() as db:
            assert fetch_one(db, "SELECT count(*) FROM note") == (8,)
        assert list(verify(store)) == []


def test_a_rule_that_is_broken_by_what_is_written_besides_undoes_the_events_too(
    tmp_path: Path,
) -> None:
    def refuse(db: Any, _record: Any) -> None:
        db.execute("INSERT INTO note VALUES ('half')")
        raise InvalidValue("note", "no")

    with bank(tmp_path, modules=[NOTES]) as store:
        with pytest.raises(InvalidValue, match="no"):
            store.transact([event("e-1")], also=refuse)
        assert store.head().revision == 0
        assert list(store.query(Selector.stream("accounts"))) == []
        with store.read() as db:
            assert fetch_one(db, "SELECT count(*) FROM note") == (0,)
        assert store.transact([event("e-1")]).revision == 1


def test_an_interrupted_writer_leaves_the_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        store.transact([event("e-0", "first")])
        interrupted = [True]
        real = Writer.flush

        def once(self: Writer) -> None:
            real(self)
            if interrupted:
                interrupted.clear()
                raise KeyboardInterrupt

        monkeypatch.setattr(Writer, "flush", once)
        with pytest.raises(KeyboardInterrupt):
            store.transact([event("e-1", "new")])
        assert store.head().revision == 1
        assert store.transact([event("e-1", "newer")]).revision == 2
        assert list(verify(store)) == []


def test_what_an_interrupted_writer_wanted_is_not_written_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank(tmp_path) as store:
        _the_first_waits_for(monkeypatch, 2)
        outcomes: dict[str, object] = {}
        real = Writer.flush

        def interrupted(self: Writer) -> None:
            real(self)
            if store.head().revision == 0 and not outcomes:
                outcomes["flushed"] = True
                raise KeyboardInterrupt

        def write(name: str) -> None:
            try:
                outcomes[name] = store.transact([event(name)]).revision
            except KeyboardInterrupt:
                outcomes[name] = "interrupted"

        monkeypatch.setattr(Writer, "flush", interrupted)
        first, second = (threading.Thread(target=write, args=(name,)) for name in ("e-1", "e-2"))
        first.start()
        while not store._commits._waiting:  # type: ignore[union-attr]
            time.sleep(0.001)
        second.start()
        first.join()
        second.join()
        assert outcomes == {"flushed": True, "e-1": "interrupted", "e-2": 1}
        assert store.transact([event("e-3")]).revision == 2


def test_the_result_of_a_transaction_is_the_one_that_the_database_has_of_it(tmp_path: Path) -> None:
    with bank(tmp_path) as store:
        events = [
            event("e-1", data="{}", time=START),
            event("e-2", None, extensions={"tenant": "a"}),
        ]
        told = [store.transact([replace(each)], transaction_id=each.id) for each in events]
        kept = [store.transaction(each.id) for each in events]
        assert kept[0] is not None
        assert told == kept
        assert [hash(each) for each in told] == [hash(each) for each in kept]
        assert [repr(each) for each in told] == [repr(each) for each in kept]
        assert pickle.loads(pickle.dumps(told)) == kept
        assert copy.copy(told[0]).events[0].data_as_string() == "{}"
        assert replace(told[0], basis=7) == replace(kept[0], basis=7) != kept[0]
        with pytest.raises(AttributeError, match="no attribute 'event'"):
            _ = told[0].event  # type: ignore[attr-defined]  # which is the point


def test_whether_something_changed_a_moment_ago_the_file_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = Selector.subject("ann"), Selector.subject("bob")
    with bank(tmp_path) as store:
        store.transact([event("e-1", "ann"), event("e-2", "bob")])
        monkeypatch.delattr(Writer, "_highest")
        bounds = [Constraint.unchanged_since(ann, 1), Constraint.unchanged_since(bob, 2)]
        assert store.transact([event("e-3", "ann")], bounds).revision == 3
        nobody = Constraint.must_not_exist(Selector.subject("nobody"))
        assert store.transact([event("e-4")], [nobody]).revision == 4
        monkeypatch.undo()
        with pytest.raises(ConstraintViolations, match="3"):
            store.transact([event("e-5")], bounds)


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize("behind", [0, 1, 254, 255, 256, 257, 300])
def test_a_change_is_found_however_long_ago_it_was(
    tmp_path: Path, behind: int, *, reopened: bool
) -> None:
    changed = Selector.subject("changed")
    store = bank(tmp_path)
    store.transact([event("before"), event("change", "changed")])
    if behind:
        store.transact([event(f"e-{number}") for number in range(behind)])
    if reopened:
        store.close()
        store = bank(tmp_path)
    with store:
        with pytest.raises(ConstraintViolations):
            store.transact([event("refused")], [Constraint.unchanged_since(changed, 1)])
        accepted = store.transact([event("accepted")], [Constraint.unchanged_since(changed, 2)])
        assert accepted.revision == behind + 3


def test_what_was_undone_has_changed_nothing_and_hides_nothing(tmp_path: Path) -> None:
    unchanged = Constraint.unchanged_since(Selector.subject("ann"), 0)
    only_one = Constraint.unchanged_since(Selector.subject("a-1"), 1)

    def fail(_db: Any, _record: Any) -> None:
        raise ValueError("not today")

    with bank(tmp_path) as store:
        store.transact([event("e-1", "a-1")])
        with pytest.raises(ValueError, match="not today"):
            store.transact([event("e-2", "a-1")], [only_one], also=fail)
        assert store.transact([event("e-2", "a-1")], [only_one]).revision == 2
        with pytest.raises(ConstraintViolations):
            store.transact([event("e-3", "a-1")], [only_one])
    (tmp_path / "other").mkdir()
    with bank(tmp_path / "other") as store:
        store.transact([event("e-1", "ann")])
        with pytest.raises(ValueError, match="not today"):
            store.transact([event("e-2", "bob")], also=fail)
        store.transact([event("e-2", "bob")])
        with pytest.raises(ConstraintViolations):
            store.transact([event("e-3")], [unchanged])
