"""What is written by ``await`` is held to the contract as well: the same rules, and the same refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from evidentsource_core import AppendCondition, CommandRequest, ProspectiveEvent
from evidentsource_core.rules import TransactionResult
from evidentsource_runtime.contract import DatabaseUnderTest
from evidentsource_runtime.contract.changing import Changes
from evidentsource_runtime.contract.committing import Log, Revisions, TransactionIds
from evidentsource_runtime.contract.conditions import Conditions
from evidentsource_runtime.contract.refusing import Atomic, BadEvents, DuplicateIds, Limits
from evidentsource_runtime.contract.sharing import Sharing
from evidentsource_runtime.contract.storing import Storing
from evidentsource_runtime.contract.suite import DatabaseFixtures, Histories
from evidentsource_runtime.database.async_snapshots import AsyncSnapshot
from tests.crash.folders import fast_folder
from tests.unit.database.driver import DatabaseDriver


class AwaitedDriver(DatabaseDriver):
    """Writes by tasks of one loop, whichever thread asks."""

    portal: BlockingPortal

    def transact(
        self,
        events: Sequence[ProspectiveEvent],
        conditions: Sequence[AppendCondition] = (),
        *,
        transaction_id: str | None = None,
    ) -> TransactionResult:
        database = self.database.asynchronous

        async def transact() -> AsyncSnapshot:
            if transaction_id is None:
                return await database.transact(events, conditions)
            return await database.transact_with_id(transaction_id, events, conditions)

        after = self.portal.call(transact)
        (found,) = self.database.log(after.revision, after.revision)
        assert found.timestamp == after.revision_timestamp
        return found

    def execute(
        self,
        name: str,
        version: int,
        request: CommandRequest,
        *,
        last_seen_revision: int | None = None,
        transaction_id: str | None = None,
    ) -> int:
        async def execute() -> AsyncSnapshot:
            return await self.database.asynchronous.execute_state_change(
                name,
                version,
                request,
                last_seen_revision=last_seen_revision,
                transaction_id=transaction_id,
            )

        return self.portal.call(execute).revision


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def portal(request: pytest.FixtureRequest) -> Iterator[BlockingPortal]:
    """A loop in a thread of its own, and the way to it."""
    with start_blocking_portal(request.param) as portal:
        yield portal


class TestAwaited(
    DatabaseFixtures,
    Histories,
    Revisions,
    Log,
    TransactionIds,
    Conditions,
    BadEvents,
    DuplicateIds,
    Limits,
    Atomic,
    Storing,
    Changes,
    Sharing,
):
    @pytest.fixture
    def new_database(self, portal: BlockingPortal) -> Iterator[Callable[[], DatabaseUnderTest]]:
        numbers = count()

        class Driver(AwaitedDriver):
            pass

        Driver.portal = portal

        with fast_folder() as folder:

            def new() -> DatabaseUnderTest:
                own = folder / str(next(numbers))
                own.mkdir()
                return Driver(own / "bank.db")

            yield new
