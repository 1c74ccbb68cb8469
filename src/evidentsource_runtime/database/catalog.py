"""What is published: definitions with versions, and the code of each, loaded when first needed."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar

import apsw

from evidentsource_core.domain.definitions import StateChangeDefinition, StateViewDefinition
from evidentsource_core.domain.errors import InvalidType
from evidentsource_runtime.database.definitions import from_text, to_text
from evidentsource_runtime.database.errors import CodeNotAttached, UnusableCode
from evidentsource_runtime.database.programs import (
    ChangeProgram,
    Origin,
    ViewProgram,
    change_program,
    view_program,
)
from evidentsource_runtime.host import Host
from evidentsource_runtime.store import SqliteStore
from evidentsource_runtime.store.rows import microseconds, moment

__all__ = [
    "Catalog",
    "ChangeShelf",
    "Published",
    "PublishedChange",
    "PublishedView",
    "ViewShelf",
]

D = TypeVar("D", StateViewDefinition, StateChangeDefinition)
P = TypeVar("P", ViewProgram, ChangeProgram)

_KINDS: Final = {"state-view": "state view", "state-change": "state change"}
_FIND: Final = (
    "SELECT id, version, definition, origin, published_us FROM database_program WHERE kind = ? "
)
_INSERT: Final = """
INSERT INTO database_program (kind, name, version, definition, origin, published_us)
SELECT ?1, ?2, coalesce(max(version), 0) + 1, ?3, ?4, ?5 FROM database_program
WHERE kind = ?1 AND name = ?2 RETURNING id, version, definition, origin, published_us
"""


@dataclass(frozen=True, slots=True)
class Published(Generic[D]):
    """One version of what is published.

    Args:
        id: its number in the file.
        definition: what it is, with its version.
        origin: which code it has.
        published_at: when it was published.
    """

    id: int
    definition: D
    origin: Origin
    published_at: datetime

    def __str__(self) -> str:
        return f"{self.definition.name}.v{self.definition.version}"


PublishedView: TypeAlias = Published[StateViewDefinition]
PublishedChange: TypeAlias = Published[StateChangeDefinition]


@dataclass(frozen=True, slots=True)
class Found(Generic[P]):
    """Code that was given: the program, and a component's bytes where they go into the file."""

    program: P
    content: bytes | None


class Shelf(Generic[D, P]):
    """One of the two kinds.

    Args:
        store: the file.
        kind: "state-view" or "state-change".
        definition: the class of its definitions.
        make: makes a program of code.
        load: loads a component.
        changed: told the number of a version whose code is now another.
    """

    def __init__(
        self,
        store: SqliteStore,
        kind: str,
        definition: type[D],
        make: Callable[..., P],
        load: Callable[[bytes, str], Any],
        now: Callable[[], datetime],
        changed: Callable[[int], None],
    ) -> None:
        self._store = store
        self._kind = kind
        self._definition: type[D] = definition
        self._make: Callable[..., P] = make
        self._load = load
        self._now = now
        self._changed = changed
        self._known: dict[tuple[str, int], Published[D]] = {}
        self._programs: dict[int, P] = {}
        self._lock = threading.Lock()

    # --- finding -------------------------------------------------------------------------------

    def find(self, name: str, version: int | None) -> Published[D] | None:
        """That version, the latest for None, if there is one."""
        if version is not None:
            known = self._known.get((name, version))
            if known is not None or not 1 <= version < 2**63:
                return known
        sql = (
            f"{_FIND} AND name = ? AND version = coalesce(?, version) ORDER BY version DESC LIMIT 1"
        )
        with self._store.read() as db:
            rows = db.execute(sql, (self._kind, name, version)).fetchall()
        return self._remember(rows[0]) if rows else None

    def all(self) -> list[Published[D]]:
        """Every version, by name."""
        with self._store.read() as db:
            rows = db.execute(f"{_FIND} ORDER BY name, version", (self._kind,)).fetchall()
        return [self._remember(row) for row in rows]

    def _remember(self, row: Any) -> Published[D]:
        number, version, definition, origin, published = row
        found: Published[D] = Published(
            number,
            from_text(definition, version),  # type: ignore[arg-type]  # the row is of this kind
            Origin.from_text(origin),
            moment(published),
        )
        return self._known.setdefault((str(found.definition.name), version), found)

    # --- its code ------------------------------------------------------------------------------

    def program(self, published: Published[D]) -> P:
        """The code, loaded when it is first asked for.

        Raises:
            CodeNotAttached: it is not in the file, and nobody attached it.
            ComponentLoadError: the component cannot be run here.
        """
        found = self._programs.get(published.id)
        if found is not None:
            return found
        origin = published.origin
        if origin.kind != "component":
            what = f"{_KINDS[self._kind]} {published}"
            call = (
                f"db.attach_{self._kind.replace('-', '_')}"
                f"({str(published.definition.name)!r}, {published.definition.version}, ...)"
            )
            raise CodeNotAttached(what, origin.name, call)
        with self._lock:
            if published.id not in self._programs:
                component = self._load(self._component(origin.digest), origin.name)
                self._programs[published.id] = self._make(component, "component", kept=True)
            return self._programs[published.id]

    def code(self, name: str, version: int | None) -> Origin | None:
        """Which code a version is run by now; None where there is no such version."""
        published = self.find(name, version)
        if published is None:
            return None
        program = self._programs.get(published.id)
        return published.origin if program is None else program.origin

    def _component(self, digest: str) -> bytes:
        with self._store.read() as db:
            sql = "SELECT packed FROM database_component WHERE digest = ?"
            packed: Any = db.execute(sql, (digest,)).fetchall()[0][0]
        return zlib.decompress(packed)

    def attach(self, published: Published[D], code: Any) -> None:
        """Bring the code of a version whose code is not in the file."""
        if published.origin.kind == "component":
            raise UnusableCode(
                "code", f"the component of {published} is in the file", "publish another version"
            )
        self._use(published, self._found(code, str(published.definition.name)).program)

    def settle(self, published: Published[D], content: bytes) -> Published[D]:
        """Put a component into the file as the code of a version whose code was not in it.

        Args:
            published: that version.
            content: the component's bytes.
        """
        if published.origin.kind == "component":
            raise UnusableCode(
                "content", f"the component of {published} is in the file", "publish another version"
            )
        found = self._found(content, str(published.definition.name))
        origin = found.program.origin
        packed = (origin.digest, len(content), zlib.compress(content, 1))

        def write(db: apsw.Connection) -> None:
            db.execute("INSERT OR IGNORE INTO database_component VALUES (?, ?, ?)", packed)
            sql = "UPDATE database_program SET origin = ? WHERE id = ?"
            db.execute(sql, (origin.to_text(), published.id))

        self._store.write(write)
        settled = replace(published, origin=origin)
        self._use(published, found.program)
        self._known[str(published.definition.name), published.definition.version] = settled
        return settled

    def _use(self, published: Published[D], program: P) -> None:
        """From now on the version has this code; what another code has folded is not kept."""
        with self._lock:
            before = self._programs.get(published.id)
            self._programs[published.id] = program
        origin = published.origin if before is None else before.origin
        if not origin.is_same(program.origin) or not program.origin.digest:
            self._changed(published.id)

    # --- publishing ----------------------------------------------------------------------------

    def publish(self, definition: D, code: Any, *, if_changed: bool) -> Published[D]:
        """Make ``definition`` the next version of its name.

        Args:
            definition: what it is; its version is ignored.
            code: its code, as its kind takes it, or the path or bytes of a component.
            if_changed: whether the latest version stays if it has this definition and code.
        """
        if not isinstance(definition, self._definition):
            raise InvalidType("definition", self._definition.__name__, definition)
        found = self._found(code, str(definition.name))
        if if_changed:
            latest = self.find(str(definition.name), None)
            if (
                latest is not None
                and replace(latest.definition, version=1) == replace(definition, version=1)
                and latest.origin.is_same(found.program.origin)
            ):
                self._use(latest, found.program)
                return latest
        published = self._write(definition, found)
        self._programs[published.id] = found.program
        return published

    def _found(self, code: Any, name: str) -> Found[P]:
        if isinstance(code, (bytes, str, os.PathLike)):
            content = code if isinstance(code, bytes) else Path(code).read_bytes()
            return Found(self._make(self._load(content, name), "code", kept=True), content)
        return Found(self._make(code, "code"), None)

    def _write(self, definition: D, found: Found[P]) -> Published[D]:
        name, text = str(definition.name), to_text(definition)
        origin = found.program.origin
        published_us = microseconds(self._now())[0]
        content = found.content
        packed = (
            None if content is None else (origin.digest, len(content), zlib.compress(content, 1))
        )

        def write(db: apsw.Connection) -> Any:
            if packed is not None:
                db.execute("INSERT OR IGNORE INTO database_component VALUES (?, ?, ?)", packed)
            values = (self._kind, name, text, origin.to_text(), published_us)
            return db.execute(_INSERT, values).fetchall()[0]

        return self._remember(self._store.write(write))


ViewShelf: TypeAlias = Shelf[StateViewDefinition, ViewProgram]
ChangeShelf: TypeAlias = Shelf[StateChangeDefinition, ChangeProgram]


class Catalog:
    """Both kinds, and the host that runs their components.

    Args:
        store: the file.
        host: what runs components; one is made when it is first needed.
        now: tells the time.
        changed: told the number of a view whose code is now another.
    """

    def __init__(
        self,
        store: SqliteStore,
        host: Host | None,
        now: Callable[[], datetime],
        changed: Callable[[int], None],
    ) -> None:
        self._given_host = host
        self.views: ViewShelf = Shelf(
            store, "state-view", StateViewDefinition, view_program, self._load, now, changed
        )
        self.changes: ChangeShelf = Shelf(
            store,
            "state-change",
            StateChangeDefinition,
            change_program,
            self._load,
            now,
            lambda _: None,
        )

    @cached_property
    def host(self) -> Host:
        """What runs the components."""
        return self._given_host or Host()

    def _load(self, content: bytes, name: str) -> Any:
        return self.host.load(content, name=name, ahead=1)
