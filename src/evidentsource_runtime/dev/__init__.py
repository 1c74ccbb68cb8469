"""The development loop: a project's rules served as they are written, again after every save."""

from evidentsource_runtime.dev.loop import DevLoop, Level
from evidentsource_runtime.dev.reports import Report

__all__ = ["DevLoop", "Level", "Report"]
