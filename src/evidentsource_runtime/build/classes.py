"""Classes as they stand in the source: their bases, methods and attributes, nothing executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from evidentsource_runtime.build.closure import Closure
from evidentsource_runtime.build.source import Source


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a name leads to.

    Args:
        dotted: the full dotted name, such as "evidentsource_functions.wasm.StateViewAdapter".
        source: the module that defines it, where that is part of the build.
        node: the class, function or value; None for what is not followed.
    """

    dotted: str
    source: Source | None = None
    node: ast.AST | None = None


def resolve(closure: Closure, source: Source, name: str, seen: int = 0) -> Definition | None:
    """Follow a name at a module's top level, through imports and aliases, to what it stands for.

    Returns:
        None where the module has no such name, as far as its source shows.
    """
    head, _, rest = name.partition(".")
    found = _top_level(closure, source, head, seen)
    if found is None or not rest:
        return found
    inner = closure.sources.get(found.dotted)
    if inner is not None and seen < 20:
        return resolve(closure, inner, rest, seen + 1)
    return Definition(f"{found.dotted}.{rest}")


def _top_level(closure: Closure, source: Source, name: str, seen: int) -> Definition | None:
    found: Definition | None = None
    for node in _statements(source.tree.body):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                found = Definition(f"{source.module}.{name}", source, node)
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                found = _value(closure, source, name, value, seen)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if (
                target == name
            ):
                found = _value(closure, source, name, value, seen)
            case ast.Import(names=aliases):
                for alias in aliases:
                    if (alias.asname or alias.name.partition(".")[0]) == name:
                        found = Definition(alias.name if alias.asname else name)
            case ast.ImportFrom(names=aliases):
                for alias in aliases:
                    if (alias.asname or alias.name) == name:
                        found = _imported(closure, source, node, alias.name, seen)
    return found


def _value(
    closure: Closure, source: Source, name: str, value: ast.expr, seen: int
) -> Definition | None:
    target = dotted_name(value)
    if target is not None and target != name and seen < 20:
        return resolve(closure, source, target, seen + 1)
    return Definition(f"{source.module}.{name}", source, value)


def _imported(
    closure: Closure, source: Source, node: ast.ImportFrom, name: str, seen: int
) -> Definition:
    module = next(
        each.module for each in source.imports if each.line == node.lineno and name in each.names
    )
    inner = closure.sources.get(module)
    if inner is not None and inner.owner == "user" and seen < 20:
        found = resolve(closure, inner, name, seen + 1)
        if found is not None:
            return found
    return Definition(f"{module}.{name}")


def dotted_name(node: ast.expr) -> str | None:
    """Return "a.b.c" for such an expression; a subscript, `Base[int]`, counts as what it is of."""
    if isinstance(node, ast.Subscript):
        return dotted_name(node.value)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted_name(node.value)
        return None if inner is None else f"{inner}.{node.attr}"
    return None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                yield from _statements(getattr(node, part, []))


@dataclass(frozen=True, slots=True)
class ClassModel:
    """A class and everything that it derives from, as far as the sources show.

    Args:
        definition: the class itself.
        classes: the class and its bases in the user's code, the nearest first.
        outer: the dotted names of the bases outside of the user's code.
        complete: whether every base could be followed to its name.
    """

    definition: Definition
    classes: tuple[tuple[Source, ast.ClassDef], ...]
    outer: tuple[str, ...]
    complete: bool

    def member(self, name: str) -> tuple[Source, ast.stmt] | None:
        """Return the nearest definition of a method or attribute."""
        for source, node in self.classes:
            for statement in node.body:
                if name in member_names(statement):
                    return source, statement
        return None

    def own_names(self) -> dict[str, tuple[Source, ast.stmt]]:
        """Return every method and attribute, each by its nearest definition."""
        names: dict[str, tuple[Source, ast.stmt]] = {}
        for source, node in self.classes:
            for statement in node.body:
                for name in member_names(statement):
                    names.setdefault(name, (source, statement))
        return names


def model(closure: Closure, definition: Definition) -> ClassModel | None:
    """Return the class behind a definition; None where it is no class of the user's."""
    if not isinstance(definition.node, ast.ClassDef) or definition.source is None:
        return None
    classes: list[tuple[Source, ast.ClassDef]] = []
    outer: list[str] = []
    complete = True
    pending = [(definition.source, definition.node)]
    while pending:
        source, node = pending.pop(0)
        if any(node is known for _, known in classes):
            continue
        classes.append((source, node))
        for base in node.bases:
            name = dotted_name(base)
            found = None if name is None else resolve(closure, source, name)
            if found is not None and isinstance(found.node, ast.ClassDef) and found.source:
                pending.append((found.source, found.node))
            elif found is not None and found.node is None:
                outer.append(found.dotted)
            elif name != "object":
                complete = False
    return ClassModel(definition, tuple(classes), tuple(outer), complete)


def member_names(statement: ast.stmt) -> list[str]:
    """Return the names that a statement in a class body defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            return [name]
        case _:
            return []


def is_abstract(statement: ast.stmt) -> bool:
    """Return whether a method is marked with `abstractmethod`."""
    return isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
        (dotted_name(each) or "").rpartition(".")[2] == "abstractmethod"
        for each in statement.decorator_list
    )
