from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from evidentsource_runtime.server import Server


@pytest.fixture(scope="session")
def web(server: Server) -> Iterator[httpx.Client]:
    assert server.http is not None
    with httpx.Client(base_url=server.http.url, timeout=30.0) as client:
        yield client
