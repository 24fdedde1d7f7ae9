"""Connections with invalid data, incomplete requests, or too many connections do not disturb the other connections."""

import contextlib
import random
import socket
import ssl

import grpc
import pytest
from grpc import StatusCode

from program import PATIENCE_SECONDS, until
from wire import failure, messages


def frame(kind, flags, stream, payload):
    """An HTTP/2 frame (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """A header that uses no table and no Huffman code (RFC 7541, section 6.2.2)."""
    return b"".join([b"\x00", bytes([len(name)]), name.encode(), bytes([len(value)]), value.encode()])


DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HELLO = PREFACE + frame(SETTINGS, 0, 0, b"")
HEAD = frame(
    HEADERS,
    END_HEADERS,
    1,
    b"".join(
        literal(*header)
        for header in [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/foo.v1.FooService/Process"),
            (":authority", "service"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
    ),
)
REQUEST = messages.ProcessRequest(message={"id": "by hand"}).SerializeToString()
BODY = frame(DATA, END_STREAM, 1, b"\x00" + len(REQUEST).to_bytes(4, "big") + REQUEST)
WHOLE = HELLO + HEAD + BODY


def dial(address, sent=b""):
    """A TCP connection on which these bytes were sent."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
    try:
        connection.sendall(sent)
    except ConnectionError:
        pass  # Closed in the middle of it; reading will tell.
    return connection


def read_to_the_end(connection):
    """Reads everything up to the end of the connection, which must come."""
    received = b""
    try:
        while some := connection.recv(1 << 16):
            received += some
    except ConnectionError:
        pass
    return received


def tls_hello():
    """The first bytes of a client that uses TLS."""
    said = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), said, server_hostname="service")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return said.read()


GARBAGE = {
    "a request of HTTP/1.1": b"GET / HTTP/1.1\r\nhost: service\r\n\r\n",
    "TLS": tls_hello(),
    "zeros": bytes(1 << 16),
    "a preface and zeros": PREFACE + bytes(1 << 16),
    "a frame longer than any may be": HELLO + b"\xff\xff\xff" + bytes([DATA, 0]) + bytes(4),
    "settings of a length that they cannot have": PREFACE + frame(SETTINGS, 0, 0, b"odd"),
    "headers that do not unpack": HELLO + frame(HEADERS, END_HEADERS, 1, b"\xff" * 100),
    "a body for no request": HELLO + frame(DATA, END_STREAM, 1, b"nothing"),
    "headers on the stream that has none": HELLO + frame(HEADERS, END_HEADERS, 0, b""),
    "a frame in the middle of headers": HELLO + frame(HEADERS, 0, 1, b"") + frame(DATA, 0, 1, b""),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_ends_its_own_connection_and_no_other(start, connect, garbage):
    program = start("--service-time", "0s")
    client = connect(program)
    client.process("before")
    with dial(program.address, garbage) as connection:
        read_to_the_end(connection)
    client.process("after, on the same connection")
    assert program.requests("process", "ok") == 2


def test_random_bytes_end_their_own_connections_and_no_other(start, connect):
    program = start("--service-time", "0s")
    client = connect(program)
    draw = random.Random(1)
    for opening in [b"", PREFACE, HELLO, HELLO + HEAD]:
        for _ in range(25):
            with dial(program.address, opening + draw.randbytes(1 << 16)) as connection:
                read_to_the_end(connection)
            client.process("meanwhile, on the same connection")
    assert program.requests("process", "ok") == 100


def test_garbage_on_the_admin_port(start):
    program = start()
    for garbage in [random.Random(1).randbytes(1 << 16), b"\r\n" * 100, PREFACE]:
        with dial(program.admin, garbage) as connection:
            # It may have closed the connection by now.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            read_to_the_end(connection)
    assert program.get("/livez") == (200, "alive\n")


def test_half_a_request_that_stops_keeps_nobody_waiting(start, connect):
    program = start("--service-time", "0s")
    # The complete request is valid, so each half below is half of a valid request.
    with dial(program.address, WHOLE):
        until(lambda: program.requests("process", "ok") == 1, "the answer to a whole request")
    headers = len(HELLO) + len(HEAD)
    without_preface = [dial(program.address, WHOLE[:cut]) for cut in [0, 1, len(PREFACE) - 1]]
    without_headers = [dial(program.address, WHOLE[:cut]) for cut in [len(PREFACE), len(HELLO), headers - 1]]
    with_headers = [dial(program.address, WHOLE[:cut]) for cut in [headers, headers + len(BODY) // 2, len(WHOLE) - 1]]
    client = connect(program)
    for _ in range(100):
        client.process("meanwhile")
        client.enqueue("meanwhile")
    until(lambda: program.sample("foo_in_system") == 0, "nothing inside: half a request is not admitted")
    for half in without_headers + with_headers:
        half.close()
    until(lambda: program.requests("process", "cancelled") == len(with_headers), "calls whose callers went away")
    assert program.look().process.refused == len(with_headers)
    # The service closes a connection that sends nothing after a time.
    for half in without_preface:
        read_to_the_end(half)
        half.close()


def test_more_connections_than_allowed_are_closed_and_the_others_served(start, connect):
    most = 5
    program = start("--max-connections", str(most), "--service-time", "0s")
    # The connection of the check at its start is closed.
    until(lambda: program.sample("foo_connections") == 0, "no connections")
    clients = [connect(program) for _ in range(most)]
    for client in clients:
        client.process("among the allowed")
    assert program.sample("foo_connections") == most
    another = connect(program)
    assert failure(another.process, "one too many").code() == StatusCode.UNAVAILABLE
    # Otherwise it would try again, and take the place that becomes free below.
    another.channel.close()
    for _ in range(200):
        with dial(program.address, WHOLE) as connection:
            assert read_to_the_end(connection) == b""
    assert program.sample("foo_connections_refused_total") > 200
    assert program.sample("foo_connections") == most
    for client in clients:
        client.process("still served, on the same connection")
    clients[0].channel.close()
    until(lambda: program.sample("foo_connections") == most - 1, "a place that is free again")
    clients.append(connect(program))
    clients[-1].process("in the place that came free")
    assert program.requests("process", "ok") == 2 * most + 1
    for client in clients:
        client.channel.close()
    until(lambda: program.sample("foo_connections") == 0, "free places for the next connections")
