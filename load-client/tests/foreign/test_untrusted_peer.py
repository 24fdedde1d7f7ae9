"""The load client shows the data of a peer, and never obeys it. No answer, description or file can make the client panic, send a
command to the terminal, or forge a line of output."""

import re
import time
from concurrent import futures

import grpc
import pytest
from google.protobuf import any_pb2, descriptor_pb2, empty_pb2, timestamp_pb2
from grpc_reflection.v1alpha import reflection as server_reflection
from grpc_reflection.v1alpha import reflection_pb2 as pb

any_messages, any_services = grpc.protos_and_services("any.proto")
content_messages = grpc.protos("any_content.proto")

# Escape sequences, a bell, a line that looks like our output, a change of the writing direction, NUL, and a C1 control character.
EVIL = "\x1b[2J\x1b]0;owned\x07\nrun: FAKE ok 100 %\r\u202e\x00\u009b31m"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Server:
    """Answers reflection as `answer` does, and a method as `do` does."""

    def __init__(self, answer=None, do=None, path="a.B", twice=False):
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))

        def reflect(questions, _):
            for question in questions:
                yield from [answer(question)] * (2 if twice else 1)

        if answer:
            handler = grpc.stream_stream_rpc_method_handler(
                reflect, pb.ServerReflectionRequest.FromString, pb.ServerReflectionResponse.SerializeToString
            )
            for version in ("v1", "v1alpha"):
                name = f"grpc.reflection.{version}.ServerReflection"
                methods = {"ServerReflectionInfo": handler}
                self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))
        if do:
            methods = {name: grpc.unary_unary_rpc_method_handler(do) for name in ("Do", "Process", "Put")}
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(path, methods),))
        self.url = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(grace=None).wait()


def listed(*names):
    services = [pb.ServiceResponse(name=name) for name in names]
    return pb.ServerReflectionResponse(list_services_response=pb.ListServiceResponse(service=services))


def files(*protos):
    encoded = [proto.SerializeToString() for proto in protos]
    return pb.ServerReflectionResponse(
        file_descriptor_response=pb.FileDescriptorResponse(file_descriptor_proto=encoded)
    )


def refused(code, message):
    return pb.ServerReflectionResponse(error_response=pb.ErrorResponse(error_code=code, error_message=message))


def tame(text):
    assert not OBEYED.search(text), repr(text)
    assert not any(line.startswith("run: FAKE") for line in text.splitlines()), text
    return text


@pytest.mark.parametrize("code", [5, 13])
def test_words_of_reflection_are_shown_on_one_line(run, code):
    def answer(question):
        if question.WhichOneof("message_request") == "list_services":
            return listed("a.B" + EVIL)
        return refused(code, "no" + EVIL * 1000)

    with Server(answer) as server:
        exit_code, _, printed, said = run(server.url, "--call", "a.B/Do")
    assert exit_code in (1, 2) and printed == ""
    assert tame(said).count("\n") == 1 and len(said) < 4000
    assert "\\u{1b}[2J" in said


@pytest.mark.parametrize("flags", [["--call", "a.B/Do"], []], ids=["another service", "a FooService"])
def test_words_of_a_status_are_shown_on_one_line_in_every_place(run, flags, tmp_path):
    def do(_, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, EVIL + "é" * 3000)

    message = descriptor_pb2.DescriptorProto(name="M")
    method = descriptor_pb2.MethodDescriptorProto(name="Do", input_type=".a.M", output_type=".a.M")
    service = descriptor_pb2.ServiceDescriptorProto(name="B", method=[method])
    file = descriptor_pb2.FileDescriptorProto(
        name="a.proto", package="a", syntax="proto3", message_type=[message], service=[service]
    )

    def answer(question):
        return listed("a.B") if question.WhichOneof("message_request") == "list_services" else files(file)

    page = tmp_path / "page.html"
    with Server(answer, do, "a.B" if flags else "foo.v1.FooService") as server:
        exit_code, report, printed, said = run(server.url, *flags, "-n", "3", "-r", "300", "--html", page)
    assert exit_code == 1
    assert report["ledger"]["failed"] == 3
    tame(printed)
    assert "FAILED_PRECONDITION" in tame(said)
    assert len(said) < 4000
    tame(page.read_text())


@pytest.mark.parametrize("syntax", ["editions", "proto4", "", "a\nb" + EVIL])
@pytest.mark.parametrize("imported", [False, True])
def test_no_syntax_of_a_description_is_a_panic(run, syntax, imported):
    other = descriptor_pb2.FileDescriptorProto(name="b.proto", package="b", syntax=syntax if imported else "proto3")
    method = descriptor_pb2.MethodDescriptorProto(name="Do", input_type=".a.M", output_type=".a.M")
    file = descriptor_pb2.FileDescriptorProto(
        name="a.proto",
        package="a",
        syntax="proto3" if imported else syntax,
        dependency=["b.proto"],
        message_type=[descriptor_pb2.DescriptorProto(name="M")],
        service=[descriptor_pb2.ServiceDescriptorProto(name="B", method=[method])],
    )

    def answer(question):
        return listed("a.B") if question.WhichOneof("message_request") == "list_services" else files(file, other)

    with Server(answer, lambda request, _: request) as server:
        exit_code, _, _, said = run(server.url, "--call", "a.B/Do", "-n", "3", "-r", "300")
    if syntax == "":
        assert (exit_code, said) == (0, "")
    else:
        assert exit_code == 1 and tame(said).count("\n") == 1
        assert "known are" in said and "2023" in said, said


HABITS = {
    "leaves out protobuf's own files": "",
    "sends all files twice": "",
    "answers with another": "",
    "does not list its services": "",
    "takes its time": "",
    "imports a file by another name": "the server does not describe third_party/common.proto",
    "says everything twice": "the answer is not one message",
    "nothing": "it lists any.Box, and does not describe it",
    "no file": "reflection failed: ",
}


@pytest.mark.parametrize("habit", HABITS)
def test_habits_of_servers_with_their_descriptions(run, habit):
    own = {}
    for module in (any_messages, any_pb2, timestamp_pb2, empty_pb2):
        proto = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(proto)
        own[proto.name] = proto

    def answer(question):
        kind = question.WhichOneof("message_request")
        if habit == "takes its time":
            time.sleep(0.3)
        if kind == "list_services":
            return refused(12, "not here") if habit == "does not list its services" else listed("any.Box")
        if habit == "sends all files twice":
            return files(*list(own.values()) * 2)
        if habit == "nothing":
            return files()
        if habit == "no file":
            return pb.ServerReflectionResponse(
                file_descriptor_response=pb.FileDescriptorResponse(file_descriptor_proto=[b"\xff\xff"])
            )
        if habit == "imports a file by another name" and kind == "file_containing_symbol":
            other = descriptor_pb2.FileDescriptorProto()
            other.CopyFrom(own["any.proto"])
            other.dependency.append("third_party/common.proto")
            return files(other)
        if kind == "file_containing_symbol" or habit == "answers with another":
            return files(own["any.proto"])
        return refused(5, "no such file")

    with Server(answer, lambda *_: b"", "any.Box", twice=habit == "says everything twice") as server:
        exit_code, _, _, said = run(server.url, "--call", "any.Box/Put", "-n", "1", "-r", "100")
    assert HABITS[habit] in said and said.count("\n") <= 1, said
    assert exit_code == (1 if HABITS[habit] else 0), said


class Box(any_services.BoxServicer):
    """Stores the messages that it receives."""

    def __init__(self):
        self.received = []

    def Put(self, request, context):
        self.received.append(request.what)
        return any_messages.PutReply()


def test_a_type_in_an_any_is_asked_of_the_server(run):
    box = Box()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    any_services.add_BoxServicer_to_server(box, server)
    server_reflection.enable_server_reflection(["any.Box", server_reflection.SERVICE_NAME], server)
    url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        put = ["--call", "any.Box/Put", "-n", "2", "-r", "200", "--data"]
        code, _, _, said = run(url, *put, '{"what": {"@type": "type.googleapis.com/content.Thing", "name": "x"}}')
        assert (code, said) == (0, "")
        thing = content_messages.Thing()
        assert all(what.Unpack(thing) and thing.name == "x" for what in box.received)
        code, _, _, said = run(url, *put, '{"what": {"@type": "type.googleapis.com/content.Nobody"}}')
        assert code == 2 and "nothing describes the message content.Nobody" in said, said
    finally:
        server.stop(grace=None).wait()
