"""A database behind gRPC is held to the contract, as the reference database and the store are.

Every test makes a database with a file of its own, so the test run takes some parts of the contract;
``make contract`` takes all of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from evidentsource_runtime.contract import DatabaseContract, DatabaseUnderTest
from evidentsource_runtime.contract.committing import Log, Revisions, TransactionIds
from evidentsource_runtime.contract.conditions import Conditions
from evidentsource_runtime.contract.querying import AtRevisions
from evidentsource_runtime.contract.suite import DatabaseFixtures
from evidentsource_runtime.server import Server
from evidentsource_runtime.server.testing import Client
from tests.server.driver import GrpcDriver


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    client = Client(server.grpc.target)
    yield client
    client.close()


class Parts(DatabaseFixtures, Revisions, Log, TransactionIds, Conditions, AtRevisions):
    """Some parts of the contract."""


WHOLE_CONTRACT = bool(os.environ.get("EVIDENTSOURCE_WHOLE_CONTRACT"))

if TYPE_CHECKING or WHOLE_CONTRACT:  # noqa: SIM108 - a class is to follow
    Chosen = DatabaseContract
else:
    Chosen = Parts


TABLES = ("test_every_range_is_within_it", "test_bounds_are_included")
"""Tests of a hundred rows and more, every fifth of which is asked for in the test run."""


class TestDatabaseBehindGrpc(Chosen):
    @pytest.fixture
    def new_database(
        self, request: pytest.FixtureRequest, server: Server, client: Client
    ) -> Callable[[], DatabaseUnderTest]:
        if request.node.name.endswith("[deep]"):
            pytest.skip("protobuf reads messages of 100 levels, which no such selector fits in")
        if not WHOLE_CONTRACT and request.node.originalname in TABLES:
            row = sum(request.node.callspec.indices.values())
            if row % 5:
                pytest.skip("a row of a long table: `make contract`")
        return lambda: GrpcDriver(server, client)
