"""Every call that the service offers, called by a client in another language: FooService, health, reflection."""

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from program import until
from wire import SERVICE, messages


def test_enqueue_acknowledges_and_watch_tells_the_end(start, connect):
    client = connect(start("--service-time", "1ms"))
    watch = client.watch(run_id="run", interval={"nanos": 10_000_000})
    first = next(watch)
    assert (first.sequence, first.workers, first.draining) == (1, 1, False)
    assert first.resident_bytes > 0
    answer = client.enqueue("run/1", b"payload")
    assert (answer.id, answer.queue_depth) == ("run/1", 1)
    client.enqueue("another/1")
    ends = [end for snapshot in until_told(watch, 1) for end in snapshot.completions]
    assert [(end.id, end.outcome) for end in ends] == [("run/1", messages.JOB_OUTCOME_COMPLETED)]
    assert ends[0].service_time.ToMicroseconds() >= 1_000
    watch.cancel()


def until_told(watch, count):
    """Reads snapshots until they contain this many completions."""
    snapshots = []
    for snapshot in watch:
        snapshots.append(snapshot)
        if sum(len(seen.completions) for seen in snapshots) >= count:
            return snapshots
    raise AssertionError("the stream ended")


def test_process_answers_with_what_was_measured(start, connect):
    answer = connect(start()).process("called", b"payload", 0.02)
    assert answer.id == "called"
    assert answer.service_time.ToMicroseconds() >= 20_000
    assert answer.queue_wait.ToMicroseconds() >= 0


def test_an_id_is_made_where_there_is_none(start, connect):
    program = start("--service-time", "0s")
    client = connect(program)
    ids = [client.enqueue().id, client.process().id]
    assert all(id.startswith(f"{program.instance_id}-") for id in ids) and len(set(ids)) == 2


def test_health_tells_that_it_serves(start, connect):
    program = start()
    health = health_pb2_grpc.HealthStub(connect(program).channel)
    for name in ["", SERVICE]:
        request = health_pb2.HealthCheckRequest(service=name)
        assert health.Check(request).status == health_pb2.HealthCheckResponse.SERVING
        changes = health.Watch(request)
        assert next(changes).status == health_pb2.HealthCheckResponse.SERVING
        changes.cancel()
    with pytest.raises(grpc.RpcError) as error:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    assert program.get("/livez") == (200, "alive\n")
    assert program.get("/readyz") == (200, "ready\n")


def test_reflection_is_enough_to_make_a_call(start, connect):
    channel = connect(start()).channel
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {SERVICE, "grpc.health.v1.Health"} <= set(database.get_services())
    described = descriptor_pool.DescriptorPool(database)
    service = described.FindServiceByName(SERVICE)
    assert {method.name for method in service.methods} == {"Enqueue", "Process", "Watch"}
    process = service.FindMethodByName("Process")
    request = message_factory.GetMessageClass(process.input_type)(message={"id": "found"})
    answers = message_factory.GetMessageClass(process.output_type)
    call = channel.unary_unary(f"/{SERVICE}/Process", request.__class__.SerializeToString, answers.FromString)
    assert call(request).id == "found"


def test_reflection_speaks_its_newer_version_too(start, connect):
    # grpcio brings messages for v1alpha only. Those of v1 are the same on the wire.
    ask = connect(start()).channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    (answer,) = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    assert SERVICE in [service.name for service in answer.list_services_response.service]


def test_a_watcher_that_leaves_leaves_nothing_behind(start, connect):
    program = start()
    client = connect(program)
    # More than the limit on watchers, so each must release its place.
    for _ in range(100):
        watch = client.watch()
        assert next(watch).sequence == 1
        watch.cancel()
        until(lambda: watch.done(), "the end of the stream")
