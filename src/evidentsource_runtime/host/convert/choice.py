"""Which codec a component gets: the packed one, unless it does not work here."""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

from evidentsource_core.domain.errors import InvalidValue
from evidentsource_runtime.host.convert.codec import Codec
from evidentsource_runtime.host.convert.packed.check import find_fault
from evidentsource_runtime.host.convert.packed.codec import PackedCodec
from evidentsource_runtime.host.convert.packed.sheet import Cells
from evidentsource_runtime.host.convert.shapes import Contract
from evidentsource_runtime.host.convert.stock import StockCodec
from evidentsource_runtime.host.limits import Limits

VARIABLE: Final = "EVIDENTSOURCE_CODEC"
"""The environment variable that forces a codec: ``packed`` or ``stock``."""

_log = logging.getLogger("evidentsource.host")


class _SelfCheck:
    """Whether the packed codec works here; found out once in a process, when first asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passes: bool | None = None

    def passes(self) -> bool:
        with self._lock:
            if self._passes is None:
                fault = find_fault()
                self._passes = fault is None
                if fault is not None:
                    _log.warning(
                        "values cross to components by wasmtime-py's own conversion, which gives the "
                        "same results and is slower; the packed codec failed its self-check: %s",
                        fault,
                    )
            return self._passes


_self_check = _SelfCheck()


def choose_codec(
    component: str, contract: Contract, limits: Limits, cells: Cells | None = None
) -> Codec:
    """The codec of a component.

    Args:
        component: its name, for messages.
        contract: its contract.
        limits: how large a value, and how long a decision may be.
        cells: where memory for large contents comes from; the components of a host share it.

    Raises:
        InvalidValue: the environment variable ``EVIDENTSOURCE_CODEC`` names no codec.
    """
    forced = os.environ.get(VARIABLE)
    if forced not in (None, "", "packed", "stock"):
        raise InvalidValue(VARIABLE, f"{forced!r} is no codec", "set it to packed or stock")
    if forced == "packed" or (forced != "stock" and _self_check.passes()):
        return PackedCodec(component, contract, limits, cells)
    return StockCodec(component, contract, limits)
