"""The story of the demo, played through every rule of the bank."""

from __future__ import annotations

from evidentsource_functions import StateChangeError
from evidentsource_functions.testing import Clock, Database, command
from examples.savings_account.savings.account_summary import AccountSummary
from examples.savings_account.story import STORY


def test_money_is_neither_made_nor_lost(es_database: Database, es_clock: Clock) -> None:
    refused = 0
    for change, fields in STORY:
        es_clock.advance(minutes=1)
        try:
            es_database.submit(command(change, **fields))
        except StateChangeError:
            refused += 1
    assert (refused, es_database.revision) == (8, 9)
    accounts = [es_database.read(AccountSummary, {"account_id": who}) for who in ("ann", "bob")]
    balances = [account.balance for account in accounts if account is not None]
    assert sum(balances) == 100_00 - 30_00 + 7_00 - 25_00
    assert min(balances) >= 0
