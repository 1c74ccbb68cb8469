"""The whole contract as one class of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from evidentsource_runtime.contract.changing import Changes
from evidentsource_runtime.contract.committing import Log, Revisions, TransactionIds
from evidentsource_runtime.contract.conditions import Conditions
from evidentsource_runtime.contract.driver import DatabaseUnderTest, lacks
from evidentsource_runtime.contract.keeping import Keeping
from evidentsource_runtime.contract.machine import DatabaseMachine
from evidentsource_runtime.contract.querying import AtEffectiveTimes, AtRevisions, Ranges
from evidentsource_runtime.contract.refusing import Atomic, BadEvents, DuplicateIds, Limits
from evidentsource_runtime.contract.selecting import Selectors
from evidentsource_runtime.contract.sharing import Sharing
from evidentsource_runtime.contract.speculating import Speculation
from evidentsource_runtime.contract.storing import Storing
from evidentsource_runtime.contract.viewing import ViewParameters, Views

STEPS = 20
"""Steps in each history that the state machine plays."""

_OPENED = pytest.StashKey[list[DatabaseUnderTest]]()


class DatabaseFixtures:
    """What the tests ask for; a class of tests over a part of the contract has these beside it."""

    @pytest.fixture
    def new_database(self) -> Callable[[], DatabaseUnderTest]:
        """Makes an empty database; what a derived class defines."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say how to make a database; define the fixture "
            "new_database, which returns a function that makes an empty one"
        )

    @pytest.fixture
    def database(
        self,
        request: pytest.FixtureRequest,
        new_database: Callable[[], DatabaseUnderTest],
    ) -> Iterator[DatabaseUnderTest]:
        """An empty database that has what the test needs."""
        made = new_database()
        opened = [made]
        request.node.stash[_OPENED] = opened
        reason = lacks(made, getattr(request.function, "needs", ()))
        if reason is not None:
            made.close()
            pytest.skip(reason)
        yield made
        with suppress(IndexError):
            opened.pop().close()

    @pytest.fixture
    def reopen(
        self, request: pytest.FixtureRequest
    ) -> Callable[[DatabaseUnderTest], DatabaseUnderTest]:
        """Closes a database and opens it again; the test goes on with what it returns."""
        opened: list[DatabaseUnderTest] = request.node.stash[_OPENED]

        def again(database: DatabaseUnderTest) -> DatabaseUnderTest:
            opened[:] = [database.reopen()]
            return opened[0]

        return again


class Histories:
    """Any history at all."""

    def test_any_history_is_as_a_far_simpler_model_says(
        self, new_database: Callable[[], DatabaseUnderTest]
    ) -> None:
        """The state machine: histories with restarts among them, where the database can."""
        probe = new_database()
        examples = probe.examples
        probe.close()
        run_state_machine_as_test(
            DatabaseMachine.for_database(new_database),
            settings=settings(
                max_examples=examples,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


class DatabaseContract(
    DatabaseFixtures,
    Histories,
    Revisions,
    Log,
    TransactionIds,
    Storing,
    BadEvents,
    DuplicateIds,
    Limits,
    Atomic,
    Conditions,
    Selectors,
    Ranges,
    AtRevisions,
    AtEffectiveTimes,
    Speculation,
    Views,
    ViewParameters,
    Changes,
    Keeping,
    Sharing,
):
    """The platform's rules as tests. Derive a class from it and say how to make a new database.

    The one fixture to define is ``new_database``: a function without arguments that makes an empty
    database and returns its driver. It is called once for each test, and once for each history that
    the state machine plays; the contract closes what it made.

    >>> import pytest
    >>> from evidentsource_runtime.contract import DatabaseContract, ReferenceDriver
    >>> class TestTheReference(DatabaseContract):
    ...     @pytest.fixture
    ...     def new_database(self):
    ...         return ReferenceDriver
    """
