"""The server: the platform's gRPC interface over the databases of one folder.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     with running(Settings(folder, grpc_port=0)) as server:
...         server.grpc.target.startswith("127.0.0.1:")
True
"""

from __future__ import annotations

try:
    import google.rpc  # noqa: F401 - whether they are there is all that is asked
    import grpc  # noqa: F401
    import grpc_health  # noqa: F401
    import grpc_reflection  # noqa: F401
    import jwt  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"the server needs {error.name}, which is not installed; "
        "run: pip install 'evidentsource-functions[server]'"
    ) from error

from evidentsource_runtime.server.serving import Server, Settings, running, serve

__all__ = ["Server", "Settings", "running", "serve"]
