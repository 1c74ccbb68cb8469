"""A plain gRPC client: one method for each call of the contract, messages in and out."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2

from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.protobuf.generated import domain_pb2, service_pb2

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Stub:
    """Calls by their names; every call has a deadline, so that no test hangs."""

    def __init__(self, channel: grpc.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self._channel = channel
        self.metadata = metadata

    def __getattr__(self, name: str) -> Any:
        method = SERVICE.methods_by_name.get(name)
        if method is None:
            raise AttributeError(name)
        kind = self._channel.unary_stream if method.server_streaming else self._channel.unary_unary
        call = kind(
            f"/{SERVICE.full_name}/{name}",
            getattr(service_pb2, method.input_type.name).SerializeToString,
            getattr(service_pb2, method.output_type.name).FromString,
        )
        request = getattr(service_pb2, method.input_type.name)

        def ask(message: Message | None = None, timeout: float = 30.0, **fields: Any) -> Any:
            sent = request(**fields) if message is None else message
            return call(sent, timeout=timeout, metadata=self.metadata)

        return ask


def details(error: grpc.RpcError) -> list[Message]:
    """The typed details of an error, in their own classes."""
    trailers: Any = dict(error.trailing_metadata() or ())  # type: ignore[arg-type]  # each is a pair
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    code: int = error.code().value[0]
    assert status.code == code
    return [_unpacked(each) for each in status.details]


def _unpacked(packed: Any) -> Message:
    from google.rpc import error_details_pb2

    name = packed.type_url.rpartition(".")[2]
    kind = getattr(domain_pb2, name, None) or getattr(error_details_pb2, name)
    message: Message = kind.FromString(packed.value)
    return message


def reason(error: grpc.RpcError) -> str:
    """The stable code of an error, out of its details."""
    first: Any = details(error)[0]
    text: str = first.reason
    return text


def said(error: grpc.RpcError) -> str:
    """The message of an error."""
    return error.details() or ""
