"""Writers are killed at any moment, and the next one finds everything that was acknowledged."""

from __future__ import annotations

from pathlib import Path

from tests.crash.killing import run


def test_nothing_acknowledged_is_lost_when_writers_are_killed(tmp_path: Path) -> None:
    outcome = run(tmp_path / "bank.db", kills=4, seed=3)
    assert outcome.faults == []
    assert outcome.refused_openings >= 1
    assert 0 < outcome.told <= outcome.found
