"""JSON as the standard says it: strict in both directions, with typed errors.

Python's own ``json`` takes and writes ``NaN`` and ``Infinity``, which are no JSON, and its errors
come in five kinds. Here whatever cannot be read is :class:`DeserializationFailed` and whatever
cannot be written is :class:`SerializationFailed`, with the reason. Source: RFC 8259. Where that
leaves a choice: a byte order mark is passed over, and of a name that stands twice in one object the
last counts, as in most parsers.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from evidentsource_core.domain.errors import (
    DeserializationFailed,
    InvalidType,
    SerializationFailed,
)

_BYTE_ORDER_MARK = "\ufeff"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {_shortened(text)} is too large")
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite_float)
_ENCODER = json.JSONEncoder(allow_nan=False)


def loads(data: bytes | str) -> Any:
    """The value that JSON text stands for.

    Raises:
        DeserializationFailed: it is no UTF-8 or no JSON, nests too deep, or has a number too long.
        InvalidType: ``data`` is neither bytes nor text.

    >>> loads(b'{"n": NaN}')
    Traceback (most recent call last):
    ...
    evidentsource_core.domain.errors.DeserializationFailed: ...: NaN is no JSON value
    """
    try:
        text = data if isinstance(data, str) else str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise DeserializationFailed(
            f"the bytes are no UTF-8: {error.reason}, at byte {error.start}"
        ) from error
    except TypeError as error:
        raise InvalidType("JSON", "bytes or str", data) from error
    try:
        return _DECODER.decode(text.removeprefix(_BYTE_ORDER_MARK))
    except RecursionError as error:
        raise DeserializationFailed("the JSON nests too deep") from error
    except json.JSONDecodeError as error:
        raise DeserializationFailed(str(error)) from error
    except ValueError as error:
        raise DeserializationFailed(_of_number(error)) from error


def _of_number(error: ValueError) -> str:
    # The interpreter's limit on digits is the one that speaks of itself; its advice is for whoever
    # configures the interpreter, not for whoever sent the number.
    text = str(error)
    return "a whole number has too many digits" if "integer string conversion" in text else text


def dumps(value: Any) -> bytes:
    """``value`` as JSON text in UTF-8.

    Raises:
        SerializationFailed: it has no form in JSON; the message names the path to the value.

    >>> dumps({"balance": float("nan")})
    Traceback (most recent call last):
    ...
    evidentsource_core.domain.errors.SerializationFailed: ...: $.balance: nan is no JSON value
    """
    try:
        return _ENCODER.encode(value).encode()
    except RecursionError as error:
        raise SerializationFailed("the value nests too deep") from error
    except (TypeError, ValueError) as error:
        raise SerializationFailed(_find_culprit(value) or str(error)) from error


def _find_culprit(value: Any) -> str | None:
    """The path to the first value that JSON cannot hold; only used once it is known to fail."""
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = [("$", value)]
    while todo:
        path, item = todo.pop()
        if not isinstance(item, (dict, list, tuple)):
            if problem := _leaf_problem(item):
                return f"{path}: {problem}"
        elif id(item) not in seen:
            seen.add(id(item))
            children = list(item.items() if isinstance(item, dict) else enumerate(item))
            if problem := next(filter(None, (_key_problem(key) for key, _ in children)), None):
                return f"{path}: {problem}"
            step = "{}.{}" if isinstance(item, dict) else "{}[{}]"
            todo += [(step.format(path, key), child) for key, child in reversed(children)]
    return None


def _key_problem(key: object) -> str | None:
    if isinstance(key, float) and not math.isfinite(key):
        return f"{key} is no key of a JSON object"
    if isinstance(key, (str, int, float, type(None))):
        return None
    return f"a {type(key).__name__} is no key of a JSON object; use str"


def _leaf_problem(item: object) -> str | None:
    if isinstance(item, float):
        return None if math.isfinite(item) else f"{item} is no JSON value"
    if isinstance(item, int):
        try:
            int.__repr__(item)
        except ValueError as error:
            return _of_number(error)
        return None
    if isinstance(item, (str, type(None))):
        return None
    return f"a {type(item).__name__} has no form in JSON; convert it to str, number, list or dict"
