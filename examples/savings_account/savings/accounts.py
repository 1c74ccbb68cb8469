"""What every rule of the bank needs: how an account is selected, and the events it can have."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from evidentsource_functions import (
    AppendCondition,
    Constraint,
    DatabaseAccess,
    EventSelector,
    ProspectiveEvent,
    Selector,
    StateChangeError,
    StateView,
    StringEventData,
)

STREAM = "accounts"
OPENED, CLOSED = "account.opened", "account.closed"
CREDITED, DEBITED = "account.credited", "account.debited"


def account(account_id: str) -> EventSelector:
    """Every event of one account."""
    return Selector.stream(STREAM) & Selector.subject(account_id)


def event(
    event_type: str, account_id: str, reference: str, time: datetime | None = None, **data: Any
) -> ProspectiveEvent:
    """An event of an account.

    Its id comes from the command's reference, never from a random number: a command that is sent
    twice is refused as a duplicate, and the same decision can be made again.
    """
    return ProspectiveEvent(
        id=f"{reference}.{event_type}",
        stream=STREAM,
        event_type=event_type,
        subject=account_id,
        data=StringEventData(json.dumps(data)),
        time=time,
        datacontenttype="application/json",
    )


def summary(db: Any, account_id: str) -> dict[str, Any] | None:
    """The account as its view tells it; None if it was never opened."""
    view: StateView | None = db.view_state("account-summary", 1, {"account_id": account_id})
    content: dict[str, Any] | None = None if view is None else view.json()
    return content


def require_open(db: DatabaseAccess, account_id: str) -> dict[str, Any]:
    """The account, which must exist and not be closed."""
    found = summary(db, account_id)
    if found is None:
        raise StateChangeError.not_found(f"there is no account {account_id}")
    if found["status"] != "open":
        raise StateChangeError.conflict(f"account {account_id} is closed")
    return found


def unchanged(db: DatabaseAccess, *account_ids: str) -> list[AppendCondition]:
    """Nothing happened to these accounts since the decision looked at them."""
    return [Constraint.unchanged_since(account(each), db.revision) for each in account_ids]


def require_amount(amount: int) -> None:
    """Money moves in positive amounts."""
    if amount <= 0:
        raise StateChangeError.validation(f"command.amount: must be positive, got {amount}")


def cents(amount: int) -> str:
    """An amount for people, ``12.50``; none here is below zero."""
    return f"{amount // 100}.{amount % 100:02d}"
