"""What is to be written, and how its verdict gets to whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_runtime.store.preparing import Prepared

if TYPE_CHECKING:
    from evidentsource_runtime.store.writing import Also, Writer

T = TypeVar("T")

Told: TypeAlias = Callable[[], object]
"""Takes note that there is a verdict."""
Post: TypeAlias = Callable[[list[Told]], object]
"""Has these called where those are who wait, an event loop say. It must neither wait nor raise."""

FEW: Final = 4
"""Events that are sure to be written in well under a millisecond, if there are no conditions."""


def are_brief(group: Sequence[Work[object]], prepared: Sequence[Prepared]) -> bool:
    """Whether all of it is sure to be written so soon that others can wait for it.

    Args:
        group: what is to be written.
        prepared: the transactions among it.
    """
    # In loops that run in C, since each commit of many asks.
    return (
        len(prepared) == len(group)
        and not any(map(_ALSO, group))
        and not any(map(_CONDITIONS, prepared))
        and max(map(len, map(_COLUMNS, prepared)), default=0) <= FEW
    )


_ALSO = attrgetter("also")
_CONDITIONS, _COLUMNS = attrgetter("conditions"), attrgetter("columns")


class Work(Generic[T]):
    """Something to be written, and its verdict.

    Args:
        run: writes it, if it is no transaction. It may fail after it has written something: the whole
            commit is undone then, and tried again without it.
        prepared: the transaction that it writes, if it is one; a refusal leaves nothing written.
        also: what else is written with that, and may fail as ``run`` may.
        post: brings the verdict to where nobody waits with a thread.
        told: what is called there.
    """

    __slots__ = (
        *("_error", "_result", "_run", "_woken", "also", "decided", "leads"),
        *("post", "prepared", "told"),
    )

    def __init__(
        self,
        run: Callable[[], T] | None = None,
        prepared: Prepared | None = None,
        also: Also | None = None,
        post: Post | None = None,
        told: Told | None = None,
    ) -> None:
        self._run = run
        self.prepared = prepared
        self.also = also
        self.post = post
        self.told = told
        self.decided = False
        self.leads = False
        self._error: BaseException | None = None
        self._result: object = None
        self._woken: Lock | None = None

    def attempt(self, writer: Writer) -> None:
        """Write it, and keep what comes of it. What might have left something written goes on up."""
        self._error = None
        prepared = self.prepared
        try:
            if prepared is not None:
                self._result = writer.write(prepared, self.also)
            elif self._run is not None:
                self._result = self._run()
        except EvidentSourceError as error:
            if prepared is None or self.also is not None:
                raise
            self._error = error

    def fail(self, error: BaseException) -> None:
        """The verdict is this error."""
        self._error = error
        self.decided = True

    def queue(self) -> None:
        """Make ready to wait, before anybody can see it."""
        self._woken = woken = Lock()
        woken.acquire()

    def wait(self) -> None:
        """Wait for the verdict, or to be the one who writes."""
        if self._woken is not None:
            self._woken.acquire()

    def wake(self) -> None:
        """End the waiting."""
        woken = self._woken
        if woken is not None and woken.locked():
            woken.release()

    def result(self) -> T:
        """What was decided."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # a verdict without error has a result


def tell(decided: Iterable[Work[object]]) -> None:
    """Let those know whose work is decided: each thread by itself, each event loop once."""
    posted: dict[Post, list[Told]] = {}
    for work in decided:
        if work.post is None:
            work.wake()
        elif work.told is not None:
            posted.setdefault(work.post, []).append(work.told)
    for post, told in posted.items():
        post(told)
