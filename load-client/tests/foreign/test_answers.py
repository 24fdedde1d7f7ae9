"""Unusual but valid answers, and common wrong ones (proxies, compression, sizes), and how the report names each of them."""

import gzip

import pytest
from hpack import Encoder
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from peers import HEADERS, Listener, Peer, Sleeper, Swallower, framed
from test_greeter import PROTO

HELLO = ["--call", "helloworld.Greeter/SayHello", "--proto", PROTO, "-n", "4", "-r", "100"]


def http(status, *more, media="application/grpc"):
    return lambda call: call.begin((":status", status), ("content-type", media), *more, end=True)


def html(call):
    call.begin((":status", "200"), ("content-type", "text/html"))
    call.data(b"<html>sign in</html>", end=True)


@pytest.mark.parametrize(
    "answer, outcome, reason",
    [
        (http("429", ("grpc-status", "8"), ("grpc-message", "slow down")), "rejected", "RESOURCE_EXHAUSTED: slow down"),
        (http("503", ("grpc-status", "14"), ("grpc-message", "upstream gone")), "unavailable", "upstream gone"),
        (http("403", ("grpc-status", "7"), ("grpc-message", "RBAC: denied")), "failed", "PERMISSION_DENIED: RBAC: denied"),
        (http("429", media="text/plain"), "unavailable", "HTTP status 429"),
        (http("503", media="text/html"), "unavailable", "HTTP status 503"),
        (http("404", media="text/html"), "failed", "UNIMPLEMENTED: HTTP status 404"),
        (http("401", media="text/html"), "failed", "UNAUTHENTICATED: HTTP status 401"),
        (html, "failed", "an HTTP answer of type text/html, not gRPC"),
    ],
)
def test_what_is_answered_is_told(run, answer, outcome, reason):
    with Peer(answer) as peer:
        _, report, _, said = run(peer.url, *HELLO)
    assert report["ledger"][outcome] == 4, report["ledger"]
    assert reason in said


def informed(status):
    """Says something before the answer (RFC 9110, section 15.2)."""

    def answer(call):
        call.begin((":status", status), ("link", "</style.css>"))
        call.ok()

    return answer


def padded(call):
    call.begin(*HEADERS)
    call.connection.h2.send_data(call.stream_id, framed(b""), pad_length=100)
    call.status(0)


def in_single_bytes(call):
    call.begin(*HEADERS)
    for byte in framed(hello(3)):
        call.connection.h2.send_data(call.stream_id, bytes([byte]))
    call.connection.h2.send_data(call.stream_id, b"")
    call.status(0)


def with_large_trailers(call):
    call.begin(*HEADERS)
    call.data(framed(b""))
    call.status(0, ("x-large", "y" * 30_000))


def reset_after_it(call):
    call.ok()
    call.connection.flush()
    call.connection.io.sendall(RstStreamFrame(call.stream_id, error_code=0).serialize())


@pytest.mark.parametrize(
    "answer",
    [informed("103"), informed("100"), padded, in_single_bytes, with_large_trailers, reset_after_it],
    ids=["early hints", "continue", "padded", "in single bytes", "large trailers", "reset after it"],
)
def test_an_answer_may_have_any_form_that_http_2_allows(run, answer):
    with Peer(answer) as peer:
        code, report, _, said = run(peer.url, *HELLO)
    assert (code, said, report["ledger"]["ok"]) == (0, "", 4)


def answered(data, *trailers):
    """An answer with that data, and then a status."""

    def answer(call):
        call.begin(*HEADERS)
        call.data(data, end=not trailers)
        if trailers:
            call.begin(*trailers, end=True)

    return answer


OK = ("grpc-status", "0")


@pytest.mark.parametrize(
    "answer, reason",
    [
        (lambda call: call.begin(*HEADERS, OK, end=True), "the answer is not one message"),
        (answered(b"", OK), "the answer is not one message"),
        (answered(framed(b"") * 2, OK), "the answer is not one message"),
        (answered(framed(b"x" * 50)[:20], OK), "the answer is not one message"),
        (answered(framed(b"")), "the answer has no trailers"),
        (answered(framed(b""), ("grpc-status", "99")), "UNKNOWN"),
        (answered(framed(b""), ("grpc-status", "nothing")), "UNKNOWN"),
        (
            answered(framed(b""), ("grpc-status", "13"), ("grpc-message", "100% wrong %zz caf\u00e9")),
            "INTERNAL: 100% wrong %zz caf\u00e9",
        ),
        (answered(framed(b""), ("grpc-status", "13"), ("grpc-message", "z" * 5000)), "INTERNAL: zzz"),
    ],
)
def test_an_answer_that_breaks_the_rules_of_grpc_fails_and_is_named(run, answer, reason):
    with Peer(answer) as peer:
        code, report, _, said = run(peer.url, *HELLO)
    assert code == 1 and report["ledger"]["failed"] == 4, report["ledger"]
    assert f"first failed: {reason}" in said and len(said) < 1500


class Narrow(Listener):
    """A server that lets a client send `window` bytes at first and `step` more at a time, on so many streams at once."""

    def __init__(self, window, step, streams):
        super().__init__()
        self.settings = {SettingsFrame.INITIAL_WINDOW_SIZE: window, SettingsFrame.MAX_CONCURRENT_STREAMS: streams}
        self.step = step

    def serve(self, connection):
        file, encoder = connection.makefile("rb"), Encoder()
        file.read(24)
        connection.sendall(SettingsFrame(0, settings=self.settings).serialize())
        while head := file.read(9):
            frame, length = Frame.parse_frame_header(memoryview(head))
            frame.parse_body(memoryview(file.read(length)))
            for answer in self.answers(frame, length, encoder):
                connection.sendall(answer.serialize())

    def answers(self, frame, length, encoder):
        stream, is_ack = frame.stream_id, "ACK" in frame.flags
        if isinstance(frame, SettingsFrame) and not is_ack:
            yield SettingsFrame(0, flags=["ACK"])
        elif isinstance(frame, PingFrame) and not is_ack:
            yield PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"])
        elif isinstance(frame, HeadersFrame):
            yield WindowUpdateFrame(stream, window_increment=self.step)
        elif isinstance(frame, DataFrame):
            if length:
                yield WindowUpdateFrame(0, window_increment=length)
            if "END_STREAM" in frame.flags:
                yield HeadersFrame(stream, data=encoder.encode(HEADERS), flags=["END_HEADERS"])
                yield DataFrame(stream, data=framed(b""))
                yield HeadersFrame(stream, data=encoder.encode([OK]), flags=["END_HEADERS", "END_STREAM"])
            elif length:
                yield WindowUpdateFrame(stream, window_increment=self.step)


@pytest.mark.parametrize("window, step, streams", [(0, 1, 100), (1, 16, 100), (65_535, 1, 1), (0, 7, 1)])
def test_a_window_that_opens_bit_by_bit_and_one_stream_at_a_time_cost_no_call(run, window, step, streams):
    with Narrow(window, step, streams) as peer:
        data = ["--data", '{"name": "a name of some length {{counter}}"}', "-c", "4", "--connections", "1"]
        code, report, _, said = run(peer.url, *HELLO, *data)
    assert (code, said, report["ledger"]["ok"]) == (0, "", 4)


def compressed(message, encoding="gzip"):
    def answer(call):
        call.begin(*HEADERS, ("grpc-encoding", encoding))
        call.data(framed(gzip.compress(message), flag=1))
        call.status(0)

    return answer


def hello(size):
    """A HelloReply with a message of so many letters."""
    length, rest = b"", size
    while rest > 127:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return b"\x0a" + length + bytes([rest]) + b"x" * size


def test_gzip_is_asked_for_and_read(run):
    asked = []

    def answer(call):
        asked.append(call.headers.get("grpc-accept-encoding"))
        compressed(hello(100))(call)

    with Peer(answer) as peer:
        code, report, _, said = run(peer.url, *HELLO)
    assert (code, said, report["ledger"]["ok"]) == (0, "", 4)
    assert set(asked) == {"gzip"}


@pytest.mark.parametrize(
    "answer, reason",
    [
        # 20 MB in 20 kB.
        (compressed(hello(20_000_000)), "larger than 4194304 bytes; --max-message-size"),
        (compressed(b"", encoding="snappy"), '"snappy", which is not understood'),
    ],
    ids=["bomb", "another encoding"],
)
def test_what_cannot_be_decompressed_is_named(run, answer, reason):
    with Peer(answer) as peer:
        _, report, _, said = run(peer.url, *HELLO)
    assert report["ledger"]["failed"] == 4
    assert reason in said


def test_large_answers_are_taken_if_one_says_so(run):
    with Sleeper(0, letters=5_000_000) as peer:
        _, report, _, said = run(peer.url, *HELLO, "-c", "1")
        assert report["ledger"]["failed"] == 4
        assert "larger than 4194304 bytes; --max-message-size allows more" in said
        code, report, _, said = run(peer.url, *HELLO, "-c", "1", "--max-message-size", "6MiB")
        assert (code, said, report["ledger"]["ok"]) == (0, "", 4)


def test_keep_alive_notices_a_connection_that_was_swallowed(greeter, run):
    load = ["-n", "60", "-r", "20", "-c", "4", "--connections", "2", "-t", "4s"]
    with Swallower(greeter.url) as way:
        seen = []

        def swallows_once(request):
            seen.append(request)
            if len(seen) == 10:
                way.swallow()
            return False

        greeter.refuses = swallows_once
        _, report, _, said = run(way.url, *HELLO[:4], *load, "--keepalive", "300ms")
    ledger = report["ledger"]
    # Only the calls in flight at that time are lost.
    assert ledger["expired"] == 0 and ledger["unavailable"] <= 4 < ledger["ok"], ledger
    assert ledger["ok"] + ledger["unavailable"] == 60
    assert "no answer to a keep-alive ping" in said
