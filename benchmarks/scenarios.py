"""1,000 scenarios of the savings account, natively (s).

python -m benchmarks.scenarios

Each of them makes a database of its own, publishes all eight rules, commits what had happened,
decides, commits the decision and compares. The mix is that of the example's own tests: decisions,
refusals and views. The time is given by the clock, and of the processor, which a busy machine
changes less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice

from benchmarks.table import Row, at_most, lines
from evidentsource_core import Constraint
from examples.savings_account.savings.account_summary import AccountSummary
from examples.savings_account.savings.accounts import account
from examples.savings_account.savings.close_account import CloseAccount
from examples.savings_account.savings.deposit import Deposit
from examples.savings_account.savings.open_account import OpenAccount
from examples.savings_account.savings.transfer import Transfer
from examples.savings_account.savings.withdraw import Withdraw
from examples.savings_account.tests.bank import bank, closed, credited, debited, given, opened

COUNT = 1000
LIMIT = 2.0
ANN = (opened("ann"), credited("ann", 100))


def open_account() -> None:
    bank.when(OpenAccount("r-1", "ann", "Ann")).then(opened("ann"))


def deposit() -> None:
    given(*ANN).when(Deposit("r-1", "ann", 5)).then(credited("ann", 5))


def withdraw() -> None:
    condition = Constraint.unchanged_since(account("ann"), 2)
    given(*ANN).when(Withdraw("r-1", "ann", 30)).then(debited("ann", 30)).then_conditions(condition)


def overdraw() -> None:
    refusal = "account ann would be overdrawn by 0.01"
    given(*ANN).when(Withdraw("r-1", "ann", 101)).then_rejected("conflict", refusal)


def transfer_to_nobody() -> None:
    given(*ANN).when(Transfer("r-1", "ann", "bob", 5)).then_rejected("not_found")


def close() -> None:
    given(opened("ann")).when(CloseAccount("r-1", "ann")).then(closed("ann"))


def summary() -> None:
    expected = AccountSummary("ann", owner="Ann", status="open", balance=70, movements=2)
    given(*ANN, debited("ann", 30)).then_view(expected, account_id="ann")


SCENARIOS: tuple[Callable[[], None], ...] = (
    open_account,
    deposit,
    withdraw,
    overdraw,
    transfer_to_nobody,
    close,
    summary,
)


def rows() -> Iterator[Row]:
    for scenario in SCENARIOS:
        scenario()
    clock, processor = time.perf_counter(), time.process_time()
    for scenario in islice(cycle(SCENARIOS), COUNT):
        scenario()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    figures = (
        f"{clock:.2f} s by the clock, {processor:.2f} s of a processor; the limit is {LIMIT:g} s"
    )
    yield Row("s", f"{COUNT:,} native scenarios / limit", processor / LIMIT, figures, at_most(1))


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
