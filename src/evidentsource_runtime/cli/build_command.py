"""`evidentsource build`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from evidentsource_runtime.build import (
    BuildError,
    BuildResult,
    ProjectResult,
    build,
    build_project,
)
from evidentsource_runtime.cli.output import Ticker, print_warnings, short_path, size_text
from evidentsource_runtime.problems import Problem


def build_command(
    module_or_file: str | None = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    wit: Path | None = None,
    world: str | None = None,
    pure: Annotated[bool, Parameter(negative=())] = False,
    contract_only: Annotated[bool, Parameter(negative=())] = False,
    force: Annotated[bool, Parameter(negative=())] = False,
    reproducible: Annotated[bool, Parameter(negative=())] = False,
    dependency: Annotated[list[str] | None, Parameter(negative=())] = None,
    jobs: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
    quiet: Annotated[bool, Parameter(alias="-q", negative=())] = False,
) -> None:
    """Build a component out of a module, or every component that the project names.

    The module is given by its name (`orders.view`) or its file (`orders/view.py`). Without one, all
    components in `[tool.evidentsource]` of the project's `pyproject.toml` are built into
    `dist/components/`, each with the metadata that it is published with.

    Parameters
    ----------
    module_or_file
        The module that has the class `WitWorld`.
    output
        Where to write the component; `NAME.wasm` here where left out.
    wit
        Another `decider.wit`, a file or a folder, instead of the SDK's own.
    world
        The world, where the source leaves it open: `state-view` or `state-change`.
    pure
        Take clock, randomness and files away; reading them is then an error that names the line.
    contract_only
        Export what the contract has and nothing else: no lane for batches of events as text.
    force
        Build even what was built before.
    reproducible
        Fill a base component made before: a moment's work, the same bytes for the same input. The
        modules are then imported at the first call of each instance.
    dependency
        A distribution in pure Python to build in, by name; may be given several times.
    jobs
        How many components to build at once; as many as there are processors where left out.
    json_output
        Print the result, and errors, as JSON.
    quiet
        Print no progress and no result; errors are still printed.
    """
    ticker = Ticker(quiet=quiet or json_output)
    if module_or_file is None:
        _refuse_for_project(output, world, dependency)
        try:
            project = build_project(
                pure=pure,
                contract_only=contract_only,
                force=force,
                reproducible=reproducible,
                wit=wit,
                jobs=jobs,
                progress=ticker.tell,
            )
        finally:
            ticker.finish()
        _print_project(project, json_output=json_output, quiet=quiet)
        return
    name = module_or_file
    try:
        result = build(
            module_or_file,
            output=output,
            wit=wit,
            world=world,
            pure=pure,
            contract_only=contract_only,
            force=force,
            reproducible=reproducible,
            dependencies=dependency or (),
            progress=lambda what, seconds: ticker.tell(name, what, seconds),
        )
    finally:
        ticker.finish()
    print_warnings(() if json_output else result.warnings)
    if json_output:
        print(json.dumps(result.as_json(), indent=2))
    elif not quiet:
        _print_result(result)


def _refuse_for_project(
    output: Path | None, world: str | None, dependency: list[str] | None
) -> None:
    given = {"--output": output, "--world": world, "--dependency": dependency}
    wrong = [option for option, value in given.items() if value]
    if wrong:
        message = f"{', '.join(wrong)} belongs to one component, and none is named"
        hint = "name a module or a file, or write it into [tool.evidentsource]"
        raise BuildError(Problem("usage", message, hint=hint))


def _print_project(project: ProjectResult, *, json_output: bool, quiet: bool) -> None:
    if json_output:
        components = [
            {"name": name, "metadata": str(project.metadata[name]), **result.as_json()}
            for name, result in project.results.items()
        ]
        facts = {"database": project.manifest.database, "components": components}
        print(json.dumps(facts, indent=2))
        return
    for result in project.results.values():
        print_warnings(result.warnings)
        if not quiet:
            _print_result(result)
    if not quiet:
        folder = next(iter(project.results.values())).path.parent
        count = len(project.results)
        print(f"{count} components of {project.manifest.database} in {short_path(folder)}")


def _print_result(result: BuildResult) -> None:
    how = "from the cache" if result.cached else f"built in {result.seconds:.1f} s"
    print(f"{short_path(result.path)}  ({how})")
    print(f"  world    {result.world}, exports {', '.join(result.exports)}")
    print(f"  size     {size_text(result.size)} ({result.size:,} bytes)")
    print(f"  inputs   sha256:{result.input_hash}")
