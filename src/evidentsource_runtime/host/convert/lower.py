"""Lower: from the domain to wasmtime's values, each checked against this component's contract.

ctypes cuts an integer that is too wide without a word, so every whole number is held against its
width here, and every text against what UTF-8 can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NoReturn

from wasmtime.component import Record, Variant

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_core.domain.events import BinaryEventData, Event, EventData
from evidentsource_core.domain.extensions import (
    CONTEXT_ATTRIBUTES,
    BinaryExtension,
    BooleanExtension,
    ExtensionValue,
    IntegerExtension,
    StringExtension,
    TimestampExtension,
    UriExtension,
    UriRefExtension,
)
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.times import to_parts
from evidentsource_runtime.host.convert.shapes import Contract
from evidentsource_runtime.host.errors import ComponentInputError, ComponentLimitError

_TEXT_EXTENSIONS: dict[type[ExtensionValue], str] = {
    StringExtension: "string",
    UriExtension: "uri",
    UriRefExtension: "uri-ref",
}


def record(**fields: Any) -> Record:
    """A record with those fields, their names in kebab case."""
    made = Record()
    made.__dict__.update({name.replace("_", "-"): value for name, value in fields.items()})
    return made


class Lower:
    """Lowers what one component is given.

    Args:
        component: its name, for messages.
        contract: its contract.
        content_limit: the most bytes that one value may have.
        record: makes a record of its fields, which come under their names in snake case.

    Every method raises :class:`ComponentInputError` for a value that this contract cannot carry, and
    :class:`ComponentLimitError` for bytes beyond the limit.
    """

    def __init__(
        self,
        component: str,
        contract: Contract,
        content_limit: int,
        record: Callable[..., Any] = record,
    ) -> None:
        self._component = component
        self._widths = contract.widths
        self._content_limit = content_limit
        self._record = record

    def rendered(self, view: RenderedStateView, path: str = "state-view") -> Any:
        """A view's content with what it is the content of."""
        return self._record(
            context=self._context(view.context, f"{path}.context"),
            content=self.content(view.content, f"{path}.content"),
            last_modified_revision=self.whole(
                view.last_modified_revision,
                "rendered-state-view.last-modified-revision",
                f"{path}.last-modified-revision",
            ),
            last_modified_timestamp=self.time(
                view.last_modified_timestamp, f"{path}.last-modified-timestamp"
            ),
        )

    def _context(self, context: StateViewContext, path: str) -> Any:
        return self._record(
            database=self.text(context.database, f"{path}.database"),
            name=self.text(context.name, f"{path}.name"),
            version=self.whole(context.version, "state-view-context.version", f"{path}.version"),
            database_revision=self.whole(
                context.database_revision,
                "state-view-context.database-revision",
                f"{path}.database-revision",
            ),
            database_revision_timestamp=self.time(
                context.database_revision_timestamp, f"{path}.database-revision-timestamp"
            ),
            content_type=self._optional_text(context.content_type, f"{path}.content-type"),
            content_schema=self._optional_text(context.content_schema, f"{path}.content-schema"),
        )

    def events(self, events: Iterable[Event], path: str = "events", offset: int = 0) -> list[Any]:
        """Stored events; ``offset`` is the index of the first one in what the caller gave."""
        return [self.event(event, f"{path}[{index}]") for index, event in enumerate(events, offset)]

    def event(self, event: Event, path: str) -> Any:
        """A stored event; its source goes as it is."""
        if not isinstance(event, Event):
            self._refuse(path, f"must be an Event, got {type(event).__name__}")
        return self._record(
            id=self.text(event.id, f"{path}.id"),
            source=self.text(event.source, f"{path}.source"),
            specversion="1.0",
            type=self.text(event.event_type, f"{path}.event_type"),
            data=self._data(event.data, f"{path}.data"),
            attributes=self._attributes(event, path),
        )

    def _data(self, data: EventData | None, path: str) -> bytes | str | None:
        if data is None:
            return None
        if isinstance(data, BinaryEventData):
            return self.content(data.data, path)
        return self.text(data.data, path)

    def _attributes(self, event: Event, path: str) -> list[tuple[str, Variant]]:
        attributes: list[tuple[str, Variant]] = []
        for name, tag in (
            ("subject", "string"),
            ("datacontenttype", "string"),
            ("dataschema", "uri"),
        ):
            value = getattr(event, name)
            if value is not None:
                attributes.append((name, Variant(tag, self.text(value, f"{path}.{name}"))))
        if event.time is not None:
            time = self.time(event.time, f"{path}.time")
            attributes.insert(event.subject is not None, ("time", Variant("timestamp", time)))
        for name, extension in event.extensions.items():
            where = f"{path}.extensions.{name}"
            if name in CONTEXT_ATTRIBUTES:
                self._refuse(where, "CloudEvents defines this name; no extension may have it")
            attributes.append((self.text(name, where), self._extension(extension, where)))
        return attributes

    def _extension(self, value: ExtensionValue, path: str) -> Variant:
        if isinstance(value, BooleanExtension):
            return Variant("boolean", value.value)
        if isinstance(value, IntegerExtension):
            whole = self.whole(value.value, "cloudevent-attribute-value.integer", path)
            return Variant("integer", whole)
        if isinstance(value, BinaryExtension):
            return Variant("binary", self.content(value.value, path))
        if isinstance(value, TimestampExtension):
            return Variant("timestamp", self.time(value.value, path))
        return Variant(_TEXT_EXTENSIONS[type(value)], self.text(value.value, path))

    def command(self, command: Command) -> Any:
        """A command as it arrived."""
        return self._record(
            body=self.content(command.body, "command.body"),
            content_type=self.text(command.content_type, "command.content-type"),
            content_schema=self._optional_text(command.content_schema, "command.content-schema"),
        )

    def metadata(self, metadata: StateChangeMetadata) -> Any:
        """What ``decide`` is told beside the command."""
        kind = "state-change-metadata"
        headers: list[tuple[str, str]] = []
        for index, (name, value) in enumerate(metadata.command_headers):
            where = f"metadata.command-headers[{index}]"
            headers.append((self.text(name, where), self.text(value, f"{where} ({name})")))
        return self._record(
            state_change_name=self.text(metadata.state_change_name, "metadata.state-change-name"),
            state_change_version=self.whole(
                metadata.state_change_version,
                f"{kind}.state-change-version",
                "metadata.state-change-version",
            ),
            last_seen_revision=self.whole(
                metadata.last_seen_revision,
                f"{kind}.last-seen-revision",
                "metadata.last-seen-revision",
            ),
            command_received_at=self.time(
                metadata.command_received_at, "metadata.command-received-at"
            ),
            command_headers=headers,
        )

    def time(self, moment: datetime, path: str) -> Any:
        """A point in time."""
        try:
            seconds, nanoseconds = to_parts(moment)
        except EvidentSourceError as error:
            reason = getattr(error, "reason", str(error))
            raise ComponentInputError(self._component, path, reason) from error
        width = self._widths["datetime.seconds"]
        if not width.low <= seconds <= width.high:
            self._refuse(
                path,
                f"{moment.isoformat()} does not fit into the {width.name} seconds since 1970 that "
                "this component's contract has",
            )
        whole = self.whole(nanoseconds, "datetime.nanoseconds", path)
        return self._record(seconds=seconds, nanoseconds=whole)

    def whole(self, value: int, key: str, path: str) -> int:
        """A whole number that fits the width the contract has under ``key``."""
        if isinstance(value, bool) or not isinstance(value, int):
            self._refuse(path, f"must be a whole number, got {type(value).__name__}")
        width = self._widths[key]
        if not width.low <= value <= width.high:
            self._refuse(path, f"{value} does not fit into the {width.name} of the contract")
        return value

    def text(self, value: object, path: str) -> str:
        """A text, or an identifier by its text."""
        text = getattr(value, "value", value)
        if not isinstance(text, str):
            self._refuse(path, f"must be text, got {type(value).__name__}")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                self._refuse(path, "has a lone surrogate, which no UTF-8 text can")
        return text

    def _optional_text(self, value: object, path: str) -> str | None:
        return None if value is None else self.text(value, path)

    def content(self, value: bytes | None, path: str) -> bytes | None:
        """Bytes, up to the limit."""
        if value is None:
            return None
        if not isinstance(value, bytes):
            self._refuse(path, f"must be bytes or None, got {type(value).__name__}")
        if len(value) > self._content_limit:
            raise ComponentLimitError(self._component, path, self._content_limit, len(value))
        return value

    def _refuse(self, path: str, reason: str) -> NoReturn:
        raise ComponentInputError(self._component, path, reason)
