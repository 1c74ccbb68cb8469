"""The slot: found once and whole, filled, emptied again, and never mistaken."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_functions.wasm import _slot
from evidentsource_runtime.artifact import BuildFacts, slot, with_facts

EMPTY = bytes(_slot.noise())
PREAMBLE = b"\0asm\x0d\0\x01\0"


def custom(content: bytes) -> bytes:
    body = b"\x01x" + content
    size, encoded = len(body), b""
    while True:
        size, byte = size >> 7, size & 0x7F
        encoded += bytes([byte | (0x80 if size else 0)])
        if not size:
            return b"\x00" + encoded + body


BASE = PREAMBLE + custom(b"before" + EMPTY + b"after")


@given(st.binary(max_size=2000))
@settings(max_examples=20, deadline=None)
def test_a_filled_component_is_its_base_and_the_content(content: bytes) -> None:
    component = slot.fill(BASE, content)
    assert len(component) == len(BASE)
    assert slot.split(component) == slot.Filled(BASE, content)


def test_the_facts_of_a_build_are_not_part_of_the_base() -> None:
    facts = BuildFacts("0" * 64, "state-view", "view")
    assert slot.split(with_facts(slot.fill(BASE, b"x"), facts)) == slot.Filled(BASE, b"x")


def test_a_full_slot_is_found_again() -> None:
    content = b"\xff" * slot.CAPACITY
    assert slot.split(slot.fill(BASE, content)) == slot.Filled(BASE, content)


def test_more_than_the_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="262,065 bytes do not fit into 262,064"):
        slot.fill(BASE, b"x" * (slot.CAPACITY + 1))


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(EMPTY[:-1], id="cut off"),
        pytest.param(EMPTY + EMPTY, id="twice"),
        pytest.param(slot.fill(EMPTY, b"x"), id="filled already"),
    ],
)
def test_a_file_without_exactly_one_empty_slot_cannot_be_filled(file: bytes) -> None:
    with pytest.raises(ValueError, match="slot"):
        slot.fill(file, b"x")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data, id="an empty slot"),
        pytest.param(lambda data: slot.fill(data, b"x") + custom(EMPTY), id="a second slot"),
        pytest.param(
            lambda data: slot.fill(data, b"xyz").replace(b"xyz", b"xyZ"), id="another content"
        ),
        pytest.param(
            lambda data: slot.fill(data, b"x").replace(EMPTY[100:200], b"-" * 100), id="no noise"
        ),
        pytest.param(lambda data: slot.fill(data, b"x")[: len(data) // 2], id="cut off"),
        pytest.param(lambda _: b"", id="nothing"),
    ],
)
def test_what_is_no_base_with_one_whole_filled_slot_is_not_taken_for_one(change: object) -> None:
    assert callable(change)
    assert slot.split(change(BASE)) is None


def test_a_changed_byte_outside_of_the_slot_is_another_base() -> None:
    found = slot.split(slot.fill(BASE, b"x").replace(b"after", b"aftEr"))
    assert found is not None
    assert found.base != BASE


def test_every_python_makes_the_same_noise() -> None:

    digest = hashlib.sha256(EMPTY).hexdigest()
    assert digest == "41860a6767011f62be750d22d94fca8db23a3a04612f0c174c8e2554b5aed7a2"
