"""The platform's gRPC interface."""

from evidentsource_runtime.server.grpc.server import GrpcInterface

__all__ = ["GrpcInterface"]
