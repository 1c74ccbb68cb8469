"""`evidentsource dev`."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from evidentsource_runtime.build import ManifestError, read_manifest
from evidentsource_runtime.cli.serve_command import LogLevel, needs_server, tell_where
from evidentsource_runtime.problems import Problem

if TYPE_CHECKING:
    from evidentsource_runtime.dev import Report


def dev_command(
    *,
    project: Path | None = None,
    data: Path | None = None,
    grpc_port: int = 50051,
    http_port: int = 3000,
    level: Literal["instant", "source", "component"] = "instant",
    log_level: LogLevel = "warning",
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Serve a project's rules while they are written: what is saved serves at once.

    The project's manifest is read; every component serves from its source, in the sandbox, and as
    built as soon as the build is done. Where something cannot be built, the last good version goes
    on serving. It ends with Ctrl-C.

    Parameters
    ----------
    project
        The project's folder; the current directory where left out.
    data
        The folder of its databases; `.evidentsource/data` in the project where left out.
    grpc_port
        The port for gRPC; 0 for a free one.
    http_port
        The port for HTTP; 0 for a free one.
    level
        `instant` serves from source at once and as built when that is ready, `source` builds nothing,
        `component` serves built components only.
    log_level
        From which level on the log is written to stderr; at `debug` every request is told.
    json_output
        Print where it listens, and what happens, as one JSON object a line.
    """
    needs_server("dev")
    from evidentsource_runtime.dev import DevLoop  # noqa: PLC0415 - an optional extra
    from evidentsource_runtime.host import Host  # noqa: PLC0415 - the same
    from evidentsource_runtime.server import Settings, serve  # noqa: PLC0415 - the same
    from evidentsource_runtime.server.logs import log_to_stderr  # noqa: PLC0415 - the same

    folder = (project or Path.cwd()).absolute()
    if not (folder / "pyproject.toml").is_file():
        message = f"there is no pyproject.toml in {folder}"
        raise ManifestError(Problem("no-project", message, hint="go there, or use --project"))
    manifest = read_manifest(folder / "pyproject.toml")
    log_to_stderr(log_level)
    host = Host(source_roots=[folder])
    settings = Settings(
        data or folder / ".evidentsource" / "data",
        grpc_port=grpc_port,
        http_port=http_port,
        components=host,
        create=(manifest.database,),
    )

    def tell(report: Report) -> None:
        if json_output:
            print(json.dumps(_facts(report)), flush=True)
        else:
            out = sys.stderr if report.what == "failed" else sys.stdout
            print(report, file=out, flush=True)

    with suppress(KeyboardInterrupt):
        serve(
            settings,
            lambda server: tell_where(server, settings, json_output=json_output),
            beside=lambda server: DevLoop(server, host, folder, level, tell).run(),
        )


def _facts(report: Report) -> dict[str, object]:
    return {**asdict(report), "problems": [problem.as_json() for problem in report.problems]}
