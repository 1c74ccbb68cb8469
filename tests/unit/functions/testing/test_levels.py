"""Levels, and the comparison of several: here they run rules that differ on purpose."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from evidentsource_core import Constraint, InvalidValue, Selector
from evidentsource_functions import StateChangeError
from evidentsource_functions.testing import (
    ChangeRule,
    ComparingLevel,
    Database,
    Level,
    LevelsDiffer,
    LevelUnavailable,
    Rules,
    ScenarioFailed,
    Scenarios,
    Stage,
    ViewRule,
    _levels,
    command,
    current_level,
    event,
    level_named,
    register_level,
    use_level,
)
from evidentsource_functions.testing._stage import STARTED, MemoryStage, NativeRules, Outcome
from tests.unit.functions.testing.kit import Order, Pay, made, shop

PEN = event("line.added", subject="o-1", item="pen", quantity=1)
PAID = event("order.paid", subject="o-1", card="4000")


class Changed(Level):
    """Runs the rules and changes what they return or raise."""

    name = "changed"

    def __init__(
        self,
        decision: Callable[[Any], Any] = lambda decision: decision,
        content: Callable[[Any], Any] = lambda content: content,
    ) -> None:
        self.decision = decision
        self.content = content

    def rules(self) -> Rules:
        level = self

        class Changing(Rules):
            def evolve(self, view: ViewRule) -> Any:
                return lambda state, events: level.content(view.evolve(state, events))

            def decide(self, change: ChangeRule) -> Any:
                return lambda *given: level.decision(change.decide(*given))

        return Changing()


def native() -> Level:
    return level_named("native")


def raising(error: Exception) -> Callable[[Any], Any]:
    def fail(_value: Any) -> Any:
        raise error

    return fail


def with_first(**parts: Any) -> Callable[[Any], Any]:
    """The decision with parts of its first event changed."""

    def change(decision: Any) -> Any:
        (first, *events), conditions = decision
        fields = {name: getattr(first, name) for name in type(first).__slots__} | parts
        return [type(first)(**fields), *events], conditions

    return change


DIFFERENT_DECISIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "payload in one byte": (with_first(data='{"card":"4000"}'), "event 1: data"),
    "id": (with_first(id="other"), "event 1: id"),
    "content type": (with_first(datacontenttype=None), "event 1: datacontenttype"),
    "extension": (with_first(extensions={"a": 1}), "event 1: extensions"),
    "number of events": (lambda decision: ([], decision[1]), "number of events"),
    "condition": (lambda decision: (decision[0], []), "conditions"),
    "another condition": (
        lambda decision: (decision[0], [Constraint.must_exist(Selector.subject("o-1"))]),
        "conditions",
    ),
    "an error": (raising(StateChangeError.conflict("no")), "conflict: no"),
    "another kind of error": (raising(RuntimeError("boom")), "RuntimeError: boom"),
}


@pytest.mark.parametrize("how", DIFFERENT_DECISIONS)
def test_levels_that_decide_differently_fail_the_test(how: str) -> None:
    decision, said = DIFFERENT_DECISIONS[how]
    with (
        use_level(ComparingLevel([native(), Changed(decision)])),
        pytest.raises(LevelsDiffer) as caught,
    ):
        shop.given(PEN).when(Pay("o-1"))
    text = str(caught.value)
    assert text.startswith("decide of pay differs between native (expected) and changed (got)")
    assert said in text


class Refusing(Level):
    """Refuses everything in its own words."""

    name = "refusing"

    def rules(self) -> Rules:
        class RefusingRules(NativeRules):
            def decide(self, change: ChangeRule) -> Any:
                def refuse(*_given: Any) -> Any:
                    raise StateChangeError.not_found("no order o-1")

                return refuse

        return RefusingRules()


def test_levels_that_refuse_differently_fail_the_test() -> None:
    with (
        use_level(ComparingLevel([native(), Refusing()])),
        pytest.raises(LevelsDiffer, match="there is no order o-1"),
    ):
        shop.given().when(Pay("o-1"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda content: content.replace(b" ", b""), "content"),
        (lambda content: content.replace(b"1", b"2"), "lines.pen"),
        (lambda _content: None, "content"),
        (raising(RuntimeError("boom")), "RuntimeError: boom"),
    ],
    ids=["one byte", "one value", "none", "an error"],
)
def test_levels_that_fold_differently_fail_the_test(
    content: Callable[[Any], Any], said: str
) -> None:
    with (
        use_level(ComparingLevel([native(), Changed(content=content)])),
        pytest.raises(LevelsDiffer, match="evolve of order differs") as caught,
    ):
        shop.given(PEN).then_view(Order({"pen": 1}), order_id="o-1")
    assert said in str(caught.value)


def test_a_difference_is_told_even_where_the_rule_goes_on_without_the_view() -> None:
    def careless(db: Any, command: Pay, metadata: Any) -> Any:
        try:
            db.view_state("order", 1, {"order_id": command.order_id})
        except Exception:  # noqa: BLE001 - the rule that is looked for
            return []
        return []

    different = Changed(content=lambda content: content + b" ")
    with use_level(ComparingLevel([native(), different])):
        with pytest.raises(LevelsDiffer, match="evolve of order"):
            shop.change(careless).given(PEN).when(command("careless", order_id="o-1"))
        database = Database.in_memory("shop")
        database.publish(shop)
        database.insert_event(PEN.prospective("orders", "e-1"))
        with pytest.raises(LevelsDiffer, match="evolve of order"):
            database.read(Order, {"order_id": "o-1"})


def test_levels_that_agree_pass_and_what_is_wrong_is_told_as_ever() -> None:
    with use_level(ComparingLevel([native(), Changed()])):
        shop.given(PEN).when(Pay("o-1")).then(PAID).then_view(
            Order({"pen": 1}, paid=True), order_id="o-1"
        )
        shop.given().when(Pay("o-1")).then_rejected("not_found")
        with pytest.raises(ScenarioFailed, match="\nlevel all\n"):
            shop.given(PEN).when(Pay("o-1")).then_nothing()


def random_ids(db: Any, command: Pay, metadata: Any) -> Any:
    return [made("order.paid", command.order_id, str(uuid.uuid4()), card=command.card)]


def test_ids_that_a_rule_makes_up_at_random_may_differ() -> None:
    with use_level(ComparingLevel([native(), Changed()])):
        Scenarios("shop", stream="orders").change(random_ids).when(Pay("o-1")).then(PAID)


def test_only_ids_may_be_random() -> None:
    def lottery(db: Any, command: Pay, metadata: Any) -> Any:
        return [made("order.paid", "o-1", str(uuid.uuid4()), card=str(uuid.uuid4()))]

    with use_level(ComparingLevel([native(), Changed()])), pytest.raises(LevelsDiffer):
        Scenarios("shop", stream="orders").change(lottery).when(Pay("o-1"))


# --- levels that have databases of their own -----------------------------------------------------


class Elsewhere(Level):
    """Plays scenarios in databases of its own, as a server does; it cannot tell conditions."""

    name = "elsewhere"

    def __init__(self, inner: Level) -> None:
        self.inner = inner

    def stage(self, book: Any, started: Any = STARTED) -> Stage:
        stage = MemoryStage(self.inner.rules(), book, started)
        attempt = stage.attempt

        def without_conditions(given: Any) -> Outcome:
            return dataclasses.replace(attempt(given), conditions=None)

        stage.attempt = without_conditions  # type: ignore[assignment,method-assign]
        return stage


def test_a_level_with_databases_of_its_own_plays_scenarios() -> None:
    with use_level(Elsewhere(native())):
        (
            shop.given(PEN)
            .when(Pay("o-1"))
            .then(PAID)
            .then_conditions(Constraint.must_exist(Selector.subject("never asked for")))
            .then_view(Order({"pen": 1}, paid=True), order_id="o-1")
        )
        with pytest.raises(LevelUnavailable, match="do not run in a database in memory"):
            Database.in_memory("shop")


def test_it_is_compared_by_what_comes_of_each_command() -> None:
    agreeing = ComparingLevel([native()], [Elsewhere(Changed())])
    with use_level(agreeing):
        shop.given(PEN).when(Pay("o-1")).then(PAID)
        shop.given().when(Pay("o-1")).then_rejected("not_found")
    changes: list[Callable[[Any], Any]] = [
        with_first(data='{"card":"4000"}'),
        raising(StateChangeError.conflict("no")),
        lambda decision: ([], []),
    ]
    for change in changes:
        with (
            use_level(ComparingLevel([native()], [Elsewhere(Changed(change))])),
            pytest.raises(LevelsDiffer, match=r"between native .* and elsewhere"),
        ):
            shop.given(PEN).when(Pay("o-1"))


def test_it_is_compared_by_the_views_that_are_read() -> None:
    other = Elsewhere(Changed(content=lambda content: content.replace(b"1", b"2")))
    with (
        use_level(ComparingLevel([native()], [other])),
        pytest.raises(LevelsDiffer, match=r"the view order differs (.|\n)*lines\.pen"),
    ):
        shop.given(PEN).then_view(Order({"pen": 1}), order_id="o-1")


# --- choosing a level ----------------------------------------------------------------------------


def test_the_level_is_native_until_another_is_used() -> None:
    assert current_level().name == "native"
    with use_level(Changed()) as level:
        assert current_level() is level
        with use_level("native"):
            assert current_level().name == "native"
        assert current_level() is level
    assert current_level().name == "native"


def test_a_registered_level_is_made_when_it_is_first_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_levels, "_makers", dict(_levels._makers))
    monkeypatch.setattr(_levels, "_made", {})
    asked: list[str] = []

    def make() -> Level:
        asked.append("once")
        return Changed()

    register_level("of-a-test", make)
    assert not asked
    assert level_named("of-a-test") is level_named("of-a-test")
    assert asked == ["once"]
    register_level("of-a-test", Refusing)
    assert level_named("of-a-test").name == "refusing"


def test_an_unknown_level_is_refused_with_those_that_are_known() -> None:
    with (
        pytest.raises(InvalidValue, match="'nativ' is unknown; known are: native"),
        use_level("nativ"),
    ):
        pass
