"""What happens at the bank: one list of commands, played by the demo and by the tests."""

from __future__ import annotations

from typing import Any

STORY: list[tuple[str, dict[str, Any]]] = [
    ("open-account", {"reference": "r-01", "account_id": "ann", "owner": "Ann Alder"}),
    ("open-account", {"reference": "r-02", "account_id": "bob", "owner": "Bob Birch"}),
    ("open-account", {"reference": "r-03", "account_id": "ann", "owner": "Somebody Else"}),
    ("deposit", {"reference": "r-04", "account_id": "ann", "amount": 100_00}),
    ("deposit", {"reference": "r-05", "account_id": "ann", "amount": "100"}),
    ("deposit", {"reference": "r-06", "account_id": "ann", "amount": -5_00}),
    ("deposit", {"reference": "r-07", "account_id": "cid", "amount": 5_00}),
    ("withdraw", {"reference": "r-08", "account_id": "ann", "amount": 30_00}),
    ("withdraw", {"reference": "r-09", "account_id": "ann", "amount": 300_00}),
    (
        "transfer",
        {"reference": "r-10", "from_account": "ann", "to_account": "bob", "amount": 25_00},
    ),
    (
        "transfer",
        {"reference": "r-11", "from_account": "bob", "to_account": "ann", "amount": 99_00},
    ),
    (
        "deposit",
        {
            "reference": "r-12",
            "account_id": "ann",
            "amount": 7_00,
            "effective_at": "2024-01-29T12:00:00Z",
        },
    ),
    ("close-account", {"reference": "r-13", "account_id": "bob"}),
    ("withdraw", {"reference": "r-14", "account_id": "bob", "amount": 25_00}),
    ("close-account", {"reference": "r-15", "account_id": "bob"}),
    ("deposit", {"reference": "r-16", "account_id": "bob", "amount": 1_00}),
]
