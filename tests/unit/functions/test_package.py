"""What ``from evidentsource_functions import *`` brings, outside and inside of a component."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.platform = {platform!r}
from evidentsource_functions import *
print("MockDatabase" in globals(), "evidentsource_functions.testing" in sys.modules, Event.__name__)
"""


@pytest.mark.parametrize(
    ("platform", "printed"), [(sys.platform, "True True Event"), ("wasi", "False False Event")]
)
def test_a_star_import_brings_the_testing_kit_only_outside_of_components(
    platform: str, printed: str
) -> None:
    script = SCRIPT.format(platform=platform)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == printed
