"""With a seed and a time, a decision comes out the same again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidentsource_core import Command, StateChangeMetadata
from evidentsource_core.domain.errors import InvalidType, InvalidValue
from evidentsource_core.reference import ReferenceDatabase
from evidentsource_core.times import EPOCH
from evidentsource_runtime.host import Deterministic, Host, StateChangeComponent

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

NOW = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
METADATA = StateChangeMetadata("chance", 1, 0, EPOCH)
SOURCE = """
import json, os, random, time, uuid
from datetime import UTC, datetime

from evidentsource_functions import ProspectiveEvent
from evidentsource_functions.wasm import StateChangeAdapter


def decide(db, command, metadata):
    seen = {
        "now": datetime.now(UTC).isoformat(),
        "times": [time.time_ns(), time.monotonic_ns(), time.perf_counter_ns()],
        "random": random.random(),
        "bytes": os.urandom(3000).hex(),
    }
    return [ProspectiveEvent(str(uuid.uuid4()), "accounts", "seen", data=json.dumps(seen))]


class WitWorld(StateChangeAdapter):
    command_type = dict
    decide_func = decide
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "chance.py"
    path.write_text(SOURCE)
    return path


def decide(program: Path, deterministic: Deterministic | None, times: int = 2) -> list[Any]:
    change = Host(deterministic=deterministic).load_source(program)
    assert isinstance(change, StateChangeComponent)
    database = ReferenceDatabase("bank", created_at=EPOCH).latest()
    return [change.decide(database, Command.json(b"{}"), METADATA) for _ in range(times)]


def test_the_same_seed_and_time_give_the_same_decision_again(program: Path) -> None:
    first, second = decide(program, Deterministic(seed=1, now=NOW))
    assert first == second
    assert [first] == decide(program, Deterministic(seed=1, now=NOW), 1)
    [event] = first[0]
    assert '"now": "2031-02-03T04:05:06' in event.data.data


def test_another_seed_gives_another_id_at_the_same_time(program: Path) -> None:
    ids = {
        decide(program, Deterministic(seed=seed, now=NOW), 1)[0][0][0].id for seed in (1, 2, "1")
    }
    assert len(ids) == 3


def test_without_either_everything_is_live(program: Path) -> None:
    first, second = decide(program, None)
    assert first[0][0].id != second[0][0].id


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"seed": 1.5, "now": NOW}, InvalidType),
        ({"seed": True, "now": NOW}, InvalidType),
        ({"seed": 1, "now": "now"}, InvalidType),
        ({"seed": 1, "now": datetime(2031, 1, 1)}, InvalidValue),  # noqa: DTZ001 - what is refused
        ({"seed": 1, "now": datetime(1969, 1, 1, tzinfo=UTC)}, InvalidValue),
    ],
)
def test_what_is_no_seed_or_time_is_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"deterministic\."):
        Deterministic(**given)
