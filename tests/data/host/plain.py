"""The contract's values as JSON and back, whatever classes the bindings of a component have.

It knows nothing of the SDK, so that what it says of a value is what crossed the boundary.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from types import ModuleType
from typing import Any


def dump(value: Any) -> Any:
    if isinstance(value, Enum):
        return {"is": type(value).__name__, "name": value.name}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (list, tuple)):
        return [dump(item) for item in value]
    if is_dataclass(value):
        parts = {field.name: dump(getattr(value, field.name)) for field in fields(value)}
        return {"is": type(value).__name__, **parts}
    return value


def load(value: Any, *modules: ModuleType) -> Any:
    if isinstance(value, list):
        return [load(item, *modules) for item in value]
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return bytes.fromhex(value["bytes"])
    if "tuple" in value:
        return tuple(load(item, *modules) for item in value["tuple"])
    if "repeat" in value:
        return bytes(value["repeat"])
    kind = next(vars(module)[value["is"]] for module in modules if value["is"] in vars(module))
    if issubclass(kind, Enum):
        return kind[value["name"]]
    return kind(**{name: load(part, *modules) for name, part in value.items() if name != "is"})
