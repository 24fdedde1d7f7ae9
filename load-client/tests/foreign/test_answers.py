"""Unusual but valid answers, and common wrong ones (proxies, compression, sizes), and how the report names each of them."""

import gzip

import pytest

from peers import HEADERS, Peer, Sleeper, Swallower, framed
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
        (http("429", ("grpc-status", "8"), ("grpc-message", "slow down")), "rejected", ""),
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
