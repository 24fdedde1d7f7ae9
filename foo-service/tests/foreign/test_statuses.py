"""Every rejection has its status: the table "Statuses of foo-service" of docs/reference.md, row by row, for both RPCs."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from program import DOORS, until
from wire import SERVICE, failure

MAX_PAYLOAD = 1 << 20


@pytest.fixture
def occupied(connect):
    """Keeps the only worker of a service busy, until the call is cancelled or the test ends."""
    calls = []

    def occupied(program):
        calls.append(connect(program).processing("occupies the worker", b"", 60))
        program.until_level("in_service", 1)
        return calls[-1]

    yield occupied
    for call in calls:
        call.cancel()


def pushback(error):
    """The milliseconds that a rejected caller is asked to wait."""
    return int(dict(error.trailing_metadata())["grpc-retry-pushback-ms"])


@pytest.mark.parametrize("when_full, what", [("reject", "the queue"), ("wait", "the line for the queue")])
def test_no_room_on_the_queue_or_in_the_line_for_it(start, connect, occupied, when_full, what):
    program = start("--queue-capacity", "1", "--when-full", when_full, "--max-waiting", "1", "--service-time", "20ms")
    client = connect(program)
    occupied(program)
    client.enqueue("takes the only place", b"", 0)
    if when_full == "wait":
        waiting = client.enqueueing("takes the only place in line", b"", 0)
        program.until_level("waiting", 1)
    error = failure(client.enqueue, "too many")
    assert (error.code(), error.details()) == (StatusCode.RESOURCE_EXHAUSTED, f"no room: {what} is full")
    assert pushback(error) == 20
    assert program.requests("enqueue", "rejected") == 1
    if when_full == "wait":
        waiting.cancel()


def test_no_room_in_the_line_for_a_worker(start, connect, occupied):
    program = start("--line", "fifo", "--max-waiting", "1")
    client = connect(program)
    occupied(program)
    waiting = client.processing("takes the only place in line")
    program.until_level("waiting", 1)
    error = failure(client.process, "too many")
    assert (error.code(), error.details()) == (StatusCode.RESOURCE_EXHAUSTED, "no room: the line is full")
    assert pushback(error) == 250
    assert program.requests("process", "rejected") == 1
    waiting.cancel()


def test_no_room_for_one_more_watcher(start, connect):
    client = connect(start())
    watchers = []
    with pytest.raises(grpc.RpcError) as error:
        # Far more than any useful bound.
        for _ in range(1_000):
            watchers.append(client.watch())
            next(watchers[-1])
    assert error.value.code() == StatusCode.RESOURCE_EXHAUSTED
    assert pushback(error.value) == 250
    for watch in watchers:
        watch.cancel()


def test_draining(start, connect, occupied):
    program = start()
    client = connect(program)
    admitted = occupied(program)
    program.terminate()
    until(lambda: program.get("/readyz") == (503, "draining\n"), "readiness that ends")
    # Old and new connections get the same status.
    for caller in [client, connect(program)]:
        for door in caller.doors().values():
            error = failure(door, "new")
            assert (error.code(), error.details()) == (StatusCode.UNAVAILABLE, "draining")
        health = health_pb2_grpc.HealthStub(caller.channel)
        for name in ["", SERVICE]:
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert [program.requests(door, "unavailable") for door in DOORS] == [2, 2]
    assert not admitted.done()
    admitted.cancel()
    assert program.exit_code() == 0


# The timeout is metadata, so the client runs no timer of its own, and sees the answer of the service.
IN_200_MS = [("grpc-timeout", "200m")]


def test_the_deadline_passes_in_service(start, connect):
    program = start()
    error = failure(connect(program).process, "served", b"", 60, metadata=IN_200_MS)
    assert (error.code(), error.details()) == (StatusCode.DEADLINE_EXCEEDED, "deadline passed")
    assert program.requests("process", "expired") == program.jobs("process", "expired") == 1
    assert program.sample('foo_queue_wait_seconds_count{door="process"}') == 1, "a worker had it"


def test_the_deadline_passes_in_line(start, connect, occupied):
    program = start("--queue-capacity", "1", "--when-full", "wait")
    client = connect(program)
    occupied(program)
    client.enqueue("takes the only place", b"", 0)
    for name, door in client.doors().items():
        error = failure(door, "waits", metadata=IN_200_MS)
        assert (error.code(), error.details()) == (StatusCode.DEADLINE_EXCEEDED, "deadline passed")
        assert program.requests(name, "expired") == 1
    # One message was admitted, and the other was not.
    assert [program.jobs(door, "expired") for door in DOORS] == [0, 1]
    assert program.sample('foo_queue_wait_seconds_count{door="process"}') == 1, "only the one that occupies it"


def test_the_deadline_of_the_clients_own_clock(start, connect, occupied):
    program = start()
    client = connect(program)
    occupied(program)
    error = failure(client.process, "waits", timeout=0.2)
    assert error.code() == StatusCode.DEADLINE_EXCEEDED
    # The timers of client and service race, and both results are right.
    until(lambda: program.jobs("process", "expired") + program.jobs("process", "cancelled") == 1, "the end of it")


MALFORMED = {
    "an id of 129 bytes": ("message.id", ("x" * 129,)),
    "an id of 65 characters and 130 bytes": ("message.id", ("é" * 65,)),
    "a payload over the limit": ("message.payload", ("", bytes(MAX_PAYLOAD + 1))),
    "a negative demand": ("message.service_demand", ("", b"", Duration(seconds=-1))),
    "a demand of negative nanoseconds": ("message.service_demand", ("", b"", Duration(nanos=-1))),
    "a demand of a second in nanoseconds": ("message.service_demand", ("", b"", Duration(nanos=1_000_000_000))),
    "a demand over the limit": ("message.service_demand", ("", b"", Duration(seconds=60, nanos=1))),
    "the longest demand": ("message.service_demand", ("", b"", Duration(seconds=2**63 - 1, nanos=2**31 - 1))),
    "the most negative demand": ("message.service_demand", ("", b"", Duration(seconds=-(2**63), nanos=-(2**31)))),
}


def test_a_malformed_message_is_told_which_field(start, connect):
    program = start()
    client = connect(program)
    for what, (field, fields) in MALFORMED.items():
        for door in client.doors().values():
            error = failure(door, *fields)
            assert error.code() == StatusCode.INVALID_ARGUMENT, f"{what}: {error}"
            assert error.details().startswith(f"{field}: "), f"{what}: {error}"
    assert [program.requests(door, "invalid") for door in DOORS] == [len(MALFORMED)] * 2


def test_what_is_just_within_the_limits_is_taken(start, connect):
    client = connect(start("--service-time", "0s", "--max-service-demand", "10ms"))
    for door in client.doors().values():
        door("x" * 128, bytes(MAX_PAYLOAD), 0.01)


def test_a_request_that_is_no_message(start, connect):
    program = start()
    client = connect(program)
    for method, door in [("Enqueue", "enqueue"), ("Process", "process")]:
        # What the serializer leaves alone is sent as it is.
        call = client.channel.unary_unary(f"/{SERVICE}/{method}", request_serializer=None)
        error = failure(call, b"")
        assert (error.code(), error.details()) == (StatusCode.INVALID_ARGUMENT, "message: is missing")
        for undecodable in [b"\xff\xff", b"\x0a\x7f", b"\x0a\x04\x0a\x02\xff\xfe"]:
            assert failure(call, undecodable).code() == StatusCode.INVALID_ARGUMENT
        assert program.requests(door, "invalid") == 4


def test_a_payload_far_over_the_limit_is_not_even_decoded(start, connect):
    program = start()
    client = connect(program)
    for name, door in client.doors().items():
        error = failure(door, "", bytes(8 * MAX_PAYLOAD))
        assert error.code() == StatusCode.RESOURCE_EXHAUSTED, error
        # The message will not fit later either, so the caller is not asked to try again.
        assert "grpc-retry-pushback-ms" not in dict(error.trailing_metadata())
        assert program.requests(name, "invalid") == 1


def test_watching_in_a_way_that_is_not_offered(start, connect):
    client = connect(start())
    for field, request in [
        ("run_id", {"run_id": "x" * 129}),
        ("interval", {"interval": {"nanos": 1}}),
        ("interval", {"interval": {"seconds": -1}}),
        ("interval", {"interval": {"seconds": 3_601}}),
    ]:
        with pytest.raises(grpc.RpcError) as error:
            next(client.watch(**request))
        assert error.value.code() == StatusCode.INVALID_ARGUMENT
        assert error.value.details().startswith(f"{field}: ")


def test_what_is_not_offered_at_all(start, connect):
    program = start()
    client = connect(program)
    for path in [f"/{SERVICE}/Nothing", f"/{SERVICE}/process", "/no.such.Service/Process", "/"]:
        assert failure(client.channel.unary_unary(path), b"").code() == StatusCode.UNIMPLEMENTED
    error = failure(client.process, "squeezed", bytes(1_000), compression=grpc.Compression.Deflate)
    assert error.code() == StatusCode.UNIMPLEMENTED
    assert program.requests("process", "invalid") == 1


def test_requests_that_are_compressed_with_gzip(start, connect):
    program = start()
    client = connect(program)
    assert client.process("squeezed", bytes(1_000_000), compression=grpc.Compression.Gzip).id == "squeezed"
    # Small on the wire, and far above the limit after it is unpacked.
    error = failure(client.process, "a bomb", bytes(100_000_000), compression=grpc.Compression.Gzip)
    assert error.code() == StatusCode.RESOURCE_EXHAUSTED
    # This channel compresses all requests, including Watch and the health service.
    everything = connect(program, compression=grpc.Compression.Gzip)
    assert everything.process("squeezed too", bytes(10)).id == "squeezed too"
    assert next(everything.watch()).instance_id == program.instance_id
