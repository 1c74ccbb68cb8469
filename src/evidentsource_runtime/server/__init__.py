"""The server: the platform's gRPC interface over the databases of one folder.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     with running(Settings(folder, grpc_port=0)) as server:
...         server.grpc.target.startswith("127.0.0.1:")
True
"""

from __future__ import annotations

from importlib.util import find_spec

for _needed in ("google", "google.rpc", "grpc", "grpc_health", "grpc_reflection", "jwt"):
    if find_spec(_needed) is None:
        raise ImportError(
            f"the server needs the package {_needed}, which is not installed; "
            "run: pip install 'evidentsource-functions[server]'"
        )

from evidentsource_runtime.server.serving import (  # noqa: E402 - the check comes first
    Server,
    Settings,
    running,
    serve,
)

__all__ = ["Server", "Settings", "running", "serve"]
