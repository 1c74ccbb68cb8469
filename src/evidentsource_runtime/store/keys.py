"""Numbers that ids are found by: short ones, of which nobody can tell which ids share one."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

SECRET_BYTES: Final = 16
_BYTES: Final = 5
"""Of a key: among a million ids one in a million meets another one by chance, in six bytes of a row."""


class Keys:
    """Makes the keys of one store.

    Whatever has a key has to be compared with what is looked for: two ids may have the same. Since a
    secret of the store's own goes into them, nobody can choose ids that do, which would make each
    search as long as there are such ids.

    Args:
        secret: 16 random bytes, kept with the store.

    >>> keys = Keys(bytes(16))
    >>> keys.of_event("accounts", "e-1") == keys.of_event("savings", "e-1")
    False
    """

    __slots__ = ("_begun",)

    def __init__(self, secret: bytes) -> None:
        self._begun = blake2b(key=secret, digest_size=_BYTES).copy

    def of_event(self, stream: str, event_id: str) -> int:
        """The key of an event: from 0 to 2**40 - 1."""
        begun = self._begun()
        begun.update(f"{stream}\0{event_id}".encode())
        return int.from_bytes(begun.digest())

    def of_transaction(self, transaction_id: str) -> int:
        """The key of a transaction, likewise."""
        begun = self._begun()
        begun.update(transaction_id.encode())
        return int.from_bytes(begun.digest())
