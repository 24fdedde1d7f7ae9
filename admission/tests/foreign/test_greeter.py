"""The example `greeter`, called by a foreign client (grpcio) and driven far past its capacity.

`scripts/test` runs this. By hand, from the root of the repository:

    cargo build -p load-client && cargo build -p tower-admission --example greeter
    python3 -m venv target/foreign && target/foreign/bin/pip install -r foo-service/tests/foreign/requirements.txt
    target/foreign/bin/pytest admission/tests/foreign
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

sys.path.insert(0, str(Path(__file__).parent))
messages, services = grpc.protos_and_services("greeter.proto")
PROTO = Path(__file__).parent / "greeter.proto"


@pytest.fixture
def address(request):
    """The address of a greeter, which is killed after the test."""
    greeter = request.config.getoption("--built") / "examples/greeter"
    with subprocess.Popen([greeter, "127.0.0.1:0"], env={}, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def greet(stub, timeout=60):
    """The greeting, or the error that came instead."""
    try:
        return stub.SayHello(messages.HelloRequest(name="you"), timeout=timeout).message
    except grpc.RpcError as error:
        return error


def test_it_greets_and_refuses_what_it_cannot_answer_in_time(address):
    with grpc.insecure_channel(address, options=[("grpc.enable_retries", 0)]) as channel:
        stub = services.GreeterStub(channel)
        assert greet(stub) == "Hello, you!"
        # 400 calls at once are two seconds of work.
        with ThreadPoolExecutor(400) as threads:
            answers = list(threads.map(lambda _: greet(stub, timeout=1), range(400)))
        greetings = [answer for answer in answers if answer == "Hello, you!"]
        refusals = [answer for answer in answers if getattr(answer, "code", int)() == grpc.StatusCode.RESOURCE_EXHAUSTED]
        assert greetings and refusals
        pushback = [dict(refusal.trailing_metadata())["grpc-retry-pushback-ms"] for refusal in refusals]
        assert all(int(millis) > 0 for millis in pushback)
        assert greet(stub) == "Hello, you!"


def test_it_goes_on_greeting_at_ten_times_its_capacity(address, request, tmp_path):
    report = tmp_path / "report.json"
    load = ["-r", "2000", "-z", "2s", "-c", "100", "--max-in-flight", "100", "--arrival", "poisson", "--timeout", "300ms"]
    call = ["--call", "helloworld.Greeter/SayHello", "--proto", PROTO, "--data", '{"name": "you"}']
    client = request.config.getoption("--built") / "load-client"
    subprocess.run([client, "run", f"http://{address}", *call, *load, "-q", "--json", report], env={}, check=True, timeout=60)
    ledger = json.loads(report.read_text())["runs"][0]["ledger"]
    assert ledger["intended"] > 3000
    assert ledger["ok"] > 0 and ledger["rejected"] > ledger["ok"], ledger
    with grpc.insecure_channel(address) as channel:
        assert greet(services.GreeterStub(channel)) == "Hello, you!"
