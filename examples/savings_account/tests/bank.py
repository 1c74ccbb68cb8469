"""What every test of the bank begins with: its rules, and the events that accounts have."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from evidentsource_functions.testing import EventSpec, Scenarios, event
from evidentsource_runtime.testing import project_scenarios
from examples.savings_account.savings.close_account import CloseAccount
from examples.savings_account.savings.deposit import Deposit
from examples.savings_account.savings.open_account import OpenAccount
from examples.savings_account.savings.transfer import Transfer
from examples.savings_account.savings.withdraw import Withdraw

Commands: TypeAlias = OpenAccount | Deposit | Withdraw | Transfer | CloseAccount

# The names, selectors and parameters are those of the manifest, pyproject.toml.
bank: Scenarios[Commands] = project_scenarios(Path(__file__).parents[1], stream="accounts")
given = bank.given


def opened(account: str) -> EventSpec:
    return event("account.opened", subject=account, owner=account.title())


def credited(account: str, amount: int, time: str | None = None) -> EventSpec:
    return event("account.credited", subject=account, time=time, amount=amount)


def debited(account: str, amount: int) -> EventSpec:
    return event("account.debited", subject=account, amount=amount)


def closed(account: str) -> EventSpec:
    return event("account.closed", subject=account)
