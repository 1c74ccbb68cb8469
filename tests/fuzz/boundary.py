"""Fuzzes what reads values of others, led by what its code does: ``make fuzz``.

The codec, the lane, JSON, times, selectors, and components as files.

The targets are the properties of the test suite. There hypothesis makes up the values; here atheris
makes up the bytes that hypothesis makes the values of, and keeps those that reach new code. What is
found is written below ``.fuzz/``, and ``python -m tests.fuzz.boundary .fuzz/FILE`` runs it again.
"""
# ruff: noqa: T201 - telling what is fuzzed is what it does

from __future__ import annotations

import argparse
import importlib
import inspect
import resource
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Target = Callable[[bytes], object]

MODULES = (
    "tests.unit.host.packed.test_lifting",
    "tests.unit.host.packed.test_lowering",
    "tests.unit.host.packed.test_calls",
    "tests.unit.host.packed.test_memory",
    "tests.unit.host.packed.test_sheet",
    "tests.unit.functions.test_lane",
    "tests.unit.artifact.test_component",
    "tests.unit.core.test_jsontext",
    "tests.unit.core.test_selectors",
    "tests.unit.core.test_times",
)
INSTRUMENTED = (
    "evidentsource_core.domain",
    "evidentsource_core.jsontext",
    "evidentsource_core.times",
    "evidentsource_functions.lane",
    "evidentsource_runtime.artifact",
    "evidentsource_runtime.host.convert",
)
FOUND = ".fuzz"
MOST_MB = 2048
"""Memory that may come to what there was before the first input."""


def properties(modules: Iterable[str]) -> dict[str, Target]:
    """The properties of test modules that need nothing of pytest, by name."""
    found: dict[str, Target] = {}
    for name in modules:
        module = importlib.import_module(name)
        for key, test in sorted(vars(module).items()):
            handle: Any = getattr(test, "hypothesis", None)
            # What hypothesis leaves of the signature is for pytest to fill.
            if handle is not None and not inspect.signature(test).parameters:
                found[f"{name.rpartition('.')[2]}.{key}"] = handle.fuzz_one_input
    return found


def fuzzed(targets: dict[str, Target]) -> Callable[[bytes], None]:
    """One target of all: the first byte chooses."""
    chosen = list(targets.values())

    def run(data: bytes) -> None:
        if data:
            chosen[data[0] % len(chosen)](data[1:])

    return run


def _peak_mb() -> int:
    """The most memory so far. Linux counts in it what the process had that started this one."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(targets: dict[str, Target] | None = None) -> int:
    """Fuzz, or run one file again. The process ends with another status than 0 where it finds one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long (default: 600)")
    parser.add_argument("--seed", type=int, default=0, help="0 is another one each time")
    parser.add_argument("file", nargs="?", help="what was found before")
    given = parser.parse_args()
    try:
        import atheris  # there are machines that it has no build for
    except ImportError:
        print("the fuzzer is not installed: pip install atheris (Linux on x86_64)")
        return 2
    with atheris.instrument_imports(include=list(INSTRUMENTED), enable_loader_override=False):
        targets = targets or properties(MODULES)
    if given.file:
        fuzzed(targets)(Path(given.file).read_bytes())
        print("nothing is wrong with it")
        return 0
    Path(FOUND).mkdir(exist_ok=True)
    print(f"fuzzing {len(targets)} properties for {given.seconds} s", flush=True)
    options = [
        f"-max_total_time={given.seconds}",
        f"-artifact_prefix={FOUND}/",
        "-max_len=4096",
        "-len_control=0",  # a value of hypothesis takes a good many bytes from the beginning
        "-timeout=60",
        f"-rss_limit_mb={_peak_mb() + MOST_MB}",
        "-print_final_stats=1",
        f"-seed={given.seed}",
    ]
    atheris.Setup([sys.argv[0], *options], fuzzed(targets))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
