"""The code of the state views and state changes that the contract publishes.

Each is a module as a user writes it, and so can be run as it is, handed to a sandbox as text, or
built as a component: whichever the database under test asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidentsource_functions import create_state_change_handler, create_state_view_handler
from evidentsource_functions.state_change import StateChangeHandler
from evidentsource_functions.state_view import StateViewHandler
from evidentsource_runtime.contract.programs import obeying_change, seen_view

__all__ = ["OBEYING", "SEEN", "ChangeProgram", "ViewProgram"]


@dataclass(frozen=True, slots=True)
class ViewProgram:
    """The code of a state view.

    Attributes:
        module: the module's name, from which a component can be built.
        path: the module's file.
        evolve: the same as a Python function.
    """

    module: str
    path: Path
    evolve: StateViewHandler


@dataclass(frozen=True, slots=True)
class ChangeProgram:
    """The code of a state change.

    Attributes:
        module: the module's name, from which a component can be built.
        path: the module's file.
        decide: the same as a Python function.
    """

    module: str
    path: Path
    decide: StateChangeHandler


SEEN: Final = ViewProgram(
    seen_view.__name__, Path(seen_view.__file__), create_state_view_handler(seen_view.Seen)
)
"""A view that tells which events it was given, in which order, and all of the last one."""

OBEYING: Final = ChangeProgram(
    obeying_change.__name__,
    Path(obeying_change.__file__),
    create_state_change_handler(obeying_change.Order, obeying_change.decide),
)
"""A change that decides what its command tells it to, and writes down what it was given."""
