"""What goes wrong in a build. Every error carries a stable code, the place, and what to do instead."""

from __future__ import annotations

from evidentsource_runtime.problems import Problem, ProblemError


class BuildError(ProblemError):
    """The root of every error of a build; nothing was written to the output.

    `problems` has everything that was found; `code`, `file`, `line` and `hint` are those of the
    first.
    """

    code = "build-error"


class TargetNotFound(BuildError):
    """The module or file to build does not exist."""

    code = "target-not-found"


class PreflightFailed(BuildError):
    """The sources cannot become a component; found before building."""

    code = "preflight-failed"


class DependencyError(BuildError):
    """A dependency that was named for the build is not installed, or cannot go into a component."""

    code = "dependency-error"


class ContractError(BuildError):
    """The contract, `decider.wit`, is missing or has no such world."""

    code = "contract-error"


class ManifestError(BuildError):
    """`[tool.evidentsource]` in `pyproject.toml` is wrong."""

    code = "manifest-error"


class OutputError(BuildError):
    """The output cannot be written."""

    code = "output-error"


class ComponentizeFailed(BuildError):
    """componentize-py could not make the component.

    Args:
        problem: what failed, with the user's file and line where they are known.
        guest_traceback: the traceback of the Python inside the component, its paths led back to
            the user's files; empty where the tool failed before it ran any.
    """

    code = "componentize-failed"

    def __init__(self, problem: Problem, guest_traceback: str = "") -> None:
        super().__init__(problem)
        self.guest_traceback = guest_traceback
