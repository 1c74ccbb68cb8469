"""The tables of a store, and how those of an older file are brought to what this release reads.

Tables come in modules. Each module has steps, one for each version of its tables, that are only ever
added to; the file remembers how many of a module's steps it has taken. The events are one module; what
else wants tables beside them hands its own to ``SqliteStore.open(modules=...)``.

>>> Module("notes", ("CREATE TABLE note (revision INTEGER PRIMARY KEY, text TEXT) STRICT",)).version
1
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import apsw

from evidentsource_runtime.store.entries import COLUMN, FRESH, entries_of
from evidentsource_runtime.store.errors import NewerStore, OlderStore
from evidentsource_runtime.store.fetching import fetch, fetch_one
from evidentsource_runtime.store.keys import Keys

_log = logging.getLogger("evidentsource.store")

APPLICATION_ID = 0x45765372
"""Says that an SQLite file is one of ours ("EvSr"); stands at byte 68 of the file."""

Step: TypeAlias = str | Callable[[apsw.Connection], None]
"""SQL statements, or a function that is given the connection; runs inside of one transaction."""


@dataclass(frozen=True, slots=True)
class Module:
    """Tables that belong together.

    Args:
        name: told apart by it; its tables' names best start with it.
        steps: the first makes the tables, each further one changes them.
    """

    name: str
    steps: tuple[Step, ...]

    @property
    def version(self) -> int:
        """The version that all steps lead to."""
        return len(self.steps)


_EVENTS_1 = """
-- One row: whose events these are.
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    streams TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

-- Each value of an attribute once; "first" is the revision of the first event that has it.
CREATE TABLE stream (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE, first INTEGER NOT NULL) STRICT;
CREATE TABLE subject (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE, first INTEGER NOT NULL) STRICT;
CREATE TABLE type (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE, first INTEGER NOT NULL) STRICT;

-- "fingerprint" is that of what the id was committed with, "checksum" the CRC-32 of its events.
-- Both orders of time are that of revisions here, so that "recorded" needs no index of its own.
CREATE TABLE tx (
    revision INTEGER PRIMARY KEY,
    basis INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    recorded_us INTEGER NOT NULL,
    recorded TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

-- Subject 0 is none; "tx" is the revision of its transaction. An event that names no time ("timed"
-- is 0) takes effect when it is recorded.
CREATE TABLE event (
    revision INTEGER PRIMARY KEY,
    tx INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    type INTEGER NOT NULL,
    effective_us INTEGER NOT NULL,
    effective_ns INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    id TEXT NOT NULL,
    data ANY,
    datacontenttype TEXT,
    dataschema TEXT,
    extensions TEXT
) STRICT;
CREATE UNIQUE INDEX event_by_id ON event (stream, id);
CREATE INDEX event_by_stream ON event (stream, revision, subject, type, effective_us, effective_ns);
CREATE INDEX event_by_subject ON event (subject, revision);
CREATE INDEX event_by_type ON event (type, revision, stream, subject, effective_us, effective_ns);
CREATE INDEX event_by_time ON event (
    effective_us, effective_ns, revision, stream, subject, type
);
"""

_EVENTS_2 = """
-- "indexed" is the revision up to which events have entries in the index; "secret" goes into keys.
ALTER TABLE store ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN secret BLOB NOT NULL DEFAULT x'';
UPDATE store SET secret = randomblob(16);

-- A transaction has no row of its own: the last of its events has its columns, "basis", the revision
-- before its first event, and those up to "checksum". "key" and "tx_key" are what the index has of ids
-- (see keys.py). Only an event that names a time has a "recorded_us"; others take effect at that time.
-- What may be large comes last, since what stands behind it is only found through it.
CREATE TABLE event_2 (
    revision INTEGER PRIMARY KEY,
    tx INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    type INTEGER NOT NULL,
    effective_us INTEGER NOT NULL,
    effective_ns INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    recorded_us INTEGER,
    key INTEGER NOT NULL,
    basis INTEGER,
    recorded TEXT,
    tx_key INTEGER,
    tx_id TEXT,
    fingerprint BLOB,
    checksum INTEGER,
    id TEXT NOT NULL,
    datacontenttype TEXT,
    dataschema TEXT,
    extensions TEXT,
    data ANY
) STRICT;

-- The index (see entries.py): which event has which value. "level" has how many entries the table of
-- that number has, and which of them was the last to move on to the next.
CREATE TABLE entry_1 (
    kind INTEGER, value INTEGER, revision INTEGER, PRIMARY KEY (kind, value, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE entry_2 (
    kind INTEGER, value INTEGER, revision INTEGER, PRIMARY KEY (kind, value, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE entry_3 (
    kind INTEGER, value INTEGER, revision INTEGER, PRIMARY KEY (kind, value, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE level (
    number INTEGER PRIMARY KEY,
    entries INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    value INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO level VALUES (1, 0, -1, 0, 0), (2, 0, -1, 0, 0), (3, 0, -1, 0, 0);
"""

_COPIED = """
INSERT INTO event_2
SELECT e.revision, e.tx, e.stream, e.subject, e.type, e.effective_us, e.effective_ns, e.timed,
    CASE WHEN e.timed THEN r.recorded_us END, event_key(s.value, e.id), t.basis, t.recorded,
    transaction_key(t.id), t.id, t.fingerprint, t.checksum, e.id, e.datacontenttype, e.dataschema,
    e.extensions, e.data
FROM event AS e CROSS JOIN stream AS s ON s.id = e.stream CROSS JOIN tx AS r ON r.revision = e.tx
LEFT JOIN tx AS t ON t.revision = e.revision
ORDER BY e.revision;
DROP TABLE event;
DROP TABLE tx;
ALTER TABLE event_2 RENAME TO event;
UPDATE store SET indexed = (SELECT coalesce(max(revision), 0) / 16 * 16 FROM event);
"""


def _log_structured(db: apsw.Connection) -> None:
    """Indexes that are written many at once, and transactions in the rows of their events."""
    db.execute(_EVENTS_2)
    found = fetch_one(db, "SELECT secret FROM store")
    keys = Keys(b"" if found is None else found[0])

    def event_key(*names: Any) -> int:
        return keys.of_event(*names)

    def transaction_key(*names: Any) -> int | None:
        return None if names[0] is None else keys.of_transaction(*names)

    db.create_scalar_function("event_key", event_key, 2, deterministic=True)
    db.create_scalar_function("transaction_key", transaction_key, 1, deterministic=True)
    db.execute(_COPIED)
    for kind in COLUMN:
        entries = entries_of(kind, f"revision <= {FRESH}")
        db.execute(f"INSERT INTO entry_3 {entries} ORDER BY 2, 3")
    db.execute("UPDATE level SET entries = (SELECT count(*) FROM entry_3) WHERE number = 3")


_EVENTS_3 = """
-- The others take effect when they are recorded, so that for them the order is that of revisions.
DROP INDEX IF EXISTS event_by_time;
CREATE INDEX event_by_time ON event (
    effective_us, effective_ns, revision, stream, subject, type
) WHERE timed = 1;

-- One level more: the last stays the last.
ALTER TABLE entry_3 RENAME TO entry_4;
UPDATE level SET number = 4 WHERE number = 3;
CREATE TABLE entry_3 (
    kind INTEGER, value INTEGER, revision INTEGER, PRIMARY KEY (kind, value, revision)
) STRICT, WITHOUT ROWID;
INSERT INTO level VALUES (3, 0, -1, 0, 0);
"""

_EVENTS_4 = """
-- Copies of events, those of one run side by side (see runs.py): "last" and "first" are revisions, and from
-- "place" on so many rows of "gathered" are the run's.
CREATE TABLE gathered (
    place INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    type INTEGER NOT NULL,
    effective_us INTEGER NOT NULL,
    effective_ns INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    recorded_us INTEGER,
    id TEXT NOT NULL,
    datacontenttype TEXT,
    dataschema TEXT,
    extensions TEXT,
    data ANY
) STRICT;
CREATE TABLE run (
    subject INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first INTEGER NOT NULL,
    place INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (subject, last)
) STRICT, WITHOUT ROWID;

-- One row: how far the index went when the last pass began, and the entry that it has come to; subject is
-- NULL where no pass is under way.
CREATE TABLE gathering (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    begun INTEGER NOT NULL,
    subject INTEGER,
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO gathering VALUES (1, 0, NULL, 0);
"""

EVENTS = Module("events", (_EVENTS_1, _log_structured, _EVENTS_3, _EVENTS_4))
"""The module of the events themselves."""

_MODULES = "CREATE TABLE module (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"


def versions(db: apsw.Connection) -> dict[str, int]:
    """Every module that the file has tables of, with its version; empty for an empty file."""
    if fetch_one(db, "SELECT 1 FROM sqlite_schema WHERE name = 'module'") is None:
        return {}
    return dict(fetch(db, "SELECT name, version FROM module"))


def check_versions(path: str, found: dict[str, int], modules: Iterable[Module]) -> None:
    """Refuse a file that this release cannot read as it is.

    Raises:
        NewerStore: a module has a version that this release does not know.
        OlderStore: a module has an earlier version, or none yet.
    """
    for module in modules:
        version = found.get(module.name, 0)
        if version > module.version:
            raise NewerStore(path, module.name, version, module.version)
        if version < module.version:
            raise OlderStore(path, module.name, version, module.version)


def migrate(path: str, db: apsw.Connection, modules: Iterable[Module]) -> None:
    """Take every step that the file has not taken yet, in one transaction: all or none.

    Raises:
        NewerStore: a module has a version that this release does not know.
    """
    found = versions(db)
    wanted = tuple(modules)
    for module in wanted:
        if found.get(module.name, 0) > module.version:
            raise NewerStore(path, module.name, found[module.name], module.version)
    if all(found.get(module.name) == module.version for module in wanted):
        return
    older = [module.name for module in wanted if 0 < found.get(module.name, 0) < module.version]
    if older:
        _log.warning("%s: bringing earlier tables (%s) up to date", path, ", ".join(older))
    db.execute("BEGIN IMMEDIATE")
    try:
        if not found:
            db.execute(_MODULES)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for module in wanted:
            for step in module.steps[found.get(module.name, 0) :]:
                if callable(step):
                    step(db)
                else:
                    db.execute(step)
            entry = (module.name, module.version)
            db.execute("INSERT OR REPLACE INTO module (name, version) VALUES (?, ?)", entry)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
