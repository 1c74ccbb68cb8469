"""Writes down the surface of the published packages: names and call forms, nothing else.

Run it with the Python of an environment that has them (Python 3.12 or later)::

    pip install --pre evidentsource-core==1.0.0rc1 evidentsource-functions==1.0.0rc1
    python tests/tools/published_surface.py > tests/data/published_surface.json

``tests/unit/test_published_surface.py`` holds ours against the result. What belongs to the standard
library or to other packages is left out, and so are docstrings, bodies and messages.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import json
import pkgutil
import sys
import types
import typing
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("evidentsource_core", "evidentsource_functions")
# Importing it needs modules that exist only inside a component, so its source is read instead.
UNIMPORTABLE = "evidentsource_functions.wasm"
ADAPTERS = ("StateChangeAdapter", "StateViewAdapter")
SIMPLE = (str, int, float, bytes, type(None))


def is_ours(thing: object) -> bool:
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] in PACKAGES


def parameters(function: Callable[..., Any], *, bound: bool = False) -> list[str] | None:
    """Each parameter as ``name`` or ``name = DEFAULT``; None where there is no signature to see."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except ValueError:
        return None
    return [describe_parameter(parameter) for parameter in (found[1:] if bound else found)]


def describe_parameter(parameter: inspect.Parameter) -> str:
    if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
        raise SystemExit(f"{parameter} has a kind that this form cannot say; extend it")
    if parameter.default is parameter.empty:
        return parameter.name
    simple = isinstance(parameter.default, SIMPLE)
    return f"{parameter.name} = {parameter.default!r}" if simple else f"{parameter.name} = ..."


def home(thing: type | types.FunctionType) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def describe_member(cls: type, name: str, member: object) -> dict[str, Any]:
    if isinstance(member, (classmethod, staticmethod)):
        kind, function, bound = type(member).__name__, getattr(cls, name), False
    elif inspect.isfunction(member):
        kind, function, bound = "method", member, True
    else:
        return {"kind": "property" if isinstance(member, property) else "attribute"}
    described: dict[str, Any] = {"kind": kind, "parameters": parameters(function, bound=bound)}
    if inspect.iscoroutinefunction(function):
        described["async"] = True
    return described


def kept(cls: type, init: list[str] | None) -> list[str]:
    """The names under which an exception keeps its arguments."""
    required = [name for name in init or () if "=" not in name]
    return sorted(name for name in vars(cls(*["x"] * len(required))) if not name.startswith("_"))


def describe_class(cls: type) -> dict[str, Any]:
    bases = [home(base) for base in cls.__mro__[1:] if is_ours(base)]
    described: dict[str, Any] = {"kind": "class", "bases": bases}
    if issubclass(cls, enum.Enum):
        members: list[enum.Enum] = list(cls)
        return described | {"kind": "enum", "members": {m.name: m.value for m in members}}
    protocol = bool(getattr(cls, "_is_protocol", False))
    if protocol:
        described["protocol"] = True
    abstract = protocol or inspect.isabstract(cls)
    described["init"] = None if abstract else parameters(cls)
    if issubclass(cls, Exception):
        described["keeps"] = kept(cls, described["init"])
    fields = set(annotated_names(cls))
    names = fields | {name for base in cls.__mro__ if is_ours(base) for name in vars(base)}
    described["members"] = {
        name: describe_member(cls, name, inspect.getattr_static(cls, name, None))
        for name in sorted(names)
        if not name.startswith("_")
    }
    return described


def annotated_names(cls: type) -> list[str]:
    return [
        name
        for base in cls.__mro__
        if is_ours(base)
        for name in vars(base).get("__annotations__", ())
    ]


def describe(value: object, module: str) -> dict[str, Any] | None:
    """What a public name stands for; None where it is not the package's own."""
    if inspect.isclass(value) and is_ours(value):
        return describe_class(value) if value.__module__ == module else {"same as": home(value)}
    if inspect.isfunction(value) and is_ours(value):
        if value.__module__ != module:
            return {"same as": home(value)}
        described: dict[str, Any] = {"kind": "function", "parameters": parameters(value)}
        return described | ({"async": True} if inspect.iscoroutinefunction(value) else {})
    if isinstance(value, types.UnionType) and all(map(is_ours, typing.get_args(value))):
        return {"kind": "union", "of": [member.__name__ for member in typing.get_args(value)]}
    return None


def assigned_names(module: types.ModuleType) -> set[str]:
    """Public names that the module itself gives a value: constants and aliases."""
    names: set[str] = set()
    for node in ast.parse(inspect.getsource(module)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    own = {name for name in names if not name.startswith("_")}
    return {name for name in own if not isinstance(getattr(module, name), typing.TypeVar)}


def describe_module(name: str) -> dict[str, Any]:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", ())
    public = {name for name in vars(module) if not name.startswith("_")}
    assigned = assigned_names(module)
    described = {}
    for attribute in sorted(public.union(exported)):
        entry = describe(getattr(module, attribute), name)
        if entry is None and (attribute in exported or attribute in assigned):
            entry = {"kind": "value"}
        if entry is not None:
            described[attribute] = entry | ({"exported": True} if attribute in exported else {})
    return described


def describe_adapters(module: str) -> dict[str, Any]:
    """The adapter classes of ``wasm.adapters``, read without running it."""
    package = importlib.import_module(PACKAGES[1])
    path = Path(package.__path__[0], *module.split(".")[1:]).with_suffix(".py")
    described = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name in ADAPTERS:
            fields = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)]  # type: ignore[union-attr]  # a class body assigns to names
            members = {name: {"kind": "attribute"} for name in fields}
            described[node.name] = {
                "kind": "class",
                "bases": [],
                "init": [],
                "members": members,
                "exported": True,
            }
    return described


def surface() -> dict[str, Any]:
    modules: dict[str, Any] = {}
    for package in PACKAGES:
        modules[package] = describe_module(package)
        for found in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}.", onerror=lambda _name: None
        ):
            if not found.name.startswith(UNIMPORTABLE):
                modules[found.name] = describe_module(found.name)
    for name in (f"{UNIMPORTABLE}.adapters", UNIMPORTABLE):
        modules[name] = describe_adapters(f"{UNIMPORTABLE}.adapters")
    versions = {package: metadata.version(package.replace("_", "-")) for package in PACKAGES}
    return {"versions": versions, "modules": modules}


def as_text(described: dict[str, Any]) -> str:
    """JSON with a line for every name, so that a difference reads well."""
    modules = []
    for module, names in described["modules"].items():
        lines = (f"   {json.dumps(n)}: {json.dumps(entry)}" for n, entry in names.items())
        modules.append(f"  {json.dumps(module)}: {{\n" + ",\n".join(lines) + "\n  }")
    versions = json.dumps(described["versions"])
    return f' {{"versions": {versions},\n "modules": {{\n'[1:] + ",\n".join(modules) + "\n }\n}\n"


if __name__ == "__main__":
    sys.stdout.write(as_text(surface()))
