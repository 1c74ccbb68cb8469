"""What `make test` leaves to `make whole`: the same tests again on further builds, which take minutes."""

from __future__ import annotations

import os

import pytest

WHOLE = bool(os.environ.get("EVIDENTSOURCE_WHOLE"))

whole = pytest.mark.skipif(not WHOLE, reason="a longer form of tests that run anyway: `make whole`")
"""Marks a test, or a parameter of one, of which `make test` runs a shorter form."""
