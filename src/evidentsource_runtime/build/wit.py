"""The contract that a component is built against: the one of this SDK, or another `decider.wit`."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from evidentsource_runtime.build.errors import ContractError
from evidentsource_runtime.problems import Problem

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_WORLD = re.compile(r"\bworld\s+%?([a-z][a-z0-9-]*)\s*\{")
_PACKAGE = re.compile(r"^\s*package\s+([a-z0-9:@.\-+/]+)\s*;", re.MULTILINE)
_EVOLVE = re.compile(r"export\s+evolve\s*:\s*func\s*(\([^;]*?\))\s*->[^;]*;")

EXPLAIN = "explain-evolve"
"""The further export of a pure state view: the traceback of a call that would trap."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract, read.

    Args:
        path: the file, or the folder of a package with its dependencies.
        files: each file's text by its path relative to the folder.
        worlds: the names of the worlds of the contract's own package.
        package: its package id, such as "evidentsource:decider@1.0.0".
    """

    path: Path
    files: dict[str, str]
    worlds: tuple[str, ...]
    package: str

    def with_explanation(self) -> dict[str, str]:
        """Return the files with one more export in the world `state-view`.

        `evolve` has no way to say why it failed, and a pure component has no stderr either. The
        further export takes what `evolve` takes and returns the traceback instead of trapping.
        Hosts that do not know it leave it alone.
        """
        return {name: _explaining(text) for name, text in self.files.items()}

    def exports(self, name: str) -> bool:
        """Return whether a world of the contract's own package exports that name already."""
        named = re.compile(rf"\bexport\s+%?{re.escape(name)}\s*:")
        return any(
            named.search(_COMMENT.sub("", text))
            for file, text in self.files.items()
            if "/" not in file
        )

    def with_exports(self, world: str, exports: str) -> dict[str, str]:
        """Return the files with further exports in a world of the contract's own package.

        Args:
            world: one of `worlds`.
            exports: WIT that stands in the world's braces.

        Raises:
            ContractError: the package has no such world.
        """
        opening = re.compile(rf"\bworld\s+%?{re.escape(world)}\s*\{{")
        for name, text in self.files.items():
            # Its dependencies lie in folders below.
            found = None if "/" in name else opening.search(_COMMENT.sub(_blank, text))
            if found is not None:
                return {**self.files, name: text[: found.end()] + exports + text[found.end() :]}
        raise ContractError(_no_such_world(self.path, world, self.worlds))


def shipped_contract() -> Path:
    """Return the path of the `decider.wit` that belongs to this SDK.

    Raises:
        ContractError: the installation is incomplete.

    Example:
        >>> shipped_contract().name
        'decider.wit'
    """
    package = Path(__file__).parents[1]
    # An installed package carries the file; in a checkout it stands where people look for it.
    for candidate in (
        package / "interface" / "decider.wit",
        package.parents[1] / "interface" / "decider.wit",
    ):
        if candidate.is_file():
            return candidate
    message = "the contract decider.wit is missing from this installation"
    raise ContractError(Problem("missing-contract", message, hint="install the package again"))


def read_contract(path: str | os.PathLike[str] | None, world: str) -> Contract:
    """Read a contract and check that it has the world.

    Args:
        path: a `.wit` file or a folder of them; the shipped contract where left out.
        world: the name of the world that is needed.

    Raises:
        ContractError: there is no such file, or it has no such world.
    """
    place = shipped_contract() if path is None else Path(path).absolute()
    files = _read(place)
    own = {name: _COMMENT.sub("", text) for name, text in files.items() if "/" not in name}
    worlds = tuple(found for text in own.values() for found in _WORLD.findall(text))
    package = next((found[1] for text in own.values() if (found := _PACKAGE.search(text))), "")
    if world not in worlds:
        raise ContractError(_no_such_world(place, world, worlds))
    return Contract(place, files, worlds, package)


def _no_such_world(place: Path, world: str, worlds: tuple[str, ...]) -> Problem:
    close = difflib.get_close_matches(world, worlds, 1)
    listed = ", ".join(worlds) or "none"
    hint = f"did you mean {close[0]}?" if close else f"the contract's worlds: {listed}"
    return Problem("no-such-world", f"the contract has no world {world}", place, hint=hint)


def _blank(comment: re.Match[str]) -> str:
    # As long as the comment, so that places found in the rest are places in the whole.
    return " " * len(comment[0])


def _read(place: Path) -> dict[str, str]:
    try:
        if place.is_dir():
            paths = sorted(place.rglob("*.wit"))
            return {path.relative_to(place).as_posix(): path.read_text("utf-8") for path in paths}
        return {place.name: place.read_text("utf-8")}
    except FileNotFoundError:
        hint = "leave --wit out to use the SDK's own contract"
        problem = Problem("missing-contract", "there is no such contract", place, hint=hint)
        raise ContractError(problem) from None
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("unreadable-contract", f"the contract cannot be read: {error}", place)
        raise ContractError(problem) from error


def _explaining(text: str) -> str:
    world = re.search(r"\bworld\s+%?state-view\s*\{", text)
    found = None if world is None else _EVOLVE.search(text, world.end())
    if found is None:
        return text
    export = f"\n    export {EXPLAIN}: func{found[1]} -> option<string>;"
    return text[: found.end()] + export + text[found.end() :]
