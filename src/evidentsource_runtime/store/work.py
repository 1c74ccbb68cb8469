"""What is to be written, and how its verdict gets to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final, Generic, TypeAlias, TypeVar

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.store.preparing import Prepared

T = TypeVar("T")

Told: TypeAlias = Callable[[], object]
"""Takes note that there is a verdict."""
Post: TypeAlias = Callable[[list[Told]], object]
"""Has these called where those are who wait, an event loop say. It must neither wait nor raise."""

_FEW: Final = 4


class Work(Generic[T]):
    """Something to be written, and its verdict.

    Args:
        run: writes it; a refusal that it raises leaves nothing written.
        atomic: whether ``run`` may fail after it has written something. The whole commit is undone
            then, and tried again without it.
        prepared: the transaction that it writes, if that is what it does.
        post: brings the verdict to where nobody waits with a thread.
        told: what is called there.
    """

    __slots__ = (
        *("_error", "_result", "_woken", "atomic", "decided", "leads"),
        *("post", "prepared", "run", "told"),
    )

    def __init__(
        self,
        run: Callable[[], T],
        *,
        atomic: bool = False,
        prepared: Prepared | None = None,
        post: Post | None = None,
        told: Told | None = None,
    ) -> None:
        self.run = run
        self.prepared = prepared
        self.atomic = atomic
        self.post = post
        self.told = told
        self.decided = False
        self.leads = False
        self._error: BaseException | None = None
        self._result: T | None = None
        self._woken: Lock | None = None

    def is_brief(self) -> bool:
        """Whether it is sure to be written in well under a millisecond."""
        prepared = self.prepared
        return (
            prepared is not None
            and not self.atomic
            and not prepared.conditions
            and len(prepared.columns) <= _FEW
        )

    def attempt(self) -> None:
        """Run it, and keep what comes of it. What might have left something written goes on up."""
        self._error = None
        try:
            self._result = self.run()
        except EvidentSourceError as error:
            if self.atomic:
                raise
            self._error = error

    def fail(self, error: BaseException) -> None:
        """The verdict is this error."""
        self._error = error
        self.decided = True

    def queue(self) -> None:
        """Make ready to wait, before anybody can see it."""
        self._woken = Lock()
        self._woken.acquire()

    def wait(self) -> None:
        """Wait for the verdict, or to be the one who writes."""
        if self._woken is not None:
            self._woken.acquire()

    def wake(self) -> None:
        """End the waiting."""
        if self._woken is not None and self._woken.locked():
            self._woken.release()

    def result(self) -> T:
        """What was decided."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # a verdict without error has a result


def tell(decided: Iterable[Work[object]]) -> None:
    """Let those know whose work is decided: each thread by itself, each event loop once."""
    posted: dict[Post, list[Told]] = {}
    for work in decided:
        if work.post is None or work.told is None:
            work.wake()
        else:
            posted.setdefault(work.post, []).append(work.told)
    for post, told in posted.items():
        post(told)
