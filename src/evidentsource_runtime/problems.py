"""The root of what goes wrong around a component, with the place and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidentsource_core.domain.errors import EvidentSourceError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    Args:
        code: stable across releases; programs match on it.
        message: what is wrong, in one sentence.
        file: the file that it is wrong in.
        line: the line in that file, from 1.
        hint: what to do instead.

    Example:
        >>> print(Problem("missing-module", "no module named 'cattrs'", Path("view.py"), 3, "name it"))
        view.py:3: no module named 'cattrs'
          hint: name it
    """

    code: str
    message: str
    file: Path | None = None
    line: int | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """Return the problem as it is shown to a person, the place first."""
        place = ""
        if self.file is not None:
            place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"

    def as_json(self) -> dict[str, Any]:
        """Return the problem as JSON values; what is not known is left out."""
        facts = {
            "code": self.code,
            "message": self.message,
            "file": None if self.file is None else str(self.file),
            "line": self.line,
            "hint": self.hint,
        }
        return {key: value for key, value in facts.items() if value is not None}


class ProblemError(EvidentSourceError):
    """One or more problems that stop the work.

    The attributes `code`, `file`, `line` and `hint` are those of the first problem; `problems` has
    them all.

    Example:
        >>> error = ProblemError(Problem("empty-file", "the file is empty", Path("x.wasm")))
        >>> error.code, error.file
        ('empty-file', PosixPath('x.wasm'))
    """

    code = "problem"

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        first = problems[0]
        # An instance's own code hides the class's: one class stands for many kinds of problem.
        self.__dict__["code"] = first.code
        self.file = first.file
        self.line = first.line
        self.hint = first.hint
