"""Tries the packed codec against wasmtime-py's own conversion, once, before it is used.

Another wasmtime or another platform could lay values out in another way. So the layout is compared
with what wasmtime-py declares, then values of every type go both ways through both conversions, and
two tiny components are called with both codecs. All of it takes some 50 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeAlias

from wasmtime import Store
from wasmtime.component import Func, Variant

from evidentsource_core.domain.events import BinaryEventData, Event
from evidentsource_core.domain.extensions import UriExtension, UriRefExtension
from evidentsource_core.domain.state_change import Command, StateChangeMetadata
from evidentsource_core.domain.state_view import RenderedStateView, StateViewContext
from evidentsource_core.times import from_parts
from evidentsource_functions.errors import StateChangeError
from evidentsource_runtime.host.convert.abi import declared_layout
from evidentsource_runtime.host.convert.codec import Codec, HostFunction
from evidentsource_runtime.host.convert.contract import DECIDE, EVOLVE, Kind
from evidentsource_runtime.host.convert.lift import Decision, Lift
from evidentsource_runtime.host.convert.lower import Lower, record
from evidentsource_runtime.host.convert.packed.codec import PackedCodec
from evidentsource_runtime.host.convert.packed.layout import layout
from evidentsource_runtime.host.convert.packed.sheet import Sheet
from evidentsource_runtime.host.convert.packed.specimen import change_text, view_text
from evidentsource_runtime.host.convert.packed.trial import Trial
from evidentsource_runtime.host.convert.packed.writers import Writer
from evidentsource_runtime.host.convert.stock import StockCodec
from evidentsource_runtime.host.limits import Limits

_NAME: Final = "specimen"
_LIMIT: Final = 2**20
_TIME: Final = from_parts(-1, 999_999_999)
_EVENTS: Final = [
    Event("e-1", "https://h/db/b/streams/s", "bare"),
    Event(
        *(
            "e-2",
            "s",
            "full",
            "Zoë",
            '{"n": "\U0001f40d"}',
            from_parts(5, 1_000),
            "text/plain",
            "u:1",
        ),
        {
            "flag": True,
            "count": -5,
            "text": "t",
            "bytes": b"\x00\xff",
            "uri": UriExtension("u:2"),
            "ref": UriRefExtension("../x"),
            "when": _TIME,
        },
    ),
    Event("e-3", "s", "binary", data=BinaryEventData(bytes((0, 1, 254, 255)))),
]
_VIEW: Final = RenderedStateView(
    StateViewContext("bank", "summary", 1, 2**64 - 1, _TIME, None, "s:1"), b"{}", 3, _TIME
)
_COMMAND: Final = Command(b"{}", "application/json", "s:2")
_METADATA: Final = StateChangeMetadata("open", 1, 2, _TIME, (("a", "b"), ("c", "")))

_SELECTOR: Final = record(
    nodes=[
        Variant("equals", Variant("stream", "accounts")),
        Variant("starts-with", Variant("event-type", "a")),
        Variant("and", (0, 1)),
        Variant("equals", Variant("subject", None)),
        Variant("or", (2, 3)),
    ]
)
_INSTANT: Final = record(seconds=-1, nanoseconds=999_999_999)
_QUERIES: Final = [
    record(selector=_SELECTOR, range=None, direction="forward", limit=None),
    record(
        selector=_SELECTOR,
        range=Variant(
            "effective-time",
            record(start_at=record(timestamp=_INSTANT, revision=7), end_at=_INSTANT),
        ),
        direction="reverse",
        limit=5,
    ),
]
_CONDITIONS: Final = [
    Variant("min", record(selector=_SELECTOR, revision=1)),
    Variant("max", record(selector=_SELECTOR, revision=2**64 - 1)),
    Variant("range", record(selector=_SELECTOR, min=1, max=2)),
]
_REFUSALS: Final = [Variant("not-found", "no such account"), Variant("internal", "")]
_FUNCTIONS: Final[dict[str, HostFunction]] = {
    "database.name": str,
    "database.query-events": lambda _database, _query: _EVENTS,
}


def find_fault() -> str | None:
    """What is wrong with the packed codec here; None where nothing is."""
    try:
        if layout() != declared_layout():
            differing = dict(declared_layout().items() - layout().items())
            return f"wasmtime lays values out in another way: {differing}"
        for trials in (_view_trials, _change_trials):
            for name, ours, theirs in trials():
                if ours != theirs:
                    return f"{name}: {ours!r} is not {theirs!r}"
    except Exception as error:  # noqa: BLE001 - whatever it is, the codec cannot be used
        return f"{type(error).__name__}: {error}"
    return None


_Trials: TypeAlias = Iterator[tuple[str, Any, Any]]
"""What is tried, what we make of it, and what wasmtime-py's conversion does."""


def _view_trials() -> _Trials:
    trial = Trial(view_text(), _LIMIT)
    plan, lower = trial.plan, Lower(_NAME, trial.contract, _LIMIT)
    write = plan.writer(EVOLVE[0][0], "evolve.0")
    yield (
        "a view written",
        trial.theirs_of_ours("evolve.0", lambda sheet: write(sheet, plan.lower.rendered(_VIEW))),
        lower.rendered(_VIEW),
    )
    yield (
        "events written",
        trial.theirs_of_ours("evolve.1", lambda sheet: plan.write_events(sheet, _EVENTS, "events")),
        lower.events(_EVENTS),
    )

    def evolve(codec: Codec, store: Store, func: Func) -> bytes | None:
        return codec.evolve(store, func, _VIEW, _EVENTS, 0)

    yield "evolve", *_both(trial, evolve)


def _change_trials() -> _Trials:
    trial = Trial(change_text(tuple(_FUNCTIONS)), _LIMIT)
    plan, lower, lift = trial.plan, Lower(_NAME, trial.contract, _LIMIT), Lift(_NAME, _LIMIT)
    for index, name, value in ((1, "command", _COMMAND), (2, "metadata", _METADATA)):
        write = plan.writer(DECIDE[0][index], f"decide.{index}")
        checked = getattr(plan.lower, name)(value)
        written = trial.theirs_of_ours(f"decide.{index}", _writing(write, checked))
        yield f"{name} written", written, getattr(lower, name)(value)
    decision = lower.events(_EVENTS), _CONDITIONS
    read = plan.reader(DECIDE[1], "decide", _itself)
    yield "a decision", trial.ours_of_theirs("decide", decision, read), lift.decision(decision)
    for refusal in _REFUSALS:
        yield "a refusal", trial.ours_of_theirs("decide", refusal, read), lift.refusal(refusal)
    read = plan.reader(Kind.QUERY.value, "database.query-events.1", _itself)
    for query in _QUERIES:
        found = trial.ours_of_theirs("database.query-events.1", query, read)
        yield "a query", found, lift.query(query, "")

    def decide(codec: Codec, store: Store, func: Func) -> Decision | StateChangeError:
        return codec.decide(store, func, "bank", _COMMAND, _METADATA)

    yield "decide", *_both(trial, decide)


def _writing(write: Writer, value: Any) -> Callable[[Sheet], bytes]:
    return lambda sheet: write(sheet, value)


def _both(trial: Trial, use: Callable[[Codec, Store, Func], Any]) -> Iterator[Any]:
    """What a call gives with each of the codecs."""
    for kind in (PackedCodec, StockCodec):
        codec = kind(_NAME, trial.contract, Limits(content_bytes=_LIMIT))
        yield trial.call(codec, _FUNCTIONS, partial(use, codec))


def _itself(value: Any) -> Any:
    return value
