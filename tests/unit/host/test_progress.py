"""A person at a terminal is told that a component is compiled; nobody else is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from evidentsource_runtime.host import CompileProgress, ComponentLoadError, Host
from evidentsource_runtime.host.progress import TerminalProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, *moments: tuple[float, bool]) -> str:
    progress = TerminalProgress(stream)
    for seconds, done in moments:
        progress(CompileProgress("summary", seconds, done))
    return stream.getvalue()


def test_what_takes_long_is_told_and_the_line_is_gone_when_it_is_done() -> None:
    text = told(Terminal(), (0.0, False), (2.25, False), (3.0, True))
    assert text == "\r\x1b[2Ksummary: compiling, once on this machine: 2 s\r\x1b[2K"


def test_what_takes_no_time_leaves_no_trace() -> None:
    assert not told(Terminal(), (0.0, False), (0.1, True))


def test_nothing_is_written_where_nobody_looks() -> None:
    assert not told(io.StringIO(), (0.0, False), (2.0, False), (3.0, True))


def test_a_host_tells_the_terminal_unless_it_is_given_something_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("evidentsource_runtime.host.progress._PATIENCE", 0.0)
    component = bytes(wat2wasm("(component)"))
    for host, said in ((Host(tmp_path, progress=None), ""), (Host(tmp_path), "other: compiling")):
        with pytest.raises(ComponentLoadError):
            host.load(component, name="other")
        assert said in terminal.getvalue()
        assert bool(said) == bool(terminal.getvalue())
