"""Which code has answered: what every answer of a state view or a state change says beside itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.database import Origin
from evidentsource_runtime.server.access.errors import AccessError

__all__ = ["INPUT_HASH", "SERVED_BY", "Find", "served_by", "telling"]

SERVED_BY: Final = "x-evidentsource-served-by"
INPUT_HASH: Final = "x-evidentsource-input-hash"

Find: TypeAlias = Callable[[], Awaitable[Origin | None]]
"""Looks up the code that answers; None where it is gone."""


def served_by(code: Origin | None) -> dict[str, str]:
    """Headers, or trailing metadata, that tell which code has answered, and how it is run.

    >>> served_by(Origin("component", "deposit", "d1", "h1"))
    {'x-evidentsource-served-by': 'component', 'x-evidentsource-input-hash': 'h1'}
    """
    if code is None:
        return {}
    told: dict[str, str] = {SERVED_BY: code.kind}
    if code.input_hash:
        told[INPUT_HASH] = code.input_hash
    return told


@asynccontextmanager
async def telling(find: Find, tell: Callable[[dict[str, str]], object]) -> AsyncIterator[None]:
    """Tell which code has answered after what is done inside, whether that succeeds or fails.

    Args:
        find: looks the code up.
        tell: takes what is to go with the answer. It is not called for a caller that was turned away.
    """
    try:
        yield
    except AccessError:
        raise
    except Exception:
        tell(await _found(find))
        raise
    tell(await _found(find))


async def _found(find: Find) -> dict[str, str]:
    try:
        return served_by(await find())
    except EvidentSourceError:  # there is no such database any more, or the server stops
        return {}
