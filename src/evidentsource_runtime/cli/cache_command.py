"""`evidentsource cache`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from evidentsource_runtime.cachedir import cache_directory, cache_root
from evidentsource_runtime.cli.output import size_text

KINDS = ("components", "bytecode", "compiled", "bases", "programs")
"""The rooms of the cache: components by their inputs, bytecode of the modules that every build brings,
what a host compiled, base components, and the bytecode of programs that were loaded from their source."""


def cache_show(
    *, json_output: Annotated[bool, Parameter(name="--json", negative=())] = False
) -> None:
    """Say where the cache is and how much it holds.

    Parameters
    ----------
    json_output
        Print it as JSON.
    """
    rooms = [_facts(room) for room in _rooms()]
    if json_output:
        print(json.dumps({"path": str(cache_root()), "rooms": rooms}, indent=2))
        return
    print(cache_root())
    for room in rooms:
        print(f"  {room['name']:12} {room['files']} files, {size_text(room['size'])}")
    if not rooms:
        print("  empty")


def cache_clear(
    *, json_output: Annotated[bool, Parameter(name="--json", negative=())] = False
) -> None:
    """Remove everything that is kept; the next build and the next load make it again.

    Parameters
    ----------
    json_output
        Print what was removed as JSON.
    """
    removed = [_facts(room) for room in _rooms()]
    for room in _rooms():
        # Asked for by its name, a room that somebody else owns is refused.
        shutil.rmtree(cache_directory(room.name))
    total = sum(room["size"] for room in removed)
    if json_output:
        print(json.dumps({"path": str(cache_root()), "removed": removed}, indent=2))
    else:
        print(f"removed {size_text(total)} from {cache_root()}")


def _rooms() -> list[Path]:
    # Only what this project puts there: the directory may have been chosen by the user.
    return [cache_root() / kind for kind in KINDS if (cache_root() / kind).is_dir()]


def _facts(room: Path) -> dict[str, Any]:
    files = [path for path in room.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {
        "name": room.name,
        "files": len(files),
        "size": sum(path.stat().st_size for path in files),
    }
