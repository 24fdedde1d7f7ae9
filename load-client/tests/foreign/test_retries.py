"""Retries against a grpcio server: the pauses that it asks for are kept, and it is told of the attempts before."""

HELLO = ["--call", "helloworld.Greeter/SayHello", "-n", "1"]
PREVIOUS = "grpc-previous-rpc-attempts"


def test_a_pause_that_the_server_asks_for_is_kept(run, greeter):
    greeter.refuses = lambda request: len(greeter.received) < 3
    greeter.pushback = "200"
    code, report, _, said = run(greeter.url, *HELLO, "--retries", "5")
    assert code == 0, said
    pauses = [later - sooner for sooner, later in zip(greeter.times, greeter.times[1:])]
    assert len(pauses) == 2 and min(pauses) >= 0.2
    assert [metadata.get(PREVIOUS) for _, metadata in greeter.received] == [None, "1", "2"]
    assert report["ledger"]["ok"] == 1 and report["attempts"]["counts"]["retried_then_ok"] == 1


def test_a_server_that_forbids_it_is_not_tried_again(run, greeter):
    greeter.refuses = lambda request: True
    greeter.pushback = "-1"
    _, report, _, _ = run(greeter.url, *HELLO, "--retries", "5")
    assert len(greeter.received) == 1
    assert report["ledger"]["rejected"] == 1 and report["attempts"]["counts"]["given_up_by_pushback"] == 1
