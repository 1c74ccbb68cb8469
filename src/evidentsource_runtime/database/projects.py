"""A project's components into a database: as they were built, or from source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidentsource_runtime.build import ComponentSpec, Manifest, ManifestError, read_manifest
from evidentsource_runtime.build.project import OUTPUT_FOLDER
from evidentsource_runtime.host import Host
from evidentsource_runtime.problems import Problem

__all__ = ["components"]


def components(
    path: str | os.PathLike[str], host: Host, *, source: bool
) -> Iterator[tuple[ComponentSpec, Any]]:
    """Each component of a project's manifest with its code.

    Args:
        path: the project's folder, or its ``pyproject.toml``.
        host: runs programs from source.
        source: whether they are run from source instead of as they were built.

    Raises:
        ManifestError: there is no manifest, it is wrong, or a component was not built.
        BuildError: a program from source cannot be imported.
    """
    file = Path(path)
    file = file / "pyproject.toml" if file.is_dir() else file
    manifest = read_manifest(file)
    for spec in manifest.components:
        if source:
            yield spec, _from_source(manifest, spec, host)
        else:
            yield spec, _built(manifest, spec)


def _from_source(manifest: Manifest, spec: ComponentSpec, host: Host) -> Any:
    return host.load_source(
        spec.module,
        directory=manifest.file.parent,
        dependencies=spec.dependencies,
        wit=None if manifest.wit is None else manifest.file.parent / manifest.wit,
        world=spec.world,
        pure=spec.pure,
        name=spec.name,
    )


def _built(manifest: Manifest, spec: ComponentSpec) -> Path:
    folder = manifest.file.parent / OUTPUT_FOLDER
    # A state view and a state change of one name have the world in the names of their files.
    for stem in (f"{spec.name}.{spec.world}", spec.name):
        path = folder / f"{stem}.wasm"
        if path.is_file():
            return path
    message = f"the component {spec.name} was not built"
    hint = f"run evidentsource build in {manifest.file.parent}, or publish with source=True"
    raise ManifestError(Problem("not-built", message, manifest.file, spec.line, hint))
