"""The stack of docker-compose.yml under its own project name, for scripts/test-stack: its commands, and queries to its
Prometheus."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
PROJECT = "backpressure-test"
# Uses free ports, and publishes the metrics port of one program of each kind.
OVERRIDE = """
services:
  prometheus: { ports: !override ["127.0.0.1::9090"] }
  grafana: { ports: !override ["127.0.0.1::3000"] }
  sync-shed: { ports: ["127.0.0.1::9464"] }
  load-sync-shed: { ports: ["127.0.0.1::9465"] }
"""


class CommandFailed(Exception):
    """A required command failed."""


def run(*command, **options):
    """Returns the standard output of a command. If the command fails, raises CommandFailed with its standard error."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    ended = subprocess.run([str(word) for word in command], text=True, check=False, **options)
    if ended.returncode:
        raise CommandFailed(f"{' '.join(map(str, command))}: {ended.stderr or ended.returncode}")
    return ended.stdout


def verdict(*command, **options):
    """Returns the standard error of a check, and whether the check passed."""
    ended = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, **options)
    return ended.stderr.strip() or "success", ended.returncode == 0


def findings(*command):
    """Returns the output of a check, and whether the check passed. If it passed, returns only the last line."""
    ended = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False)
    if ended.returncode:
        return ended.stdout + ended.stderr, False
    return ended.stdout.splitlines()[-1], True


def stands_in():
    """Whether this machine builds the base images instead of pulling them."""
    return (SHARED / "docker" / "engine").exists()


def make_images(compiles):
    """Builds the base images. That of the compiler is large, and only there if something `compiles`."""
    run(SHARED / "docker" / "engine", stdout=None)
    files = (ROOT / "Dockerfile").read_text() + (ROOT / "docker-compose.yml").read_text()
    patterns = {"debian": r"debian:\S+", "prometheus": r"prom/prometheus:\S+"}
    if compiles:
        patterns["rust"] = r"rust:\S+"
    for kind, pattern in patterns.items():
        run(SHARED / "docker" / "base-image", kind, re.search(pattern, files)[0], stdout=None)


def images_from(programs):
    """Makes the images of both programs from programs that are compiled already: with the Dockerfile's stages for them, and another
    stage `build`, which copies."""
    _comment, _build, *stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    dockerfile = "\nFROM ".join(["FROM scratch AS build\nCOPY . /out/", *stages])
    with tempfile.TemporaryDirectory() as folder:
        for program in ["foo-service", "load-client"]:
            shutil.copy2(Path(programs) / program, folder)
        for program in ["foo-service", "load-client"]:
            command = ["docker", "build", "--quiet", "--file", "-", "--target", program, "--tag", f"backpressure/{program}", folder]
            run(*command, input=dockerfile)


class Stack:
    """The stack, under its own project name."""

    def __init__(self, override):
        self.command = ["docker", "compose", "-p", PROJECT, "-f", ROOT / "docker-compose.yml", "-f", override]
        self.config = json.loads(self.compose("config", "--format", "json"))
        self.services = [service for service in self.config["services"] if service != "grafana" or not stands_in()]

    def compose(self, *words, **options):
        return run(*self.command, *words, **options)

    def id(self, service):
        return self.compose("ps", "-aq", service).strip()

    def inspect(self, service, template):
        return run("docker", "inspect", "-f", template, self.id(service)).strip()

    def page(self, service, port):
        return "http://" + self.compose("port", service, port).strip()

    def ask(self, path, **parameters):
        """Returns an answer of Prometheus' HTTP API."""
        url = f"{self.page('prometheus', 9090)}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]

    def value(self, query, **parameters):
        """Returns the value of a query with one result."""
        [result] = self.ask("query", query=query, **parameters)["result"]
        return float(result["value"][1])

    def values(self, query, **parameters):
        """Returns the values of a query, by strategy."""
        results = self.ask("query", query=query, **parameters)["result"]
        return {result["metric"].get("strategy"): float(result["value"][1]) for result in results}

    def series(self, query, start, end):
        """Returns the values of a query with one series, one per second. Leaves out seconds without a value."""
        [result] = self.ask("query_range", query=query, start=start, end=end, step=1)["result"]
        return [float(value) for _, value in result["values"]]

    def down(self):
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        mine = ["--filter", f"label=com.docker.compose.project={PROJECT}"]
        left = run("docker", "ps", "-aq", *mine) + run("docker", "network", "ls", "-q", *mine)
        left += run("docker", "volume", "ls", "-q", *mine)
        if left:
            raise CommandFailed(f"containers, networks or volumes are left: {left.split()}")
