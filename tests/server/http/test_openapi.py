"""Whatever the OpenAPI document allows is answered as the document says, and never by a failure.

`make openapi` asks for a thousand requests in place of these few.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from evidentsource_functions import StateChangeError
from evidentsource_runtime.server import Settings, running
from tests.server.conftest import CHANGE, EFFECTIVE, SOMEBODY, VIEW, event, total

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "20"))
CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
"""Not that everything is accepted: whether a database is there, no document says."""
NAMES: dict[str, list[Any]] = {
    "database": ["bank", "bank", "bank", "bank", "other"],
    "name": ["credit", "credits", "effective"],
    "transaction_id": ["t-1", "none"],
    "stream": ["accounts"],
    "event_id": ["e-1"],
    "revision": [1, "latest"],
    "version": [1, "latest"],
}
"""What stands in a path often enough, so that not everything is a database that does not exist."""


def decide(database: Any, command: Any, metadata: Any) -> Any:
    """Takes any object, and says of anything else what is wrong with it."""
    if not isinstance(command.parse_json(), dict):
        raise StateChangeError.validation("command: must be an object")
    return [event(f"d-{database.revision}")], []


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document of a server that has something to answer."""
    folder = tmp_path_factory.mktemp("openapi")
    with running(Settings(folder, grpc_port=0, http_port=0)) as server:
        assert server.http is not None
        views = server.service.views
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        for definition in (VIEW, EFFECTIVE):
            server.ask(views.publish_state_view(SOMEBODY, "bank", definition, total))
        server.ask(views.publish_state_change(SOMEBODY, "bank", CHANGE, decide))
        database = server.ask(server.service.hosted.get("bank")).database
        database.transact([event(1, subject="a-1", data="{}")], transaction_id="t-1")
        schema: Any = schemathesis.openapi.from_url(f"{server.http.url}/openapi.json")
        yield schema


def requests(schema: Any) -> st.SearchStrategy[Any]:
    """Requests that the document allows, for the database that there is as often as not."""
    operations = [
        found.ok()
        for found in schema.get_all_operations()
        if found.ok().definition.raw["operationId"] != "deleteDatabase"
    ]

    @st.composite
    def one(draw: Any) -> Any:
        case = draw(draw(st.sampled_from(operations)).as_strategy())
        for name in case.path_parameters or {}:
            if name in NAMES and draw(st.booleans()):
                case.path_parameters[name] = draw(st.sampled_from(NAMES[name]))
        if case.operation.definition.raw["operationId"] == "awaitDatabase":
            case.query = {"wait": "0"}  # or it would wait for a revision that does not come
        return case

    return one()


@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES < 1000,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
@given(data=st.data())
def test_what_the_document_allows_is_answered_as_it_says(described: Any, data: Any) -> None:
    case = data.draw(requests(described))
    answer = case.call(timeout=20)
    # Waiting for a revision that does not come is the one failure that can be asked for.
    waited = answer.status_code == 504 and "wait" in (case.query or {})
    assert answer.status_code < 500 or waited, answer.text
    case.validate_response(answer, checks=CHECKS)
    assert "Traceback" not in answer.text
