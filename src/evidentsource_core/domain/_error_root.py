"""The root of every error, and how one comes back from a pickle or a copy."""

from __future__ import annotations

from typing import Any, ClassVar


def _restore(cls: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class EvidentSourceError(Exception):
    """The root of every error that this project raises on purpose.

    ``code`` is stable across releases; ``hint``, where there is one, names the fix.
    """

    code: ClassVar[str] = "error"
    hint: str | None = None

    def __reduce__(self) -> Any:
        # The constructors take values, ``args`` holds the finished message: the default, which
        # calls the constructor with ``args``, could not bring these back.
        return (_restore, (type(self), self.args, dict(self.__dict__)))
