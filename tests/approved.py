"""Texts that somebody has read and approved: kept as plain files beside the tests.

A text that changed fails its test. ``APPROVE=1 python -m pytest PATH`` writes what the tests found
instead; what changed then stands in the diff, to be read before it is committed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def assert_approved(text: str, file: Path) -> None:
    """Compare a text with its approved file; the places of lines in our own files are left open."""
    text = re.sub(r"(\S+\.py):\d+ in", r"\1:LINE in", text).replace(f"{ROOT}{os.sep}", "")
    text = text.rstrip() + "\n"
    if os.environ.get("APPROVE"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return
    approved = file.read_text("utf-8") if file.is_file() else "(nothing was approved yet)\n"
    assert text == approved, f"approve it with APPROVE=1: {file.relative_to(ROOT)}"
