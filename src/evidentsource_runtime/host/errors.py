"""What can go wrong with a component, as one family of errors.

>>> error = ComponentLimitError("summary", "content", 2_097_152, 3_000_000)
>>> (error.code, str(error))
('component-limit-error', 'summary: content: 3,000,000 bytes are over the limit of 2,097,152 bytes')
"""

from __future__ import annotations

from typing import ClassVar

from evidentsource_core.domain.errors import EvidentSourceError


class ComponentError(EvidentSourceError):
    """Something is wrong with a component, or with what it was given or gave back.

    Attributes:
        component: the component's name, as it was loaded.
        reason: what happened, in one line.
        guest_traceback: what the component wrote to its stderr, capped, with the paths of its files
            led back to the user's where that is known; empty where it wrote nothing. It is a note of
            the exception too, so Python prints it below the host's own traceback.
    """

    code: ClassVar[str] = "component-error"

    def __init__(
        self, component: str, reason: str, *, guest_traceback: str = "", hint: str | None = None
    ) -> None:
        super().__init__(f"{component}: {reason}" + (f"; {hint}" if hint else ""))
        self.component = component
        self.reason = reason
        self.guest_traceback = guest_traceback
        self.hint = hint
        if guest_traceback:
            self.add_note(f"From inside the component {component}:\n{guest_traceback}")


class ComponentLoadError(ComponentError):
    """The file is no component that this host can run; nothing was kept of it."""

    code = "component-load-error"


class ComponentTrap(ComponentError):
    """The component failed in the middle of a call. Its instance is gone; the next call is unharmed.

    ``trap`` is wasmtime's own word for it; ``silent`` tells that the component left none of its own.
    wasmtime's list of WebAssembly frames goes to the component's logger, at level DEBUG.
    """

    code = "component-trap"

    def __init__(
        self,
        component: str,
        reason: str,
        *,
        trap: str = "",
        guest_traceback: str = "",
        silent: bool = False,
    ) -> None:
        super().__init__(component, reason, guest_traceback=guest_traceback)
        self.trap = trap
        self.silent = silent


class ComponentExit(ComponentTrap):
    """The component ended itself, as ``sys.exit`` does, instead of answering."""

    code = "component-exit"

    def __init__(self, component: str, status: int, *, guest_traceback: str = "") -> None:
        super().__init__(
            component,
            f"it called exit (status {status}); a component answers by returning or raising",
            trap="exit",
            guest_traceback=guest_traceback,
        )
        self.status = status


class _FieldError(ComponentError):
    def __init__(self, component: str, field: str, reason: str) -> None:
        super().__init__(component, f"{field}: {reason}")
        self.field = field


class ComponentOutputError(_FieldError):
    """The component gave a value that means nothing in the domain; ``field`` is the path to it."""

    code = "component-output-error"


class ComponentInputError(_FieldError):
    """A value cannot be handed to this component; ``field`` is the path to it."""

    code = "component-input-error"


class ComponentLimitError(ComponentError):
    """A call took more than it may, or a value is too large to cross the boundary.

    ``limit`` names what is limited: ``time``, ``memory``, ``stack``, ``memories``, or the path to a
    value. ``allowed`` and ``reached`` are counted in ``unit``; ``reached`` is None where only
    wasmtime knows it.
    """

    code = "component-limit-error"

    def __init__(
        self,
        component: str,
        limit: str,
        allowed: float,
        reached: float | None,
        unit: str = "bytes",
        *,
        guest_traceback: str = "",
    ) -> None:
        amount = "" if reached is None else f"{reached:,} {unit} are "
        super().__init__(
            component,
            f"{limit}: {amount}over the limit of {allowed:,} {unit}",
            guest_traceback=guest_traceback,
        )
        self.limit = limit
        self.allowed = allowed
        self.reached = reached
        self.unit = unit


class HostCallError(ComponentError):
    """The database failed in a way it does not announce while the component was using it.

    ``operation`` is what the component had called; ``__cause__`` is the database's own exception.
    """

    code = "host-call-error"

    def __init__(self, component: str, operation: str, cause: BaseException) -> None:
        super().__init__(component, f"{operation}: {type(cause).__name__}: {cause}")
        self.operation = operation
