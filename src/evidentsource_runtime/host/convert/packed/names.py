"""Texts that are the same in every call, in memory that lives as long as a component's codec."""

from __future__ import annotations

import ctypes

from evidentsource_runtime.host.convert.packed.layout import CASE, NAME, STRING, VARIANT, VECTOR


class Names:
    """Names of fields, cases and attributes, each placed once.

    >>> len(Names()["seconds"])
    16
    """

    def __init__(self) -> None:
        self._placed: dict[str, tuple[int, int]] = {}
        self._kept: list[object] = []

    def __getitem__(self, name: str) -> bytes:
        """The vector of a name, as it stands before a field's value."""
        return NAME.pack(*self._place(name))

    def text(self, name: str) -> bytes:
        """A value: the name as a text."""
        return VECTOR.pack(STRING, *self._place(name))

    def case(self, name: str) -> bytes:
        """A value: the case of a variant, the address of its own value still open."""
        return CASE.pack(VARIANT, *self._place(name), 0)

    def _place(self, name: str) -> tuple[int, int]:
        if name not in self._placed:
            data = name.encode()
            memory = ctypes.create_string_buffer(data, len(data))
            self._kept.append(memory)
            self._placed[name] = len(data), ctypes.addressof(memory)
        return self._placed[name]
