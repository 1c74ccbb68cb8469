"""How a failure of the user's code is told: the exception, and where in the user's own files.

Places are given as module, line and function, which read the same natively and in a component,
where files have other paths.
"""

from __future__ import annotations

import sys
from types import TracebackType

MAX_FRAMES = 5
"""Frames that a report shows, the innermost of the user's."""

_OWN = ("evidentsource_core", "evidentsource_functions", "evidentsource_runtime")
_NOT_THE_USERS = frozenset((*_OWN, "wit_world", "componentize_py_types"))
_STDLIB = sys.stdlib_module_names - {"__main__"}


def describe(error: BaseException) -> str:
    """The type and message of an exception, as Python's own tracebacks end.

    >>> describe(KeyError("boom"))
    "KeyError: 'boom'"
    """
    kind, text = type(error), str(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else _qualified(kind)
    return f"{name}: {text}" if text else name


def _qualified(kind: type[BaseException]) -> str:
    # The user's own module is "__main__" or a file's name; either way the class name says it.
    return kind.__qualname__


def user_frames(traceback: TracebackType | None) -> list[str]:
    """The last frames of the user's code, outermost first: ``module:line in function``."""
    frames: list[str] = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = frame.f_globals.get("__name__", "?")
        top = module.partition(".")[0]
        if top not in _NOT_THE_USERS and top not in _STDLIB:
            frames.append(f"{module}:{traceback.tb_lineno} in {frame.f_code.co_name}")
        traceback = traceback.tb_next
    return frames[-MAX_FRAMES:]


def report(error: BaseException) -> str:
    """An exception with the last frames of the user's code, the innermost last."""
    lines = [describe(error)]
    lines += [f"  at {frame}" for frame in user_frames(error.__traceback__)]
    cause = error.__cause__
    if cause is not None:
        lines += [f"caused by {describe(cause)}"]
        lines += [f"  at {frame}" for frame in user_frames(cause.__traceback__)]
    return "\n".join(lines)
