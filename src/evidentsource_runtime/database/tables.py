"""The database's own tables beside the events, in the same file."""

from __future__ import annotations

from typing import Final

from evidentsource_runtime.store import Module

__all__ = ["MODULE"]

_VERSION_1 = """
-- The bytes of a component once, however many versions use them; "packed" is compressed by zlib.
CREATE TABLE database_component (
    digest TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    packed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What is published: a definition and where its code is, for good.
CREATE TABLE database_program (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('state-view', 'state-change')),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    definition TEXT NOT NULL,
    origin TEXT NOT NULL,
    published_us INTEGER NOT NULL,
    UNIQUE (kind, name, version)
) STRICT;

-- States of views that a fold may go on from. They may be dropped at any time. "upto" is the last
-- effective time that one includes, null for all; "through" the revision that it was folded at.
CREATE TABLE database_kept (
    id INTEGER PRIMARY KEY,
    program INTEGER NOT NULL,
    binding TEXT NOT NULL,
    upto_seconds INTEGER,
    upto_nanoseconds INTEGER,
    through INTEGER NOT NULL,
    count INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    content BLOB
) STRICT;
CREATE INDEX database_kept_by_view ON database_kept (program, binding);

-- Rebuilds that were begun and not finished.
CREATE TABLE database_rebuild (program INTEGER PRIMARY KEY, begun_us INTEGER NOT NULL) STRICT;

-- Why a transaction was committed; "revision" is the transaction's own.
CREATE TABLE database_trace (revision INTEGER PRIMARY KEY, trace TEXT NOT NULL) STRICT;
"""

MODULE: Final = Module("database", (_VERSION_1,))
"""The tables, as a store takes them."""
