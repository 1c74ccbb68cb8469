"""What every value of the core promises: it never changes, it can be hashed, copied and pickled."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

import evidentsource_core as core
from evidentsource_core.domain.definitions import ParameterNode
from evidentsource_core.times import from_parts

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NANO = from_parts(0, 1)
STREAM, SUBJECT = core.Selector.stream("aa"), core.Selector.subject("s")
VIEW, BANK = core.StateViewName("summary"), core.DatabaseName("bank")
CONTEXT = core.StateViewContext("bank", "summary", 1, 2, NOON)
EVENT = core.Event("e", "aa", "t", "s", "{}", NANO, "application/json", "urn:a", {"n": 1})
TEMPLATE = STREAM & core.Parameter.subject("p")

VALUES: list[Any] = [
    BANK,
    VIEW,
    core.StreamName("aa"),
    core.StreamNamePrefix("a"),
    core.StateChangeName("deposit"),
    core.EventId("e"),
    core.EventType("t"),
    core.EventSubject("s"),
    core.BinaryEventData(b"a"),
    core.StringEventData("a"),
    core.BooleanExtension(True),
    core.IntegerExtension(1),
    core.StringExtension("a"),
    core.BinaryExtension(b"a"),
    core.UriExtension("urn:a"),
    core.UriRefExtension("a"),
    core.TimestampExtension(NANO),
    core.Extensions({"a": 1}),
    EVENT,
    core.ProspectiveEvent("e", "aa", "t", "s", b"{}", NOON, "a/b", "urn:a", {"n": True}),
    core.TransactionSummary(1, 1, "t"),
    core.Transaction([EVENT], core.TransactionSummary(1, 1)),
    core.StreamAttribute(core.StreamName("aa")),
    core.SubjectAttribute(None),
    core.EventTypeAttribute(core.EventType("t")),
    core.StreamPrefix(core.StreamNamePrefix("a")),
    core.SubjectPrefix(core.EventSubject("s")),
    core.EventTypePrefix(core.EventType("t")),
    core.FlatEqualsNode(core.SubjectAttribute(None)),
    core.FlatStartsWithNode(core.SubjectPrefix(core.EventSubject("s"))),
    core.FlatAndNode(0, 1),
    core.FlatOrNode(0, 1),
    STREAM,
    core.Selector.stream_starts_with("a"),
    STREAM & SUBJECT,
    STREAM | SUBJECT,
    core.Range(1, 2),
    core.Constraint.min(STREAM, 1),
    core.Constraint.max(STREAM & SUBJECT, 1),
    core.Constraint.range(STREAM, core.Range(1, 2)),
    core.RevisionRange(3),
    core.RangeCursor(NANO, 3),
    core.EffectiveTimeRange(core.RangeCursor(NOON, 3), NANO),
    core.QueryOptions(core.QueryDirection.REVERSE, 3, core.RevisionRange(3)),
    TEMPLATE,
    ParameterNode("subject", "p"),
    core.StateViewDefinition(VIEW, TEMPLATE),
    core.StateChangeDefinition(core.StateChangeName("deposit")),
    core.StateChangeDefinitionSummary(core.StateChangeName("deposit"), 1),
    core.Command(b"{}", "application/json", "urn:a"),
    core.CommandRequest([("a", "b")], b"{}", "application/json", "urn:a"),
    core.StateChangeMetadata("deposit", 1, 2, NANO, [("a", "b")]),
    core.TransactionOptions("t", "c", "p"),
    core.StateView(BANK, VIEW, 1, STREAM, 2, NOON, "a/b", "urn:a", b"{}"),
    CONTEXT,
    core.RenderedStateView(CONTEXT, b"{}", 2, NANO),
    core.OperationContext("transact", "bank", "d"),
]
CASES = [pytest.param(value, id=f"{type(value).__name__}-{i}") for i, value in enumerate(VALUES)]
JOURNEYS: list[Any] = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    *(
        pytest.param(
            lambda v, p=protocol: pickle.loads(pickle.dumps(v, p)), id=f"pickle {protocol}"
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def test_every_value_class_of_the_package_stands_in_the_table() -> None:
    exported = [getattr(core, name) for name in core.__all__]
    classes = {
        cls
        for cls in exported
        if inspect.isclass(cls)
        and not issubclass(cls, (Exception, Enum, int, datetime))
        and not getattr(cls, "_is_protocol", False)
    }
    builders = {core.Selector, core.Constraint, core.Parameter}
    assert classes - builders <= {type(value) for value in VALUES}


@pytest.mark.parametrize("journey", JOURNEYS)
@pytest.mark.parametrize("value", CASES)
def test_a_value_survives_copying_and_pickling(value: Any, journey: Callable[[Any], Any]) -> None:
    back = journey(value)
    assert type(back) is type(value)
    assert back == value
    assert hash(back) == hash(value)
    assert repr(back) == repr(value)


@pytest.mark.parametrize("value", CASES)
def test_a_value_cannot_be_changed(value: Any) -> None:
    fields = [f.name for f in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else []
    before = copy.deepcopy(value)
    for name in [*fields, "value", "another"]:
        with pytest.raises((AttributeError, TypeError)):
            setattr(value, name, None)
        with pytest.raises((AttributeError, TypeError)):
            delattr(value, name)
    assert value == before


@pytest.mark.parametrize("value", CASES)
def test_a_value_has_no_room_for_anything_else(value: Any) -> None:
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("value", CASES)
def test_a_value_differs_from_every_value_of_another_class(value: Any) -> None:
    twins = {type(other) for other in VALUES if other == value}
    prefix_and_name = {core.StreamName, core.StreamNamePrefix}
    assert twins == {type(value)} or twins <= prefix_and_name
    assert value != object()
    assert value is not None


def test_all_values_go_into_one_set() -> None:
    assert len(set(VALUES)) == len(VALUES)
