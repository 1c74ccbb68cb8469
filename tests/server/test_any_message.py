"""Whatever a client sends, it gets an answer that makes sense, and the server goes on."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.protobuf.generated import service_pb2
from tests.server.conftest import SOMEBODY
from tests.server.stub import Stub, said

CALLS = [method.name for method in SERVICE.methods if method.name != "AwaitDatabase"]
NAMES = st.sampled_from(["bank", "bank", "bank", "other", "accounts", "credit", "credits", ""])
TEXTS = NAMES | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=8) | st.just(b'{"id": 1}'),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_UINT64: st.sampled_from([0, 1, 1, 2, 3, 2**63, 2**64 - 1]),
    FieldDescriptor.TYPE_UINT32: st.sampled_from([0, 1, 2**32 - 1]),
    FieldDescriptor.TYPE_INT64: st.sampled_from([0, 5, -1, 2**40, 2**63 - 1]),
    FieldDescriptor.TYPE_INT32: st.sampled_from([0, 5, -1, 2**31 - 1]),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 3),
}
EXPECTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
}


def fill(draw: Any, message: Any, depth: int = 0) -> None:
    """Give fields of a message values, deeper ones less often."""
    for field in message.DESCRIPTOR.fields:
        if not draw(st.integers(0, 9)) < 8 - 2 * depth:
            continue
        value = getattr(message, field.name)
        if field.message_type is None:
            scalar = SCALARS[field.type]
            if field.is_repeated:
                value.extend(draw(st.lists(scalar, max_size=3)))
            else:
                setattr(message, field.name, draw(scalar))
        elif field.message_type.GetOptions().map_entry:
            key = draw(TEXTS)
            if field.message_type.fields_by_name["value"].message_type is None:
                value[key] = draw(TEXTS)
            else:
                fill(draw, value[key], depth + 1)
        elif field.is_repeated:
            for _ in range(draw(st.integers(0, 2))):
                fill(draw, value.add(), depth + 1)
        else:
            value.SetInParent()
            fill(draw, value, depth + 1)


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from evidentsource_runtime.server import Settings, running
    from tests.server.conftest import CHANGE, VIEW, credit, total

    with running(Settings(tmp_path_factory.mktemp("any"), grpc_port=0)) as server:
        views = server.service.views
        server.ask(server.service.databases.create(SOMEBODY, "bank"))
        server.ask(views.publish_state_view(SOMEBODY, "bank", VIEW, total))
        server.ask(views.publish_state_change(SOMEBODY, "bank", CHANGE, credit))
        with grpc.insecure_channel(server.grpc.target) as channel:
            yield Stub(channel)


@settings(max_examples=100)
@given(data=st.data())
def test_any_message_is_answered(playground: Stub, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(CALLS))
    method = SERVICE.methods_by_name[name]
    message = getattr(service_pb2, method.input_type.name)()
    fill(data.draw, message)
    code, said_so = answer(getattr(playground, name), message)
    assert code in EXPECTED, (name, code, said_so)


def answer(call: Any, message: Any) -> tuple[grpc.StatusCode, str]:
    """How a call ends, after its first reply where it is a stream."""
    try:
        reply = call(message)
        if hasattr(reply, "cancel"):
            next(reply, None)
            reply.cancel()
    except grpc.RpcError as error:
        return error.code(), said(error)
    return grpc.StatusCode.OK, ""


@pytest.mark.parametrize("content", [b"\xff", b"\n\xff\xff\xff\xff\x0f", b"\n\x02\xff\xfe"])
def test_bytes_that_are_no_message_are_refused(playground: Stub, content: bytes) -> None:
    call: Any = playground._channel.unary_unary(f"/{SERVICE.full_name}/FetchLatestDatabase")
    with pytest.raises(grpc.RpcError) as caught:
        call(content, timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert said(caught.value).startswith("request: is no LatestDatabaseRequest")
    list(playground.FetchCatalog())


def test_a_selector_nested_deeper_than_protobuf_reads_is_refused_and_the_server_goes_on(
    playground: Stub,
) -> None:
    # protobuf writes no such message either, so its bytes are put together by hand.
    content = b"\n\x0a\n\x08accounts"
    for _ in range(100):
        for tag in (b"\n", b"\x22"):
            content = tag + length(content) + content
    query = b"\n" + length(content) + content
    request = b"\n\x04bank\x22" + length(query) + query
    call: Any = playground._channel.unary_stream(f"/{SERVICE.full_name}/QueryEvents")
    with pytest.raises(grpc.RpcError) as caught:
        list(call(request, timeout=10))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    list(playground.FetchCatalog())


def length(content: bytes) -> bytes:
    """How long it is, as protobuf writes it."""
    left, written = len(content), bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*written, left])
