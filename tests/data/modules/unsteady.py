"""Rules that depend on what differs from run to run, each in one line, and steady ones beside them."""

import json
import os
import random
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from evidentsource_functions import (
    Constraint,
    Event,
    ProspectiveEvent,
    Selector,
    StateChangeError,
    StateViewBase,
)


@dataclass
class Note:
    text: str
    at: datetime | None = None


def noted(event_id, **data):
    return ProspectiveEvent(event_id, "notes", "noted", "n-1", json.dumps(data))


def steady(db, command: Note, metadata):
    seen = [event.id for event in db.query_events(Selector.stream("notes"))]
    after = db.speculate_with_transaction([noted("new")]).query_events(Selector.stream("notes"))
    when = (command.at or metadata.command_received_at).isoformat()
    tags = sorted(set(command.text.split()))
    return [noted(command.text, seen=seen, after=len(after), at=when, tags=tags)], []


def random_id(db, command: Note, metadata):
    return [noted(str(uuid.uuid4()), text=command.text)], [
        Constraint.unchanged_since(Selector.stream("notes"), db.revision)
    ]


def clock(db, command: Note, metadata):
    event_id = str(uuid.uuid4())
    now = datetime.now(UTC)
    return [noted(event_id, at=now.isoformat())]


def today(db, command: Note, metadata):
    return [noted("1", day=date.today().isoformat())]


def seconds(db, command: Note, metadata):
    if int(time.time()) // 77_777_777 % 2:
        return [noted("1", text="even")]
    return [noted("1", text="odd")]


def year(db, command: Note, metadata):
    year = time.gmtime().tm_year
    return [noted("1", year=year)]


def dice(db, command: Note, metadata):
    number = random.randint(1, 10**9)
    return [noted("1", number=number)]


def set_order(db, command: Note, metadata):
    words = set(command.text.split())
    order = " ".join(words)
    return [noted("1", order=order)]


def set_in_an_event(db, command: Note, metadata):
    return [noted("1", tags=list({*command.text.split()}))]


def condition(db, command: Note, metadata):
    subject = str(uuid.uuid4())
    return [noted("1")], [Constraint.must_not_exist(Selector.subject(subject))]


def environment(db, command: Note, metadata):
    limit = os.environ.get("UNSTEADY_LIMIT", "none")
    return [noted("1", limit=limit)]


def hashed(db, command: Note, metadata):
    bucket = hash(command.text) % 1_000_000
    return [noted("1", bucket=bucket)]


def refusal(db, command: Note, metadata):
    raise StateChangeError.conflict(f"not at {time.time()}")


def how_many(db, command: Note, metadata):
    return [noted(str(uuid.uuid4())) for _ in range(int(time.time()) // 77_777_777 % 2)]


def refused_query(db, command: Note, metadata):
    return [noted("1", past=db.at_revision(99).revision)]


@dataclass
class Steady(StateViewBase):
    tags: set[str] = field(default_factory=set)

    def evolve_event(self, event: Event) -> None:
        self.tags |= set(event.data_as_json()["tags"])


@dataclass
class Tags(StateViewBase):
    tags: list[str] = field(default_factory=list)

    def evolve_event(self, event: Event) -> None:
        for tag in set(event.data_as_json()["tags"]):
            self.tags.append(tag)


@dataclass
class Stamped(StateViewBase):
    at: str = ""
    ids: list[str] = field(default_factory=list)

    def evolve(self, events: Iterable[Event]) -> None:
        for event in events:
            self.ids.append(event.id)
            self.at = datetime.now(UTC).isoformat()


@dataclass
class Numbered(StateViewBase):
    number: str = ""

    def evolve_event(self, event: Event) -> None:
        self.number = str(uuid.uuid4())
