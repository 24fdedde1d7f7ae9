"""Peers that do what servers, proxies and networks do to connections: each is a context manager with a `url`."""

import socket
import ssl
import struct
import threading
import time
from concurrent import futures

import grpc
import h2.config
import h2.connection
import h2.events
from hyperframe.frame import GoAwayFrame

from greeter import SERVICE, messages

HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


def framed(message, flag=0):
    """A message as gRPC sends it."""
    return struct.pack(">BI", flag, len(message)) + message


class Listener:
    """Accepts connections on a free port of loopback, and gives each a thread. Subclasses implement the connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self.connections = 0
        self.lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes the thread that accepts, which close alone does not.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self.guarded, args=(connection,), daemon=True).start()

    def guarded(self, connection):
        try:
            with connection:
                self.serve(connection)
        except (OSError, h2.exceptions.ProtocolError):
            # The client has gone.
            pass


class Peer(Listener):
    """An HTTP/2 server that answers every call by calling `answer` with it."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.calls = 0

    def serve(self, connection):
        Connection(self, connection).serve()


class Connection:
    """A connection to a Peer, and the calls on it."""

    def __init__(self, peer, io):
        self.peer, self.io = peer, io
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
        )
        self.calls = 0
        self.open = True

    def flush(self):
        self.io.sendall(self.h2.data_to_send())

    def serve(self):
        self.h2.initiate_connection()
        self.flush()
        headers, messages = {}, {}
        while self.open and (data := self.io.recv(65536)):
            for event in self.h2.receive_data(data):
                match event:
                    case h2.events.RequestReceived():
                        headers[event.stream_id], messages[event.stream_id] = dict(event.headers), b""
                    case h2.events.DataReceived():
                        messages[event.stream_id] += event.data
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case h2.events.StreamEnded() if self.open:
                        self.calls += 1
                        with self.peer.lock:
                            self.peer.calls += 1
                        id = event.stream_id
                        self.peer.answer(Call(self, id, headers.pop(id), messages.pop(id)))
            self.flush()

    def go_away(self, last_stream_id):
        """Accepts no more calls. Calls up to this one finish."""
        self.flush()
        self.io.sendall(GoAwayFrame(0, last_stream_id=last_stream_id, error_code=0).serialize())

    def close(self):
        """Closes gracefully: all sent data arrives, and later data of the client causes no reset."""
        self.open = False
        self.flush()
        self.io.shutdown(socket.SHUT_WR)
        self.io.settimeout(0.5)
        try:
            while self.io.recv(65536):
                pass
        except TimeoutError:
            pass


class Call:
    """A call that has arrived completely."""

    def __init__(self, connection, stream_id, headers, message):
        self.connection, self.stream_id, self.headers = connection, stream_id, headers
        self.path = headers[":path"]
        # With its frame header.
        self.message = message

    def begin(self, *headers, end=False):
        self.connection.h2.send_headers(self.stream_id, list(headers), end_stream=end)

    def data(self, data, end=False):
        http2 = self.connection.h2
        while data:
            size = min(http2.max_outbound_frame_size, len(data))
            http2.send_data(self.stream_id, data[:size], end_stream=end and size == len(data))
            data = data[size:]

    def status(self, code, *more):
        self.begin(("grpc-status", str(code)), *more, end=True)

    def ok(self, message=b""):
        self.begin(*HEADERS)
        self.data(framed(message))
        self.status(0)

    def reset(self, code):
        self.connection.h2.reset_stream(self.stream_id, code)


class Http1(Listener):
    """A server that speaks HTTP/1.1 only, over TLS if there is a context."""

    def __init__(self, context=None):
        super().__init__()
        self.context = context
        if context:
            self.url = f"https://{self.address}"

    def serve(self, connection):
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()


class Swallower(Listener):
    """A proxy to a server. When it is told to, it drops all data on the connections that exist at that time."""

    def __init__(self, backend):
        super().__init__()
        host, port = backend.removeprefix("http://").split(":")
        self.backend = (host, int(port))
        self.dead = set()

    def serve(self, connection):
        number = self.connections
        with socket.create_connection(self.backend) as behind:
            back = threading.Thread(target=self.pump, args=(behind, connection, number), daemon=True)
            back.start()
            self.pump(connection, behind, number)
            back.join()

    def pump(self, from_, to, number):
        try:
            while data := from_.recv(65536):
                if number not in self.dead:
                    to.sendall(data)
        except OSError:
            # One end has closed the connection.
            pass

    def swallow(self):
        self.dead = set(range(self.connections + 1))


def blackhole():
    """A socket on [::1] that answers no more connections: its queue is full. And the sockets that fill it."""
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(("::1", 0))
    listener.listen(0)
    address = listener.getsockname()
    filling = [listener]
    for _ in range(6):
        one = socket.socket(socket.AF_INET6)
        one.setblocking(False)
        one.connect_ex(address)
        filling.append(one)
    return filling


class Sleeper:
    """grpcio's server whose SayHello takes `seconds` and answers so many letters; with grpcio's options, and on a port of
    others if one is given."""

    def __init__(self, seconds, port=0, letters=0, **options):
        def hello(request, context):
            time.sleep(seconds)
            return messages.HelloReply(message="x" * letters)

        options = [(f"grpc.{name}", value) for name, value in options.items()] + [("grpc.so_reuseport", 1)]
        self.server = grpc.server(futures.ThreadPoolExecutor(64), options=options)
        handler = grpc.unary_unary_rpc_method_handler(
            hello, messages.HelloRequest.FromString, messages.HelloReply.SerializeToString
        )
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"SayHello": handler}),))
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(grace=None).wait()


def reference(url, count, rate):
    """grpcio's own client: `count` calls, `rate` of them a second. How many ended with each code."""
    with grpc.insecure_channel(url.removeprefix("http://")) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
        hello = channel.unary_unary(
            f"/{SERVICE}/SayHello", messages.HelloRequest.SerializeToString, messages.HelloReply.FromString
        )
        start = time.monotonic()
        calls = []
        for number in range(count):
            time.sleep(max(0, start + number / rate - time.monotonic()))
            calls.append(hello.future(messages.HelloRequest(), timeout=10))
        codes = [call.code().name for call in calls]
    return {code: codes.count(code) for code in set(codes)}


def tls(certificate, key, alpn=None):
    """A context for a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context
