"""What the development loop tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from evidentsource_runtime.problems import Problem

__all__ = ["Report", "Tell"]


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that happened to one component, or to the project.

    Args:
        name: the component; empty for the project.
        what: "instant": its source serves; "built": the built component has taken over; "failed":
            it cannot be made, and what served before goes on serving; "ready": all is done.
        version: the version that it serves as.
        input_hash: what it was made of.
        seconds: how long it took, from when the change was seen.
        problems: why it failed.
    """

    name: str
    what: Literal["instant", "built", "failed", "ready"]
    version: int = 0
    input_hash: str = ""
    seconds: float = 0.0
    problems: tuple[Problem, ...] = field(default=())

    def __str__(self) -> str:
        if self.what == "failed":
            told = "\n".join(str(problem) for problem in self.problems)
            return f"{self.name or 'project'}: {told}\n  the last good version goes on serving"
        if self.what == "ready":
            return "watching; save a file, and it serves"
        how = "serves from source" if self.what == "instant" else "serves as built"
        where = f"{self.name}.v{self.version}"
        return f"{where} {how} ({self.input_hash[:12]}, {self.seconds:.2f} s)"


Tell: TypeAlias = Callable[[Report], None]
