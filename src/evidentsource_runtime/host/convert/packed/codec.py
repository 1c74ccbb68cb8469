"""The codec that packs values into memory itself. It costs a few microseconds an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wasmtime import Store
from wasmtime.component import Func, Linker, ResourceHost, Variant

from evidentsource_core.domain.events import Event
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions.errors import StateChangeError
from evidentsource_runtime.host import calls
from evidentsource_runtime.host.convert import abi, bodies
from evidentsource_runtime.host.convert.codec import Answer, Codec, Content, HostFunction
from evidentsource_runtime.host.convert.contract import DECIDE, EVOLVE, FOLD, TEXT, Maybe
from evidentsource_runtime.host.convert.lift import Decision
from evidentsource_runtime.host.convert.packed.bodies import PackedBody
from evidentsource_runtime.host.convert.packed.plan import Plan
from evidentsource_runtime.host.convert.packed.readers import Reader, decision_sizes
from evidentsource_runtime.host.convert.packed.sheet import Cells, Sheet
from evidentsource_runtime.host.convert.shapes import Contract, World
from evidentsource_runtime.host.limits import Limits


class PackedCodec(Codec):
    """Converts between the domain and memory, with nothing in between.

    Args:
        component: the component's name, for messages.
        contract: its contract.
        limits: how large a value, and how long a decision may be.
        cells: where memory for large contents comes from; several codecs may share it.
    """

    def __init__(
        self, component: str, contract: Contract, limits: Limits, cells: Cells | None = None
    ) -> None:
        self._component = component
        self._contract = contract
        self._limits = limits
        self._cells = Cells(limits.content_bytes) if cells is None else cells
        self._plan = plan = Plan(component, contract, limits.content_bytes)
        if contract.world is World.STATE_VIEW:
            (view, _events), content = EVOLVE
            self._write_view = plan.writer(view, "evolve.0")
            self._read_content = plan.reader(content, "evolve", lambda value: value)
            self._read_words = plan.reader(Maybe(TEXT), "explain-evolve", lambda value: value)
            (header, contents, batches), answers = FOLD
            self._write_header = plan.writer(header, "")
            self._write_contents = plan.writer(contents, "")
            self._write_batches = plan.writer(batches, "")
            self._read_answers = plan.reader(answers, "", lambda value: value)
        else:
            (database, command, metadata), outcome = DECIDE
            self._write_database = plan.writer(database, "decide.0")
            self._write_command = plan.writer(command, "decide.1")
            self._write_metadata = plan.writer(metadata, "decide.2")
            self._read_outcome = plan.reader(outcome, "decide", self._lift_outcome)

    def _lift_outcome(self, value: Any) -> Decision | StateChangeError:
        if isinstance(value, Variant):
            return self._plan.lift.refusal(value)
        return self._plan.lift.decision(value)

    def link(self, linker: Linker, functions: Mapping[str, HostFunction]) -> None:
        """Define the interface with the database, where the component imports it."""
        bodies.link(
            linker,
            self._contract,
            lambda item: PackedBody(item, functions[item.path], self._plan, self._cells),
        )

    def evolve(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
    ) -> bytes | None:
        """Call ``evolve``."""
        content: bytes | None = self._fold(store, func, view, events, offset, self._read_content)
        return self._plan.lift.content(content, "evolve.content")

    def explain(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
    ) -> str | None:
        """Call ``explain-evolve``."""
        words: str | None = self._fold(store, func, view, events, offset, self._read_words)
        return words

    def _fold(
        self,
        store: Store,
        func: Func,
        view: RenderedStateView,
        events: Sequence[Event],
        offset: int,
        read: Reader,
    ) -> Any:
        with Sheet(self._cells) as sheet:
            given = self._write_view(sheet, self._plan.lower.rendered(view))
            given += self._plan.write_events(sheet, events, "events", offset)
            with abi.calling(store, func, sheet.place(given), 2) as result:
                return read(result)

    def fold(
        self,
        store: Store,
        func: Func,
        header: str,
        contents: Sequence[Content],
        batches: Sequence[str],
    ) -> list[Answer]:
        """Call the lane."""
        with Sheet(self._cells) as sheet:
            given = self._write_header(sheet, header)
            given += self._write_contents(sheet, contents)
            given += self._write_batches(sheet, batches)
            with abi.calling(store, func, sheet.place(given), 3) as result:
                answers: list[Answer] = self._read_answers(result)
                return answers

    def decide(
        self,
        store: Store,
        func: Func,
        database: Any,
        command: Command,
        metadata: StateChangeMetadata,
    ) -> Decision | StateChangeError:
        """Call ``decide``."""
        lower = self._plan.lower
        lowered = lower.command(command), lower.metadata(metadata)
        make = ResourceHost.borrow if self._contract.borrows_database else ResourceHost.own
        handle = make(calls.current().handles.add(database), bodies.RESOURCES["database"])
        with Sheet(self._cells) as sheet:
            given = self._write_database(sheet, handle.to_any(store))
            given += self._write_command(sheet, lowered[0])
            given += self._write_metadata(sheet, lowered[1])
            with abi.calling(store, func, sheet.place(given), 3) as result:
                sizes = decision_sizes(result)
                if sizes is not None:
                    # Before anything is made of it, which may take long.
                    self._limits.check_decision(self._component, *sizes)
                answer: Decision | StateChangeError = self._read_outcome(result)
                return answer
