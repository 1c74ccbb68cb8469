"""State views as a reader gets them, and the protocol of a type that says its own bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

import pytest

from evidentsource_core import (
    DatabaseName,
    DeserializationFailed,
    RenderedStateView,
    Selector,
    StateView,
    StateViewCodec,
    StateViewContext,
    StateViewName,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def view(content: bytes | None) -> StateView:
    return StateView(
        DatabaseName("bank"),
        StateViewName("summary"),
        2,
        Selector.stream("accounts"),
        7,
        NOON,
        "application/json",
        "urn:summary",
        content,
    )


def test_a_view_tells_its_content_in_every_form() -> None:
    told = view(b'{"n": 2}')
    assert told.has_content()
    assert told.content_bytes() == b'{"n": 2}'
    assert told.json() == told.data == {"n": 2}


def test_a_view_without_content_says_so() -> None:
    told = view(None)
    assert not told.has_content()
    assert told.content_bytes() is told.json() is told.data is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"n": NaN}', b"\xff"])
def test_content_that_is_no_json_is_a_typed_error(content: bytes) -> None:
    told = view(content)
    assert told.has_content()
    with pytest.raises(DeserializationFailed):
        told.json()


def test_a_view_tells_when_it_last_changed() -> None:
    told = view(None)
    assert told.revision == told.last_modified_revision == 7
    assert told.last_modified_timestamp == NOON


def test_a_view_needs_only_to_say_which_it_is() -> None:
    told = StateView(DatabaseName("bank"), StateViewName("summary"), 1)
    assert told.content_type == "application/json"
    assert (told.event_selector, told.revision, told.last_modified_timestamp) == (None, None, None)


def test_what_a_host_hands_to_a_fold_keeps_its_context() -> None:
    context = StateViewContext("bank", "summary", 2, 9, NOON, content_type="text/plain")
    rendered = RenderedStateView(context, b"x", 7, NOON)
    assert rendered.context.content_schema is None
    assert (rendered.context.database_revision, rendered.last_modified_revision) == (9, 7)


class Count:
    def __init__(self, n: int) -> None:
        self.n = n

    @classmethod
    def from_bytes(
        cls, data: bytes | None, content_type: str | None, content_schema: str | None
    ) -> Self:
        return cls(int(data or b"0"))

    def to_bytes(self, content_type: str | None, content_schema: str | None) -> bytes | None:
        return str(self.n).encode()


def test_a_type_that_says_its_own_bytes_is_a_codec() -> None:
    codec: type[StateViewCodec] = Count
    assert isinstance(Count(1), StateViewCodec)
    assert not isinstance(object(), StateViewCodec)
    assert codec.from_bytes(Count(5).to_bytes(None, None), None, None).to_bytes(None, None) == b"5"
