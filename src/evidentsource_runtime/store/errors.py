"""What can go wrong with a store, as one family of errors; each names the file and the fix.

What the platform itself refuses (conditions that do not hold, ids used twice, events that break the
rules) is not among these: a store raises the errors of ``evidentsource_core`` for that.

>>> error = StoreInUse("bank.db", "process 17")
>>> (error.code, error.path)
('store-in-use', 'bank.db')
"""

from __future__ import annotations

from typing import ClassVar

from evidentsource_core.domain.errors import DatabaseError


class StoreError(DatabaseError):
    """The root: a store could not do what it was asked to.

    Attributes:
        path: the file, as it was named when it was opened.
        reason: what happened, in one line.
        hint: what to do, where something can be done.
    """

    code: ClassVar[str] = "store-error"

    def __init__(self, path: str, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{path}: {reason}" + (f"; {hint}" if hint else ""))
        self.path = path
        self.reason = reason
        self.hint = hint


# --- opening -----------------------------------------------------------------------------------


class StoreNotFound(StoreError):
    """There is no such file, and it was not to be made."""

    code = "store-not-found"

    def __init__(self, path: str, reason: str = "there is no such file") -> None:
        super().__init__(path, reason, "open it for writing once, which makes it")


class ForeignFile(StoreError):
    """The file holds something else; nothing in it was changed."""

    code = "foreign-file"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason, "name a file of this store, or one that does not exist yet")


class WrongDatabase(StoreError):
    """The file is a store, but of another database or host than was asked for."""

    code = "wrong-database"

    def __init__(self, path: str, field: str, found: str, wanted: str) -> None:
        super().__init__(
            path,
            f"its {field} is {found!r}, not {wanted!r}",
            f"leave {field} out to open what is there, or name another file",
        )
        self.field = field
        self.found = found
        self.wanted = wanted


class NewerStore(StoreError):
    """A newer version of this project wrote the file; nothing in it was changed."""

    code = "newer-store"

    def __init__(self, path: str, module: str, found: int, known: int) -> None:
        super().__init__(
            path,
            f"its schema {module!r} is at version {found}, and this release knows versions up to "
            f"{known}",
            "open it with the release that wrote it, or a later one",
        )
        self.module = module
        self.found = found
        self.known = known


class OlderStore(StoreError):
    """The file has to be brought to this release's schema, which reading alone must not do."""

    code = "older-store"

    def __init__(self, path: str, module: str, found: int, known: int) -> None:
        super().__init__(
            path,
            f"its schema {module!r} is at version {found}, and this release reads version {known}",
            "open it once for writing, which brings it up to date",
        )
        self.module = module
        self.found = found
        self.known = known


class StoreInUse(StoreError):
    """The file is open for writing elsewhere: in another process, or a second time in this one."""

    code = "store-in-use"

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(
            path,
            f"it is open for writing in {holder}",
            'close it there, or open it here with mode="read"',
        )
        self.holder = holder


# --- using -------------------------------------------------------------------------------------


class StoreReadOnly(StoreError):
    """The store, its file or its folder cannot be written."""

    code = "store-read-only"

    def __init__(self, path: str, reason: str, hint: str | None = None) -> None:
        super().__init__(path, reason, hint or 'to read only, open it with mode="read"')


class StoreClosed(StoreError):
    """The store was closed."""

    code = "store-closed"

    def __init__(self, path: str) -> None:
        super().__init__(path, "the store is closed", "open it again")


class TargetExists(StoreError):
    """A copy was to be written where there is a file already; that file was left as it is."""

    code = "file-exists"

    def __init__(self, path: str) -> None:
        super().__init__(path, "there is a file already", "name another file, or remove it first")


class StoreForked(StoreError):
    """The process was forked after the store was opened; what is open in a parent is not its child's."""

    code = "store-forked"

    def __init__(self, path: str) -> None:
        super().__init__(
            path,
            "it was opened before this process was forked",
            "open it in the child, and fork before you open",
        )


class StoreBusy(StoreError):
    """Another program kept the file locked for longer than a request waits."""

    code = "store-busy"

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(
            path,
            f"another program has kept it locked for {seconds:g} seconds",
            "end that program's transaction and ask again",
        )


class StoreFull(StoreError):
    """There is no room left on the disk. Nothing of the transaction was written; reads go on."""

    code = "store-full"

    def __init__(self, path: str) -> None:
        super().__init__(path, "the disk is full", "make room and send the transaction again")


class StoreIOError(StoreError):
    """The disk failed while it was read or written. Nothing of a refused transaction was kept."""

    code = "store-io-error"


class CommitUncertain(StoreIOError):
    """The disk failed in the very moment a transaction was made durable.

    It is not in the database now, but it may be there after a crash: what had reached the disk by
    then is not known. With its transaction id the question can be asked again without harm.
    """

    code = "commit-uncertain"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            path,
            f"the disk failed during a commit, whose outcome is not known: {reason}",
            "send the transaction again with the same transaction id",
        )


class DamagedStore(StoreError):
    """The file's content is damaged. What lies in undamaged pages can still be read."""

    code = "damaged-store"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            path,
            f"its content is damaged: {reason}",
            "restore a copy; evidentsource_runtime.store.verify says what is wrong with this one",
        )
