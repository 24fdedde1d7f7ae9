"""The load client can call any unary method of any server. For other methods, the error is one line."""

from pathlib import Path

import pytest

HELLO = ["--call", "helloworld.Greeter/SayHello"]
PROTO = Path(__file__).parent / "helloworld.proto"


@pytest.mark.parametrize("loop", [["-c", "4"], ["-c", "2", "--max-in-flight", "50"]], ids=["closed", "open"])
def test_it_is_driven_by_its_own_description(greeter, run, loop):
    data = '{"name": "{{id}}", "number": "{{counter}}"}'
    code, report, _, said = run(greeter.url, *HELLO, "--data", data, "-n", "60", "-r", "200", "-H", "who: me", *loop)
    assert (code, said) == (0, "")
    assert report["ledger"]["ok"] == report["ledger"]["intended"] == 60
    assert report["response_time_seconds"]["ok"]["count"] == 60
    assert report["rpc"] == "helloworld.Greeter/SayHello"
    assert report["service"] is None and report["audit"] is None
    assert sorted(request.number for request, _ in greeter.received) == list(range(60))
    assert len({request.name for request, _ in greeter.received}) == 60
    assert all(metadata["who"] == "me" for _, metadata in greeter.received)


def test_draws_are_the_same_with_the_same_seed_and_within_their_range(greeter, run):
    def drawn(seed):
        greeter.received.clear()
        data = '{"name": "user-{{random 1 6}}", "number": "{{random -50 50}}"}'
        assert run(greeter.url, *HELLO, "--data", data, "-n", "40", "-r", "400", "-c", "4", "--seed", seed)[0] == 0
        return sorted((request.name, request.number) for request, _ in greeter.received)

    first = drawn("1")
    assert drawn("1") == first != drawn("2")
    assert {name for name, _ in first} == {f"user-{face}" for face in range(1, 7)}
    assert all(-50 <= number <= 50 for _, number in first)


def test_what_it_refuses_is_not_mixed_with_what_it_answers(greeter, run):
    greeter.refuses = lambda request: request.number % 10 < 3
    code, report, _, _ = run(greeter.url, *HELLO, "--data", '{"number": "{{counter}}"}', "-n", "100", "-r", "400", "-c", "4")
    assert code == 0
    assert (report["ledger"]["ok"], report["ledger"]["rejected"]) == (70, 30)
    assert report["response_time_seconds"]["ok"]["count"] == 70
    assert report["response_time_seconds"]["rejected"]["count"] == 30


def test_without_reflection_a_proto_file_is_asked_for_and_will_do(silent_greeter, run):
    code, report, printed, said = run(silent_greeter.url, *HELLO)
    assert (code, report, printed) == (1, None, "")
    assert said.count("\n") == 1 and "has no reflection" in said and "--proto FILE" in said
    code, report, _, said = run(silent_greeter.url, *HELLO, "--proto", PROTO, "-n", "8", "-r", "100")
    assert (code, said) == (0, "")
    assert report["ledger"]["ok"] == 8


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--call", "helloworld.Greeting/SayHello"], "there are grpc.reflection.v1alpha.ServerReflection, helloworld.Greeter"),
        (["--call", "helloworld.Greeter/SayBye"], "has no method SayBye; it has SayHello, SayHelloOften"),
        (["--call", "helloworld.Greeter/SayHelloOften"], "streams; only unary methods can be driven"),
        ([*HELLO, "--data", '{"nam": "x"}'], "helloworld.HelloRequest has the fields name, number"),
        ([*HELLO, "--data", '{"number": "{{id}}"}'], "helloworld.HelloRequest"),
    ],
)
def test_what_cannot_be_called_is_said_in_one_line(greeter, run, flags, said):
    code, report, printed, line = run(greeter.url, *flags)
    assert (code, report, printed) == (2, None, "")
    assert said in line and line.count("\n") == 1
    assert not greeter.received


def test_a_method_that_the_server_does_not_have_after_all_fails_with_its_words(silent_greeter, run, tmp_path):
    file = tmp_path / "more.proto"
    file.write_text(PROTO.read_text().replace("SayHello(", "SayGoodbye("))
    code, report, _, said = run(silent_greeter.url, "--call", "helloworld.Greeter/SayGoodbye", "--proto", file, "-n", "4")
    assert code == 1 and report["ledger"]["failed"] == 4
    assert "first failed: UNIMPLEMENTED: Method not found!" in said
    assert "nothing succeeded" in said
