"""A grpcio server with the greeter service. It stores the requests that it receives, and rejects requests on demand."""

import sys
import time
from concurrent import futures
from pathlib import Path

import grpc
from grpc_reflection.v1alpha import reflection as server_reflection

sys.path.insert(0, str(Path(__file__).parent))
messages, services = grpc.protos_and_services("helloworld.proto")

SERVICE = "helloworld.Greeter"


class Greeter(services.GreeterServicer):
    """A running server; `received` has every request, with its metadata."""

    def __init__(self, reflection):
        self.received = []
        self.times = []
        self.pushback = None
        self.refuses = lambda request: False
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        services.add_GreeterServicer_to_server(self, self.server)
        if reflection:
            server_reflection.enable_server_reflection([SERVICE, server_reflection.SERVICE_NAME], self.server)
        self.url = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    def SayHello(self, request, context):
        self.received.append((request, dict(context.invocation_metadata())))
        self.times.append(time.monotonic())
        if self.refuses(request):
            if self.pushback:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", self.pushback),))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough for now")
        return messages.HelloReply(message=f"Hello, {request.name}")

    def SayHelloOften(self, request, context):
        yield messages.HelloReply(message="Hello")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(grace=None).wait()
