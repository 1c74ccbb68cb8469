"""A database of its own for one test: rules are published into it when they are first needed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from evidentsource_core import (
    AppendCondition,
    Command,
    CommandRequest,
    EvidentSourceError,
    ProspectiveEvent,
    StateChangeMetadata,
)
from evidentsource_core.reference import (
    DatabaseSnapshot,
    Decide,
    StateChangeResult,
    TransactionResult,
)
from evidentsource_core.rules import check_conditions
from evidentsource_functions.errors import StateChangeError
from evidentsource_functions.state_change import DecideResult
from evidentsource_functions.testing import ChangeRule, LevelUnavailable, RuleBook
from evidentsource_runtime.server.protobuf.transactions import committed_from
from evidentsource_runtime.server.protobuf.writes import execution_to, submission_to
from evidentsource_runtime.server.service.values import Execution, Submission
from evidentsource_runtime.server.testing.places import Place
from evidentsource_runtime.server.testing.snapshot import ServerSnapshot

__all__ = ["FreshDatabase"]


class FreshDatabase:
    """A new database on a server, with the rules of a test.

    Args:
        place: the server.
        book: the rules, and the name that the database's own name begins with.
        clock: what tells the test's time.

    Attributes:
        book: the rules.
        name: the database's name on the server.
        decided: what the last command led to, as it was decided; None where nobody saw it.
        refused: the refusal of the last command's rule, with its traceback, where it was seen.
    """

    def __init__(self, place: Place, book: RuleBook, clock: Callable[[], datetime]) -> None:
        self.book = book
        self.name = f"{book.database[:100]}-{secrets.token_hex(6)}"
        self.decided: DecideResult | None = None
        self.refused: StateChangeError | None = None
        self._place = place
        self._clock = clock
        self._received_at: datetime | None = None
        self._published: dict[str, int] = {}
        place.shows(clock)
        place.create(self.name)

    def snapshot(self) -> ServerSnapshot:
        """The database as it is now."""
        return ServerSnapshot.latest(self._place.client, self.name)

    def log(self) -> list[TransactionResult]:
        """Every transaction, in order."""
        replies = self._place.client.ask(
            "ScanDatabaseLog", database_name=self.name, include_event_detail=True
        )
        return [_result(reply.detail) for reply in replies]

    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Iterable[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        """Commit events of a history."""
        self._place.shows(self._clock)
        submission = Submission(
            self.name,
            tuple(self._place.sent(events, self._clock())),
            tuple(check_conditions(conditions)),
            transaction_id,
        )
        result = self._place.client.send("Transact", submission_to(submission)).result
        return self._transaction(result.transaction_summary.id)

    def execute(
        self,
        change: ChangeRule,
        request: Command | CommandRequest,
        headers: Iterable[tuple[str, str]] = (),
        *,
        version: int | None = None,
        last_seen: int | None = None,
        transaction_id: str | None = None,
        received_at: datetime | None = None,
    ) -> StateChangeResult:
        """Send a command.

        Raises:
            LevelUnavailable: the server's clock is its own, and the test says when it arrives.
            EvidentSourceError: it was refused, by the rule or at the commit.
        """
        if received_at is not None and not self._place.exact:
            raise LevelUnavailable(
                "server",
                "a server that runs elsewhere tells itself when a command arrives",
                "leave --es-url out, so that a server of the test's own runs; "
                'or mark the test @pytest.mark.es_level("native", "sandbox", "component")',
            )
        self.publish_views()
        self.publish_changes(change.name)
        self._place.shows(self._clock)
        self._received_at, self.decided, self.refused = received_at, None, None
        sent = Execution(
            self.name,
            change.name,
            change.definition.version if version is None else version,
            _request(request, headers),
            last_seen,
            transaction_id,
        )
        try:
            reply = self._place.client.send("ExecuteStateChange", execution_to(sent))
        except EvidentSourceError as error:
            raise self._explained(error) from None
        finally:
            self._place.check()
        summary = reply.result.transaction_summary
        if not summary.id:
            return StateChangeResult(summary.revision, None)
        result = self._transaction(summary.id)
        return StateChangeResult(result.revision, result)

    def publish_views(self, name: str | None = None) -> None:
        """Publish the views that are not there yet, or every version of one of them."""
        wanted = [each for each in self.book.views if name in {None, each.name}]
        for view in self._new("view", wanted):
            self._place.publish_view(self.name, view)

    def publish_changes(self, name: str) -> None:
        """Publish every version of a change that is not there yet."""
        wanted = [each for each in self.book.changes if each.name == name]
        for change in self._new("change", wanted):
            self._place.publish_change(self.name, change, self._seen)

    def _new(self, kind: str, rules: Iterable[Any]) -> list[Any]:
        found = []
        for rule in rules:
            key = f"{kind} {rule.name}"
            if rule.definition.version > self._published.get(key, 0):
                self._published[key] = rule.definition.version
                found.append(rule)
        return found

    def _seen(self, decide: Decide) -> Decide:
        """The rule, with what it decides kept for the test, and received when the test says."""

        def seen(
            database: DatabaseSnapshot, command: Command, metadata: StateChangeMetadata
        ) -> DecideResult:
            if self._received_at is not None:
                metadata = replace(metadata, command_received_at=self._received_at)
            try:
                events, conditions = decide(database, command, metadata)
            except StateChangeError as error:
                self.refused = error
                raise
            self.decided = list(events), list(conditions)
            return self.decided

        return seen

    def _explained(self, error: EvidentSourceError) -> EvidentSourceError:
        """The error as the rule itself raised it, with its traceback, where that was seen."""
        refused = self.refused
        if isinstance(error, StateChangeError) and refused is not None and _says(error, refused):
            return refused
        return error

    def _transaction(self, transaction_id: str) -> TransactionResult:
        reply = self._place.client.ask(
            "FetchTransactionById", database_name=self.name, transaction_id=transaction_id
        )
        return _result(reply.transaction)


def _says(error: StateChangeError, refused: StateChangeError) -> bool:
    """Whether a refusal is this one; a long text is cut on its way."""
    said, cut, _ = error.message.partition("... (cut)")
    same = refused.message.startswith(said) if cut else refused.message == said
    return error.kind is refused.kind and same


def _request(request: Command | CommandRequest, headers: Iterable[tuple[str, str]]) -> Any:
    if isinstance(request, CommandRequest):
        return replace(request, headers=(*request.headers, *headers))
    return CommandRequest(
        tuple(headers), request.body, request.content_type, request.content_schema
    )


def _result(message: Any) -> TransactionResult:
    committed = committed_from(message)
    summary = committed.summary
    return TransactionResult(
        summary.id, summary.basis, summary.revision, summary.timestamp, committed.events
    )
