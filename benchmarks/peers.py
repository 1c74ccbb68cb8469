"""The standard view against its like: a JavaScript component (d), and plain Python (e).

    python -m benchmarks.peers

The JavaScript component is made by ComponentizeJS, which needs node.js and npm and is installed once
below the user's cache directory; where it cannot be had, its line says why.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.components.summary import Summary
from benchmarks.parts import CONTEXT, RECORDED, some_events, view
from benchmarks.table import Row, at_least, lines
from evidentsource_core.domain.state_view import RenderedStateView
from evidentsource_functions import create_state_view_handler
from evidentsource_runtime.build import shipped_contract
from evidentsource_runtime.cachedir import cache_directory
from evidentsource_runtime.host import Host, StateViewComponent

JAVASCRIPT = Path(__file__).parent / "javascript"
EVENTS = 5_000
RUNS = 5


class NotHere(Exception):
    """A peer that this machine does not have."""


def javascript() -> Path:
    """The JavaScript component, made once.

    Raises:
        NotHere: with the reason.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise NotHere("node.js and npm are not installed")
    place = cache_directory("benchmarks")
    component = place / "summary-javascript.wasm"
    sources = [path for path in JAVASCRIPT.iterdir() if path.is_file()]
    newest = max(path.stat().st_mtime for path in (*sources, shipped_contract()))
    if component.exists() and component.stat().st_mtime > newest:
        return component
    for path in sources:
        shutil.copy(path, place)
    for command in (
        ("npm", "install", "--no-audit", "--no-fund", "--silent"),
        ("node", "componentize.mjs", "summary.js", str(shipped_contract()), str(component)),
    ):
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotHere(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-200:]}")
    return component


def rows() -> Iterator[Row]:
    events = some_events(EVENTS)
    ours = view("summary")
    python = timed(lambda: ours.evolve(None, events, CONTEXT, batch_size=EVENTS))
    try:
        peer = Host().load(javascript())
    except NotHere as reason:
        yield Row("d", "JavaScript component / ours", None, f"skipped: {reason}", at_least(1))
    else:
        assert isinstance(peer, StateViewComponent)
        other = timed(lambda: peer.evolve(None, events, CONTEXT, batch_size=EVENTS))
        yield Row(
            "d", "JavaScript component / ours", other / python, us(other, python), at_least(1)
        )
    handle = create_state_view_handler(Summary)
    state = RenderedStateView(CONTEXT, None, 0, RECORDED)
    native = timed(lambda: handle(state, events))
    yield Row("e", "ours in a component / natively", python / native, us(python, native))


def us(one: float, other: float) -> str:
    return f"{one / EVENTS * 1e6:,.1f} and {other / EVENTS * 1e6:,.1f} us an event"


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time, the median of several runs."""
    work()
    taken = []
    for _ in range(RUNS):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return median(taken)


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
