"""The platform's rules that need no database: every database of this project asks them here.

The reference database is built of them, and so is every store, which is how both refuse the same
transactions with the same words.

>>> check_transaction_id("order 17")
'order 17'
"""

from evidentsource_core.rules.stamps import sequence_text, stamped, streams_uri
from evidentsource_core.rules.transactions import (
    MAX_BYTES,
    MAX_EVENTS,
    Limits,
    TransactionResult,
    check_conditions,
    check_holds,
    check_transaction_id,
    event_size,
)
from evidentsource_core.rules.words import selector_in_words, violation_in_words

__all__ = [
    "MAX_BYTES",
    "MAX_EVENTS",
    "Limits",
    "TransactionResult",
    "check_conditions",
    "check_holds",
    "check_transaction_id",
    "event_size",
    "selector_in_words",
    "sequence_text",
    "stamped",
    "streams_uri",
    "violation_in_words",
]
