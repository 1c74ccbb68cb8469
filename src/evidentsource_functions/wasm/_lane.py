"""The guest's end of the lane (:mod:`evidentsource_functions.lane`)."""

from __future__ import annotations

import json
import traceback
from typing import Any, TypeAlias

from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.times import from_parts
from evidentsource_functions.lane import decode_batch
from evidentsource_functions.state_view import StateViewHandler

Content: TypeAlias = tuple[str | None, bytes | None]
"""A content as text or as bytes; neither where there is none."""
Answer: TypeAlias = tuple[str | None, bytes | None, str | None]
"""A content, or a failure in words."""

_has_only_answers = False


def tell_everything_in_answers() -> None:
    """Nothing else can be told: a pure component has no stderr, and an exit says nothing."""
    global _has_only_answers  # noqa: PLW0603 - set once, at the end of a pure build
    _has_only_answers = True


def fold(
    handler: StateViewHandler, header: str, contents: list[Content], batches: list[str]
) -> list[Answer]:
    """Fold each content with its batch; a failure stands in its own answer and stops no other.

    What ends the component by the contract (``sys.exit``) ends it here as well, unless it is pure:
    then words are all that it has.
    """
    facts = json.loads(header)
    context = StateViewContext(
        facts["database"],
        facts["name"],
        facts["version"],
        facts["revision"],
        from_parts(*facts["timestamp"]),
        facts["content_type"],
        facts["content_schema"],
    )
    source = facts["source"]
    caught = BaseException if _has_only_answers else Exception
    answers: list[Answer] = []
    for content, batch, modified, count in zip(
        contents, batches, facts["modified"], facts["counts"], strict=True
    ):
        try:
            revision, *timestamp = modified
            rendered = RenderedStateView(context, _bytes(content), revision, from_parts(*timestamp))
            answers.append(_answer(handler(rendered, decode_batch(batch, source, count))))
        except caught:
            answers.append((None, None, traceback.format_exc()))
    return answers


def _answer(content: Any) -> Answer:
    if content is None:
        return (None, None, None)
    try:
        return (content.decode(), None, None)
    except UnicodeDecodeError:
        return (None, content, None)


def _bytes(content: Content) -> bytes | None:
    text, data = content
    return data if text is None else text.encode()
