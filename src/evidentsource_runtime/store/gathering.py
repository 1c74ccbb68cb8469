"""Gathering: copies of each subject's events are laid side by side, a step at a time.

A pass goes through the entries of all subjects, in the order of subjects; where it is, stands in the
file. Whatever events of a subject lie behind its runs become its next run, if that is worth it: if they
are several, lie apart, and are small beside a page. So each is copied once, to the end of a table, and a
subject's history is read from few places (:mod:`runs`).

A step is one commit, after which every reader sees either the events or the run. Everything that it makes
can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

import apsw

from evidentsource_core.domain.flat_selectors import SUBJECT
from evidentsource_runtime.store.entries import TABLES
from evidentsource_runtime.store.errors import DamagedStore
from evidentsource_runtime.store.fetching import fetch, fetch_one, insert
from evidentsource_runtime.store.runs import COPIED
from evidentsource_runtime.store.ways import LARGEST

FEWEST: Final = 8
"""Events that become a run at least."""
APART: Final = 16
"""Revisions from one event of a run to the next, on average and at least: so many share a page."""
LARGE: Final = 1024
"""Bytes of payload and extensions, on average, from which on events are read one by one as fast."""
LONGEST: Final = 256
"""Events of one run at most."""
ENTRIES: Final = 2048
"""Entries that one step goes through: some milliseconds."""
FIRST_PASS: Final = 16 * 1024
"""Events from which on a store is gathered while it is idle; a smaller one is in memory anyway."""
GROWTH: Final = 8
"""A pass begins when the store has grown by one in so many events since the last one."""


Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many events were gone through, and how many there are."""


class Step(NamedTuple):
    """What became of a step.

    Args:
        entries: how many were gone through.
        gathered: events that were copied.
        done: whether the pass is at its end, or there was none.
    """

    entries: int
    gathered: int
    done: bool


class Group(NamedTuple):
    """Events of a subject that lie behind its runs, in their order.

    Args:
        subject: its number.
        revisions: theirs.
    """

    subject: int
    revisions: list[int]

    def lie_apart(self) -> bool:
        """Whether they are several, and few of them share a page."""
        count = len(self.revisions)
        return count >= FEWEST and self.revisions[-1] - self.revisions[0] >= (count - 1) * APART

    def behind(self, upto: dict[int, int]) -> Group:
        """Those behind the revision up to which its subject is gathered."""
        last = upto.get(self.subject, 0)
        return self._replace(revisions=[each for each in self.revisions if each > last])


_START: Final = (-1, 0)

Place: TypeAlias = tuple[int | None, int]


def due_at(db: apsw.Connection) -> int:
    """The revision from which on there is something to gather; 0 in the middle of a pass."""
    begun, subject = fetch_one(db, "SELECT begun, subject FROM gathering")
    return 0 if subject is not None else int(begun) + max(FIRST_PASS, begun // GROWTH)


def begin(db: apsw.Connection) -> None:
    """Begin a pass anew."""
    sql = "UPDATE gathering SET begun = (SELECT indexed FROM store), subject = ?, revision = ?"
    db.execute(sql, _START)


def step(path: str, db: apsw.Connection) -> Step:
    """Go on with the pass that was begun, within the transaction of the writer.

    Raises:
        DamagedStore: an event is missing that the index leads to.
    """
    subject, revision = fetch_one(db, "SELECT subject, revision FROM gathering")
    if subject is None:
        return Step(0, 0, True)
    found = fetch(db, _NEXT, (subject, revision, ENTRIES))
    groups = [Group(each, [place[1] for place in of]) for each, of in groupby(found, _SUBJECT_OF)]
    done = len(found) < ENTRIES
    place: Place = (None, 0)
    if not done and len(groups) > 1:
        # The last one may go on behind what was found: it is left to the next step.
        groups.pop()
        place = (groups[-1].subject, LARGEST)
    upto = _gathered_upto(db, groups)
    wanted = list(_worth_it(path, db, [group.behind(upto) for group in groups]))
    if not done and len(groups) == 1 and place[0] is None:
        start = revision if groups[0].subject == subject else 0
        place = _within(groups[0], start, upto.get(groups[0].subject, 0), gathered=bool(wanted))
    _copy(db, wanted)
    db.execute("UPDATE gathering SET subject = ?, revision = ?", place)
    return Step(len(found), sum(len(group.revisions) for group in wanted), done)


def go_on(path: str, latest: int, db: apsw.Connection) -> Step:
    """Take a step of the pass that is under way, or of a new one if that is due.

    Args:
        path: the file, for errors.
        latest: the latest revision.
        db: the writer's connection.
    """
    due = due_at(db)
    if due and due <= latest:
        begin(db)
    return step(path, db)


def _within(group: Group, start: int, upto: int, *, gathered: bool) -> Place:
    """Where to go on with a subject that has more entries than one step goes through.

    Args:
        group: those that this step went through.
        start: the revision behind which they lie.
        upto: that up to which the subject was gathered before.
        gathered: whether more of it is now.
    """
    if gathered:
        return group.subject, group.revisions[-1]
    # Runs have no gaps: behind events that are left out, nothing is gathered.
    return group.subject, upto if upto > start else LARGEST


def scatter(db: apsw.Connection) -> None:
    """Drop every run; the next pass makes them again."""
    db.execute("DELETE FROM run; DELETE FROM gathered; UPDATE gathering SET subject = NULL")


_SUBJECT_OF = itemgetter(0)
_NEXT: Final = (
    " UNION ALL ".join(
        f"SELECT value, revision FROM {table} WHERE kind = {SUBJECT} AND (value, revision) > (?1, ?2)"
        for table in TABLES.values()
    )
    + " ORDER BY 1, 2 LIMIT ?3"
)
_UPTO: Final = (
    "SELECT subject, max(last) FROM run WHERE subject >= ? AND subject <= ? GROUP BY subject"
)


def _gathered_upto(db: apsw.Connection, groups: list[Group]) -> dict[int, int]:
    return dict(fetch(db, _UPTO, (groups[0].subject, groups[-1].subject))) if groups else {}


_SIZES: Final = (
    "SELECT coalesce(octet_length(e.data), 0) + coalesce(octet_length(e.extensions), 0) "
    "FROM json_each(?) AS n CROSS JOIN event AS e ON e.revision = n.value"
)


def _worth_it(path: str, db: apsw.Connection, groups: list[Group]) -> Iterator[Group]:
    apart = [group for group in groups if group.lie_apart()]
    wanted = sum(len(group.revisions) for group in apart)
    sizes = fetch(db, _SIZES, (_listed(apart),))
    if len(sizes) != wanted:
        raise DamagedStore(path, f"{wanted - len(sizes)} events of the index are missing")
    start = 0
    for group in apart:
        end = start + len(group.revisions)
        if sum(size for (size,) in sizes[start:end]) < LARGE * len(group.revisions):
            yield group
        start = end


_COPY: Final = (
    f"INSERT OR ROLLBACK INTO gathered (place, {', '.join(COPIED)}) "
    f"SELECT ?2 + n.key, {', '.join(f'e.{column}' for column in COPIED)} "
    "FROM json_each(?1) AS n CROSS JOIN event AS e ON e.revision = n.value"
)


def _copy(db: apsw.Connection, groups: list[Group]) -> None:
    if not groups:
        return
    place = fetch_one(db, "SELECT coalesce(max(place), 0) + 1 FROM gathered")[0]
    db.execute(_COPY, (_listed(groups), place))
    runs: list[tuple[int, int, int, int, int]] = []
    for subject, revisions in groups:
        for start in range(0, len(revisions), LONGEST):
            some = revisions[start : start + LONGEST]
            runs.append((subject, some[-1], some[0], place, len(some)))
            place += len(some)
    insert(db, "run (subject, last, first, place, count)", runs)


def _listed(groups: list[Group]) -> str:
    return json.dumps([revision for group in groups for revision in group.revisions])
