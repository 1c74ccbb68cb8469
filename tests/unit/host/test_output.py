"""What components print is caught whole up to a cap, and no pipe of theirs is ever full or lost."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_runtime.host.output import FileStream, Kept, PipeStream

CAP = 1000
STREAMS = [PipeStream, FileStream]


@given(chunks=st.lists(st.binary(max_size=30)), cap=st.integers(2, 60))
def test_what_fits_is_kept_and_of_more_the_two_ends(chunks: list[bytes], cap: int) -> None:
    kept = Kept(cap)
    for chunk in chunks:
        kept.add(chunk)
    whole = b"".join(chunks)
    half = cap // 2
    if len(whole) <= 2 * half:
        expected = whole
    else:
        note = b"\n... %d bytes left out ...\n" % (len(whole) - 2 * half)
        expected = whole[:half] + note + whole[-half:]
    assert kept.take() == expected.decode("utf-8", "replace")
    assert kept.take() == ""


def writer(stream: PipeStream | FileStream) -> int:
    """A descriptor that writes to the stream, as the component's own would."""
    descriptor = os.open(stream.path, os.O_WRONLY)
    stream.opened()
    return descriptor


@pytest.mark.parametrize("kind", STREAMS)
def test_what_was_written_is_there_at_once(kind: type[PipeStream | FileStream]) -> None:
    stream = kind(CAP)
    descriptor = writer(stream)
    for number in range(50):
        os.write(descriptor, b"line %d\n" % number)
        assert stream.take() == f"line {number}\n"
    os.close(descriptor)
    stream.close()


@pytest.mark.parametrize("kind", STREAMS)
def test_more_than_a_pipe_holds_can_be_written_before_anybody_looks(
    kind: type[PipeStream | FileStream],
) -> None:
    stream = kind(CAP)
    descriptor = writer(stream)
    thread = threading.Thread(
        target=lambda: [os.write(descriptor, b"x" * 1000) for _ in range(1000)], daemon=True
    )
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    text = stream.take()
    assert text.startswith("x" * 500 + "\n... 999000 bytes left out ...\nx")
    os.close(descriptor)
    stream.close()


@pytest.mark.parametrize("kind", STREAMS)
def test_closing_gives_everything_back(kind: type[PipeStream | FileStream]) -> None:
    before = descriptors()
    stream = kind(CAP)
    path = Path(stream.path)
    os.close(writer(stream))
    stream.close()
    if kind is FileStream:
        assert not path.exists()
    assert eventually(lambda: descriptors() == before)


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/dev/fd").iterdir()))


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_a_pipe_that_nobody_closed_is_closed_when_its_component_is_gone() -> None:
    before = descriptors()
    descriptor = writer(PipeStream(CAP))
    assert descriptors() > before
    os.close(descriptor)
    assert eventually(lambda: descriptors() == before)
