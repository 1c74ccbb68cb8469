"""`evidentsource inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from evidentsource_runtime.artifact import BuildFacts, ComponentFile, read_component
from evidentsource_runtime.cli.output import short_path, size_text


def inspect_command(
    file: Path,
    /,
    *,
    json_output: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Say what a component is: its world, imports, exports, size, and what it was built from.

    Any component can be looked into; one that `evidentsource build` made also tells its input hash
    and the facts of its build.

    Parameters
    ----------
    file
        A component, `NAME.wasm`.
    json_output
        Print everything, and errors, as JSON.
    """
    found = read_component(file)
    if json_output:
        print(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)


def _print(found: ComponentFile) -> None:
    print(short_path(found.path))
    print(f"  world    {found.world or 'none of EvidentSource'}")
    print(f"  size     {size_text(found.size)} ({found.size:,} bytes)")
    if found.lane is not None:
        print(f"  lane     version {found.lane}: batches of events may also come as text")
    if found.facts is None:
        print("  build    not made by `evidentsource build`: no facts in the file")
    else:
        _print_facts(found.facts)
    for label, externs in (("exports", found.exports), ("imports", found.imports)):
        if not externs:
            print(f"  {label}  none")
        for position, extern in enumerate(externs):
            print(f"  {label if position == 0 else ' ' * 7}  {extern.name} ({extern.kind})")


def _print_facts(facts: BuildFacts) -> None:
    print(f"  inputs   sha256:{facts.input_hash}")
    kinds = ", pure" if facts.pure else ""
    kinds += ", contract only" if facts.contract_only else ""
    print(f"  module   {facts.module}{kinds}")
    tools = f"SDK {facts.sdk_version}, componentize-py {facts.componentize_py_version}"
    print(f"  built    with {tools}, contract {facts.wit_package}")
    for name, version in sorted(facts.dependencies.items()):
        print(f"  with     {name} {version}")
    for file in sorted(facts.sources.values()):
        print(f"  source   {file}")
