"""Ours against the published packages: every module, name and call form of theirs works.

``tests/tools/published_surface.py`` writes the facts down; what ours adds is not looked at here.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SURFACE = json.loads((Path(__file__).parents[1] / "data" / "published_surface.json").read_text())
MODULES: dict[str, dict[str, Any]] = SURFACE["modules"]

NOT_STARRED = {"TestEventBuilder", "test_event", "test_stored_event"}
"""Importable, but left out of ``__all__``: pytest would collect what a star import brings in."""


def entries(*kinds: str) -> list[Any]:
    """(module, name) of every published name of these kinds, as cases."""
    return [
        pytest.param(module, name, id=f"{module}.{name}")
        for module, names in MODULES.items()
        for name, entry in names.items()
        if entry.get("kind", "same as") in kinds
    ]


def members() -> Iterator[Any]:
    """(module, class, member) of every published class."""
    for case in entries("class"):
        module, name = case.values
        for member in MODULES[module][name]["members"]:
            yield pytest.param(module, name, member, id=f"{module}.{name}.{member}")


def get(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def example(module: str, name: str) -> Any:
    """An exception, built from texts unless it wants something else."""
    required = [n for n, default in split(MODULES[module][name]["init"] or []) if default is None]
    values = {"kind": lambda: get(module, f"{name}Kind").CONFLICT}
    return get(module, name)(*(values.get(n, lambda: "x")() for n in required))


def by_home(home: str) -> Any:
    module, _, name = home.partition(":")
    return get(module, name)


def split(parameters: list[str]) -> list[tuple[str, str | None]]:
    """Parameters as (name, default), the default as source; None where the caller must give one."""
    parted = (parameter.partition(" = ") for parameter in parameters)
    return [(name, default if equals else None) for name, equals, default in parted]


def assert_callable_as_published(function: Callable[..., Any], published: list[str]) -> None:
    """All by position, all by keyword and only what is required: each argument arrives by its name."""
    signature = inspect.signature(function)
    parameters = split(published)
    everything = {name: object() for name, _ in parameters}
    required = {name: everything[name] for name, default in parameters if default is None}
    for bound in (
        signature.bind(*everything.values()),
        signature.bind(**everything),
    ):
        assert dict(bound.arguments) == everything
    assert dict(signature.bind(*required.values()).arguments) == required
    for name, default in parameters:
        ours = signature.parameters[name].default
        if default not in (None, "..."):
            assert ours == ast.literal_eval(default), f"{name} has another default"


@pytest.mark.parametrize("module", list(MODULES))
def test_every_published_module_imports(module: str) -> None:
    importlib.import_module(module)


@pytest.mark.parametrize(("module", "name"), entries("same as", "value", "function", "class"))
def test_every_published_name_is_there(module: str, name: str) -> None:
    assert get(module, name) is not None


@pytest.mark.parametrize("module", [m for m in MODULES if "wasm" not in m])
def test_a_star_import_brings_every_name_that_it_brought(module: str) -> None:
    starred = {name for name, entry in MODULES[module].items() if entry.get("exported")}
    exported = getattr(importlib.import_module(module), "__all__", ())
    assert starred - NOT_STARRED <= set(exported)


@pytest.mark.parametrize(("module", "name"), entries("same as"))
def test_a_name_stands_for_the_same_thing_in_every_module(module: str, name: str) -> None:
    assert get(module, name) is by_home(MODULES[module][name]["same as"])


@pytest.mark.parametrize(("module", "name"), entries("union"))
def test_a_union_has_all_its_published_members(module: str, name: str) -> None:
    union = get(module, name)
    assert isinstance(union, types.UnionType)
    ours = {member.__name__ for member in typing.get_args(union)}
    assert ours >= set(MODULES[module][name]["of"])


@pytest.mark.parametrize(("module", "name"), entries("enum"))
def test_an_enum_has_all_its_published_members(module: str, name: str) -> None:
    cls = get(module, name)
    assert issubclass(cls, enum.Enum)
    ours = {member.name: member.value for member in cls}
    assert ours.items() >= MODULES[module][name]["members"].items()


@pytest.mark.parametrize(("module", "name"), entries("class"))
def test_a_class_derives_from_its_published_bases(module: str, name: str) -> None:
    for base in MODULES[module][name]["bases"]:
        assert by_home(base) in get(module, name).__mro__


@pytest.mark.parametrize(("module", "name"), entries("class"))
def test_a_class_is_built_as_published(module: str, name: str) -> None:
    init = MODULES[module][name]["init"]
    if init is not None:
        assert_callable_as_published(get(module, name), init)


@pytest.mark.parametrize(("module", "name"), entries("class"))
def test_an_exception_keeps_its_arguments_under_the_published_names(module: str, name: str) -> None:
    entry = MODULES[module][name]
    if "keeps" in entry:
        assert set(entry["keeps"]) <= set(dir(example(module, name)))


@pytest.mark.parametrize(("module", "name"), entries("class"))
def test_a_protocol_is_a_protocol_that_isinstance_takes(module: str, name: str) -> None:
    if MODULES[module][name].get("protocol"):
        assert not isinstance(object(), get(module, name))


@pytest.mark.parametrize(("module", "name"), entries("function"))
def test_a_function_is_called_as_published(module: str, name: str) -> None:
    assert_callable_as_published(get(module, name), MODULES[module][name]["parameters"])


@pytest.mark.parametrize(("module", "name", "member"), list(members()))
def test_a_member_is_used_as_published(module: str, name: str, member: str) -> None:
    cls, entry = get(module, name), MODULES[module][name]["members"][member]
    if entry["kind"] in ("attribute", "property"):
        assert is_attribute(cls, member) or hasattr(example(module, name), member)
        return
    static = inspect.getattr_static(cls, member)
    if entry["kind"] == "method":
        assert inspect.isfunction(static)
        assert_callable_as_published(types.MethodType(static, object()), entry["parameters"])
    else:
        assert_callable_as_published(getattr(cls, member), entry["parameters"])
    function = static if inspect.isfunction(static) else getattr(cls, member)
    assert inspect.iscoroutinefunction(function) is entry.get("async", False)


def is_attribute(cls: type, name: str) -> bool:
    if any(name in vars(base).get("__annotations__", ()) for base in cls.__mro__):
        return True
    static = inspect.getattr_static(cls, name, len)
    return static is None or isinstance(static, (property, types.MemberDescriptorType))
