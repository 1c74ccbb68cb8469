"""From a command's bytes to the user's type: what cannot be read is validation and names the field."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import pytest

from evidentsource_core import InvalidStreamName, StreamName
from evidentsource_functions import Command, StateChangeError, StateChangeErrorKind
from evidentsource_functions._commands import parse_command


@dataclass
class Deposit:
    account_id: str
    amount: float

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Deposit:
        return cls(account_id=data["account_id"], amount=data["amount"])


class Colour(Enum):
    RED = "red"


@dataclass
class Item:
    name: str
    quantity: int = 1


@dataclass
class Order:
    order_id: UUID
    items: list[Item]
    total: Decimal
    due: date
    placed: datetime
    colour: Colour
    kind: Literal["gift", "own"] = "own"
    note: str | None = None
    weights: dict[str, float] = field(default_factory=dict)
    corner: tuple[int, int] = (0, 0)


ORDER = (
    b'{"order_id": "12345678-1234-5678-1234-567812345678", "items": [{"name": "pen"}],'
    b' "total": "1.50", "due": "2024-01-31", "placed": "2024-01-01T00:00:00+01:00",'
    b' "colour": "red", "weights": {"kg": 1}, "corner": [1, 2]}'
)


def refusal(command_type: type[Any], command: Command) -> StateChangeError:
    with pytest.raises(StateChangeError) as caught:
        parse_command(command_type, command)
    return caught.value


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Command(None), "command: command body is required"),
        (Command(b""), "command: command body is required"),
        (Command(b"{}", "text/plain"), "command: unsupported content type: 'text/plain'"),
        (Command(b"{"), "command: deserialization failed"),
        (Command(b"[]"), "command: expected a JSON object, got list"),
        (Command(b"null"), "command: expected a JSON object, got null"),
        (Command(b'{"amount": 1}'), "command.account_id: is missing"),
        (Command(b'{"account_id": "a"}'), "command.amount: is missing"),
        (Command(b'{"account_id": "a", "amount": "5"}'), "command.amount: expected float, got str"),
        (Command(b'{"account_id": 7, "amount": 5}'), "command.account_id: expected str, got int"),
        (
            Command(b'{"account_id": "a", "amount": true}'),
            "command.amount: expected float, got bool",
        ),
        (
            Command(b'{"account_id": "a", "amount": null}'),
            "command.amount: expected float, got null",
        ),
    ],
)
def test_an_unreadable_command_is_validation_and_names_the_path(
    command: Command, text: str
) -> None:
    error = refusal(Deposit, command)
    assert error.kind is StateChangeErrorKind.VALIDATION
    assert error.message.startswith(text)


def test_a_readable_command_becomes_the_users_type() -> None:
    command = Command(b'{"account_id": "a", "amount": 5}', "application/json; charset=utf-8")
    assert parse_command(Deposit, command) == Deposit("a", 5)


def test_a_field_missing_deep_inside_is_named_by_its_whole_path() -> None:
    class Cart:
        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Cart:
            for item in data["items"]:
                item["quantity"]
            return cls()

    error = refusal(Cart, Command(b'{"items": [{"quantity": 1}, {}]}'))
    assert error.message == "command.items[1].quantity: is missing"


def test_get_and_in_do_not_count_as_missing() -> None:
    class Lenient:
        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> str:
            return "there" if "note" in data else data.get("note", "gone")

    assert parse_command(Lenient, Command(b"{}")) == "gone"


@pytest.mark.parametrize("kind", list(StateChangeErrorKind))
def test_a_refusal_in_from_dict_keeps_its_kind_and_text(kind: StateChangeErrorKind) -> None:
    class Picky:
        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Picky:
            raise StateChangeError(kind, "nf")

    assert refusal(Picky, Command(b"{}")) == StateChangeError(kind, "nf")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("int(data['n'])", "command: ValueError: invalid literal for int"),
        ("data['n'].strip().bogus()", "command: AttributeError"),
        ("{'a': 1}[data['n']]", "command: KeyError: 'x'"),
        ("data['n'] + 1", "command: TypeError"),
        ("__import__('decimal').Decimal(data['n'])", "command: InvalidOperation"),
    ],
)
def test_what_from_dict_trips_over_is_validation_with_the_place(expression: str, text: str) -> None:
    class Tripping:
        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Any:
            return eval(expression)

    error = refusal(Tripping, Command(b'{"n": "x"}'))
    assert error.kind is StateChangeErrorKind.VALIDATION
    assert error.message.startswith(text)
    assert "test_commands:" in error.message


def test_a_domain_name_refused_in_from_dict_is_validation() -> None:
    class Named:
        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> StreamName:
            return StreamName(data["stream"])

    error = refusal(Named, Command(b'{"stream": "1"}'))
    assert isinstance(error.__cause__, InvalidStreamName)
    assert "invalid stream name: '1'" in error.message


def test_a_failure_that_is_no_parse_error_passes_through() -> None:
    class Broken:
        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Broken:
            raise RuntimeError("not about the command")

    with pytest.raises(RuntimeError):
        parse_command(Broken, Command(b"{}"))


def test_a_dataclass_without_from_dict_is_read_by_its_annotations() -> None:
    order = parse_command(Order, Command(ORDER))
    assert order.items == [Item("pen", 1)]
    assert (order.total, order.due, order.colour) == (
        Decimal("1.50"),
        date(2024, 1, 31),
        Colour.RED,
    )
    assert (order.weights, order.corner, order.note) == ({"kg": 1.0}, (1, 2), None)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (b'"name": "pen"', b'"name": 5', "command.items[0].name: expected str, got int"),
        (b'"pen"', b'"pen", "quantity": 1.5', "command.items[0].quantity: expected int, got float"),
        (
            b'"pen"',
            b'"pen", "qantity": 1',
            "command.items[0].qantity: unknown field; did you mean quantity?",
        ),
        (
            b'"1.50"',
            b"1.5",
            "command.total: expected Decimal as text, got float, which is not exact",
        ),
        (b'"1.50"', b'"x"', "command.total: 'x' is no Decimal"),
        (b'"red"', b'"blue"', "command.colour: 'blue' is no Colour"),
        (b'"2024-01-31"', b'"soon"', "command.due: 'soon' is no date"),
        (b"00+01:00", b"00", "command.placed: '2024-01-01T00:00:00' is no datetime"),
        (b'"kg": 1', b'"kg": "1"', "command.weights.kg: expected float, got str"),
        (b"[1, 2]", b"[1]", "command.corner: expected a list of 2 values"),
        (b'"corner"', b'"kind": "loan", "corner"', "command.kind: expected one of"),
        (b'"colour": "red", ', b"", "command.colour: is missing"),
    ],
)
def test_a_value_that_fits_no_annotation_names_its_path(old: bytes, new: bytes, text: str) -> None:
    assert old in ORDER
    assert refusal(Order, Command(ORDER.replace(old, new, 1))).message.startswith(text)


def test_the_raw_command_and_plain_dicts_can_be_asked_for() -> None:
    raw = Command(b"\x00\xff", "application/octet-stream")
    assert parse_command(Command, raw) is raw
    assert parse_command(dict, Command(b'{"a": 1}')) == {"a": 1}


def test_annotations_beyond_json_are_the_commands_own_business() -> None:
    @dataclass
    class Priced:
        amount: Decimal

        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> Priced:
            return cls(data["amount"])

    assert parse_command(Priced, Command(b'{"amount": 1.5}')).amount == 1.5
