"""What every test shares."""

import os

from hypothesis import settings

# A deadline measures the machine, not the code; a fixed seed makes a failure in one run a failure
# in the next.
settings.register_profile(
    "project", deadline=None, derandomize=True, print_blob=True, max_examples=50
)
# The same tests again on another Python: what differs there shows with few values.
settings.register_profile("brief", settings.get_profile("project"), max_examples=10)
settings.register_profile(
    "thorough", settings.get_profile("project"), max_examples=1_000, derandomize=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))
