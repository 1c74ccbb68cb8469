"""A refusal as a test names it, by the rule or at the commit."""

from __future__ import annotations

from re import Pattern

from evidentsource_core import EvidentSourceError, InvalidValue
from evidentsource_functions.errors import StateChangeError, StateChangeErrorKind


class Refusal:
    """A refusal as a test names it.

    Args:
        kind: a rule's own kind, or the class or the code of an error.
        text: the whole message; or a pattern that is found somewhere in it.

    Raises:
        InvalidValue: there is no such kind.

    >>> wanted = Refusal("not-found", "there is no account ann")
    >>> wanted.matches(StateChangeError.not_found("there is no account ann"))
    True
    """

    def __init__(
        self,
        kind: str | StateChangeErrorKind | type[EvidentSourceError],
        text: str | Pattern[str] | None,
    ) -> None:
        if isinstance(kind, str) and kind.replace("-", "_") in _KINDS:
            kind = _KINDS[kind.replace("-", "_")]
        if isinstance(kind, str) and kind not in _codes(EvidentSourceError):
            hint = f"one of {', '.join(_KINDS)}, or an error's class or code"
            raise InvalidValue("kind", f"{kind!r} is no kind of refusal", hint)
        self.kind = kind
        self.text = text

    def matches(self, error: EvidentSourceError) -> bool:
        """Whether this is it."""
        return self._is_kind(error) and self._has_text(
            error.message if isinstance(error, StateChangeError) else str(error)
        )

    def _is_kind(self, error: EvidentSourceError) -> bool:
        if isinstance(self.kind, StateChangeErrorKind):
            return isinstance(error, StateChangeError) and error.kind is self.kind
        if isinstance(self.kind, str):
            return error.code == self.kind
        return isinstance(error, self.kind)

    def _has_text(self, message: str) -> bool:
        if isinstance(self.text, Pattern):
            return self.text.search(message) is not None
        return self.text is None or self.text == message

    def __str__(self) -> str:
        kind = self.kind
        if isinstance(kind, StateChangeErrorKind):
            kind = kind.value
        said = kind if isinstance(kind, str) else kind.__name__
        if isinstance(self.text, Pattern):
            return f"{said}, with a text like {self.text.pattern}"
        return said if self.text is None else f"{said}: {self.text}"


_KINDS = {each.value: each for each in StateChangeErrorKind}


def _codes(root: type[EvidentSourceError]) -> set[str]:
    return {root.code}.union(*(_codes(each) for each in root.__subclasses__()))
