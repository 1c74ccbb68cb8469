"""Whatever a view does wrong is a typed error, and the next call is unharmed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from evidentsource_core import (
    Event,
    StateViewContext,
    TimestampExtension,
)
from evidentsource_core.times import from_parts
from evidentsource_runtime.host import (
    ComponentError,
    ComponentExit,
    ComponentInputError,
    ComponentLimitError,
    ComponentTrap,
    Host,
    StateViewComponent,
)
from tests.component.host.conftest import DATA, Built
from tests.component.host.wire import CONTEXT

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

FIRST = Event("e-1", "https://host.example/db/bank/streams/accounts", "account.opened")
BEFORE_1970 = from_parts(-1, 500_000_000)


def works(view: StateViewComponent) -> bool:
    return view.evolve(b"do-return-size", [FIRST], CONTEXT) == b"1"


def failure(view: StateViewComponent, content: bytes, **options: Any) -> ComponentError:
    with pytest.raises(ComponentError) as caught:
        view.evolve(content, [FIRST], CONTEXT, **options)
    assert caught.value.component == view.name
    assert works(view)
    return caught.value


def line_of(code: str) -> int:
    lines = (DATA / "echo_view.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if code in line)


def test_an_exception_tells_its_text_and_the_users_own_file_and_line(
    view: StateViewComponent,
) -> None:
    error = failure(view, b"do-fail")
    assert isinstance(error, ComponentTrap)
    assert (error.reason, error.code) == ("KeyError: 'second'", "component-trap")
    place = f'File "{DATA / "echo_view.py"}", line {line_of("second")}, in _fail'
    assert place in error.guest_traceback
    assert "panicked" not in error.guest_traceback


def test_the_traceback_shows_with_the_exception(view: StateViewComponent) -> None:
    error = failure(view, b"do-fail")
    assert error.guest_traceback in "\n".join(error.__notes__)


def test_a_traceback_shows_the_line_of_code_if_the_file_is_no_newer_than_the_component(
    host: Host, built: Built, contract: str
) -> None:
    by_path = host.load(built("echo_view", contract))
    by_bytes = host.load(built("echo_view", contract).read_bytes())
    code = '    return {"first": events[0].id}["second"].encode()'
    assert isinstance(by_path, StateViewComponent)
    assert isinstance(by_bytes, StateViewComponent)
    assert code in failure(by_path, b"do-fail").guest_traceback
    assert code not in failure(by_bytes, b"do-fail").guest_traceback


def test_a_failure_in_a_later_batch_ends_the_fold(view: StateViewComponent) -> None:
    history = [Event(f"e-{number}", "s", "t") for number in range(1, 6)]
    with pytest.raises(ComponentTrap, match="ValueError: at e-4 after e-1 e-2 e-3 "):
        view.evolve(b"do-fail-on:e-4,", history, CONTEXT, batch_size=2)
    assert works(view)


def test_deep_recursion_is_an_error_of_the_component(view: StateViewComponent) -> None:
    assert failure(view, b"do-recurse").reason.startswith("RecursionError")


@pytest.mark.parametrize(("given", "status"), [(b"0", 0), (b"3", 1)])
def test_exit_is_an_error_and_never_an_exit_of_this_process(
    view: StateViewComponent, given: bytes, status: int
) -> None:
    error = failure(view, b"do-exit:" + given)
    assert isinstance(error, ComponentExit)
    # WASI tells success from failure and no more.
    assert (error.status, error.code) == (status, "component-exit")


def test_a_result_of_the_wrong_type_is_told_in_the_runtimes_words(view: StateViewComponent) -> None:
    error = failure(view, b"do-return-int")
    assert isinstance(error, ComponentTrap)
    assert "CastError { from: 5, classinfo: <class 'bytes'> }" in error.reason


def test_content_that_is_too_large_going_in_is_told_before_the_call(
    view: StateViewComponent,
) -> None:
    error = failure(view, bytes(2 * 1024 * 1024 + 1))
    assert isinstance(error, ComponentLimitError)
    assert (error.limit, error.allowed, error.reached) == (
        "state-view.content",
        2_097_152,
        2_097_153,
    )


@pytest.mark.parametrize(
    ("size", "reached"),
    [(2 * 1024 * 1024 + 1, 2_097_153), (3_000_000, None)],
    ids=["over ours", "over wasmtime's"],
)
def test_content_that_is_too_large_coming_back_is_told_as_a_limit(
    view: StateViewComponent, size: int, reached: int | None
) -> None:
    error = failure(view, b"do-return-bytes:%d" % size)
    assert isinstance(error, ComponentLimitError)
    assert error.reached == reached


def test_content_up_to_the_limit_passes_both_ways(view: StateViewComponent) -> None:
    head = b"do-return-bytes:2097152 "
    content = head + b" " * (2_097_152 - len(head))
    assert view.evolve(content, [], CONTEXT) == bytes(2_097_152)


def test_what_a_view_prints_goes_to_a_logger_of_its_name(
    view: StateViewComponent, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        view.evolve(b"do-print:2", [FIRST], CONTEXT)
    name = f"evidentsource.component.{view.name}"
    told = {(record.name, record.levelname, record.message) for record in caplog.records}
    assert told == {
        (name, "INFO", "line 0"),
        (name, "INFO", "line 1"),
        (name, "WARNING", "warning 0"),
        (name, "WARNING", "warning 1"),
    }


def test_a_view_may_print_more_than_is_kept(
    built: Built, contract: str, caplog: pytest.LogCaptureFixture
) -> None:
    view = Host(output_limit=100).load(built("echo_view", contract))
    assert isinstance(view, StateViewComponent)
    with caplog.at_level(logging.INFO):
        # Far more than a pipe holds, so this would stand still if nothing emptied it.
        view.evolve(b"do-print:20000", [FIRST], CONTEXT)
    lines = [record.message for record in caplog.records if record.levelname == "INFO"]
    assert (lines[0], lines[-1]) == ("line 0", "line 19999")
    assert sum(map(len, lines)) < 200
    assert any("bytes left out" in line for line in lines)


def test_a_view_has_no_authority(view: StateViewComponent) -> None:
    answer = view.evolve(b"do-look-around", [], CONTEXT)
    assert answer is not None
    assert json.loads(answer) == {
        "environment": {},
        "arguments": [],
        "root": "FileNotFoundError",
        "file": "FileNotFoundError",
        "written": "FileNotFoundError",
        "input": "",
        "network": "PermissionError",
    }


def of_context(**changes: Any) -> Callable[[], tuple[Any, ...]]:
    facts: dict[str, Any] = {
        "database": "bank",
        "name": "seen",
        "version": 1,
        "database_revision": 1,
        "database_revision_timestamp": from_parts(1),
    }
    return lambda: (None, [FIRST], StateViewContext(**(facts | changes)))


def of_event(**fields: Any) -> Callable[[], tuple[Any, ...]]:
    return lambda: (None, [FIRST, Event("e-2", "s", "t", **fields)], CONTEXT)


HALF = "\ud800"


@pytest.mark.parametrize(
    ("arguments", "field", "reason"),
    [
        (of_context(database=HALF), "state-view.context.database", "lone surrogate"),
        (of_context(content_type=HALF), "state-view.context.content-type", "lone surrogate"),
        (of_event(extensions={"subject": "s"}), "events[1].extensions.subject", "CloudEvents"),
        (of_context(version=2**64), "state-view.context.version", "does not fit"),
        (of_context(version="1"), "state-view.context.version", "whole number"),
        (of_context(database_revision=-1), "state-view.context.database-revision", "u64"),
        (of_context(name=None), "state-view.context.name", "text"),
        (
            of_context(database_revision_timestamp=datetime(2024, 1, 1)),  # noqa: DTZ001 - naive on purpose
            "state-view.context.database-revision-timestamp",
            "no time zone",
        ),
        (lambda: ("text", [], CONTEXT), "state-view.content", "bytes"),
        (lambda: (None, [FIRST, {"id": "e-2"}], CONTEXT), "events[1]", "dict"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_contract_cannot_carry_is_refused_by_the_path_to_it(
    view: StateViewComponent, arguments: Callable[[], tuple[Any, ...]], field: str, reason: str
) -> None:
    with pytest.raises(ComponentInputError, match=reason) as caught:
        view.evolve(*arguments())
    assert caught.value.field == field
    assert works(view)


def test_the_index_of_an_event_counts_from_the_first_batch(view: StateViewComponent) -> None:
    history = [FIRST, FIRST, FIRST, Event("e", "s", "t", extensions={"id": "e"})]
    with pytest.raises(ComponentInputError) as caught:
        view.evolve(b"do-return-size", history, CONTEXT, batch_size=3)
    assert caught.value.field == "events[3].extensions.id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"time": BEFORE_1970}, "events[0].time"),
        ({"extensions": {"at": TimestampExtension(BEFORE_1970)}}, "events[0].extensions.at"),
    ],
)
def test_a_time_before_1970_passes_unless_the_contract_has_no_such_seconds(
    view: StateViewComponent, contract: str, fields: dict[str, Any], field: str
) -> None:
    event = Event("e", "s", "t", **fields)
    if contract == "own":
        assert view.evolve(b"do-return-size", [event], CONTEXT) == b"1"
        return
    with pytest.raises(ComponentInputError, match="u64 seconds since 1970") as caught:
        view.evolve(None, [event], CONTEXT)
    assert caught.value.field == field


def test_an_iterable_of_events_that_fails_is_the_callers_own_error(
    view: StateViewComponent,
) -> None:
    def history() -> Any:
        yield FIRST
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="the store is gone"):
        view.evolve(None, history(), CONTEXT)
    assert works(view)
