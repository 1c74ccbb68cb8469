"""The gRPC contract in Python: generated messages, and the one conversion between them and the domain."""
