"""Where the savings bank lies, and the clock of its story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
OPENED_FOR_BUSINESS = datetime(2024, 1, 31, 9, tzinfo=UTC)


class Clock:
    """A clock that moves one minute at each look, so that a story reads the same every time."""

    def __init__(self, start: datetime = OPENED_FOR_BUSINESS) -> None:
        self._now = start

    def __call__(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now

    def go_on_from(self, moment: datetime) -> None:
        """Show no time before this one."""
        self._now = max(self._now, moment)
