"""The commands of `evidentsource` and what every one of them has: its errors and its exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from cyclopts import App, CycloptsError

import evidentsource_functions
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.cachedir import CacheDirectoryError
from evidentsource_runtime.cli.cache_command import cache_clear, cache_show
from evidentsource_runtime.cli.output import shown
from evidentsource_runtime.problems import Problem, ProblemError

FAILED, USAGE, INTERRUPTED = 1, 2, 130


_COMMANDS: Final = {
    "build": "build_command:build_command",
    "inspect": "inspect_command:inspect_command",
    "serve": "serve_command:serve_command",
    "dev": "dev_command:dev_command",
    "publish": "publish_command:publish_command",
    "execute": "talk_commands:execute_command",
    "view": "talk_commands:view_command",
    "events": "talk_commands:events_command",
    "log": "talk_commands:log_command",
    "trace": "talk_commands:trace_command",
    "backup": "keep_commands:backup_command",
    "restore": "keep_commands:restore_command",
    "verify": "keep_commands:verify_command",
    "gather": "keep_commands:gather_command",
    "export": "keep_commands:export_command",
    "import": "keep_commands:import_command",
}
"""Where each command is. By name, so that what one command needs is not imported for another."""


def make_app(only: str | None = None) -> App:
    """Return the command line application, its commands registered.

    Args:
        only: the one command that is needed; all of them where there is none of that name.
    """
    app = App(
        name="evidentsource",
        help="Build EvidentSource state views and state changes, serve them, and ask databases.",
        version=lambda: evidentsource_functions.__version__,
        help_format="markdown",
        suppress_keyboard_interrupt=False,
    )
    for name in (only,) if only in _COMMANDS else _COMMANDS:
        module, _, function = _COMMANDS[name].partition(":")
        found = import_module(f"evidentsource_runtime.cli.{module}")
        app.command(getattr(found, function), name=name)
    cache = App(name="cache", help="Show or clear what is kept from earlier builds.")
    cache.default(cache_show)
    cache.command(cache_show, name="show")
    cache.command(cache_clear, name="clear")
    app.command(cache)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: without the program's name; those of the process where left out.

    Returns:
        The exit status: 0, 1 where the command failed, 2 where it was called wrongly.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # The command of `execute` is given by --json; what it prints is another matter.
    as_json = ("--print-json" if given[:1] == ["execute"] else "--json") in given
    return _guarded(lambda: _run(given), as_json=as_json)


def _run(arguments: list[str]) -> None:
    app = make_app(arguments[0] if arguments else None)
    app(arguments, exit_on_error=False, print_error=False, result_action="return_value")


def _guarded(command: Callable[[], None], *, as_json: bool) -> int:
    try:
        command()
    except ProblemError as error:
        _say(error.problems, as_json=as_json, traceback=_guest_traceback(error))
        return FAILED
    except (EvidentSourceError, CacheDirectoryError) as error:
        code = getattr(error, "code", "cache-directory")
        _say((Problem(code, str(error)),), as_json=as_json)
        return FAILED
    except CycloptsError as error:
        problem = Problem("usage", str(error), hint="evidentsource --help shows what there is")
        _say((problem,), as_json=as_json)
        return USAGE
    except KeyboardInterrupt:
        _say((Problem("interrupted", "interrupted; nothing was written"),), as_json=as_json)
        return INTERRUPTED
    return 0


def _guest_traceback(error: ProblemError) -> str:
    """What a failed build's rules said, where they did."""
    return str(getattr(error, "guest_traceback", ""))


def _say(problems: Sequence[Problem], *, as_json: bool, traceback: str = "") -> None:
    if as_json:
        facts = {"errors": [problem.as_json() for problem in problems]}
        if traceback:
            facts["errors"][0]["guest_traceback"] = traceback
        print(json.dumps(facts, indent=2))
        return
    if traceback:
        print(f"{traceback.rstrip()}\n", file=sys.stderr)
    for problem in problems:
        print(f"error: {shown(problem)}", file=sys.stderr)
