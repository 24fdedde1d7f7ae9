"""Fixtures of the tests that run the real `load-client` against a foreign server (grpcio).

`scripts/test` runs them. By hand, from the root of the repository:

    cargo build -p load-client
    python3 -m venv target/foreign && target/foreign/bin/pip install -r foo-service/tests/foreign/requirements.txt
    target/foreign/bin/pytest load-client/tests/foreign
"""

import json
import subprocess
from pathlib import Path

import pytest

from greeter import Greeter


def pytest_addoption(parser):
    built = Path(__file__).parents[3] / "target/debug/load-client"
    parser.addoption("--binary", type=Path, default=built, help="the load-client to test (default: %(default)s)")


@pytest.fixture
def greeter():
    """A server with reflection."""
    with Greeter(reflection=True) as greeter:
        yield greeter


@pytest.fixture
def silent_greeter():
    """A server without reflection."""
    with Greeter(reflection=False) as greeter:
        yield greeter


@pytest.fixture
def run(request, tmp_path):
    """Runs the load client. Returns its exit code, the run of its report or None, its stdout and its stderr."""
    binary = request.config.getoption("--binary")
    assert binary.exists(), f"{binary} is not there: cargo build -p load-client, or name another with --binary"

    def run(url, *flags):
        file = tmp_path / "report.json"
        ended = subprocess.run(
            [binary, "run", url, "-q", "--json", file, *flags],
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        text = file.read_text() if file.exists() else ""
        return ended.returncode, json.loads(text)["runs"][0] if text else None, ended.stdout, ended.stderr

    return run
