"""The tables of a store, and how those of an older file are brought to what this release reads.

Tables come in modules. Each module has steps, one for each version of its tables, that are only ever
added to; the file remembers how many of a module's steps it has taken. The events are one module; what
else wants tables beside them hands its own to ``SqliteStore.open(modules=...)``.

>>> Module("notes", ("CREATE TABLE note (revision INTEGER PRIMARY KEY, text TEXT) STRICT",)).version
1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import apsw

from evidentsource_runtime.store.errors import NewerStore, OlderStore
from evidentsource_runtime.store.fetching import fetch, fetch_one

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

EVENTS = Module("events", (_EVENTS_1,))
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
