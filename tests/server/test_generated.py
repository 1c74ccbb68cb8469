"""The generated code of the contract: current, and out of other packages' way."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import descriptor_pool

from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.grpc.servicer import Servicer
from evidentsource_runtime.server.protobuf.generated import domain_pb2
from tests.tools import generate_protobuf


def test_the_generated_code_is_what_make_proto_writes(tmp_path: Path) -> None:
    written = generate_protobuf.generate(tmp_path)
    kept = {
        path.name: path.read_text()
        for path in generate_protobuf.TARGET.iterdir()
        if "_pb2." in path.name and path.suffix in (".py", ".pyi")
    }
    assert kept == written


def test_the_messages_are_not_in_the_pool_where_the_published_client_registers_its_own() -> None:
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("com.evidentsource.Database")
    assert domain_pb2.DESCRIPTOR.pool is not descriptor_pool.Default()


def test_the_servicer_has_the_calls_of_the_contract_and_no_others() -> None:
    calls = {method.name for method in SERVICE.methods}
    assert len(calls) == 21
    assert {name for name in vars(Servicer) if name[0].isupper()} == calls
