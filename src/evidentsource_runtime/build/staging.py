"""The clean folders that a component is built from.

componentize-py makes every folder on its path, and the site-packages of the environment, visible to
what it builds. So it is given copies: one folder with the user's modules, one with the SDK, one
with the named dependencies, and an empty one where it looks for an environment.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import evidentsource_core
import evidentsource_functions
from evidentsource_runtime.build.closure import Closure, Place
from evidentsource_runtime.build.dependencies import Dependency
from evidentsource_runtime.build.entry import ENTRY_MODULE

USER, SDK, DEPENDENCIES = 0, 1, 2
SDK_PACKAGES = ("evidentsource_core", "evidentsource_functions")
"""The packages of the SDK that go into a component."""
_TESTING = "evidentsource_functions.testing"
_DATA_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Staged:
    """What goes into a build: for each guest path, such as "/0/orders/view.py", the file or text.

    Args:
        files: guest path to the file that is copied there, or to the text that is written there.
        origins: guest path to the user's file.
    """

    files: dict[str, Path | str]
    origins: dict[str, Path]

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by guest path."""
        return {
            guest: hashlib.sha256(
                content.encode() if isinstance(content, str) else content.read_bytes()
            ).hexdigest()
            for guest, content in sorted(self.files.items())
        }

    def write(self, folder: Path) -> None:
        """Copy everything under a folder: its subfolder "0" is what the guest sees as "/0"."""
        for index in (USER, SDK, DEPENDENCIES):
            (folder / str(index)).mkdir()
        for guest, content in self.files.items():
            target = folder / guest.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                target.write_text(content, encoding="utf-8")
            else:
                shutil.copyfile(content, target)


def shared_places(dependencies: Iterable[Dependency]) -> dict[str, Place]:
    """Return where the SDK's packages and the dependencies stand, by top-level name."""
    places = {
        name: Place(dependency.root, dependency.name)
        for dependency in dependencies
        for name in dependency.top_names
    }
    return places | {name: Place(_sdk_root(name), "sdk") for name in SDK_PACKAGES}


def stage(closure: Closure, dependencies: Iterable[Dependency], entry: str) -> Staged:
    """Choose what goes into the build.

    Args:
        closure: the target's modules.
        dependencies: what `find_dependencies` found.
        entry: the source of the entry module.
    """
    files: dict[str, Path | str] = {f"/{SDK}/{ENTRY_MODULE}.py": entry}
    origins: dict[str, Path] = {}
    for source in closure.user_sources():
        guest = guest_path(source.module, source.file, source.owner)
        origins[guest] = source.file
        files[guest] = source.file
        if source.file.name == "__init__.py":
            files |= _package_data(source.module, source.file.parent)
    for name in SDK_PACKAGES:
        files |= sdk_files(name, with_testing=_uses_testing(closure))
    for dependency in dependencies:
        for file in dependency.files:
            files[f"/{DEPENDENCIES}/{file}"] = dependency.root / file
    return Staged(files, origins)


def relative_origins(staged: Staged, project: Path) -> dict[str, str]:
    """Return each guest path of the user's files with the path relative to the project."""
    return {
        guest: file.relative_to(project).as_posix() if file.is_relative_to(project) else file.name
        for guest, file in sorted(staged.origins.items())
    }


def absolute_paths(text: str, origins: Mapping[str, Path]) -> str:
    """Return a guest's traceback with the paths of the user's own files."""
    for guest, file in origins.items():
        text = text.replace(f'"{guest}"', f'"{file}"').replace(f"{guest}:", f"{file}:")
    return text


def guest_path(module: str, file: Path, owner: str) -> str:
    """Return the path that a component knows a module's file by.

    Args:
        module: dotted.
        file: where it stands.
        owner: whose it is: "user", "sdk", or the name of a distribution.

    Example:
        >>> guest_path("orders.view", Path("src/orders/view.py"), "user")
        '/0/orders/view.py'
    """
    index = {"user": USER, "sdk": SDK}.get(owner, DEPENDENCIES)
    inside = module.replace(".", "/")
    return f"/{index}/{inside}" + ("/__init__.py" if file.name == "__init__.py" else ".py")


def _package_data(module: str, folder: Path) -> dict[str, Path | str]:
    # Packages may read files beside their modules while they are imported.
    base = f"/{USER}/{module.replace('.', '/')}"
    return {
        f"{base}/{path.name}": path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and not path.name.startswith(".")
        and path.suffix not in {".py", ".pyc", ".wasm", ".so", ".pyd"}
        and path.stat().st_size <= _DATA_LIMIT
    }


def _sdk_root(package: str) -> Path:
    module = evidentsource_core if package == "evidentsource_core" else evidentsource_functions
    return Path(str(module.__file__)).parents[1]


def sdk_files(package: str, *, with_testing: bool) -> dict[str, Path | str]:
    """Return the files of one of the SDK's packages, by guest path.

    Args:
        package: one of `SDK_PACKAGES`.
        with_testing: whether to take the test half of the functions too.
    """
    root = _sdk_root(package)
    testing = root / _TESTING.replace(".", "/")
    return {
        f"/{SDK}/{path.relative_to(root).as_posix()}": path
        for path in sorted((root / package).rglob("*.py"))
        if with_testing or not path.is_relative_to(testing)
    }


def _uses_testing(closure: Closure) -> bool:
    return any(
        each.module.startswith(_TESTING)
        or (each.module == "evidentsource_functions" and set(each.names) & _testing_names())
        for source in closure.user_sources()
        for each in source.imports
    )


def _testing_names() -> set[str]:
    return {"testing", *getattr(evidentsource_functions, "_TESTING", ())}
