"""A server is killed under its clients, and what it acknowledged is there when it is back."""

from __future__ import annotations

from pathlib import Path

from tests.crash.served import run
from tests.whole import WHOLE


def test_nothing_acknowledged_over_grpc_is_lost_when_servers_are_killed(tmp_path: Path) -> None:
    outcome = run(tmp_path / "bank.db", kills=5 if WHOLE else 1, seed=3)
    assert outcome.faults == []
    assert outcome.told.cut_off > 0
    assert outcome.told.revisions
    assert outcome.told.accepted <= set(outcome.told.revisions)
    if WHOLE:  # a single kill may come before anything was accepted for later
        assert outcome.told.accepted
    assert outcome.found >= len(outcome.told.revisions)
