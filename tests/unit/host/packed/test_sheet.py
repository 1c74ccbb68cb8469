"""Memory of our own: where things are placed, and what becomes of it after a call."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidentsource_runtime.host.convert.abi import MEMORY
from evidentsource_runtime.host.convert.packed.layout import PAYLOAD, U8, VALUE_SIZE
from evidentsource_runtime.host.convert.packed.sheet import Cells, Rows, Sheet


def at(address: int, size: int) -> bytes:
    return MEMORY[address : address + size].tobytes()


@given(parts=st.lists(st.binary(max_size=3000), max_size=20))
def test_everything_placed_stays_what_it_was_at_the_boundary_of_a_word(parts: list[bytes]) -> None:
    with Sheet(Cells(0)) as sheet:
        addresses = [sheet.place(part) for part in parts]
        assert [
            at(address, len(part)) for address, part in zip(addresses, parts, strict=True)
        ] == parts
        assert all(address % 8 == 0 for address in addresses)


@given(column=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_texts_of_a_column_lie_where_they_are_said_to(column: list[str]) -> None:
    with Sheet(Cells(0)) as sheet:
        sizes, addresses = sheet.texts(column)
        found = [at(*place).decode() for place in zip(addresses, sizes, strict=True)]
        assert found == column


@given(content=st.binary(max_size=5000))
def test_each_byte_of_a_list_is_a_value(content: bytes) -> None:
    with Sheet(Cells(0)) as sheet:
        cells = at(sheet.bytes_list(content), len(content) * VALUE_SIZE)
        assert cells[::VALUE_SIZE] == bytes([U8]) * len(content)
        assert cells[PAYLOAD::VALUE_SIZE] == content


def test_a_column_of_rows_is_written_into_each_row_and_nowhere_else() -> None:
    with Sheet(Cells(0)) as sheet:
        rows = sheet.rows(bytes(24), 3)
        rows.fill(8, [1, 2, 3])
        rows.fill(16, [-1, -2, -3], "q")
        rows.put(1, 0, 9)
        words = [int.from_bytes(at(rows.base + 8 * n, 8), "little", signed=True) for n in range(9)]
        assert words == [0, 1, -1, 9, 2, -2, 0, 3, -3]
        assert list(rows.addresses(8)) == [rows.base + 8, rows.base + 32, rows.base + 56]


def test_a_column_of_another_length_is_refused() -> None:
    with Sheet(Cells(0)) as sheet, pytest.raises(ValueError, match="different"):
        Rows(sheet, bytearray(32), 16).fill(0, [1])


def test_memory_for_large_contents_is_used_again_and_never_by_two_at_once() -> None:
    cells = Cells(keep=10_000)
    with Sheet(cells) as first:
        place = first.bytes_list(bytes(9_000))
    with Sheet(cells) as second, Sheet(cells) as third:
        assert second.bytes_list(b"\x07" * 8_000) == place
        assert third.bytes_list(bytes(8_000)) != place


def test_memory_beyond_what_may_be_kept_is_given_back_to_python() -> None:
    cells = Cells(keep=5_000)
    with Sheet(cells) as sheet:
        sheet.bytes_list(bytes(6_000))
    gc.collect()
    assert not [held for held in gc.get_referents(cells._spare) if isinstance(held, bytearray)]
    assert not cells._spare
