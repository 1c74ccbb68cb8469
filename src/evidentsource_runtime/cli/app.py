"""The commands of `evidentsource` and what every one of them has: its errors and its exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError

import evidentsource_functions
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.build import BuildError, ComponentizeFailed
from evidentsource_runtime.cachedir import CacheDirectoryError
from evidentsource_runtime.cli.build_command import build_command
from evidentsource_runtime.cli.cache_command import cache_clear, cache_show
from evidentsource_runtime.cli.dev_command import dev_command
from evidentsource_runtime.cli.inspect_command import inspect_command
from evidentsource_runtime.cli.keep_commands import (
    backup_command,
    export_command,
    import_command,
    restore_command,
    verify_command,
)
from evidentsource_runtime.cli.output import shown
from evidentsource_runtime.cli.publish_command import publish_command
from evidentsource_runtime.cli.serve_command import serve_command
from evidentsource_runtime.cli.talk_commands import (
    events_command,
    execute_command,
    log_command,
    trace_command,
    view_command,
)
from evidentsource_runtime.problems import Problem, ProblemError

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def make_app() -> App:
    """Return the command line application, its commands registered."""
    app = App(
        name="evidentsource",
        help="Build EvidentSource state views and state changes, serve them, and ask databases.",
        version=lambda: evidentsource_functions.__version__,
        help_format="markdown",
        suppress_keyboard_interrupt=False,
    )
    app.command(build_command, name="build")
    app.command(inspect_command, name="inspect")
    app.command(serve_command, name="serve")
    app.command(dev_command, name="dev")
    app.command(publish_command, name="publish")
    app.command(execute_command, name="execute")
    app.command(view_command, name="view")
    app.command(events_command, name="events")
    app.command(log_command, name="log")
    app.command(trace_command, name="trace")
    app.command(backup_command, name="backup")
    app.command(restore_command, name="restore")
    app.command(verify_command, name="verify")
    app.command(export_command, name="export")
    app.command(import_command, name="import")
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
    make_app()(arguments, exit_on_error=False, print_error=False, result_action="return_value")


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


def _guest_traceback(error: BuildError | ProblemError) -> str:
    return error.guest_traceback if isinstance(error, ComponentizeFailed) else ""


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
