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


def fold(
    handler: StateViewHandler, header: str, contents: list[Content], batches: list[str]
) -> list[Answer]:
    """Fold each content with its batch; a failure stands in its own answer and stops no other."""
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
    answers: list[Answer] = []
    for content, batch, modified in zip(contents, batches, facts["modified"], strict=True):
        revision, *timestamp = modified
        rendered = RenderedStateView(context, _bytes(content), revision, from_parts(*timestamp))
        answers.append(_answer(handler, rendered, batch, facts["source"]))
    return answers


def _answer(
    handler: StateViewHandler, rendered: RenderedStateView, batch: str, source: str
) -> Answer:
    try:
        content: Any = handler(rendered, decode_batch(batch, source))
    except (Exception, SystemExit):  # noqa: BLE001 - the answer carries whatever it was
        return (None, None, traceback.format_exc())
    if content is None:
        return (None, None, None)
    try:
        return (content.decode(), None, None)
    except UnicodeDecodeError:
        return (None, content, None)


def _bytes(content: Content) -> bytes | None:
    text, data = content
    return data if text is None else text.encode()
