"""A plain gRPC client whose refusals come as errors of the domain."""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from evidentsource_core.domain import errors
from evidentsource_core.domain.errors import EvidentSourceError
from evidentsource_functions import StateChangeError, StateChangeErrorKind
from evidentsource_functions.testing import LevelUnavailable
from evidentsource_runtime.server.grpc.calls import SERVICE
from evidentsource_runtime.server.grpc.status import DETAILS_KEY
from evidentsource_runtime.server.protobuf.generated import service_pb2

__all__ = ["Client", "raised"]

_NO_LIMIT: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_SECONDS: Final = 90.0
"""A component may take 30 seconds, and a change reads views of others."""
_DECIDES: Final = "ExecuteStateChange"
_CLASSES: Final = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, EvidentSourceError)
}
_KINDS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: StateChangeErrorKind.VALIDATION,
    grpc.StatusCode.FAILED_PRECONDITION: StateChangeErrorKind.CONFLICT,
    grpc.StatusCode.NOT_FOUND: StateChangeErrorKind.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: StateChangeErrorKind.UNAUTHORIZED,
    grpc.StatusCode.INTERNAL: StateChangeErrorKind.INTERNAL,
}


class Client:
    """Calls of the contract by their names, messages in and out; streams come as lists.

    Args:
        target: where the server listens for gRPC, ``HOST:PORT``.
        secure: whether it has a certificate.
        token: what is shown to a server that asks who somebody is.
    """

    def __init__(self, target: str, *, secure: bool = False, token: str | None = None) -> None:
        self.target = target
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        if secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(target, credentials, _NO_LIMIT)
        else:
            self._channel = grpc.insecure_channel(target, _NO_LIMIT)

    def ask(self, call: str, **fields: Any) -> Any:
        """Call the server.

        Args:
            call: its name in the contract.
            **fields: the request's.

        Raises:
            LevelUnavailable: nobody answers there.
            EvidentSourceError: the server refused; the error is the one that it had.
        """
        method = SERVICE.methods_by_name[call]
        request = getattr(service_pb2, method.input_type.name)
        return self.send(call, request(**fields))

    def send(self, call: str, message: Message) -> Any:
        """The same with a message that was made already."""
        method = SERVICE.methods_by_name[call]
        streams = method.server_streaming
        kind = self._channel.unary_stream if streams else self._channel.unary_unary
        ask = kind(
            f"/{SERVICE.full_name}/{call}",
            type(message).SerializeToString,
            getattr(service_pb2, method.output_type.name).FromString,
        )
        try:
            reply = ask(message, timeout=_SECONDS, metadata=self._metadata)
            return list(reply) if streams else reply
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE and not _details(error):
                hint = "if it listens elsewhere, --es-grpc=HOST:PORT says where"
                reason = f"nobody answers gRPC at {self.target} ({error.details()})"
                raise LevelUnavailable("server", reason, hint) from None
            # What a failed test shows is the rule's way to it, not the client's.
            raise raised(error, decides=call == _DECIDES) from None

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


def raised(error: grpc.RpcError, *, decides: bool = False) -> EvidentSourceError:
    """The error of the domain that a status stands for.

    Args:
        error: how a call ended.
        decides: whether a state change was executed, so that a server which sends no details can
            only have meant the refusal of its rule.
    """
    details = _details(error)
    info = next((each for each in details if isinstance(each, error_details_pb2.ErrorInfo)), None)
    message = error.details() or ""
    code = info.reason.lower().replace("_", "-") if info is not None else ""
    if code == "state-change-refused" or (info is None and decides and error.code() in _KINDS):
        kind = _KINDS[error.code()]
        return StateChangeError(kind, message.removeprefix(f"{kind.value}: "))
    if error.code() is grpc.StatusCode.OUT_OF_RANGE:
        return errors.DatabaseAccessError.invalid_revision(message)
    made: Any = _CLASSES.get(code, errors.DatabaseAccessError)
    made = made.__new__(made)
    made.args = (message,)
    for each in details:
        if isinstance(each, error_details_pb2.PreconditionFailure):
            made.violations = tuple(found.description for found in each.violations)
    for name, value in (info.metadata if info is not None else {}).items():
        setattr(made, name, int(value) if value.isdecimal() else value)
    found: EvidentSourceError = made
    return found


def _details(error: grpc.RpcError) -> list[Message]:
    """Those of the typed details of an error that any server sends."""
    trailers: Any = dict(error.trailing_metadata() or ())  # type: ignore[arg-type]  # each is a pair
    found: list[Message] = []
    for packed in status_pb2.Status.FromString(trailers.get(DETAILS_KEY, b"")).details:
        kind = getattr(error_details_pb2, packed.type_url.rpartition(".")[2], None)
        if kind is not None:
            found.append(kind.FromString(packed.value))
    return found
