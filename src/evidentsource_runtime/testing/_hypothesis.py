"""What the kit uses of hypothesis; whoever lacks it reads what to install."""

from evidentsource_runtime.testing._extras import require

require("hypothesis", "properties, strategies and state machines")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402 - behind the check
from hypothesis import strategies as st  # noqa: E402

__all__ = ["HealthCheck", "Phase", "given", "settings", "st"]
