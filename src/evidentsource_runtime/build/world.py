"""Which world a module is made for, and whether what it exports is complete.

The world shows from the adapter that the module's `WitWorld` derives from, or from its methods:
`evolve` makes a state view, `decide` a state change.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from evidentsource_runtime.build.classes import (
    ClassModel,
    Definition,
    dotted_name,
    is_abstract,
    model,
    resolve,
)
from evidentsource_runtime.build.closure import Closure
from evidentsource_runtime.build.errors import PreflightFailed
from evidentsource_runtime.build.source import Source
from evidentsource_runtime.problems import Problem

METHOD_OF_WORLD = {"state-view": "evolve", "state-change": "decide"}
ADAPTER_OF_WORLD = {"state-view": "StateViewAdapter", "state-change": "StateChangeAdapter"}
_VIEW_METHODS = ("evolve_event", "evolve")
_EXPORT = "WitWorld"
_HOW = (
    "define `class WitWorld(StateViewAdapter)` with state_view_type, or "
    "`class WitWorld(StateChangeAdapter)` with command_type and decide_func"
)


def find_world(closure: Closure, asked: str | None = None) -> str:
    """Find the world that the target is made for.

    Args:
        closure: the target's modules.
        asked: the world that the user named, which decides where the source leaves it open.

    Raises:
        PreflightFailed: there is no `WitWorld`, it fits no world or several, or it is incomplete.
    """
    source = closure.sources[closure.target.module]
    found = resolve(closure, source, _EXPORT)
    if found is None:
        raise PreflightFailed(_missing_export(source))
    exported = model(closure, found)
    world = _checked_world(source, found, exported, asked)
    problems = [] if exported is None else list(_incomplete(closure, exported, world))
    if problems:
        raise PreflightFailed(*problems)
    return world


def takes_lane(closure: Closure) -> bool:
    """Return whether the target's `WitWorld` is a view whose batches may also come as text.

    It is one of the SDK's adapter, and `evolve` is the adapter's own: one that the user overrides
    must see every batch.
    """
    found = resolve(closure, closure.sources[closure.target.module], _EXPORT)
    exported = None if found is None else model(closure, found)
    if exported is None or exported.member("evolve") is not None:
        return False
    adapter = ADAPTER_OF_WORLD["state-view"]
    return any(base.rpartition(".")[2] == adapter for base in exported.outer)


def _checked_world(
    source: Source, found: Definition, exported: ClassModel | None, asked: str | None
) -> str:
    try:
        if exported is None:
            shown = _world_of_names(source, found, (found.dotted,), ())
        else:
            shown = _world_of(source, exported)
    except PreflightFailed:
        if asked is None:
            raise
        return asked
    # A world of another name may include one of ours; only these two exclude each other.
    if asked in METHOD_OF_WORLD and asked != shown:
        line = getattr(found.node, "lineno", None)
        message = f"WitWorld is a {shown}, not the {asked} that was asked for"
        hint = f"derive it from {ADAPTER_OF_WORLD[asked]}, or ask for a {shown}"
        file = (found.source or source).file
        raise PreflightFailed(Problem("other-world", message, file, line, hint))
    return asked or shown


def _world_of(source: Source, exported: ClassModel) -> str:
    names = tuple(exported.own_names())
    return _world_of_names(source, exported.definition, exported.outer, names)


def _world_of_names(
    source: Source, found: Definition, bases: tuple[str, ...], methods: tuple[str, ...]
) -> str:
    adapters = {
        world
        for world, adapter in ADAPTER_OF_WORLD.items()
        if any(base.rpartition(".")[2] == adapter for base in bases)
    }
    worlds = adapters or {world for world, method in METHOD_OF_WORLD.items() if method in methods}
    if len(worlds) == 1:
        return worlds.pop()
    line = getattr(found.node, "lineno", None)
    file = (found.source or source).file
    if worlds:
        message = "WitWorld is a state view and a state change at once"
        hint = "put each into a module of its own, and build both"
        raise PreflightFailed(Problem("ambiguous-world", message, file, line, hint))
    message = "WitWorld is neither a state view nor a state change: it has no evolve and no decide"
    close = _nearest(tuple(METHOD_OF_WORLD.values()), methods)
    hint = f"did you mean {close[0]} where it says {close[1]}?" if close else _HOW
    raise PreflightFailed(Problem("no-world", message, file, line, hint))


def _missing_export(source: Source) -> Problem:
    classes = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
    close = _nearest((_EXPORT,), tuple(node.name for node in classes))
    line = next((node.lineno for node in classes if close and node.name == close[1]), None)
    hint = f"did you mean WitWorld where it says {close[1]}?" if close else _HOW
    message = "the module has no WitWorld, the class that a component exports"
    return Problem("missing-wit-world", message, source.file, line, hint)


def _incomplete(closure: Closure, exported: ClassModel, world: str) -> Iterator[Problem]:
    adapter = ADAPTER_OF_WORLD.get(world, "")
    yield from _abstract(exported)
    if any(base.rpartition(".")[2] == adapter for base in exported.outer):
        if world == "state-view":
            yield from _incomplete_view(closure, exported)
        else:
            yield from _incomplete_change(closure, exported)
    elif world in METHOD_OF_WORLD and exported.complete and not _derives(exported):
        method = METHOD_OF_WORLD[world]
        if exported.member(method) is None:
            yield _missing_member(exported, method, f"a {world} needs a method {method}")


def _incomplete_view(closure: Closure, exported: ClassModel) -> Iterator[Problem]:
    member = exported.member("state_view_type")
    if member is None:
        if exported.complete and len(exported.outer) == 1:
            message = "WitWorld folds nothing: it does not set state_view_type"
            yield _missing_member(exported, "state_view_type", message)
        return
    source, statement = member
    value = getattr(statement, "value", None)
    name = dotted_name(value) if isinstance(value, ast.expr) else None
    found = None if name is None else resolve(closure, source, name)
    view = None if found is None else model(closure, found)
    if view is None:
        return
    yield from _abstract(view)
    known = [base for base in view.outer if base.rpartition(".")[2] not in {"StateViewBase", "ABC"}]
    if known or not view.complete or any(view.member(method) for method in _VIEW_METHODS):
        return
    label = view.classes[0][1].name
    yield _missing_member(view, "evolve_event", f"{label} does not define evolve_event")


def _incomplete_change(closure: Closure, exported: ClassModel) -> Iterator[Problem]:
    if any(exported.member(name) for name in ("decide_func", "decide")):
        return
    source = exported.classes[0][0]
    if resolve(closure, source, "decide") is not None:
        return
    if exported.complete and len(exported.outer) == 1:
        message = "WitWorld decides nothing: it does not set decide_func"
        yield _missing_member(exported, "decide_func", message)


def _abstract(checked: ClassModel) -> Iterator[Problem]:
    for name, (source, statement) in checked.own_names().items():
        if is_abstract(statement):
            owner, node = checked.classes[0]
            hint = f"{name} is declared at {source.file.name}:{statement.lineno}"
            others = tuple(set(checked.own_names()) - {name})
            close = _nearest((name,), others)
            if close:
                hint = f"did you mean {name} where it says {close[1]}? {hint}"
            message = f"{node.name} does not define the abstract method {name}"
            yield Problem("abstract-method", message, owner.file, node.lineno, hint)


def _missing_member(checked: ClassModel, name: str, message: str) -> Problem:
    source, node = checked.classes[0]
    names = checked.own_names()
    close = _nearest((name,), tuple(names))
    if close:
        place, statement = names[close[1]]
        hint = f"did you mean {name} where it says {close[1]}?"
        return Problem("misspelled-member", message, place.file, statement.lineno, hint)
    return Problem(
        "missing-member", message, source.file, node.lineno, f"define {name} in {node.name}"
    )


def _derives(exported: ClassModel) -> bool:
    # A class from somewhere else may bring the method.
    return any(not base.startswith("wit_world") for base in exported.outer)


def _nearest(wanted: tuple[str, ...], present: tuple[str, ...]) -> tuple[str, str] | None:
    for name in wanted:
        close = difflib.get_close_matches(name, [p for p in present if p != name], 1, 0.75)
        if close:
            return name, close[0]
    return None
