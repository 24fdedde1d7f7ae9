"""Where the programs are that the tests start."""

from pathlib import Path


def pytest_addoption(parser):
    built = Path(__file__).parents[3] / "target/debug"
    parser.addoption("--built", type=Path, default=built, help="the folder of the built programs (default: %(default)s)")
