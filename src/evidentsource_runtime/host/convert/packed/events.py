"""Packs events in columns: whole batches at a time, most of it in loops that run in C.

Each kind of memory that events need (records, payloads, attributes, times) is a table of equal rows,
made by repeating one template. The ids of all events are joined, encoded and measured at once and go
into their column at once, and so do all other texts and addresses. The one loop in Python lists the
attributes, because each event has other ones.

Everything here expects values as the domain makes them. Where they are not, it raises whatever goes
wrong; the caller then asks :class:`..lower.Lower`, which knows how to say it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from evidentsource_core.domain.events import BinaryEventData, Event, EventData, StringEventData
from evidentsource_runtime.host.convert.packed.attributes import (
    Attributes,
    AttributeWriter,
    Unfit,
    write_binaries,
)
from evidentsource_runtime.host.convert.packed.layout import (
    ENTRY_SIZE,
    ENTRY_VALUE,
    LIST,
    OPTION,
    PAYLOAD,
    PAYLOAD_DATA,
    RECORD,
    SCALAR,
    STRING,
    VALUE_SIZE,
    VARIANT_VALUE,
    VECTOR,
)
from evidentsource_runtime.host.convert.packed.names import Names
from evidentsource_runtime.host.convert.packed.sheet import Rows, Sheet
from evidentsource_runtime.host.convert.shapes import Contract

# In the row of a payload: the case, the value.
_VALUE: Final = VALUE_SIZE
_word: Final = struct.Struct("<Q").unpack_from


class EventWriter:
    """Writes lists of events for one component; a :data:`.writers.Writer`.

    Args:
        contract: the component's contract.
        names: where names are kept.
        content_limit: the most bytes that one binary value may have.
    """

    def __init__(self, contract: Contract, names: Names, content_limit: int) -> None:
        self._limit = content_limit
        self._attributes = AttributeWriter(contract, names, content_limit)
        self._text = names.case("string") + VECTOR.pack(STRING, 0, 0)
        self._binary = names.case("binary") + VECTOR.pack(LIST, 0, 0)
        order = contract.orders["cloudevent"]
        texts = dict.fromkeys(("id", "source", "type"), VECTOR.pack(STRING, 0, 0))
        values = {
            **texts,
            "specversion": names.text("1.0"),
            "data": SCALAR.pack(OPTION, 0),
            "attributes": VECTOR.pack(LIST, 0, 0),
        }
        self._template = b"".join(names[field] + values[field] for field in order)
        self._at = {field: i * ENTRY_SIZE + ENTRY_VALUE for i, field in enumerate(order)}

    def __call__(self, sheet: Sheet, events: Sequence[Event]) -> bytes:
        """The value of the list; everything else is on the sheet."""
        if not events:
            return VECTOR.pack(LIST, 0, sheet.place(b""))
        attributes, ends = self._list_attributes(sheet, events)
        elements = self._attributes.write(sheet, attributes)
        at = self._at
        records = sheet.rows(self._template, len(events))
        records.fill_texts(at["id"], [event.id for event in events])
        records.fill_texts(at["source"], [event.source for event in events])
        records.fill_texts(at["type"], [event.event_type for event in events])
        self._payloads(sheet, records, [event.data for event in events])
        counts = [end - start for start, end in pairwise(ends)]
        records.fill(at["attributes"] + PAYLOAD, counts)
        starts = [elements + VALUE_SIZE * start for start in ends[:-1]]
        records.fill(at["attributes"] + PAYLOAD_DATA, starts)
        return VECTOR.pack(LIST, len(events), records.elements(RECORD, len(at)))

    def _list_attributes(
        self, sheet: Sheet, events: Sequence[Event]
    ) -> tuple[Attributes, list[int]]:
        """All attributes, and for each event how many there are up to its last one, from 0 on."""
        made = self._attributes
        attributes = Attributes(made, sheet)
        heads, texts, ends = attributes.heads, attributes.texts, [0]
        times = attributes.rest["timestamp"]
        for event in events:
            if not isinstance(event, Event):
                raise Unfit
            if (subject := event.subject) is not None:
                heads.append(made.subject)
                texts.append(subject)
            if (time := event.time) is not None:
                times.append((len(heads), time))
                heads.append(made.time)
                texts.append("")
            if (media_type := event.datacontenttype) is not None:
                heads.append(made.datacontenttype)
                texts.append(media_type)
            if (schema := event.dataschema) is not None:
                heads.append(made.dataschema)
                texts.append(schema)
            for name, extension in event.extensions.items():
                known, rest = attributes[type(extension)]
                if rest is None:
                    texts.append(extension.value)  # type: ignore[arg-type]  # the kind is a text
                else:
                    rest.append((len(heads), extension.value))
                    texts.append("")
                heads.append(known[name])
            ends.append(len(heads))
        return attributes, ends

    def _payloads(self, sheet: Sheet, records: Rows, payloads: Sequence[EventData | None]) -> None:
        rows = sheet.rows(self._text, len(payloads))
        rows.fill(VARIANT_VALUE, rows.addresses(_VALUE))
        records.fill(self._at["data"] + PAYLOAD, rows.addresses())
        texts: list[str] = []
        binaries: list[tuple[int, bytes]] = []
        for row, data in enumerate(payloads):
            if isinstance(data, StringEventData):
                texts.append(data.data)
                continue
            texts.append("")
            if data is None:
                records.put(row, self._at["data"] + PAYLOAD, 0)
            elif isinstance(data, BinaryEventData):
                binaries.append((row, data.data))
            else:
                raise Unfit
        rows.fill_texts(_VALUE, texts)
        for row, _ in binaries:
            for offset in (PAYLOAD, PAYLOAD_DATA, _VALUE):
                rows.put(row, offset, *_word(self._binary, offset))
        write_binaries(sheet, rows, _VALUE, binaries, self._limit)
