"""Fixtures of the tests that call the real service with a foreign client (grpcio).

`scripts/test` runs them. By hand, from the root of the repository:

    cargo build -p foo-service
    python3 -m venv target/foreign && target/foreign/bin/pip install -r foo-service/tests/foreign/requirements.txt
    target/foreign/bin/pytest foo-service/tests/foreign
"""

from pathlib import Path

import pytest

import wire
from program import Program


def pytest_addoption(parser):
    built = Path(__file__).parents[3] / "target/debug/foo-service"
    parser.addoption("--binary", type=Path, default=built, help="the foo-service to test (default: %(default)s)")


@pytest.fixture
def start(request, tmp_path):
    """Starts services. After the test, each service must still run, and must exit with code 0 on SIGTERM."""
    binary = request.config.getoption("--binary")
    assert binary.exists(), f"{binary} is not there: cargo build -p foo-service, or name another with --binary"
    started = []

    def start(*flags):
        started.append(Program(binary, tmp_path / f"{len(started)}.log", *flags))
        return started[-1]

    yield start
    try:
        for program in started:
            # Unless the test has already waited for its end.
            if program.process.returncode is None:
                program.must_go_on()
                program.terminate()
                assert program.exit_code() == 0, program.logged()
    finally:
        for program in started:
            program.process.kill()
            program.process.wait()


@pytest.fixture
def connect():
    """Creates clients, each with its own connection."""
    channels = []

    def connect(program, **arguments):
        channels.append(wire.channel(program.address, **arguments))
        return wire.Client(channels[-1])

    yield connect
    for channel in channels:
        channel.close()
