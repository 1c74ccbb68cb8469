"""Reads what a component wrote to stderr: the Python traceback, its paths led back to the user's files.

Inside a component the modules lie under ``/0``, ``/1`` and so on, one for each path that the build
was given, and there are no source files beside them. Which file each one was built from stands in the
build's facts (``sources``); where it does not, the files under ``source_roots`` are tried.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

_FRAME = re.compile(r'^(?P<indent> +)File "(?P<path>/[^"]+)", line (?P<line>\d+)(?P<rest>.*)$')
_NOISE = re.compile(
    r"^\n?thread '[^']*' \(?\d*\)? ?panicked at [^\n]*\nPython function threw an unexpected exception\n"
    r"|^note: run with `RUST_BACKTRACE=1`[^\n]*\n?",
    re.MULTILINE,
)
_PANIC = re.compile(r"^thread '[^']*'[^\n]* panicked at [^\n]*\n(?P<words>[^\n]*)", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"
_CAUSED = "The above exception was the direct cause of the following exception:"


class SourceMap:
    """Leads paths inside a component back to the user's files.

    Args:
        sources: for each module file inside the component, the user's file relative to the project,
            as the build's facts have it; what is no such mapping is left aside.
        projects: directories that may be the project, in the order they are tried.
        roots: directories that modules may have come from where ``sources`` knows nothing.
        built_at: when the component was built, in seconds since 1970; a source changed after that
            is named, but its lines are not shown, since they may be others by now. None: show none.
    """

    def __init__(
        self,
        sources: object = None,
        *,
        projects: Iterable[Path] = (),
        roots: Iterable[Path] = (),
        built_at: float | None = None,
    ) -> None:
        known = sources if isinstance(sources, Mapping) else {}
        self._sources = {guest: user for guest, user in known.items() if isinstance(user, str)}
        self._roots = tuple(roots)
        self._projects = (*self._roots, *projects)
        self._built_at = built_at

    def find(self, guest_path: str) -> str | None:
        """The user's file, if it is known; relative where the project's place is not."""
        known = self._sources.get(guest_path)
        if known is not None:
            found = _below(self._projects, PurePosixPath(known))
            if found is not None:
                return found
        parts = PurePosixPath(guest_path).parts
        # "/", the number of the mount, and the path below it.
        if len(parts) < 3 or not parts[1].isdecimal():
            return known
        return _below(self._roots, PurePosixPath(*parts[2:])) or known

    def line(self, path: str, number: int) -> str:
        """The line of a user's file, if the file is still what the component was built from."""
        try:
            changed_at = Path(path).stat().st_mtime
        except OSError:
            return ""
        if self._built_at is None or changed_at > self._built_at:
            return ""
        linecache.checkcache(path)
        return linecache.getline(path, number).strip()

    def translate(self, text: str) -> str:
        """``text`` with every path of a frame led back, and the line of code below it."""
        lines = text.splitlines()
        out: list[str] = []
        for index, line in enumerate(lines):
            match = _FRAME.match(line)
            path = self.find(match["path"]) if match else None
            if match is None or path is None:
                out.append(line)
                continue
            out.append(f'{match["indent"]}File "{path}", line {match["line"]}{match["rest"]}')
            below = lines[index + 1] if index + 1 < len(lines) else ""
            has_code = below.startswith(match["indent"] + "  ")
            code = "" if has_code else self.line(path, int(match["line"]))
            if code:
                out.append(f"{match['indent']}  {code}")
        return "\n".join(out)


def _below(roots: Iterable[Path], relative: PurePosixPath) -> str | None:
    for root in roots:
        candidate = root / relative
        if candidate.is_file():
            return str(candidate)
    return None


def clean(stderr: str) -> str:
    """What a component wrote, without what its runtime adds to every Python exception."""
    return _NOISE.sub("", stderr).strip("\n")


def headline(stderr: str) -> str | None:
    r"""The one line that says most: the last exception's, or the runtime's panic.

    >>> headline('Traceback (most recent call last):\n  File "/0/m.py", line 1, in f\nKeyError: 1')
    'KeyError: 1'
    """
    _, found, block = stderr.rpartition(_TRACEBACK)
    if found:
        for line in block.splitlines():
            if line and not line[0].isspace():
                return line
    panic = _PANIC.search(stderr)
    return panic["words"].strip() if panic else None


def causes(stderr: str) -> list[str]:
    r"""The last exception and what it was raised from, one line each, the last one first.

    >>> tb = "Traceback (most recent call last):\n"
    >>> causes(
    ...     f"{tb}MemoryError\n\nThe above exception was the direct cause of the following exception:"
    ...     f"\n\n{tb}ViewError: event 3"
    ... )
    ['ViewError: event 3', 'MemoryError']
    """
    found: list[str] = []
    for block in reversed(stderr.split(_CAUSED)):
        line = headline(block)
        if line is None:
            break
        found.append(line)
        if block.count(_TRACEBACK) > 1:
            break  # whatever was caused stands at the head of this block, and not at its end
    return found
