from __future__ import annotations

from evidentsource_runtime.cli.app import make_app
from tests.docs.cli_reference import COMMANDS, REFERENCE, reference


def test_the_reference_is_what_the_commands_say() -> None:
    told = REFERENCE.read_text(encoding="utf-8")
    assert told == reference(), "run: python -m tests.docs.cli_reference"


def test_every_command_is_in_the_reference() -> None:
    app = make_app()
    names: set[tuple[str, ...]] = {(name,) for name in app if not name.startswith("-")}
    names |= {("cache", name) for name in app["cache"] if not name.startswith("-")}
    assert names == set(COMMANDS) - {()}


def test_every_command_and_option_is_explained() -> None:
    for line in reference().splitlines():
        if line.startswith("│ --"):
            assert len(line.strip("│ ").split("  ")) > 1, line
