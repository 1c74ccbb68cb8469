"""`evidentsource publish`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from evidentsource_runtime.build import ComponentSpec, ProjectResult, build_project
from evidentsource_runtime.cli.output import Ticker, size_text
from evidentsource_runtime.cli.serve_command import needs_server
from evidentsource_runtime.cli.where import DEFAULT_URL, TOKEN
from evidentsource_runtime.problems import Problem, ProblemError

if TYPE_CHECKING:
    from evidentsource_runtime.cli.asked_server import AskedServer


@dataclass(frozen=True)
class Step:
    """What is to be done about one component."""

    spec: ComponentSpec
    path: Path
    metadata: dict[str, Any]
    input_hash: str
    why: str
    version: int

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return self.why != "unchanged"

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.spec.name,
            "world": self.spec.world,
            "input_hash": self.input_hash,
            "why": self.why,
            "version": self.version,
        }


def publish_command(
    *,
    project: Path | None = None,
    url: Annotated[str, Parameter(env_var="EVIDENTSOURCE_URL")] = DEFAULT_URL,
    database: Annotated[str | None, Parameter(env_var="EVIDENTSOURCE_DATABASE")] = None,
    yes: Annotated[bool, Parameter(alias="-y", negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Build a project's components, and publish those that a server has not got yet.

    What is to be done is printed first, and nothing is sent before it was agreed to. A token is
    taken from EVIDENTSOURCE_TOKEN.

    Parameters
    ----------
    project
        The project's folder; the current directory where left out.
    url
        The server.
    database
        The database; the one that the project's manifest names where left out.
    yes
        Do not ask.
    dry_run
        Print what would be done, and do nothing.
    json_output
        Print what was done, and errors, as JSON; it takes --yes or --dry-run.
    """
    needs_server("publish")
    from evidentsource_runtime.cli.asked_server import AskedServer  # noqa: PLC0415 - an extra

    if json_output and not (yes or dry_run):
        raise ProblemError(Problem("usage", "--json cannot ask", hint="add --yes or --dry-run"))
    ticker = Ticker(quiet=json_output)
    try:
        built = build_project(project, progress=ticker.tell)
    finally:
        ticker.finish()
    name = database or built.manifest.database
    with AskedServer(url, name, os.environ.get(TOKEN)) as server:
        plan = planned(built, server)
        needed = [step for step in plan if step.needed]
        if not json_output:
            _print_plan(plan, url, name)
        agreed = bool(needed) and not dry_run and (yes or _agreed())
        published = [send(step, server, quiet=json_output) for step in needed if agreed]
    if json_output:
        done = {"published": published, "plan": [step.facts() for step in plan]}
        print(json.dumps({"url": url, "database": name, **done}, indent=2))


def planned(built: ProjectResult, server: AskedServer) -> list[Step]:
    """What is to be done about each component, by what the server has.

    A component is unchanged where the latest version of its name was built from the same inputs, or
    has the same bytes, and was published with the same metadata.
    """
    known = {
        world: server.ask("GET", server.path(f"{world}s")).json()[f"{world.replace('-', '_')}s"]
        for world in ("state-view", "state-change")
    }
    steps = []
    for spec, (stem, result) in zip(built.manifest.components, built.results.items(), strict=True):
        metadata = json.loads(built.metadata[stem].read_bytes())
        latest = [each for each in known[spec.world] if each["name"] == spec.name][-1:]
        why, version = "new", 1
        if latest:
            same_code = latest[0]["code"]["input_hash"] == result.input_hash
            told = [name for name, value in metadata.items() if latest[0].get(name, value) != value]
            told += _missing(metadata, latest[0])
            why = "the code has changed" if not same_code else "unchanged"
            if same_code and told:
                why = f"changed: {', '.join(sorted(told))}"
            version = latest[0]["version"] + (why != "unchanged")
        steps.append(Step(spec, result.path, metadata, result.input_hash, why, version))
    return steps


def _missing(metadata: dict[str, Any], latest: dict[str, Any]) -> list[str]:
    """What was said of the latest version, and is not any more."""
    optional = ("description", "content_schema", "source_code_uri")
    return [name for name in optional if latest.get(name) and name not in metadata]


def _print_plan(plan: list[Step], url: str, database: str) -> None:
    print(f"{url}, database {database}:")
    for step in plan:
        size = size_text(step.path.stat().st_size)
        what = f"v{step.version}  {step.why}" + (f", {size}" if step.needed else "")
        print(f"  {step.spec.world:12} {step.spec.name:24} {what}")
    if not any(step.needed for step in plan):
        print("nothing to publish")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        hint = "add --yes, or --dry-run to see the plan only"
        raise ProblemError(Problem("not-agreed", "there is nobody to ask", hint=hint))
    return input("publish? [y/N] ").strip().lower() in {"y", "yes"}


def send(step: Step, server: AskedServer, *, quiet: bool) -> dict[str, Any]:
    """Publish one component; what was done."""
    with step.path.open("rb") as content:
        files = {
            "metadata": (None, json.dumps(step.metadata), "application/json"),
            "wasm": (step.path.name, content, "application/wasm"),
        }
        answer = server.ask("POST", server.path(f"{step.spec.world}s"), files=files)
    found: dict[str, Any] = {**step.facts(), "version": answer.json().get("version", step.version)}
    if not quiet:
        print(f"published {step.spec.name}.v{found['version']}")
    return found
