"""A small shop, for tests of the testing kit itself: rules of every kind, and mistakes to make."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evidentsource_core import (
    Constraint,
    Event,
    Parameter,
    ProspectiveEvent,
    Selector,
    SelectorTemplate,
    StateViewDefinition,
    StateViewName,
)
from evidentsource_functions import StateChangeError, StateViewBase
from evidentsource_functions.testing import Scenarios

ORDERS = Selector.stream("orders")


def order(order_id: str) -> Any:
    return ORDERS & Selector.subject(order_id)


def made(event_type: str, order_id: str, event_id: str, **data: Any) -> ProspectiveEvent:
    return ProspectiveEvent(
        event_id,
        "orders",
        event_type,
        subject=order_id,
        data=json.dumps(data),
        datacontenttype="application/json",
    )


@dataclass
class Order(StateViewBase):
    lines: dict[str, int] = field(default_factory=dict)
    paid: bool = False

    def evolve_event(self, event: Event) -> None:
        if event.event_type == "line.added":
            data = event.data_as_json()
            self.lines[data["item"]] = self.lines.get(data["item"], 0) + data["quantity"]
        elif event.event_type == "order.paid":
            self.paid = True


@dataclass
class Sales(StateViewBase):
    definition = StateViewDefinition(
        StateViewName("sales"), SelectorTemplate.of(ORDERS & Selector.event_type("order.paid"))
    )
    orders: int = 0

    def evolve_event(self, event: Event) -> None:
        self.orders += 1


@dataclass
class AddLines:
    order_id: str
    items: list[str]
    quantity: int = 1
    reference: str = "r-1"


def add_lines(db: Any, command: AddLines, metadata: Any) -> Any:
    view = db.view_state("order", 1, {"order_id": command.order_id})
    if view is not None and view.json()["paid"]:
        raise StateChangeError.conflict(f"order {command.order_id} is paid")
    events = [
        made(
            "line.added",
            command.order_id,
            f"{command.reference}.{index}",
            item=item,
            quantity=command.quantity,
        )
        for index, item in enumerate(command.items)
    ]
    paid = order(command.order_id) & Selector.event_type("order.paid")
    return events, [Constraint.must_not_exist(paid)]


@dataclass
class Pay:
    order_id: str
    card: str = "4000"
    at: datetime | None = None


def pay(db: Any, command: Pay, metadata: Any) -> Any:
    check_card(command.card)
    if not db.query_events(order(command.order_id)):
        raise StateChangeError.not_found(f"there is no order {command.order_id}")
    event = made("order.paid", command.order_id, f"{command.order_id}.paid", card=command.card)
    return [event], [Constraint.unchanged_since(order(command.order_id), db.revision)]


def check_card(card: str) -> None:
    if not card.isdecimal():
        raise StateChangeError.validation(f"command.card: {card} is no card")
    if card == "0000":
        raise RuntimeError("the card reader is broken")


shop = (
    Scenarios("shop", stream="orders")
    .view(Order, selector=ORDERS & Parameter.subject("order_id"))
    .view(Sales)
    .change(add_lines)
    .change(pay)
)
given = shop.given
