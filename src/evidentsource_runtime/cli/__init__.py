"""The command `evidentsource`."""

from evidentsource_runtime.cli.app import main

__all__ = ["main"]
