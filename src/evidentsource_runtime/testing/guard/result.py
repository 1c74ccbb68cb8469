"""From a run to what it came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evidentsource_runtime.testing.guard.compare import Result


def result_of(rule: Callable[..., Any], *arguments: Any) -> Result:
    """What a handler returns or raises, as a value.

    >>> result_of(lambda: b"1").content
    b'1'
    """
    try:
        found = rule(*arguments)
    except Exception as error:  # noqa: BLE001 - what it raises is its result
        # Without the places in the user's code: there its modules may have other names.
        lines = [each for each in str(error).splitlines() if not each.startswith("  at ")]
        return Result(
            error="\n".join([f"{type(error).__name__}: {lines[0] if lines else ''}", *lines[1:]])
        )
    if isinstance(found, tuple):
        events, conditions = found
        return Result(events=tuple(events), conditions=tuple(conditions))
    return Result(content=found)
