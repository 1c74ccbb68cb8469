"""Views: what is folded, what is kept, what a failure leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evidentsource_core import DatabaseAccessError, Event, ProspectiveEvent
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_runtime.database import Database, StateViewFailed, folding, kept, rebuilding
from tests.unit.database.bank import BY_EFFECT, Balance, Counting, balance, paid, total

DAY = datetime(2024, 1, 1, tzinfo=UTC)


def pay(bank: Database, count: int, start: int = 0, account: str = "ann") -> None:
    bank.transact([paid(f"{account}-{n}", account) for n in range(start, start + count)])


def timed(event_id: str, day: int) -> ProspectiveEvent:
    return ProspectiveEvent(event_id, "accounts", "moved", "ann", time=DAY + timedelta(days=day))


def content(bank: Database, name: str = "total", parameters: Any = None) -> bytes | None:
    view = bank.latest().view_state(name, 1, parameters)
    return None if view is None else view.content


def test_what_was_folded_is_not_folded_again(bank: Database) -> None:
    counting = Counting()
    bank.publish_state_view(total(), counting)
    pay(bank, 10)
    assert content(bank) == b"10"
    pay(bank, 3, start=10)
    assert content(bank) == b"13"
    assert content(bank) == b"13"
    assert counting.calls == [10, 3]


def test_what_was_folded_is_there_after_a_restart(open_bank: Callable[..., Database]) -> None:
    counting = Counting()
    with open_bank() as bank:
        bank.publish_state_view(total(), counting, if_changed=True)
        pay(bank, 10)
        content(bank)
    with open_bank() as bank:
        bank.attach_state_view("total", 1, counting)
        pay(bank, 2, start=10)
        assert content(bank) == b"12"
    assert counting.calls == [10, 2]


def test_code_that_is_another_folds_anew(open_bank: Callable[..., Database]) -> None:
    with open_bank() as bank:
        bank.publish_state_view(total(), Counting())
        pay(bank, 10)
        assert content(bank) == b"10"
    with open_bank() as bank:
        bank.attach_state_view("total", 1, lambda state, events: b"other")
        assert content(bank) == b"other"


def test_states_are_written_behind_readers_before_the_end(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "WORTH_WRITING", 5)
    monkeypatch.setattr(kept, "EVERY", 0.001)
    bank.publish_state_view(total(), Counting())
    pay(bank, 10)
    content(bank)
    until = time.monotonic() + 10
    while not (written := rows(bank)) and time.monotonic() < until:
        time.sleep(0.005)
    assert written == [(10, b"10")]


def test_what_is_kept_in_memory_is_bounded(bank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 4_000)
    monkeypatch.setattr(kept, "EVERY", 0.001)
    bank.publish_state_view(balance(), Counting())
    for account in range(60):
        pay(bank, 1, account=f"account-{account}")
        content(bank, "balance", {"who": f"account-{account}"})
        bank.keep_snapshots()
    assert len(bank._kept._bindings) < 12
    assert content(bank, "balance", {"who": "account-0"}) == b"1"


def rows(bank: Database) -> list[Any]:
    with bank.store.read() as db:
        return db.execute("SELECT count, content FROM database_kept").fetchall()


def test_dropped_states_come_back_with_the_same_bytes(bank: Database) -> None:
    counting = Counting()
    bank.publish_state_view(balance(), Balance)
    bank.publish_state_view(total(), counting)
    pay(bank, 10)
    before = content(bank, "balance", {"who": "ann"}), content(bank)
    bank.drop_snapshots("balance")
    assert (content(bank, "balance", {"who": "ann"}), content(bank)) == before
    assert counting.calls == [10]
    bank.drop_snapshots()
    assert (content(bank, "balance", {"who": "ann"}), content(bank)) == before
    assert counting.calls == [10, 10]


def test_an_earlier_revision_is_folded_from_the_nearest_state(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "BATCH", 10)
    monkeypatch.setattr(folding, "CHECKPOINT", 20)
    counting = Counting()
    bank.publish_state_view(total(), counting)
    pay(bank, 100)
    content(bank)
    counting.calls.clear()
    view = bank.at_revision(47).view_state("total", 1)
    assert view is not None
    assert view.content == b"47"
    assert sum(counting.calls) == 7


def test_a_late_event_changes_only_what_comes_after_it_in_effect(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "BATCH", 10)
    monkeypatch.setattr(folding, "CHECKPOINT", 20)
    counting = Counting()
    bank.publish_state_view(total(BY_EFFECT), counting)
    bank.transact([timed(f"e-{n}", n) for n in range(100)])
    content(bank)
    counting.calls.clear()
    bank.transact([timed("late", 47)])
    assert content(bank) == b"101"
    assert sum(counting.calls) == 61, "the state of the first 40 days still holds"


def test_of_events_of_one_time_all_or_none_are_in_a_state_that_is_kept(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "BATCH", 3)
    monkeypatch.setattr(folding, "CHECKPOINT", 1)
    bank.publish_state_view(total(BY_EFFECT), Counting())
    days = [0, 5, 5, 5, 5, 9, 9, 9]
    bank.transact([timed(f"e-{number}", day) for number, day in enumerate(days)])
    assert content(bank) == b"8"
    bank.transact([timed("late", 7)])
    assert content(bank) == b"9"


def test_an_event_that_takes_effect_last_is_folded_alone(bank: Database) -> None:
    counting = Counting()
    bank.publish_state_view(total(BY_EFFECT), counting)
    bank.transact([timed(f"e-{n}", n) for n in range(10)])
    content(bank)
    bank.transact([timed("next", 20)])
    assert content(bank) == b"11"
    assert counting.calls == [10, 1]


def test_readers_at_the_same_time_fold_it_once(bank: Database) -> None:
    class Slow(Counting):
        def __call__(self, state: RenderedStateView, events: list[Event]) -> bytes:
            time.sleep(0.05)
            return super().__call__(state, events)

    slow = Slow()
    bank.publish_state_view(total(), slow)
    pay(bank, 10)
    found: list[bytes | None] = []
    threads = [threading.Thread(target=lambda: found.append(content(bank))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, slow.calls) == ([b"10"] * 4, [10])


@pytest.mark.parametrize("place", [0, 1, 17, 39])
def test_a_failure_names_the_event_and_keeps_what_came_before(bank: Database, place: int) -> None:
    calls: list[list[str]] = []

    def fussy(state: RenderedStateView, events: list[Event]) -> bytes:
        calls.append([event.id for event in events])
        for event in events:
            if "amount" not in event.data_as_json():
                raise KeyError("amount")
        return str(int(state.content or b"0") + len(events)).encode()

    bank.publish_state_view(total(), fussy)
    bank.publish_state_view(balance(), Balance)
    bank.transact([paid(f"e-{n}", amount=None if n == place else 5) for n in range(40)])
    bank.transact([paid("bob-1", "bob")])
    with pytest.raises(
        StateViewFailed, match=rf"total\.v1 at event 'e-{place}' .*KeyError"
    ) as caught:
        content(bank)
    assert caught.value.revision == place + 1
    assert isinstance(caught.value, DatabaseAccessError)
    assert isinstance(caught.value.__cause__, KeyError)
    before = bank.at_revision(place).view_state("total", 1)
    assert (before.content if before else b"0") == str(place).encode()
    calls.clear()
    with pytest.raises(StateViewFailed):
        content(bank)
    assert all(len(ids) == 0 or ids[0] == f"e-{place}" for ids in calls), "nothing is folded twice"
    assert content(bank, "balance", {"who": "bob"}) is not None
    pay(bank, 1, start=50)


def test_a_class_names_the_event_too(bank: Database) -> None:
    bank.publish_state_view(balance(), Balance)
    bank.transact([paid("good"), paid("bad", amount=None)])
    with pytest.raises(StateViewFailed, match="'bad'"):
        content(bank, "balance", {"who": "ann"})
    view = bank.at_revision(1).view_state("balance", 1, {"who": "ann"})
    assert view is not None
    assert view.json() == {"amount": 5, "events": 1}


def test_a_view_that_returns_no_bytes_is_refused(bank: Database) -> None:
    bank.publish_state_view(total(), lambda state, events: "text")
    pay(bank, 1)
    with pytest.raises(StateViewFailed, match="it is a str; return bytes"):
        content(bank)


# --- rebuilding ------------------------------------------------------------------------------------


def test_a_rebuild_folds_every_binding_and_tells_how_far_it_is(bank: Database) -> None:
    bank.publish_state_view(balance(), Balance)
    for account in range(7):
        pay(bank, 3, account=f"account-{account}")
    bank.transact([paid("nobody", None)])
    told: list[Any] = []
    report = bank.rebuild_state_view("balance", 1, progress=told.append)
    assert (report.progress.done, report.progress.bindings, report.progress.events) == (8, 8, 22)
    assert not report.failures
    assert str(told[-1]).startswith("balance.v1: 8 of 8 bindings, 22 events, ")
    assert content(bank, "balance", {"who": "account-3"}) == b'{"amount": 15, "events": 3}'
    assert content(bank, "balance", {"who": None}) == b'{"amount": 5, "events": 1}'


def test_a_rebuild_leaves_nothing_to_fold(bank: Database) -> None:
    counting = Counting()
    bank.publish_state_view(balance(), counting)
    for account in ("ann", "bob"):
        pay(bank, 3, account=account)
    bank.rebuild_state_view("balance", 1)
    assert counting.calls == [3, 3]
    assert content(bank, "balance", {"who": "bob"}) == b"3"
    assert bank.rebuild_state_view("balance", 1, afresh=False).progress.events == 0
    assert counting.calls == [3, 3]
    assert bank.rebuild_state_view("balance", 1).progress.events == 6


def test_an_interrupted_rebuild_goes_on_where_it_was(
    open_bank: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    counting = Counting()
    with open_bank() as bank:
        bank.publish_state_view(balance(), counting)
        for account in range(6):
            pay(bank, 2, account=f"account-{account}")

        def interrupt(progress: Any) -> None:
            if progress.done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bank.rebuild_state_view("balance", 1, progress=interrupt)
    assert len(counting.calls) == 4
    with open_bank() as bank:
        bank.attach_state_view("balance", 1, counting)
        report = bank.rebuild_state_view("balance", 1)
        assert (report.progress.done, report.progress.events) == (6, 4)
        assert len(counting.calls) == 6
        assert bank.rebuild_state_view("balance", 1).progress.events == 12


def test_a_binding_that_fails_stops_no_other(bank: Database) -> None:
    bank.publish_state_view(balance(), Balance)
    for account in ("ann", "bob", "cid"):
        pay(bank, 2, account=account)
    bank.transact([paid("bad", "bob", None)])
    report = bank.rebuild_state_view("balance", 1)
    assert list(report.failures) == ['[["who","subject","bob"]]']
    assert report.failures['[["who","subject","bob"]]'].revision == 7
    assert report.progress.failed == 1
    assert content(bank, "balance", {"who": "cid"}) is not None


# --- ahead of readers ------------------------------------------------------------------------------


def test_eager_views_are_folded_after_each_commit(open_bank: Callable[..., Database]) -> None:
    bank = open_bank(eager=["balance"])
    eager, lazy = Counting(), Counting()
    bank.publish_state_view(balance(), eager)
    bank.publish_state_view(total(), lazy)
    pay(bank, 3)
    assert bank.wait_eager(3, timeout=10)
    assert (eager.calls, lazy.calls) == ([3], [])
    assert content(bank, "balance", {"who": "ann"}) == b"3"
    assert eager.calls == [3]


def test_an_eager_view_that_fails_is_told_of_and_holds_up_nothing(
    open_bank: Callable[..., Database], caplog: pytest.LogCaptureFixture
) -> None:
    bank = open_bank(eager=True)
    counting = Counting()
    bank.publish_state_view(balance(), Balance)
    bank.publish_state_view(total(), counting)
    bank.transact([paid("bad", amount=None)])
    assert bank.wait_eager(1, timeout=10)
    pay(bank, 2)
    assert bank.wait_eager(3, timeout=10)
    assert sum(counting.calls) == 3
    told = [each for each in caplog.messages if "folded ahead" in each]
    assert len(told) == 1
    assert "'bad'" in told[0]
