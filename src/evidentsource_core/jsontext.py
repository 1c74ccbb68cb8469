"""JSON as the standard says it: strict in both directions, with typed errors.

Python's own ``json`` takes and writes ``NaN`` and ``Infinity``, which are no JSON, and its errors
come in five kinds. Here whatever cannot be read is :class:`DeserializationFailed` and whatever
cannot be written is :class:`SerializationFailed`, with the reason. Source: RFC 8259.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from evidentsource_core.domain.errors import DeserializationFailed, SerializationFailed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(allow_nan=False)


def loads(data: bytes | str) -> Any:
    """The value that JSON text stands for.

    Raises:
        DeserializationFailed: it is no UTF-8 or no JSON, nests too deep, or has a number too long.

    >>> loads(b'{"n": NaN}')
    Traceback (most recent call last):
    ...
    evidentsource_core.domain.errors.DeserializationFailed: deserialization failed: NaN is no JSON value
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise DeserializationFailed(f"the bytes are no UTF-8: {error}") from error
    except RecursionError as error:
        raise DeserializationFailed("the JSON nests too deep") from error
    except ValueError as error:
        raise DeserializationFailed(str(error)) from error


def dumps(value: Any) -> bytes:
    """``value`` as JSON text in UTF-8.

    Raises:
        SerializationFailed: it has no form in JSON; the message names the path to the value.

    >>> dumps({"balance": float("nan")})
    Traceback (most recent call last):
    ...
    evidentsource_core.domain.errors.SerializationFailed: serialization failed: $.balance: nan is no JSON value
    """
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SerializationFailed(_find_culprit(value) or str(error)) from error


def _find_culprit(value: Any) -> str | None:
    """The path to the first value that JSON cannot hold; only used once it is known to fail."""
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = [("$", value)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, (dict, list, tuple)):
            if id(item) in seen:
                continue
            seen.add(id(item))
        if isinstance(item, dict):
            for key in item:
                if not isinstance(key, (str, int, float, bool, type(None))):
                    return f"{path}: {type(key).__name__} as key of a JSON object"
            todo += [(f"{path}.{key}", child) for key, child in reversed(item.items())]
        elif isinstance(item, (list, tuple)):
            todo += [(f"{path}[{i}]", child) for i, child in reversed(list(enumerate(item)))]
        elif problem := _leaf_problem(item):
            return f"{path}: {problem}"
    return None


def _leaf_problem(item: Any) -> str | None:
    if isinstance(item, float):
        finite = item == item and item not in (float("inf"), float("-inf"))
        return None if finite else f"{item} is no JSON value"
    if isinstance(item, (str, int, type(None))):
        return None
    return f"a {type(item).__name__} has no form in JSON; convert it to str, number, list or dict"
