"""What the commands print: to a person on a terminal, or line by line into a log."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

from evidentsource_runtime.problems import Problem


def size_text(size: int) -> str:
    """Return a size for people.

    Args:
        size: in bytes.

    Example:
        >>> size_text(19566863)
        '19.6 MB'
        >>> size_text(812)
        '812 bytes'
    """
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1000:.1f} kB"
    return f"{size / 1_000_000:.1f} MB"


def short_path(path: Path) -> str:
    """Return a path relative to the current directory, where it lies under it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def print_warnings(warnings: tuple[Problem, ...]) -> None:
    """Print what may surprise, to stderr."""
    for warning in warnings:
        print(f"warning: {shown(warning)}", file=sys.stderr)


def shown(problem: Problem) -> Problem:
    """Return a problem with its file as seen from the current directory."""
    if problem.file is None:
        return problem
    return replace(problem, file=Path(short_path(problem.file)))


class Ticker:
    """Says on stderr what is being built: one moving line on a terminal, else a line a component.

    Args:
        quiet: whether to say nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._moving = sys.stderr.isatty()
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, name: str, what: str, seconds: float) -> None:
        """Take one step: a component is "building", "done" or "failed"."""
        if self._quiet:
            return
        with self._lock:
            if what == "building":
                is_new = name not in self._running
                self._running[name] = seconds
                if self._moving:
                    self._draw()
                elif is_new:
                    print(f"building {name} (about ten seconds)", file=sys.stderr, flush=True)
            elif self._running.pop(name, None) is not None and self._moving:
                self._draw()

    def finish(self) -> None:
        """Take the moving line away."""
        if self._moving and not self._quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _draw(self) -> None:
        parts = [f"{name} {seconds:.0f} s" for name, seconds in self._running.items()]
        line = f"building {', '.join(parts)}" if parts else ""
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
