"""From a path to an open file: locked, known to be a store, at this release's schema."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from evidentsource_core.domain.identifiers import DatabaseName
from evidentsource_core.rules import streams_uri
from evidentsource_runtime.store.connecting import (
    Synchronous,
    check_readable,
    connect_reader,
    connect_writer,
    look_at,
)
from evidentsource_runtime.store.errors import StoreNotFound, StoreReadOnly, WrongDatabase
from evidentsource_runtime.store.faults import faults
from evidentsource_runtime.store.fetching import fetch_one
from evidentsource_runtime.store.keys import SECRET_BYTES, Keys
from evidentsource_runtime.store.locking import WriterLock
from evidentsource_runtime.store.rows import moment
from evidentsource_runtime.store.schema import EVENTS, Module, migrate

DEFAULT_HOST = "localhost"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose events a file has."""

    name: str
    streams: str
    created_at: datetime
    keys: Keys


@dataclass(frozen=True, slots=True)
class Asked:
    """What a store is opened with.

    Args:
        path: the file.
        name: the database's name; None for what the file says.
        host: the host in its events' sources; None for what the file says.
        modules: the tables that are wanted beside the events.
        vfs: the SQLite VFS to use; None for the default.
    """

    path: str
    name: str | None
    host: str | None
    modules: tuple[Module, ...]
    vfs: str | None

    @property
    def all_modules(self) -> tuple[Module, ...]:
        """The events' own tables, and those wanted beside them."""
        return (EVENTS, *self.modules)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open for writing."""

    db: apsw.Connection
    lock: WriterLock
    identity: Identity


def open_to_write(
    asked: Asked, *, create: bool, synchronous: Synchronous, now: Callable[[], int]
) -> Opened:
    """Open a file for writing, and make it where there is none.

    Raises:
        StoreNotFound: there is none, and it is not to be made.
        InvalidDatabaseName: its name breaks the rule of names.
        StoreInUse, StoreReadOnly, ForeignFile, NewerStore, WrongDatabase: see there.
    """
    path = asked.path
    if not look_at(path):
        if not create:
            raise StoreNotFound(path)
        _new_name(asked)
    if not Path(path).absolute().parent.is_dir():
        raise StoreReadOnly(path, "its folder does not exist", "make the folder first")
    lock = WriterLock(path)
    try:
        with faults(path):
            db = connect_writer(path, asked.vfs, synchronous)
            try:
                migrate(path, db, asked.all_modules)
                return Opened(db, lock, _claimed(asked, db, now))
            except BaseException:
                db.close()
                raise
    except BaseException:
        lock.release()
        raise


def open_to_read(asked: Asked) -> Identity:
    """See that a file can be read as it is, and whose events it has.

    Raises:
        StoreNotFound: there is no such file, or it is empty.
        ForeignFile, NewerStore, OlderStore, WrongDatabase: see there.
    """
    path = asked.path
    if not look_at(path):
        raise StoreNotFound(path)
    with faults(path):
        db = connect_reader(path, asked.vfs)
        try:
            check_readable(path, db, asked.all_modules)
            found = _identity(db)
        finally:
            db.close()
    if found is None:
        raise StoreNotFound(path, "nobody has finished making it")
    return _as_wanted(asked, found)


def _claimed(asked: Asked, db: apsw.Connection, now: Callable[[], int]) -> Identity:
    """The identity of a file; one that has none yet gets the one asked for."""
    found = _identity(db)
    if found is None:
        name = _new_name(asked)
        streams = streams_uri(asked.host or DEFAULT_HOST, name)
        row = (name, streams, now(), os.urandom(SECRET_BYTES))
        db.execute(
            "INSERT INTO store (id, name, streams, created_us, secret) VALUES (1, ?, ?, ?, ?)", row
        )
        return _identified(*row)
    return _as_wanted(asked, found)


def _new_name(asked: Asked) -> str:
    """The name of a database that is to be made; refused before there is a file of it."""
    return DatabaseName(Path(asked.path).stem if asked.name is None else asked.name).value


def _identity(db: apsw.Connection) -> Identity | None:
    found = fetch_one(db, "SELECT name, streams, created_us, secret FROM store")
    return None if found is None else _identified(*found)


def _identified(name: str, streams: str, created: int, secret: bytes) -> Identity:
    return Identity(name, streams, moment(created), Keys(secret))


def _as_wanted(asked: Asked, found: Identity) -> Identity:
    if asked.name is not None and asked.name != found.name:
        raise WrongDatabase(asked.path, "name", found.name, asked.name)
    if asked.host is not None and streams_uri(asked.host, found.name) != found.streams:
        raise WrongDatabase(asked.path, "streams", found.streams, asked.host)
    return found
