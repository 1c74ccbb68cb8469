"""Components that are base components with a filled slot."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidentsource_runtime.artifact import read_component
from evidentsource_runtime.build import BuildError, BuildResult, build
from evidentsource_runtime.host import CompileProgress, ComponentTrap, Host
from tests.component.instant.conftest import CHANGE, VIEW, Write, said

pytestmark = [pytest.mark.component, pytest.mark.xdist_group("bases")]

RUN = "from evidentsource_runtime.cli import main; main()"


def filled(file: Path, *, pure: bool = False) -> BuildResult:
    return build(file, output=file.with_suffix(".wasm"), reproducible=True, pure=pure)


def test_the_same_input_gives_the_same_bytes_wherever_it_lies(write: Write, tmp_path: Path) -> None:
    file = write(
        {
            "bank/change.py": CHANGE.format(top="import words", said="words.WORD"),
            "words.py": "WORD = {'a', 'b', 'c'}",
        }
    )
    elsewhere = tmp_path / "else" / "where"
    shutil.copytree(file.parent, elsewhere / "bank")
    shutil.copy(tmp_path / "words.py", elsewhere)
    first = build("bank.change", directory=tmp_path, output="1.wasm", reproducible=True)
    # Another process has another hash seed, which shows in the order of sets.
    command = [sys.executable, "-c", RUN, "build", "bank.change"]
    options = ["--reproducible", "-o", "2.wasm", "--json"]
    done = subprocess.run([*command, *options], cwd=elsewhere, capture_output=True, check=True)
    assert json.loads(done.stdout)["input_hash"] == first.input_hash
    assert (elsewhere / "2.wasm").read_bytes() == first.path.read_bytes()


def test_another_input_gives_other_bytes(write: Write) -> None:
    first = filled(write({"change.py": CHANGE.format(top="", said="1")})).path.read_bytes()
    second = filled(write({"change.py": CHANGE.format(top="", said="2")})).path.read_bytes()
    assert first != second
    # The facts name the inputs; before them, only the slot differs.
    assert len(first) == len(second)


def test_its_compiled_form_is_made_of_the_bases_and_kept(write: Write) -> None:
    told: list[CompileProgress] = []
    result = filled(write({"change.py": CHANGE.format(top="", said="'filled'")}))
    for _ in range(2):
        assert said(Host(progress=told.append).load(result.path)) == "filled"
    assert told == []


def test_what_it_was_made_of_stands_in_its_facts(write: Write) -> None:
    facts = read_component(filled(write({"change.py": CHANGE.format(top="", said="1")})).path).facts
    assert facts is not None
    assert facts.sources == {"/0/change.py": "change.py"}
    assert len(facts.base) == 64


def test_a_failing_view_shows_the_users_file_and_line(write: Write) -> None:
    file = write({"view.py": VIEW.format(top="", said="1 / 0")})
    with pytest.raises(ComponentTrap) as raised:
        said(Host().load(filled(file).path))
    assert f'File "{file}", line 13, in evolve_event\n' in raised.value.guest_traceback


def test_a_pure_one_has_no_clock(write: Write) -> None:
    file = write({"view.py": VIEW.format(top="import time", said="time.time()")})
    result = filled(file, pure=True)
    assert [warning.code for warning in result.warnings] == ["impure-call"]
    with pytest.raises(ComponentTrap, match=r"time\.time\(\) in a pure component"):
        said(Host().load(result.path))


def test_a_program_larger_than_the_slot_is_refused_with_both_sizes(write: Write) -> None:
    noise = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(9000))
    file = write(
        {"change.py": CHANGE.format(top="import big", said="1"), "big.py": f"BIG = {noise!r}"}
    )
    with pytest.raises(BuildError) as refused:
        filled(file)
    assert refused.value.code == "program-too-large"
    assert "the slot of a base component has 262,064" in str(refused.value)
    assert not file.with_suffix(".wasm").exists()


def test_what_cannot_be_imported_is_refused_at_the_build(write: Write) -> None:
    file = write({"change.py": CHANGE.format(top="import sqlite3", said="1")})
    with pytest.raises(BuildError) as refused:
        filled(file)
    assert (refused.value.code, refused.value.file, refused.value.line) == (
        "base-lacks-module",
        file,
        5,
    )
    assert not file.with_suffix(".wasm").exists()
