"""Servers that close connections gracefully cost no call, as with grpcio's own client."""

import threading
import time

import pytest

from peers import Peer, Sleeper, reference
from test_greeter import PROTO

HELLO = ["--call", "helloworld.Greeter/SayHello", "--proto", PROTO]
OPEN = ["--max-in-flight", "1000"]
GRACE = 60_000


def assert_all_ok(ended, count):
    code, report, _, said = ended
    assert (code, said) == (0, "")
    ledger = report["ledger"]
    assert (ledger["intended"], ledger["ok"]) == (count, count), ledger


@pytest.mark.parametrize(
    "age, seconds, rate, loop",
    [
        (700, 0.005, 150, ["-c", "4"]),
        (700, 1.5, 20, [*OPEN, "-c", "4", "--connections", "2"]),
        (1000, 0.3, 40, ["-c", "32", "--connections", "2"]),
        (2000, 0.3, 40, [*OPEN, "-c", "2"]),
    ],
    ids=["short", "longer than the age", "closed loop", "open loop"],
)
def test_the_maximum_age_of_a_connection_costs_no_call(run, age, seconds, rate, loop):
    ages = {"max_connection_age_ms": age, "max_connection_age_grace_ms": GRACE}
    with Sleeper(seconds, **ages) as server:
        count = 3 * rate
        assert_all_ok(run(server.url, *HELLO, "-n", str(count), "-r", str(rate), *loop), count)
        if seconds < 1:
            assert reference(server.url, rate, rate) == {"OK": rate}


def test_a_successor_on_the_same_port_takes_over(run):
    servers = [Sleeper(0.4)]
    port = servers[0].port
    servers[0].server.start()

    def roll():
        # A load of six seconds, with a deployment in the middle. The test can only wait for the time to pass.
        for _ in range(3):
            time.sleep(1.2)
            servers.append(Sleeper(0.4, port))
            servers[-1].server.start()
            servers[-2].server.stop(grace=30)

    rolling = threading.Thread(target=roll)
    rolling.start()
    try:
        ended = run(servers[0].url, *HELLO, "-n", "300", "-r", "50", *OPEN, "-c", "4", "--connections", "2")
        ledger = ended[1]["ledger"]
        assert ledger["intended"] == ledger["ok"] + ledger["failed"] + ledger["unavailable"] == 300, ended[3]
        # A call that arrives while grpcio's server stops is sometimes answered CANCELLED, which its own client also sees. How
        # many do is a matter of the machine; no other call may fail.
        assert ledger["failed"] == ended[1]["status_codes"].get("CANCELLED", 0), ended[3]
        # Both servers listen on the port for a moment. The kernel resets a connection that the one that stops has not accepted yet, and
        # the call on it may have been processed for all that the client knows. At most one for each connection and deployment.
        assert ledger["unavailable"] <= 6, ended[3]
        assert ended[1]["first_messages"].get("unavailable", "connection reset") == "connection reset", ended[3]
        assert ledger["ok"] > 200, ended[3]
    finally:
        rolling.join()
        servers[-1].server.stop(grace=None)


def closes_after(calls, go_away):
    """Like nginx and other proxies: each connection accepts a fixed number of calls."""

    def answer(call):
        call.ok()
        if call.connection.calls == calls:
            if go_away:
                call.connection.go_away(call.stream_id)
            call.connection.close()

    return answer


@pytest.mark.parametrize("loop", [["-c", "8"], [*OPEN, "-c", "1"]], ids=["closed", "open"])
def test_a_limit_of_requests_per_connection_costs_no_call_and_no_time(run, loop):
    with Peer(closes_after(100, go_away=True)) as peer:
        ended = run(peer.url, *HELLO, "-n", "900", "-r", "300", "--connections", "1", *loop)
        assert_all_ok(ended, 900)
        assert ended[1]["ledger"]["withheld"] == 0
        assert peer.connections >= 9
        # A call counts once, even if it is sent again.
        assert peer.calls == 900


@pytest.mark.parametrize("go_away", [True, False], ids=["go away", "only closed"])
def test_a_peer_that_closes_after_each_answer_serves_all_calls(run, go_away):
    with Peer(closes_after(1, go_away)) as peer:
        assert_all_ok(run(peer.url, *HELLO, "-n", "60", "-r", "20", "-c", "1", "-t", "5s"), 60)


def test_a_refused_stream_is_sent_again_once(run):
    refused = set()

    def refuses_first(call):
        first = call.connection.calls % 2 == 1
        refused.add(call.stream_id) if first else None
        call.reset(7) if first else call.ok()

    with Peer(refuses_first) as peer:
        assert_all_ok(run(peer.url, *HELLO, "-n", "30", "-r", "100", "-c", "1"), 30)
        assert (peer.calls, len(refused)) == (60, 30)


def test_a_peer_that_refuses_every_stream_is_not_asked_without_end(run):
    with Peer(lambda call: call.reset(7)) as peer:
        code, report, _, said = run(peer.url, *HELLO, "-n", "10", "-r", "100", "-c", "1")
        assert code == 1 and "nothing succeeded" in said
        assert report["ledger"]["unavailable"] == 10
        assert peer.calls == 20


def test_a_peer_that_leaves_before_every_call_is_neither_hammered_nor_waited_for_without_end(run):
    def leaves(call):
        call.connection.go_away(0)
        call.connection.close()

    with Peer(leaves) as peer:
        code, report, _, _ = run(peer.url, *HELLO, "-n", "4", "-r", "100", "-c", "1", "-t", "1s")
        assert code == 1
        assert report["ledger"]["ok"] == 0
        assert report["ledger"]["unavailable"] + report["ledger"]["expired"] == 4
        assert peer.connections < 100
