"""Event selectors as people write them in TOML and as they are published in JSON.

In TOML a selector is a table with one key:

    selector = { stream = "accounts" }
    selector = { subject = { parameter = "account_id" } }
    selector = { all = [{ stream-starts-with = "acc" }, { any = [{ event-type = "a" }, ...] }] }
    selector = { no-subject = true }

Both published JSON forms are read as well, and the first of them is what is written:

    {"and": {"left": {"equals": {"stream": {"stream": "accounts"}}}, "right": ...}}
    {"type": "and", "selectors": [{"type": "equals", "attr": {"stream": "accounts"}}, ...]}
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import reduce
from typing import Any

from evidentsource_core.domain.definitions import Parameter, ParameterNode, SelectorTemplate
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.selectors import (
    EventTypeAttribute,
    EventTypePrefix,
    FlatAndNode,
    FlatEqualsNode,
    FlatOrNode,
    FlatStartsWithNode,
    Selector,
    StreamAttribute,
    StreamPrefix,
    SubjectAttribute,
    SubjectPrefix,
)

_ATTRIBUTES: dict[str, tuple[Any, Any, Any]] = {
    "stream": (Selector.stream, Selector.stream_starts_with, Parameter.stream),
    "subject": (Selector.subject, Selector.subject_starts_with, Parameter.subject),
    "event-type": (Selector.event_type, Selector.event_type_starts_with, Parameter.event_type),
}
_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "all": lambda left, right: left & right,
    "any": lambda left, right: left | right,
}
_KEYS = (
    *_JOINS,
    *_ATTRIBUTES,
    *(f"{name}-starts-with" for name in _ATTRIBUTES),
    "no-subject",
    "equals",
    "starts-with",
    "and",
    "or",
)


class SelectorFormError(ValueError):
    """A selector is not written in any of the known forms.

    Args:
        path: leads to the wrong part, such as "selector.all[1].stream".
        reason: what is wrong there.
        hint: what to write instead.
    """

    def __init__(self, path: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.hint = hint


def read_selector(value: Any, path: str = "selector") -> SelectorTemplate:
    """Read a selector in any of its forms.

    Args:
        value: what a TOML or JSON reader returned.
        path: of the value, for errors.

    Raises:
        SelectorFormError: with the path of the wrong part.

    Example:
        >>> read_selector({"all": [{"stream": "a1"}, {"subject": {"parameter": "id"}}]}).parameters
        {'id': 'subject'}
    """
    if not isinstance(value, dict):
        raise SelectorFormError(path, "a selector is a table", 'write { stream = "orders" }')
    if "type" in value:
        return _typed(value, path)
    if len(value) != 1:
        found = ", ".join(value) or "nothing"
        hint = "put several into { all = [...] } or { any = [...] }"
        raise SelectorFormError(path, f"a selector has one key, found {found}", hint)
    ((written, inner),) = value.items()
    key = str(written).replace("_", "-")
    inside = f"{path}.{written}"
    if key in _JOINS:
        return _join(key, inner, inside)
    if key in {"and", "or"}:
        return _two_sided("all" if key == "and" else "any", inner, inside)
    if key in {"equals", "starts-with"}:
        return _attribute_table(inner, inside, starts_with=key == "starts-with")
    if key == "no-subject" and inner is True:
        return SelectorTemplate.of(Selector.no_subject())
    name = key.removesuffix("-starts-with")
    if name in _ATTRIBUTES:
        return _leaf(name, inner, inside, starts_with=name != key)
    close = difflib.get_close_matches(key, _KEYS, 1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(_KEYS)}"
    raise SelectorFormError(inside, f"unknown key {written!r} in a selector", hint)


def selector_json(template: SelectorTemplate) -> dict[str, Any]:
    """Return a selector in the published JSON form.

    Example:
        >>> selector_json(read_selector({"stream": "orders"}))
        {'equals': {'stream': {'stream': 'orders'}}}
        >>> selector_json(read_selector({"no-subject": True}))
        {'equals': {'subject': {'subject': {'has_value': False}}}}
    """
    done: list[dict[str, Any]] = []
    for node in template.nodes:
        match node:
            case FlatAndNode(left=left, right=right):
                done.append({"and": {"left": done[left], "right": done[right]}})
            case FlatOrNode(left=left, right=right):
                done.append({"or": {"left": done[left], "right": done[right]}})
            case ParameterNode(kind=kind, name=name, starts_with=starts_with):
                done.append({_word(starts_with): {kind: {"parameter": name}}})
            case FlatEqualsNode(attribute=attribute):
                done.append({"equals": _attribute_json(attribute)})
            case FlatStartsWithNode(prefix=prefix):
                done.append({"starts_with": _attribute_json(prefix)})
    return done[-1]


def _word(starts_with: bool) -> str:
    return "starts_with" if starts_with else "equals"


def _attribute_json(attribute: Any) -> dict[str, Any]:
    match attribute:
        case StreamAttribute(stream=value) | StreamPrefix(stream=value):
            return {"stream": {"stream": str(value)}}
        case EventTypeAttribute(event_type=value) | EventTypePrefix(event_type=value):
            return {"event_type": {"event_type": str(value)}}
        case SubjectAttribute(subject=None):
            return {"subject": {"subject": {"has_value": False}}}
        case SubjectAttribute(subject=value) | SubjectPrefix(subject=value):
            return {"subject": {"subject": {"has_value": True, "value": str(value)}}}
    raise AssertionError(f"a selector holds a {type(attribute).__name__}")


def _join(key: str, parts: Any, path: str) -> SelectorTemplate:
    if not isinstance(parts, list) or not parts:
        raise SelectorFormError(path, "a list of selectors is needed", "write [{...}, {...}]")
    read = [read_selector(part, f"{path}[{index}]") for index, part in enumerate(parts)]
    return reduce(_JOINS[key], read)


def _two_sided(key: str, value: Any, path: str) -> SelectorTemplate:
    if not isinstance(value, dict) or set(value) != {"left", "right"}:
        raise SelectorFormError(path, "left and right are needed, and nothing else")
    sides = [read_selector(value[side], f"{path}.{side}") for side in ("left", "right")]
    return reduce(_JOINS[key], sides)


def _typed(value: dict[str, Any], path: str) -> SelectorTemplate:
    kind = str(value["type"]).replace("_", "-")
    if kind in {"and", "or"}:
        return _join("all" if kind == "and" else "any", value.get("selectors"), f"{path}.selectors")
    if kind in {"equals", "starts-with"}:
        starts_with = kind == "starts-with"
        return _attribute_table(value.get("attr"), f"{path}.attr", starts_with=starts_with)
    hint = "known are and, or, equals, starts_with"
    raise SelectorFormError(f"{path}.type", f"unknown type {value['type']!r}", hint)


def _attribute_table(value: Any, path: str, *, starts_with: bool) -> SelectorTemplate:
    if not isinstance(value, dict) or len(value) != 1:
        raise SelectorFormError(path, "one of stream, subject, event_type is needed")
    ((written, inner),) = value.items()
    name = str(written).replace("_", "-")
    if name not in _ATTRIBUTES:
        close = difflib.get_close_matches(name, _ATTRIBUTES, 1)
        hint = f"did you mean {close[0]}?" if close else "known are stream, subject, event_type"
        raise SelectorFormError(f"{path}.{written}", f"unknown attribute {written!r}", hint)
    if isinstance(inner, dict) and set(inner) == {written}:
        inner = inner[written]
    if name == "subject" and isinstance(inner, dict) and "has_value" in inner:
        inner = inner.get("value", "") if inner["has_value"] else None
    if name == "subject" and inner is None:
        return SelectorTemplate.of(Selector.no_subject())
    return _leaf(name, inner, f"{path}.{written}", starts_with=starts_with)


def _leaf(name: str, value: Any, path: str, *, starts_with: bool) -> SelectorTemplate:
    equals, prefix, parameter = _ATTRIBUTES[name]
    try:
        if isinstance(value, dict) and set(value) == {"parameter"}:
            template: SelectorTemplate = parameter(value["parameter"], starts_with=starts_with)
            return template
        if not isinstance(value, str):
            hint = 'write "text" or { parameter = "name" }'
            raise SelectorFormError(path, "text or a parameter is needed", hint)
        return SelectorTemplate.of(prefix(value) if starts_with else equals(value))
    except EvidentSourceError as error:
        raise SelectorFormError(path, str(error), error.hint) from error
