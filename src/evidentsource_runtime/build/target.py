"""From what the user named, a module or a file, to the module's name and the folders to look in."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.build.errors import TargetNotFound
from evidentsource_runtime.problems import Problem


@dataclass(frozen=True, slots=True)
class Target:
    """The module that is to become a component.

    Args:
        module: its dotted name.
        file: its source file.
        roots: the folders that its own imports are looked for in, the nearest first.
        project: the folder that paths are shown relative to.
    """

    module: str
    file: Path
    roots: tuple[Path, ...]
    project: Path


def find_target(module_or_file: str | os.PathLike[str], directory: Path | None = None) -> Target:
    """Find the module that a user named.

    Args:
        module_or_file: "orders.view", "orders/view.py", or the folder of a package.
        directory: where to look for it; the current directory where left out.

    Raises:
        TargetNotFound: there is no such module or file; the message says where it was looked for.
    """
    base = (directory or Path.cwd()).absolute()
    text = os.fspath(module_or_file)
    path = base / text
    if path.is_file():
        if path.suffix != ".py":
            raise _not_found(f"{text} is no Python file", "name a module or a .py file")
        return _from_file(path)
    if path.is_dir() and (path / "__init__.py").is_file():
        return _from_file(path / "__init__.py")
    if text.endswith(".py") or os.sep in text or "/" in text:
        hint = _nearest_file(path) or "check the path; it is taken from the current directory"
        raise _not_found(f"there is no file {text}", hint)
    return _from_module(text, base)


def module_file(root: Path, module: str) -> Path | None:
    """Return the source file of a dotted module under a folder; None where there is none."""
    stem = root.joinpath(*module.split("."))
    for candidate in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
        if candidate.is_file():
            return candidate
    return None


def project_of(path: Path) -> Path | None:
    """Return the nearest folder at or above a path that holds a `pyproject.toml`."""
    for folder in (path, *path.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return None


def _from_file(file: Path) -> Target:
    file = file.resolve()
    parts = [] if file.name == "__init__.py" else [file.stem]
    root = file.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    module = ".".join(parts)
    if not all(part.isidentifier() for part in parts):
        name = next(part for part in parts if not part.isidentifier())
        hint = f"rename it, say to {name.replace('-', '_').replace(' ', '_')}"
        message = f"{name!r} is no name that Python can import"
        raise TargetNotFound(Problem("not-importable", message, file, hint=hint))
    return _target(module, file, root)


def _from_module(module: str, base: Path) -> Target:
    if not all(part.isidentifier() for part in module.split(".")):
        raise _not_found(
            f"{module!r} is neither a module nor a file", "name a module or a .py file"
        )
    roots = [base, base / "src"]
    project = project_of(base)
    if project is not None:
        roots += [project, project / "src"]
    for root in roots:
        file = module_file(root, module)
        if file is not None:
            return _target(module, file.resolve(), root.resolve())
    looked = ", ".join(dict.fromkeys(str(root) for root in roots if root.is_dir()))
    hint = _nearest_module(module, roots) or "name a module or a .py file"
    raise _not_found(f"there is no module {module} in {looked}", hint)


def _target(module: str, file: Path, root: Path) -> Target:
    project = project_of(root)
    roots = [root] if project is None else [root, project, project / "src"]
    return Target(module, file, tuple(dict.fromkeys(roots)), project or root)


def _nearest_file(path: Path) -> str | None:
    if not path.parent.is_dir():
        return None
    names = [each.name for each in path.parent.iterdir() if each.suffix == ".py"]
    close = difflib.get_close_matches(path.name, names, 1)
    return f"did you mean {close[0]}?" if close else None


def _nearest_module(module: str, roots: list[Path]) -> str | None:
    parent, _, last = module.rpartition(".")
    names = set()
    for root in roots:
        folder = root.joinpath(*parent.split(".")) if parent else root
        if folder.is_dir():
            names |= {each.stem for each in folder.iterdir() if each.suffix == ".py"}
            names |= {each.name for each in folder.iterdir() if (each / "__init__.py").is_file()}
    close = difflib.get_close_matches(last, names, 1)
    return f"did you mean {parent + '.' if parent else ''}{close[0]}?" if close else None


def _not_found(message: str, hint: str) -> TargetNotFound:
    return TargetNotFound(Problem("target-not-found", message, hint=hint))
