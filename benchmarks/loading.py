"""Loading a component: compiled anew, and found in the cache (i).

python -m benchmarks.loading
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.parts import built
from benchmarks.table import Row, lines
from evidentsource_runtime.host import Host

WARM_RUNS = 15


def rows() -> Iterator[Row]:
    path = built("summary")
    with tempfile.TemporaryDirectory(prefix="evidentsource-bench-") as name:
        cold = load(path, name)
        warm = median(load(path, name) for _ in range(WARM_RUNS))
    figures = f"{cold:,.2f} s and {warm * 1e3:,.1f} ms, the self-check of the codec included"
    yield Row("i", "load, cold / warm", cold / warm, figures)


def load(path: Path, cache: str) -> float:
    start = time.perf_counter()
    Host(cache).load(path)
    return time.perf_counter() - start


if __name__ == "__main__":
    for line in lines(rows()):
        print(line)
