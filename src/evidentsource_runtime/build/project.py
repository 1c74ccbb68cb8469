"""Building every component that a project names, side by side, with what they are published by."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.build import cache
from evidentsource_runtime.build._build import BuildResult, build
from evidentsource_runtime.build.errors import BuildError, ManifestError, OutputError
from evidentsource_runtime.build.manifest import ComponentSpec, Manifest, read_manifest
from evidentsource_runtime.build.target import project_of
from evidentsource_runtime.problems import Problem

OUTPUT_FOLDER = Path("dist/components")

ProjectProgress = Callable[[str, str, float], None]
"""Called while components are built, with a component's name, what is done to it ("building",
"done" or "failed"), and the seconds since its build began."""


@dataclass(frozen=True, slots=True)
class ProjectResult:
    """The components of a project.

    Args:
        manifest: what was built.
        results: each component by its name, in the order of the manifest.
        metadata: the JSON file beside each component, by the same names.
    """

    manifest: Manifest
    results: dict[str, BuildResult]
    metadata: dict[str, Path]


def build_project(
    directory: Path | None = None,
    *,
    pure: bool = False,
    contract_only: bool = False,
    force: bool = False,
    reproducible: bool = False,
    wit: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    progress: ProjectProgress | None = None,
) -> ProjectResult:
    """Build every component that the project's `[tool.evidentsource]` names.

    Each component `NAME` becomes `dist/components/NAME.wasm` in the project's folder, and beside it
    `NAME.json` with the metadata that it is published with.

    Args:
        directory: a folder in the project; the current directory where left out.
        pure: whether to build all of them pure; otherwise each as the manifest says.
        contract_only: whether all of them export what the contract has and nothing else; otherwise
            each as the manifest says.
        force: whether to build even what is in the cache.
        reproducible: whether to fill base components made before, as `build` does.
        wit: another `decider.wit`, instead of the manifest's.
        jobs: how many builds may run at once; as many as there are processors where left out.
        progress: told what happens to each component; called from several threads.

    Raises:
        ManifestError: there is no project here, or its manifest is wrong.
        BuildError: with the problems of every component that could not be built; the others are
            written.
    """
    base = (directory or Path.cwd()).absolute()
    folder = project_of(base)
    if folder is None:
        message = f"there is no pyproject.toml in {base} or above it"
        hint = "name a module or a file to build, or go to the project's folder"
        raise ManifestError(Problem("no-project", message, hint=hint))
    manifest = read_manifest(folder / "pyproject.toml")
    chosen = manifest.wit if wit is None else base / wit

    def one(spec: ComponentSpec) -> BuildResult:
        return _build_one(
            folder,
            manifest,
            spec,
            pure=pure,
            contract_only=contract_only,
            force=force,
            reproducible=reproducible,
            wit=chosen,
            progress=progress,
        )

    workers = jobs or os.cpu_count() or 1
    results: dict[str, BuildResult] = {}
    problems: list[Problem] = []
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures = [(spec, pool.submit(one, spec)) for spec in manifest.components]
        for spec, future in futures:
            try:
                results[_file_stem(manifest, spec)] = future.result()
            except BuildError as error:
                problems += error.problems
    if problems:
        raise BuildError(*problems)
    metadata = {
        _file_stem(manifest, s): _write_metadata(folder, manifest, s) for s in manifest.components
    }
    return ProjectResult(manifest, results, metadata)


def _build_one(
    folder: Path,
    manifest: Manifest,
    spec: ComponentSpec,
    *,
    pure: bool,
    contract_only: bool,
    force: bool,
    reproducible: bool,
    wit: str | os.PathLike[str] | None,
    progress: ProjectProgress | None,
) -> BuildResult:
    def tell(what: str, seconds: float) -> None:
        if progress is not None:
            progress(spec.name, what, seconds)

    try:
        result = build(
            spec.module,
            output=folder / OUTPUT_FOLDER / f"{_file_stem(manifest, spec)}.wasm",
            wit=wit,
            world=spec.world,
            pure=pure or spec.pure,
            contract_only=contract_only or spec.contract_only,
            force=force,
            reproducible=reproducible,
            dependencies=spec.dependencies,
            directory=folder,
            progress=tell,
        )
    except BuildError as error:
        tell("failed", 0.0)
        # What the manifest itself has wrong is said with the line in the manifest.
        if error.file is None and error.code == "target-not-found":
            first = error.problems[0]
            located = Problem(first.code, first.message, manifest.file, spec.line, first.hint)
            raise BuildError(located) from None
        raise
    tell("done", result.seconds)
    return result


def _write_metadata(folder: Path, manifest: Manifest, spec: ComponentSpec) -> Path:
    path = folder / OUTPUT_FOLDER / f"{_file_stem(manifest, spec)}.json"
    text = json.dumps(spec.metadata(), indent=2, ensure_ascii=False) + "\n"
    try:
        cache.write_atomically(path, text.encode("utf-8"))
    except OSError as error:
        message = f"the metadata cannot be written: {error.strerror or error}"
        raise OutputError(Problem("unwritable-output", message, path)) from error
    return path


def _file_stem(manifest: Manifest, spec: ComponentSpec) -> str:
    # A state view and a state change may have the same name; their files may not.
    twins = [each for each in manifest.components if each.name == spec.name]
    return spec.name if len(twins) == 1 else f"{spec.name}.{spec.world}"
