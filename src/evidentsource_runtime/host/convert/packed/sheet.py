"""Memory of our own that values are packed into; wasmtime reads it and never frees it.

A :class:`Sheet` holds what one call needs. Whatever a value points to is placed before the value, so
an address is known when it is written and nothing is patched up afterwards.
"""

from __future__ import annotations

import ctypes
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from types import TracebackType
from typing import Final, Self

from evidentsource_runtime.host.convert.packed.layout import (
    PAYLOAD,
    PAYLOAD_DATA,
    SCALAR,
    STRING,
    U8,
    VALUE_SIZE,
    VECTOR,
    WORD,
)

_PAGE: Final = 4096
_CELL: Final = SCALAR.pack(U8, 0)
_FEW_CELLS: Final = 4096
"""Memory for so few bytes costs nothing to get anew."""


class Cells:
    """Memory for ``list<u8>``, of which each byte takes a value of 32 bytes.

    Getting so much memory costs several times what filling it does, so one piece is kept for the
    next call. Any thread may take it: whoever comes second gets a new one.

    Args:
        keep: the largest piece that is kept, in bytes of content.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep * VALUE_SIZE
        self._spare: deque[bytearray] = deque(maxlen=1)

    def take(self, count: int) -> bytearray:
        """Memory for at least ``count`` cells, each of them already marked as a ``u8``."""
        if count > _FEW_CELLS:
            try:
                spare = self._spare.pop()
            except IndexError:
                pass
            else:
                if len(spare) >= count * VALUE_SIZE:
                    return spare
        return bytearray(_CELL) * count

    def give_back(self, cells: bytearray) -> None:
        """Keep ``cells`` for the next call, if they are worth it."""
        if _FEW_CELLS * VALUE_SIZE < len(cells) <= self._keep:
            self._spare.append(cells)


class Sheet:
    """The memory of one call, to be used in a ``with`` block that ends after the call.

    Args:
        cells: where memory for ``list<u8>`` comes from.
    """

    __slots__ = ("_at", "_base", "_cells", "_kept", "_page", "_taken")

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._taken: list[bytearray] = []
        self._kept: list[object] = []
        self._page = bytearray(_PAGE)
        self._base = self.pin(self._page)
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._kept.clear()
        for cells in self._taken:
            self._cells.give_back(cells)
        self._taken.clear()

    def place(self, data: bytes) -> int:
        """Put ``data`` somewhere; its address."""
        size = len(data)
        if size > _PAGE // 4:
            return self.pin(bytearray(data))
        at = self._at
        if at + size > _PAGE:
            self._page = bytearray(_PAGE)
            self._base = self.pin(self._page)
            at = 0
        self._page[at : at + size] = data
        # Up to the boundary of a word, which values need.
        self._at = (at + size + WORD - 1) & -WORD
        return self._base + at

    def keep(self, thing: object) -> None:
        """Keep something alive that a value points to."""
        self._kept.append(thing)

    def pin(self, buffer: bytearray) -> int:
        """Keep ``buffer``, which has at least one byte, where it is; its address."""
        pinned = ctypes.c_char.from_buffer(buffer)
        self._kept.append(pinned)
        return ctypes.addressof(pinned)

    def text(self, text: str) -> bytes:
        """A value: a text."""
        data = text.encode()
        return VECTOR.pack(STRING, len(data), self.place(data))

    def texts(self, column: Sequence[str]) -> tuple[array[int], array[int]]:
        """Texts in UTF-8, one right behind the other: the size and the address of each."""
        joined = "".join(column)
        data = joined.encode()
        # Where every character took one byte, the texts need not be encoded one by one.
        one_each = len(data) == len(joined)
        sizes = array("Q", map(len, column if one_each else map(str.encode, column)))
        addresses = array("Q", accumulate(sizes, initial=self.place(data)))
        addresses.pop()
        return sizes, addresses

    def bytes_list(self, content: bytes) -> int:
        """The elements of a ``list<u8>``; their address."""
        count = len(content)
        if not count:
            return self._base
        cells = self._cells.take(count)
        self._taken.append(cells)
        cells[PAYLOAD : count * VALUE_SIZE : VALUE_SIZE] = content
        return self.pin(cells)

    def rows(self, template: bytes, count: int) -> Rows:
        """``count`` rows, at least one, each of them a copy of ``template``."""
        return Rows(self, bytearray(template) * count, len(template))


class Rows:
    """Equal rows of memory, side by side; a column of all of them is written at once.

    Offsets are those of a word in a row, in bytes.

    Args:
        sheet: what keeps the memory.
        buffer: the memory, with whatever the rows have in common.
        size: bytes in a row.
    """

    __slots__ = ("_count", "_sheet", "_size", "_stride", "_words", "base")

    def __init__(self, sheet: Sheet, buffer: bytearray, size: int) -> None:
        self.base = sheet.pin(buffer)
        self._sheet = sheet
        self._words = memoryview(buffer).cast("Q")
        self._size = size
        self._stride = size // WORD
        self._count = len(buffer) // size

    def addresses(self, offset: int = 0) -> range:
        """Where the byte at ``offset`` of each row is."""
        first = self.base + offset
        return range(first, first + self._count * self._size, self._size)

    def fill(self, offset: int, column: Iterable[int], code: str = "Q") -> None:
        """Write a word of each row; with the code ``q``, numbers with a sign."""
        words = memoryview(array(code, column))
        if code != "Q":
            words = words.cast("B").cast("Q")
        self._words[offset // WORD :: self._stride] = words

    def fill_texts(self, offset: int, column: Sequence[str]) -> None:
        """Write the text whose value stands at ``offset`` of each row."""
        sizes, addresses = self._sheet.texts(column)
        self.fill(offset + PAYLOAD, sizes)
        self.fill(offset + PAYLOAD_DATA, addresses)

    def put(self, row: int, offset: int, number: int) -> None:
        """Write a word of one row."""
        self._words[row * self._stride + offset // WORD] = number

    def elements(self, kind: int, size: int) -> int:
        """A list of values (records or tuples of ``size`` parts), one for each row; its address."""
        elements = self._sheet.rows(VECTOR.pack(kind, size, 0), self._count)
        elements.fill(PAYLOAD_DATA, self.addresses())
        return elements.base
