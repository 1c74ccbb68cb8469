"""Everything of a store in an SQLite file that only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, overload

import apsw

from evidentsource_core.domain.checks import check_earlier
from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.domain.events import Event
from evidentsource_core.domain.flat_selectors import STREAM, SUBJECT, TYPE
from evidentsource_core.domain.queries import (
    QueryOptions,
    merged_options,
)
from evidentsource_core.domain.revision import check_revision
from evidentsource_core.domain.selectors import EventSelector
from evidentsource_core.rules import TransactionResult
from evidentsource_core.times import require_aware
from evidentsource_runtime.store import lookups, reading
from evidentsource_runtime.store.interface import (
    EventStore,
    Head,
    Index,
    LaneBatch,
    TransactionRecord,
)
from evidentsource_runtime.store.keys import Keys
from evidentsource_runtime.store.names import COLUMNS, Names
from evidentsource_runtime.store.opening import Identity
from evidentsource_runtime.store.pool import Pool
from evidentsource_runtime.store.rows import microseconds, moment

_INDEX = {Index.STREAM: STREAM, Index.SUBJECT: SUBJECT, Index.EVENT_TYPE: TYPE}


class ReadableStore(EventStore):
    """What a store reads, whether it also writes or not.

    Args:
        path: the file.
        identity: whose events it has.
        pool: its reading connections.
        names: the numbers of names.
    """

    def __init__(self, path: str, identity: Identity, pool: Pool, names: Names) -> None:
        self._path = path
        self._identity = identity
        self._source = f"{identity.streams}/"
        self._pool = pool
        self._names = names

    # --- what it is ----------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The file, as it was named."""
        return self._path

    @property
    def name(self) -> str:
        """The database's name."""
        return self._identity.name

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC."""
        return self._identity.created_at

    @property
    def streams(self) -> str:
        """The URI under which its streams stand."""
        return self._identity.streams

    @property
    def keys_of_ids(self) -> Keys:
        """What the index has of ids."""
        return self._identity.keys

    # --- revisions -----------------------------------------------------------------------------

    def at_revision(self, revision: int) -> Head:
        """A revision and when it was recorded."""
        head = self.head()
        if check_earlier(revision, head.revision) == head.revision:
            return head
        if revision == 0:
            return Head(0, self.created_at)
        with self._pool.connection() as db:
            recorded = lookups.recorded_at(db, revision)
        return head if recorded is None else Head(revision, moment(recorded))

    def at_time(self, recorded: datetime) -> Head | None:
        """The last revision that was recorded by then; None before the database's creation."""
        require_aware("recorded", recorded)
        with self._pool.connection() as db:
            found = lookups.at_time(db, microseconds(recorded)[0])
        if found is None and recorded >= self.created_at:
            return Head(0, self.created_at)
        return found

    def _upto(self, revision: int | None) -> int:
        latest = self._latest()
        return latest if revision is None else check_earlier(revision, latest)

    def _latest(self) -> int:
        """The latest revision, without its time, which most who read do not ask for."""
        return self.head().revision

    # --- events --------------------------------------------------------------------------------

    def query(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        revision: int | None = None,
        since: int = 0,
        effective_at: datetime | None = None,
    ) -> Iterator[Event]:
        """The selected events, one after the other."""
        query = self._asked(selector, options, revision, since, effective_at)
        return reading.events(self._pool, self._path, self._source, self._names.find, query)

    def batches(
        self,
        selector: EventSelector,
        options: QueryOptions | None = None,
        *,
        revision: int | None = None,
        since: int = 0,
        effective_at: datetime | None = None,
        size: int = 1000,
    ) -> Iterator[LaneBatch]:
        """The events of :meth:`query` as the lane's text, ``size`` at once, or fewer large ones."""
        query = self._asked(selector, options, revision, since, effective_at)
        if query.reverse:
            raise InvalidValue("options.direction", "is reverse; views are folded forward")
        if isinstance(size, bool) or not isinstance(size, int):
            raise InvalidType("size", "int", size)
        if size < 1:
            raise InvalidValue("size", f"{size} is less than 1")
        return reading.batches(self._pool, self._path, self._names.find, query, size)

    def count(
        self,
        selector: EventSelector,
        *,
        revision: int | None = None,
        since: int = 0,
        effective_at: datetime | None = None,
    ) -> int:
        """How many events are selected."""
        query = self._asked(selector, None, revision, since, effective_at)
        return reading.count(self._pool, self._names.find, query)

    def highest(self, selector: EventSelector, *, revision: int | None = None) -> int:
        """The highest revision of a selected event, 0 where there is none."""
        query = self._asked(selector, None, revision, 0, None)
        with self._pool.connection() as db:
            return reading.highest(db, self._pool, self._names.find, query)

    def _asked(
        self,
        selector: EventSelector,
        options: QueryOptions | None,
        revision: int | None,
        since: int,
        effective_at: datetime | None,
    ) -> reading.Query:
        check_revision(since, "since")
        wanted = reading.NO_OPTIONS if options is None else merged_options(options)
        return reading.asked(selector, wanted, self._upto(revision), since, effective_at)

    def event(self, stream: str, event_id: str) -> Event | None:
        """The event of that id in that stream, if there is one."""
        latest = self.head().revision
        with self._pool.connection() as db:
            number = self._names.find(db, STREAM, stream)
            if number is None:
                return None
            key = self._identity.keys.of_event(stream, event_id)
            revision = lookups.event_revision(db, number, event_id, key)
        return None if revision is None or revision > latest else next(self.events_at((revision,)))

    def events_at(self, revisions: Iterable[int]) -> Iterator[Event]:
        """The events of these revisions, in the order asked."""
        latest = self.head().revision
        return lookups.events_at(self._pool, self._path, self._source, revisions, latest)

    def keys(self, index: Index, prefix: str = "", *, revision: int | None = None) -> Iterator[str]:
        """Every value of an attribute that starts so, once each, in the order of its characters."""
        if not isinstance(index, Index):
            raise InvalidType("index", "Index", index)
        if not isinstance(prefix, str):
            raise InvalidType("prefix", "str", prefix)
        column = _INDEX[index]
        upto = self._upto(revision)
        return lookups.keys(self._pool, COLUMNS[column], column, prefix, upto)

    # --- transactions --------------------------------------------------------------------------

    def transaction(
        self, transaction_id: str, *, fingerprint: bytes | None = None
    ) -> TransactionResult | None:
        """The transaction of that id with its events, if there is one."""
        with self._pool.connection() as db:
            record = lookups.find_transaction(db, self._identity.keys, transaction_id, fingerprint)
        return None if record is None else self._with_events(record)

    def _with_events(self, record: TransactionRecord) -> TransactionResult:
        return lookups.transaction_events(self._pool, self._path, self._source, record)

    @overload
    def log(
        self,
        from_revision: int = 0,
        to_revision: int | None = None,
        *,
        reverse: bool = False,
        detail: Literal[False] = False,
    ) -> Iterator[TransactionRecord]: ...
    @overload
    def log(
        self,
        from_revision: int = 0,
        to_revision: int | None = None,
        *,
        reverse: bool = False,
        detail: Literal[True],
    ) -> Iterator[TransactionResult]: ...
    def log(
        self,
        from_revision: int = 0,
        to_revision: int | None = None,
        *,
        reverse: bool = False,
        detail: bool = False,
    ) -> Iterator[TransactionRecord] | Iterator[TransactionResult]:
        """The transactions that were committed from one revision to another."""
        head = self.head().revision
        first = min(check_revision(from_revision, "from_revision"), head + 1)
        last = head if to_revision is None else check_revision(to_revision, "to_revision")
        found = lookups.log(self._pool, first, min(last, head), reverse=reverse)
        return map(self._with_events, found) if detail else found

    # --- what else is in the file --------------------------------------------------------------

    def read(self) -> AbstractContextManager[apsw.Connection]:
        """A connection to read the tables of a module with; it sees one state of the file.

        Raises:
            StoreClosed: the store was closed.
            StoreError: what SQLite raised inside.
        """
        return self._pool.snapshot()
