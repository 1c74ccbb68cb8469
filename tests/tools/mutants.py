"""Changes the savings account's rules one at a time, and counts how many its scenarios notice.

    python -m tests.tools.mutants [--only 'PATTERN' ...] [--json]

mutmut makes the changes, in a copy of the example, and runs the example's own tests for each. What no
test noticed is shown as a change of the source. The exit code is 1 where fewer than 95 % were noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/savings_account"
WANTED = 0.95
"""The part that has to be noticed."""

_CONFIGURATION = f"""
[mutmut]
source_paths=examples
only_mutate={EXAMPLE}/savings/*
pytest_add_cli_args_test_selection={EXAMPLE}/tests
also_copy=examples
"""
_PYTEST = "[pytest]\npythonpath = .\naddopts = --import-mode=importlib -p no:cacheprovider\n"


@dataclass(frozen=True)
class Score:
    """How many changes were made, and which of them no test noticed."""

    made: int
    survivors: dict[str, str]

    @property
    def noticed(self) -> float:
        """The part that was noticed, from 0 to 1."""
        return 1 - len(self.survivors) / self.made

    def lines(self) -> list[str]:
        caught = self.made - len(self.survivors)
        lines = [f"{caught} of {self.made} changes are noticed: {self.noticed:.1%}"]
        for name, change in self.survivors.items():
            lines += ["", f"not noticed: {name}", *(f"  {line}" for line in change.splitlines())]
        return lines


def run(only: Sequence[str] = (), *, quiet: bool = False) -> Score:
    """Make the changes and try each; the score.

    Args:
        only: patterns of changes, as mutmut names them; all where left out.
        quiet: whether to keep mutmut's progress to oneself.

    Raises:
        SystemExit: mutmut cannot run, or the tests fail without a change; with what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        ignored = shutil.ignore_patterns("__pycache__", "quickstart", "dist", "build")
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=ignored)
        (folder / "setup.cfg").write_text(_CONFIGURATION)
        (folder / "pytest.ini").write_text(_PYTEST)
        _mutmut(folder, "run", *only, shown=not quiet)
        made, survived = 0, []
        for line in _mutmut(folder, "results", "--all", "true").splitlines():
            mutant, _, status = line.strip().partition(": ")
            if status and status != "not checked":
                made += 1
                survived += [mutant] if status != "killed" else []
        if not made:
            raise SystemExit(f"there is no change of that name: {' '.join(only)}")
        return Score(made, {each: _change(_mutmut(folder, "show", each)) for each in survived})


def _change(shown: str) -> str:
    return "\n".join(
        line
        for line in shown.splitlines()
        if line[:1] in ("+", "-") and not line.startswith(("+++", "---"))
    )


def _mutmut(folder: Path, *arguments: str, shown: bool = False) -> str:
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "mutmut", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)},
        stdout=None if shown else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(arguments)} failed\n{done.stdout or ''}")
    return done.stdout or ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="*", default=[], help="patterns of changes to make")
    parser.add_argument("--json", action="store_true", help="the score as JSON")
    given = parser.parse_args()
    start = time.monotonic()
    score = run(given.only, quiet=given.json or not sys.stdout.isatty())
    if given.json:
        told = {"made": score.made, "noticed": score.noticed, "survivors": score.survivors}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join([*score.lines(), "", f"{time.monotonic() - start:.0f} s\n"]))
    return 0 if score.noticed >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
