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

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
PROJECT = "backpressure-test"
# Uses free ports, and publishes the metrics port of one program of each kind, and of those around the shared queue. The load of
# the shared queue is constant, so that its checks do not depend on the phase, and its load client prints the report as JSON.
OVERRIDE = """
services:
  prometheus: { ports: !override ["127.0.0.1::9090"] }
  grafana: { ports: !override ["127.0.0.1::3000"] }
  sync-shed: { ports: ["127.0.0.1::9464"] }
  load-sync-shed: { ports: ["127.0.0.1::9465"] }
  async-durable: { ports: ["127.0.0.1::9464"] }
  async-durable-worker: { ports: ["127.0.0.1::9464"] }
  load-async-durable:
    ports: ["127.0.0.1::9465"]
    environment: { LOAD_STAGES: "", LOAD_REPEAT: "", LOAD_ALIGN: "", LOAD_RPS: "100", LOAD_JSON: "-" }
"""
# A nats-server as its public image has it, from the program of scripts/get-nats. The health check asks `wget` for a page.
NATS = """
FROM debian:trixie-slim
COPY nats-server /usr/local/bin/
RUN printf '%s\\n' '#!/bin/bash' 'exec 3<>/dev/tcp/127.0.0.1/8222' 'printf "GET /healthz HTTP/1.0\\r\\n\\r\\n" >&3' \\
    'read -r _ status _ <&3; [ "$status" = 200 ]' > /usr/local/bin/wget && chmod +x /usr/local/bin/wget
ENTRYPOINT ["nats-server"]
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
    nats = run(ROOT / "scripts" / "get-nats", stderr=None).strip()
    command = ["docker", "build", "--quiet", "--file", "-", "--tag", re.search(r"image: (nats:\S+)", files)[1], Path(nats).parent]
    run(*command, input=NATS)


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


def inspect(container, template):
    """Returns what Docker knows of a container."""
    return run("docker", "inspect", "-f", template, container).strip()


def page(container, port):
    """Returns the URL of a published port of a container. It is another one after each start."""
    return "http://" + run("docker", "port", container, port).splitlines()[0]


def metrics(container, port):
    """Returns the metrics page of a program: the values, by name and labels."""
    with urllib.request.urlopen(f"{page(container, port)}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def kill(container):
    """Sends SIGKILL from outside, as the kernel does when the memory is full. After `docker kill`, Docker does not start the
    container again."""
    pid = inspect(container, "{{.State.Pid}}")
    killer = ["docker", "run", "--rm", "--pid=host", "--network=none", "debian:trixie-slim"]
    run(*killer, "sh", "-c", f"kill -KILL {pid}")


class Stack:
    """The stack, under its own project name."""

    def __init__(self, override):
        files = ["-f", ROOT / "docker-compose.yml", "-f", override]
        self.command = ["docker", "compose", "-p", PROJECT, *files, "--profile", "compare", "--profile", "durable"]
        self.config = json.loads(self.compose("config", "--format", "json"))
        profiles = {service: about.get("profiles", []) for service, about in self.config["services"].items()}
        self.durable = [service for service, names in profiles.items() if "durable" in names]
        left_out = {"grafana"} if stands_in() else set()
        self.services = [service for service in profiles if service not in {*self.durable, *left_out}]
        # The load clients that can be away once the overload was checked: the death of async-unbounded may be still to come.
        self.loads = [service for service in self.services if service.startswith("load-") and service != "load-async-unbounded"]

    def compose(self, *words, **options):
        return run(*self.command, *words, **options)

    def ids(self, service):
        """Returns the containers of a service."""
        return self.compose("ps", "-aq", service).split()

    def id(self, service):
        """Returns the container of a service that has one."""
        [container] = self.ids(service)
        return container

    def inspect(self, service, template):
        return inspect(self.id(service), template)

    def page(self, service, port):
        """Returns the URL of a published port."""
        return page(self.id(service), port)

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
