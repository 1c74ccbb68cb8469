"""Selectors: which events each of them selects, in a query, a condition and a view alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evidentsource_core import Constraint, ConstraintViolations, EventSelector, Selector
from evidentsource_core.domain.selectors import all_of, any_of
from evidentsource_runtime.contract.driver import DatabaseUnderTest
from evidentsource_runtime.contract.model import selects
from evidentsource_runtime.contract.values import event, ids

_EVENTS = [
    event("1", "a-1", stream="accounts", event_type="account.opened"),
    event("2", "a-10", stream="accounts", event_type="account.credited"),
    event("3", None, stream="accounts-archive", event_type="account"),
    event("4", "A-1", stream="Accounts", event_type="account.Opened"),
    event("5", "b_1", stream="transfers", event_type="transfer%made"),
    event("6", "b%1", stream="trans.fers", event_type="transfer_made"),
    event("7", "ü-1", stream="zz", event_type="größe"),
    event("8", "u\u0308-1", stream="zz", event_type="grosse"),
    event("9", "🐍", stream="zz", event_type="🐍🐍"),
    event("10", "a-1 ", stream="zz", event_type=" account.opened"),
    event("11", "_", stream="z_", event_type="\\"),
    event("12", "\U0010ffff", stream="z.", event_type="\uffff"),
]


def _leaves() -> Iterator[tuple[str, EventSelector, list[str]]]:
    yield "stream", Selector.stream("accounts"), ["1", "2"]
    yield "stream, other case", Selector.stream("Accounts"), ["4"]
    yield "stream with a dot", Selector.stream("trans.fers"), ["6"]
    yield "stream, unknown", Selector.stream("account"), []
    yield "subject", Selector.subject("a-1"), ["1"]
    yield "subject, other case", Selector.subject("A-1"), ["4"]
    yield "subject with a wildcard of SQL", Selector.subject("b%1"), ["6"]
    yield "subject with another one", Selector.subject("b_1"), ["5"]
    yield "subject, composed", Selector.subject("ü-1"), ["7"]
    yield "subject, decomposed", Selector.subject("u\u0308-1"), ["8"]
    yield "subject with a space behind", Selector.subject("a-1 "), ["10"]
    yield "subject of the highest character", Selector.subject("\U0010ffff"), ["12"]
    yield "subject, unknown", Selector.subject("a"), []
    yield "no subject", Selector.no_subject(), ["3"]
    yield "type", Selector.event_type("account.opened"), ["1"]
    yield "type, other case", Selector.event_type("account.Opened"), ["4"]
    yield "type, a prefix of others", Selector.event_type("account"), ["3"]
    yield "type of a backslash", Selector.event_type("\\"), ["11"]
    yield "type, unknown", Selector.event_type("account."), []
    yield "stream prefix", Selector.stream_starts_with("accounts"), ["1", "2", "3"]
    yield "stream prefix of one letter", Selector.stream_starts_with("a"), ["1", "2", "3"]
    yield "stream prefix, other case", Selector.stream_starts_with("A"), ["4"]
    yield "stream prefix with _", Selector.stream_starts_with("z_"), ["11"]
    yield "stream prefix with .", Selector.stream_starts_with("z."), ["12"]
    yield "subject prefix", Selector.subject_starts_with("a-1"), ["1", "2", "10"]
    yield "subject prefix with %", Selector.subject_starts_with("b%"), ["6"]
    yield "subject prefix with _", Selector.subject_starts_with("b_"), ["5"]
    yield "subject prefix, other case", Selector.subject_starts_with("A"), ["4"]
    yield "subject prefix, composed", Selector.subject_starts_with("ü"), ["7"]
    yield "subject prefix, decomposed", Selector.subject_starts_with("u"), ["8"]
    yield "subject prefix, astral", Selector.subject_starts_with("🐍"), ["9"]
    yield "subject prefix, highest", Selector.subject_starts_with("\U0010ffff"), ["12"]
    yield "subject prefix longer than any", Selector.subject_starts_with("a-1 x"), []
    yield "type prefix", Selector.event_type_starts_with("account"), ["1", "2", "3", "4"]
    yield "type prefix with .", Selector.event_type_starts_with("account."), ["1", "2", "4"]
    yield "type prefix with %", Selector.event_type_starts_with("transfer%"), ["5"]
    yield "type prefix with _", Selector.event_type_starts_with("transfer_"), ["6"]
    yield "type prefix, astral", Selector.event_type_starts_with("🐍"), ["9"]
    yield "type prefix, high", Selector.event_type_starts_with("\uffff"), ["12"]
    yield "type prefix of a backslash", Selector.event_type_starts_with("\\"), ["11"]
    yield "type prefix with ß", Selector.event_type_starts_with("grö"), ["7"]


def _trees() -> Iterator[tuple[str, EventSelector, list[str]]]:
    account, opened = Selector.stream("accounts"), Selector.event_type_starts_with("account.o")
    nobody, zz = Selector.subject("nobody"), Selector.stream("zz")
    yield "and", account & opened, ["1"]
    yield "and of nothing in common", account & zz, []
    yield "and with itself", account & account, ["1", "2"]
    yield "and with one that selects nothing", account & nobody, []
    yield "and with no subject", Selector.stream_starts_with("acc") & Selector.no_subject(), ["3"]
    yield "or", account | zz, ["1", "2", "7", "8", "9", "10"]
    yield "or of the same events", account | opened, ["1", "2"]
    yield "or with itself", account | account, ["1", "2"]
    yield "or with one that selects nothing", nobody | account, ["1", "2"]
    yield "or of two that select nothing", nobody | Selector.stream("none"), []
    yield (
        "or of prefixes within one another",
        (Selector.subject_starts_with("a") | Selector.subject_starts_with("a-1")),
        ["1", "2", "10"],
    )
    yield "and within or", (account & opened) | (zz & Selector.subject("🐍")), ["1", "9"]
    yield "or within and", (account | zz) & (opened | Selector.subject("🐍")), ["1", "9"]
    yield "wide or", any_of([Selector.subject(f"x{n}") for n in range(100)] + [opened]), ["1"]
    yield "wide and", all_of([account] * 100 + [opened]), ["1"]
    deep: EventSelector = opened
    for _ in range(60):
        deep = (deep & account) | nobody
    yield "deep", deep, ["1"]


_CASES = [*_leaves(), *_trees()]
_each_selector = pytest.mark.parametrize(
    ("selector", "expected"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES]
)


class Selectors:
    """Each selector selects the same everywhere."""

    @_each_selector
    def test_a_query_gives_what_is_selected(
        self, database: DatabaseUnderTest, selector: EventSelector, expected: list[str]
    ) -> None:
        database.transact(_EVENTS)
        assert ids(database.latest().query_events(selector)) == expected
        assert expected == [each.id for each in _EVENTS if selects(selector, each)]

    @_each_selector
    def test_a_condition_is_over_what_is_selected(
        self, database: DatabaseUnderTest, selector: EventSelector, expected: list[str]
    ) -> None:
        database.transact(_EVENTS)
        last = int(expected[-1]) if expected else 0
        right = Constraint.at_revision(selector, last)
        assert database.transact([event("new", "new", stream="new")], [right]).revision == 13
        wrong = Constraint.at_revision(selector, last + 1)
        with pytest.raises(ConstraintViolations):
            database.transact([event("newer", "new", stream="new")], [wrong])
