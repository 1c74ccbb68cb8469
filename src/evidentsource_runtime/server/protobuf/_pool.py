"""The pool in which the contract's messages are registered: one of our own.

The published client registers messages of the same names, from files with other options, in the
process-wide pool, which takes each name once. With a pool of its own both live in one process.
"""

from __future__ import annotations

from google.protobuf import any_pb2, descriptor_pool, message_factory, timestamp_pb2

POOL = descriptor_pool.DescriptorPool()
for _file in (any_pb2.DESCRIPTOR, timestamp_pb2.DESCRIPTOR):
    POOL.AddSerializedFile(_file.serialized_pb)

# A class that nobody holds is made anew each time, and takes no message of the one before.
Timestamp = message_factory.GetMessageClass(POOL.FindMessageTypeByName("google.protobuf.Timestamp"))
AnyMessage = message_factory.GetMessageClass(POOL.FindMessageTypeByName("google.protobuf.Any"))
