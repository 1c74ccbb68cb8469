"""What a state view contains, and what a test says that it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evidentsource_core import EvidentSourceError, InvalidValue, StateView
from evidentsource_core.domain.definitions import ViewParameter
from evidentsource_core.domain.state_change import is_json
from evidentsource_core.jsontext import loads
from evidentsource_functions.structure import unstructure
from evidentsource_functions.testing import _words as words
from evidentsource_functions.testing._diff import Difference, value_differences
from evidentsource_functions.testing._failure import Story
from evidentsource_functions.testing._rules import RuleBook, ViewRule
from evidentsource_functions.testing._stage import Attempt, Reading, Stage


@dataclass(frozen=True)
class ViewCheck:
    """Reads views where a scenario stands, and compares them."""

    book: RuleBook
    stage: Stage
    level: str
    revision: int | None = None
    effective_at: datetime | None = None

    def then_view(
        self,
        expected: Any,
        view: str | type[Any] | None,
        parameters: Mapping[str, ViewParameter],
        attempt: Attempt | None = None,
    ) -> None:
        """Fail where a view contains something else."""
        __tracebackhide__ = True
        rule = self._rule(expected, view)
        history = self.stage.history()
        story = Story(self.level, history, attempt, self.revision, "read here")
        try:
            reading = Reading(rule, parameters, self.revision, self.effective_at)
            found = self.stage.view(reading)
        except EvidentSourceError as error:
            raise story.told(
                f"the view {rule.name} cannot be read", words.error_lines(error)
            ) from error
        at = "" if self.effective_at is None else f" as of {words.value(self.effective_at)}"
        title = f"the view {rule.name}{_bound(parameters)}{at}"
        if expected is None or found is None:
            if found is expected:
                return
            nothing = "nothing, since no event modified it"
            there = nothing if found is None else _shown(found.content)
            wanted = nothing if expected is None else _shown(expected)
            lines = [f"expected: {wanted}", f"got:      {there}"]
            raise story.told(f"{title} is another one", lines)
        found_differences = _content_differences(expected, found)
        if found_differences:
            paths = ", ".join(each.path or "content" for each in found_differences)
            raise story.told(
                f"{title} differs in {paths}",
                [f"content: {_shown(found.content)}", *words.difference_lines(found_differences)],
            )

    def _rule(self, expected: Any, view: str | type[Any] | None) -> ViewRule:
        if view is not None:
            return self.book.view_for(view)
        if expected is None or isinstance(expected, (dict, list, bytes)):
            said = "None" if expected is None else f"a {type(expected).__name__}"
            hint = "name it: then_view(expected, ViewClass), or by its name"
            raise InvalidValue("then_view", f"{said} does not say which view it is", hint)
        return self.book.view_for(type(expected))


def _bound(parameters: Mapping[str, ViewParameter]) -> str:
    pairs = ", ".join(f"{name}={given!r}" for name, given in parameters.items())
    return f" ({pairs})" if pairs else ""


def _content_differences(expected: Any, found: StateView) -> list[Difference]:
    if not isinstance(expected, (dict, list, bytes, bytearray)):
        expected = _serialized(expected, found.content_type)
        if expected is not None and is_json(found.content_type):
            expected = loads(expected)
    if isinstance(expected, (dict, list)):
        there = None if found.content is None else loads(found.content)
        return list(value_differences(unstructure(expected), there, ""))
    same = expected == found.content
    return [] if same else [Difference("", expected, found.content)]


def _serialized(state: Any, content_type: str | None) -> bytes | None:
    if hasattr(state, "to_bytes"):
        content: bytes | None = state.to_bytes(content_type, None)
    else:
        content = state.serialize(content_type)
    return content


def _shown(content: Any) -> str:
    if isinstance(content, bytes):
        try:
            return words.value(loads(content))
        except EvidentSourceError:
            return words.value(content)
    return words.value(unstructure(content))
