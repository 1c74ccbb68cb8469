"""The platform's HTTP interface: JSON and CloudEvents to and from the service, nothing decided here."""

from evidentsource_runtime.server.http.server import HttpInterface

__all__ = ["HttpInterface"]
