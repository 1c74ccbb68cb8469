"""The store: a database's events on disk, by the platform's rules."""

from evidentsource_runtime.store.errors import (
    CommitUncertain,
    DamagedStore,
    ForeignFile,
    NewerStore,
    OlderStore,
    StoreBusy,
    StoreClosed,
    StoreError,
    StoreForked,
    StoreFull,
    StoreInUse,
    StoreIOError,
    StoreNotFound,
    StoreReadOnly,
    WrongDatabase,
)
from evidentsource_runtime.store.interface import (
    EventStore,
    Head,
    Index,
    LaneBatch,
    TransactionRecord,
)

__all__ = [
    "CommitUncertain",
    "DamagedStore",
    "EventStore",
    "ForeignFile",
    "Head",
    "Index",
    "LaneBatch",
    "NewerStore",
    "OlderStore",
    "StoreBusy",
    "StoreClosed",
    "StoreError",
    "StoreForked",
    "StoreFull",
    "StoreIOError",
    "StoreInUse",
    "StoreNotFound",
    "StoreReadOnly",
    "TransactionRecord",
    "WrongDatabase",
]
