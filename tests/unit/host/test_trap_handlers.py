"""A trap is an error of ours also where a program takes the signals of traps for itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import faulthandler
import logging
import signal
import sys
import threading

from evidentsource_core import StateViewContext
from evidentsource_core.times import EPOCH
from evidentsource_runtime.host import ComponentTrap, Host
from tests.unit.host.wat import state_view

logging.basicConfig(format="%(name)s: %(message)s")
faulthandler.enable()
view = Host(sys.argv[1]).load(state_view("unreachable"), name="strange")


def trap():
    try:
        view.evolve(None, [], StateViewContext("bank", "summary", 1, 1, EPOCH))
    except ComponentTrap as error:
        print("trapped:", error.trap)


trap()
{replaced}
trap()
thread = threading.Thread(target=trap)
thread.start()
thread.join()
"""


@pytest.mark.parametrize(
    ("replaced", "told"),
    [
        ("faulthandler.disable()", True),
        ("faulthandler.disable(); faulthandler.enable()", True),
        ("signal.signal(signal.SIGILL, signal.SIG_DFL)", True),
        ("signal.signal(signal.SIGILL, lambda number, frame: None)", True),
        ("signal.signal(signal.SIGUSR1, signal.SIG_DFL)", False),
    ],
)
def test_handlers_that_were_replaced_are_put_back_before_the_next_call(
    replaced: str, told: bool, tmp_path: Path
) -> None:
    program = PROGRAM.replace("{replaced}", replaced)
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=Path(__file__).parents[3],
    )
    assert (ended.returncode, ended.stdout) == (
        0,
        "trapped: wasm trap: wasm `unreachable` instruction executed\n" * 3,
    )
    assert ended.stderr.count("were replaced and are put back") == told
