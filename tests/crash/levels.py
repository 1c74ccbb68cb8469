"""An index whose entries move on as early as they would after a million events, and runs of few events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from evidentsource_runtime.store import gathering, merging, taken
from evidentsource_runtime.store.entries import BLOCK


@contextmanager
def small_levels(fresh: int = BLOCK, *, piece: int = 5, scale: int = 1) -> Iterator[None]:
    """Let levels be small for a while, ``scale`` times as large as the smallest that make sense."""
    wanted: dict[tuple[Any, str], object] = {
        (merging, "FRESH_EVENTS"): fresh,
        (merging, "MOST"): {1: 40 * scale, 2: 80 * scale, 3: 160 * scale},
        (merging, "_PIECE"): piece,
        (taken, "_ASKED_FIRST"): 30 * scale,
        (taken, "_STEP"): 4,
        (gathering, "FEWEST"): 2,
        (gathering, "APART"): 2,
        (gathering, "LONGEST"): 5,
        (gathering, "ENTRIES"): 17 * scale,
    }
    before = {(module, name): getattr(module, name) for module, name in wanted}
    for (module, name), value in wanted.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)
