"""Engines for which every call runs beside others."""

from __future__ import annotations

from evidentsource_runtime.host.engines import Engines


class NeverAlone(Engines):
    """Takes a slot of the pool for every instance, as long as there are slots."""

    def take(self, nested: int) -> bool:
        """Take a slot, as where other threads call as well."""
        return super().take(min(nested, -1))
