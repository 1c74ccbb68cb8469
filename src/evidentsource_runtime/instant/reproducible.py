"""Builds that give the same bytes for the same input: a base component with its slot filled."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from evidentsource_runtime.artifact import read_component, slot, with_facts
from evidentsource_runtime.build._build import BuildResult, check_output, write_output
from evidentsource_runtime.build.errors import BuildError
from evidentsource_runtime.host import CompileProgress, Host
from evidentsource_runtime.instant.loading import pack_program
from evidentsource_runtime.instant.sources import gather
from evidentsource_runtime.problems import Problem

_packing = threading.Lock()
"""Builds side by side would each compile a base that is not in the cache yet."""


def build_reproducible(
    module_or_file: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    wit: str | os.PathLike[str] | None = None,
    world: str | None = None,
    pure: bool = False,
    dependencies: Iterable[str] = (),
    directory: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> BuildResult:
    """Make a component by filling a base component's slot; the arguments are those of `build`.

    The modules are imported once in the sandbox, so what is wrong with them is said now.

    Raises:
        BuildError: with code, message, file, line and hint; nothing was written. Besides what any
            build refuses: `base-lacks-module` and `program-too-large`.
    """
    started = time.monotonic()
    folder = directory or Path.cwd()
    program = gather(
        module_or_file,
        directory=folder,
        dependencies=dependencies,
        wit=wit,
        world=world,
        pure=pure,
    )
    path = folder / (output or f"{program.target.module.rpartition('.')[2]}.wasm")
    check_output(path)

    def tell(what: CompileProgress) -> None:
        if progress is not None:
            progress(f"{what.step} the base", what.seconds)

    host = Host(progress=tell)
    with _packing:
        packed = pack_program(program, host._start, host._bases)  # noqa: SLF001 - as load_source does
    content = base64.b64decode(packed)
    if len(content) > slot.CAPACITY:
        message = (
            f"the program takes {len(content):,} bytes, compiled and compressed, and the slot of a "
            f"base component has {slot.CAPACITY:,}"
        )
        hint = "build it without --reproducible"
        file = program.target.file
        raise BuildError(Problem("program-too-large", message, file, hint=hint))
    facts, read = program.base.built()
    component = slot.fill(read(), content)
    write_output(path, with_facts(component, program.facts(facts.digest)))
    made = read_component(path)
    return BuildResult(
        path=path,
        size=made.size,
        exports=tuple(extern.name for extern in made.exports if extern.kind == "func"),
        input_hash=program.input_hash,
        cached=False,
        seconds=time.monotonic() - started,
        world=program.base.world,
        module=program.target.module,
        warnings=program.warnings,
    )
