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
    TargetExists,
    WrongDatabase,
)
from evidentsource_runtime.store.interface import (
    EventStore,
    Head,
    Index,
    LaneBatch,
    TransactionRecord,
)
from evidentsource_runtime.store.schema import Module
from evidentsource_runtime.store.sqlite import SqliteStore
from evidentsource_runtime.store.verifying import Fault, verify

__all__ = [
    "CommitUncertain",
    "DamagedStore",
    "EventStore",
    "Fault",
    "ForeignFile",
    "Head",
    "Index",
    "LaneBatch",
    "Module",
    "NewerStore",
    "OlderStore",
    "SqliteStore",
    "StoreBusy",
    "StoreClosed",
    "StoreError",
    "StoreForked",
    "StoreFull",
    "StoreIOError",
    "StoreInUse",
    "StoreNotFound",
    "StoreReadOnly",
    "TargetExists",
    "TransactionRecord",
    "WrongDatabase",
    "verify",
]
