"""Where in a TOML file a key stands, which the standard library's reader does not tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ENTRY = re.compile(rf"^\s*({_DOTTED})\s*=")


def line_of(text: str, path: Sequence[str]) -> int | None:
    r"""Return the line, from 1, where a key stands or the nearest table around it begins.

    Args:
        text: the TOML file.
        path: the key and the tables around it, the outermost first.

    Example:
        >>> line_of('[tool.x]\na = 1\nb.c = 2\n', ["tool", "x", "b", "c"])
        3
        >>> line_of('[tool.x]\na = 1\n', ["tool", "x", "missing"])
        1
    """
    best: tuple[int, int] | None = None
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        header, entry = _HEADER.match(line), _ENTRY.match(line)
        if header:
            table = _parts(header[1])
            here = table
        elif entry:
            here = table + _parts(entry[1])
        else:
            continue
        # A table around the key counts by how much of the path it covers; the first one wins.
        covered = min(len(here), len(path))
        if here[:covered] == list(path[:covered]) and (best is None or covered > best[0]):
            best = covered, number
    return None if best is None else best[1]


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, dotted)]
