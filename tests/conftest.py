"""What every test shares."""

from hypothesis import settings

# A deadline measures the machine, not the code; a fixed seed makes a failure in one run a failure
# in the next.
settings.register_profile("project", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("project")
