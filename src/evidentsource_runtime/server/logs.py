"""What a server writes into its log: lines for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

__all__ = ["JsonLines", "log_to_stderr"]

_FACTS: Final = ("call", "code", "reason", "subject", "seconds", "input_hash")


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, message, and the facts that came with it.

    >>> record = logging.LogRecord("evidentsource", logging.INFO, "", 0, "%s", ("stopped",), None)
    >>> json.loads(JsonLines().format(record))["message"]
    'stopped'
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        at = datetime.fromtimestamp(record.created, UTC)
        values: dict[str, Any] = {
            "time": at.isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        values |= {name: getattr(record, name) for name in _FACTS if hasattr(record, name)}
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False, default=str)


def log_to_stderr(
    level: Literal["debug", "info", "warning", "error"] = "info", *, as_json: bool = False
) -> None:
    """Have everything of this project from that level on written to stderr.

    Args:
        level: the least level; at ``debug`` every request is told.
        as_json: whether each line is a JSON object.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if as_json else text)
    logger = logging.getLogger("evidentsource")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
