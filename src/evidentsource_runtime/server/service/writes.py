"""Transactions and commands."""

from __future__ import annotations

from dataclasses import replace

from evidentsource_core.domain.identifiers import StateChangeName
from evidentsource_core.rules import check_transaction_id
from evidentsource_runtime.database import Database
from evidentsource_runtime.server.access.principals import Principal, Role
from evidentsource_runtime.server.service import abouts
from evidentsource_runtime.server.service.errors import InvalidRequest
from evidentsource_runtime.server.service.hosted import HostedDatabases
from evidentsource_runtime.server.service.queue import CommandQueue
from evidentsource_runtime.server.service.values import (
    Execution,
    Submission,
    Summary,
    Write,
    with_about,
)
from evidentsource_runtime.server.service.views import find_change
from evidentsource_runtime.server.service.workers import Workers
from evidentsource_runtime.store import TransactionRecord

__all__ = ["WriteCalls"]


class WriteCalls:
    """What changes a database.

    Args:
        hosted: the databases.
        workers: where blocking work is done.
        queue: has what is to be done later.
    """

    def __init__(self, hosted: HostedDatabases, workers: Workers, queue: CommandQueue) -> None:
        self._hosted = hosted
        self._workers = workers
        self._queue = queue

    async def transact(self, caller: Principal, submission: Submission) -> Summary:
        """Commit events, if their conditions hold.

        Raises:
            DatabaseNotFound: there is no such database.
            TransactionError: the transaction was refused; nothing of it was written.
        """
        self._check(caller, submission, "append events to")
        return await self.perform(_known(caller, submission))

    async def execute(self, caller: Principal, execution: Execution) -> Summary:
        """Run a state change, and commit what it decides; where that is nothing, nothing is written.

        The summary of an execution that wrote nothing has no id, and the revision decided on.

        Raises:
            DatabaseNotFound, StateChangeNotFound: there is no such database, or state change.
            StateChangeError: the state change refused.
            ComponentError: it failed.
            TransactionError: what it decided was refused; nothing of it was written.
        """
        self._check(caller, execution, "execute state changes of")
        StateChangeName(execution.name)
        return await self.perform(_known(caller, execution))

    async def transact_later(self, caller: Principal, submission: Submission) -> str:
        """Accept events to be committed in turn; what the outcome can be found by afterwards.

        They are safe when this returns, and are committed or refused even if the server ends before.

        Returns:
            The correlation id, which is the transaction's id where none was given. The outcome is
            asked for by the transaction's id.

        Raises:
            InvalidRequest: there is no transaction id.
            DuplicateTransactionId: it was accepted for another request.
        """
        self._check(caller, submission, "append events to")
        return await self._later(_known(caller, submission))

    async def execute_later(self, caller: Principal, execution: Execution) -> str:
        """Accept a command to be executed in turn; the rest is as in :meth:`transact_later`."""
        self._check(caller, execution, "execute state changes of")
        StateChangeName(execution.name)
        return await self._later(_known(caller, execution))

    async def perform(self, write: Write) -> Summary:
        """Do what was asked for, by whomever that may."""
        hosted = await self._hosted.get(write.database)
        if isinstance(write, Submission):
            return await self._workers.run(_transacted, hosted.database, write)
        return await self._workers.compute(_executed, hosted.database, write)

    async def _later(self, write: Write) -> str:
        if write.transaction_id is None:
            raise InvalidRequest("transaction_id", "is missing; the outcome is asked for by it")
        check_transaction_id(write.transaction_id)
        await self._hosted.get(write.database)
        await self._queue.put(write)
        return write.about.correlation_id or write.transaction_id

    def _check(self, caller: Principal, write: Write, action: str) -> None:
        caller.require(Role.WRITER, write.database, f"{action} database {write.database!r}")


def _known(caller: Principal, write: Write) -> Write:
    """The request with what is known of the caller, which nobody can say otherwise."""
    attributes = {**write.about.principal_attributes, **caller.attributes}
    return with_about(write, replace(write.about, principal_attributes=attributes))


def _transacted(database: Database, submission: Submission) -> Summary:
    result = database.transact(
        submission.events,
        submission.conditions,
        transaction_id=submission.transaction_id,
        principal=abouts.as_principal(submission.about),
    )
    if submission.transaction_id is None:
        # It is new, so what was told of it need not be read back.
        return abouts.told(database.name, result, submission.about)
    return abouts.summary(database, result)


def _executed(database: Database, execution: Execution) -> Summary:
    result = database.execute(
        execution.name,
        execution.version,
        execution.command,
        last_seen_revision=execution.last_seen_revision,
        transaction_id=execution.transaction_id,
        principal=abouts.as_principal(execution.about),
    )
    if result.transaction is not None:
        return abouts.summary(database, result.transaction)
    version = find_change(database, execution.name, execution.version).version
    at = database.store.at_revision(result.revision)
    origin = replace(execution.about.origin, version=version)
    nothing = TransactionRecord("", at.revision, at.revision, at.timestamp)
    return abouts.told(database.name, nothing, replace(execution.about, origin=origin))
