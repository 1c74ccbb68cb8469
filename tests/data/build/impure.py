"""Everything that a pure component refuses, by the names that a view and a rule ask for it."""

import logging
import os
import pathlib
import random
import secrets
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import choice as pick
from time import time as now
from uuid import uuid4

BUILT_AT = [0.0]
"""Filled by who reads the clock while it is built."""


@dataclass
class Stamped:
    at: float = field(default_factory=now)


def with_default(clock: Callable[[], float] = now) -> float:
    return clock()


class Holder:
    clock = now


CLOCK = {
    "time": lambda: time.time(),
    "time_ns": lambda: time.time_ns(),
    "monotonic": lambda: time.monotonic(),
    "perf_counter": lambda: time.perf_counter(),
    "sleep": lambda: time.sleep(0),
    "now": lambda: datetime.now(UTC),
    "utcnow": lambda: datetime.utcnow(),
    "datetime_today": lambda: datetime.today(),
    "date_today": lambda: date.today(),
    "localtime": lambda: time.localtime(),
    "strftime": lambda: time.strftime("%Y"),
    "imported_by_name": lambda: now(),
    "default_factory": lambda: Stamped(),
    "default_argument": lambda: with_default(),
    "class_attribute": lambda: Holder.clock(),
    "subclass": lambda: type("Mine", (datetime,), {}).now(),
    "logging": lambda: logging.warning("words"),
}
RANDOM = {
    "uuid1": lambda: uuid.uuid1(),
    "uuid4": lambda: uuid.uuid4(),
    "uuid4_by_name": lambda: uuid4(),
    "random": lambda: random.random(),
    "choice_by_name": lambda: pick([1, 2]),
    "shuffle": lambda: random.shuffle([1, 2]),
    "unseeded": lambda: random.Random(),
    "system": lambda: random.SystemRandom().random(),
    "token": lambda: secrets.token_hex(),
    "urandom": lambda: os.urandom(4),
}
FILES = {
    "open": lambda: open("x"),
    "path": lambda: pathlib.Path("x").read_text(),
    "exists": lambda: os.path.exists("x"),
    "listdir": lambda: os.listdir("."),
    "tempfile": lambda: tempfile.TemporaryFile(),
    "input": lambda: input(),
}
IMPURE = {**CLOCK, **RANDOM, **FILES}

STAMPED = {
    "frozen_clock": lambda: BUILT_AT[0] > 0,
}
PURE = {
    "given_time": lambda: time.gmtime(0).tm_year,
    "arithmetic": lambda: str(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=1)),
    "strptime": lambda: str(datetime.strptime("2024-01-02", "%Y-%m-%d").date()),
    "same_class": lambda: type(datetime.fromisoformat("2024-01-01")) is datetime,
    "seeded": lambda: random.Random(7).randint(0, 100) == random.Random(7).randint(0, 100),
    "uuid5": lambda: str(uuid.uuid5(uuid.NAMESPACE_URL, "x")),
    "print": lambda: print("dropped"),
    "environment": lambda: dict(os.environ),
    "legacy_text": lambda: b"\xe9".decode("latin-1"),
}


def run(name: str) -> str:
    return repr({**IMPURE, **STAMPED, **PURE}[name]())
