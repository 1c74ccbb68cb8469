"""A star import into a test module leaves pytest nothing to collect, and nothing to warn of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import evidentsource_functions

SOURCE = Path(evidentsource_functions.__file__).parents[1]


IMPORTS = (
    "from evidentsource_functions import *",
    "from evidentsource_functions.testing import *",
    "from evidentsource_functions import TestEventBuilder, test_event, test_stored_event",
    "from evidentsource_functions.testing import TestEventBuilder, test_event",
)


def test_only_the_modules_own_tests_are_collected(tmp_path: Path) -> None:
    for number, imports in enumerate(IMPORTS):
        (tmp_path / f"test_mine_{number}.py").write_text(
            f"{imports}\n\n\ndef test_mine():\n    from evidentsource_functions import test_event\n"
            "    assert test_event('opened', 'a-1').subject == 'a-1'\n"
        )
    paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(IMPORTS)} passed in" in run.stdout
    assert "warning" not in run.stdout.lower()
