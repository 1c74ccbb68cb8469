"""Writes `docs/cli.md` from what the commands say of themselves: `python -m tests.docs.cli_reference`."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from evidentsource_runtime.cli.app import make_app

REFERENCE = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = (
    (), ("build",), ("inspect",), ("serve",), ("dev",), ("publish",), ("execute",), ("view",),
    ("events",), ("log",), ("trace",), ("backup",), ("restore",), ("verify",), ("gather",),
    ("export",), ("import",), ("cache",), ("cache", "show"), ("cache", "clear"),
)  # fmt: skip
WIDTH = 100

_HEAD = """\
# The command line

This page is made from `--help` by `python -m tests.docs.cli_reference`, and a test holds it to it.

Exit status: 0 where the command did what it was asked, 1 where it failed, 2 where it was called
wrongly, 130 where it was interrupted. With `--json`, results and errors go to stdout as JSON: an
error has `code`, `message`, and where they are known `file`, `line` and `hint`; one from inside of
the component also has `guest_traceback`. Without it, errors and progress go to stderr.
"""


def reference() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for command in COMMANDS:
        title = " ".join(("evidentsource", *command))
        parts.append(f"\n## `{title}`\n\n```text\n{help_of(command)}\n```\n")
    return "".join(parts)


def help_of(command: tuple[str, ...]) -> str:
    """Return what `--help` prints, without colours and of one width."""
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, force_terminal=False, color_system=None)
    make_app().help_print(list(command), console=console)
    return "\n".join(line.rstrip() for line in stream.getvalue().strip("\n").splitlines())


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
