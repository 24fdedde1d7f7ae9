"""The foreign client, grpcio, with stubs that are generated from `proto/` at import.

The stubs are not stored, so they always match the contract.
"""

import sys
from datetime import timedelta
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).parents[3] / "proto"))
messages, services = grpc.protos_and_services("foo/v1/foo.proto")

SERVICE = "foo.v1.FooService"

OPTIONS = [
    # A connection for each channel. By default channels to one address share one.
    ("grpc.use_local_subchannel_pool", 1),
    # No automatic retries, so that a test sees each failure.
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
]


def channel(address, **arguments):
    """A channel with a connection of its own."""
    return grpc.insecure_channel(address, options=OPTIONS, **arguments)


def message(id="", payload=b"", demand=None):
    """A message; `demand` in seconds, or as a Duration that need not make sense. Without it the service decides."""
    made = messages.Message(id=id, payload=payload)
    if isinstance(demand, (int, float)):
        made.service_demand.FromTimedelta(timedelta(seconds=demand))
    elif demand is not None:
        made.service_demand.CopyFrom(demand)
    return made


class Client:
    """A caller of FooService, over a channel."""

    def __init__(self, over):
        self.channel = over
        self.stub = services.FooServiceStub(over)

    def enqueue(self, *fields, **options):
        """Enqueues the message of those fields, and waits for its acknowledgement."""
        return self.stub.Enqueue(messages.EnqueueRequest(message=message(*fields)), **options)

    def process(self, *fields, **options):
        """Has the message of those fields processed, and waits for that."""
        return self.stub.Process(messages.ProcessRequest(message=message(*fields)), **options)

    def processing(self, *fields, **options):
        """Has the message of those fields processed. Does not wait: what it returns is a call in flight."""
        return self.stub.Process.future(messages.ProcessRequest(message=message(*fields)), **options)

    def enqueueing(self, *fields, **options):
        """Enqueues the message of those fields. Does not wait: what it returns is a call in flight."""
        return self.stub.Enqueue.future(messages.EnqueueRequest(message=message(*fields)), **options)

    def watch(self, **fields):
        """Streams snapshots of the service."""
        return self.stub.Watch(messages.WatchRequest(**fields))

    def doors(self):
        """Both RPCs, by their label in the metrics."""
        return {"enqueue": self.enqueue, "process": self.process}


def failure(call, *fields, **options):
    """The error that a call must end with: code and details, and the metadata that came with them."""
    try:
        answer = call(*fields, **options)
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"it was answered OK: {answer}")
