"""One connection carries thousands of calls in flight, and tens of thousands of cancelled calls."""

from collections import Counter

import grpc
from grpc import StatusCode

from program import by_outcome, until


def states(client):
    """A list that grows by every state that the client's channel goes through."""
    seen = []
    client.channel.subscribe(seen.append, try_to_connect=True)
    until(lambda: grpc.ChannelConnectivity.READY in seen, "a connection")
    return seen


def connected_once(seen):
    """Whether the channel still has its first connection."""
    return seen[-1] == grpc.ChannelConnectivity.READY and seen.count(grpc.ChannelConnectivity.READY) == 1


def test_2000_small_calls_in_flight_on_one_connection(start, connect):
    calls = 2_000
    program = start("--line", "fifo", "--max-waiting", str(calls))
    occupying = connect(program).processing("occupies the worker", b"", 60)
    program.until_level("in_service", 1)
    client = connect(program)
    seen = states(client)
    crowd = [client.processing(str(number), bytes(64), 0) for number in range(calls)]
    program.until_level("waiting", calls)
    occupying.cancel()
    assert [call.result().id for call in crowd] == [str(number) for number in range(calls)]
    assert program.requests("process", "ok") == calls
    assert connected_once(seen)


def test_20000_calls_with_a_deadline_of_a_second(start, connect):
    calls = 20_000
    # The service does 200 per second, and all calls may wait. Most calls must reach their deadline while they wait.
    program = start("--line", "fifo", "--workers", "4", "--service-time", "20ms", "--max-waiting", str(calls))
    client = connect(program)
    seen = states(client)
    crowd = [client.processing("", b"", timeout=1) for _ in range(calls)]
    # If so many resets ended the connection, calls would end with UNAVAILABLE, or with RESOURCE_EXHAUSTED although there is room.
    codes = Counter(call.code() for call in crowd)
    assert set(codes) <= {StatusCode.OK, StatusCode.DEADLINE_EXCEEDED}, codes
    assert codes[StatusCode.DEADLINE_EXCEEDED] > 0
    until(lambda: not program.unsettled(), "everyone gone, and counted")
    page = program.page()
    requests, jobs = by_outcome(page, "foo_requests_total", "process"), by_outcome(page, "foo_jobs_total", "process")
    assert jobs["expired"] + jobs["cancelled"] > 0
    # An answer can arrive after the client's own timer has ended the call.
    assert jobs["completed"] == requests["ok"] >= codes[StatusCode.OK]
    assert requests["rejected"] == requests["unavailable"] == requests["failed"] == 0, requests
    client.process("afterwards, on the same connection")
    assert connected_once(seen)
