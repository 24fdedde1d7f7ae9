"""Ways to connect to a server. If one fails, the error names the part that failed, and what to do."""

import http.server
import socket
import ssl
import subprocess
import threading

import grpc
import pytest

from greeter import Greeter
from peers import HEADERS, Http1, Peer, blackhole, tls
from test_greeter import HELLO, PROTO

SOON = ["--connect-timeout", "2s"]
DESCRIBED = [*HELLO, "--proto", PROTO]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made = subprocess.run([*command, "-out", files[0], "-keyout", files[1]], capture_output=True)
    assert made.returncode == 0, made.stderr
    return files


@pytest.mark.parametrize("alpn", [None, ["http/1.1"]], ids=["without ALPN", "only http/1.1"])
def test_a_server_of_http_1_over_tls_is_named_as_such(run, certificate, alpn):
    with Http1(tls(*certificate, alpn)) as peer:
        code, _, _, said = run(peer.url, *DESCRIBED, "--insecure", *SOON)
    assert code == 1 and "it speaks HTTP/1.1, not HTTP/2" in said, said


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_a_server_of_old_versions_of_tls_is_named_as_such(run, certificate):
    context = tls(*certificate)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Http1(context) as peer:
        code, _, _, said = run(peer.url, *DESCRIBED, "--insecure", *SOON)
        assert code == 1 and "the server speaks only versions of TLS before 1.2" in said, said
        code, _, _, said = run(peer.url.replace("https", "http"), *DESCRIBED, *SOON)
        assert code == 1 and "TLS is spoken there; write the URL with https://" in said, said


def test_a_server_of_http_1_is_named_as_such(run):
    with Http1() as peer:
        code, _, _, said = run(peer.url, *DESCRIBED, *SOON)
    assert code == 1 and "it speaks HTTP/1.1, not HTTP/2" in said, said
    assert said.count("\n") == 1


def test_a_server_of_http_1_that_does_not_answer_the_preface_of_http_2_is_named_as_such(run):
    """Python's own server answers it with HTML alone."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code, _, _, said = run(f"http://127.0.0.1:{server.server_port}", *DESCRIBED, *SOON)
        server.shutdown()
    assert code == 1 and "it speaks HTTP/1.1, not HTTP/2" in said, said


def test_a_port_that_answers_nobody_is_named(run):
    filled = blackhole()
    port = filled[0].getsockname()[1]
    try:
        code, _, _, said = run(f"http://[::1]:{port}", *DESCRIBED, "--connect-timeout", "7s")
        assert code == 1
        assert f"no answer from [::1]:{port} within 5s: is it filtered?" in said, said
    finally:
        for one in filled:
            one.close()


def test_an_unknown_host_is_said_to_be_one_at_once(request, run):
    binary = request.config.getoption("--binary")
    command = [binary, "run", "http://no-such-host.invalid:1", "--no-tui", "--connect-timeout", "600s"]
    with subprocess.Popen(command, env={}, stderr=subprocess.PIPE, text=True) as running:
        first = running.stderr.readline()
        running.kill()
    assert 'the host name "no-such-host.invalid" is not known' in first
    assert "trying again for 600s (--connect-timeout)" in first


def test_a_port_that_refuses_is_said_to_do_so_at_once(request, run):
    binary = request.config.getoption("--binary")
    command = [binary, "run", "http://127.0.0.1:1", "--no-tui", "--connect-timeout", "600s"]
    with subprocess.Popen(command, env={}, stderr=subprocess.PIPE, text=True) as running:
        first = running.stderr.readline()
        running.kill()
    assert "connection refused by 127.0.0.1:1; trying again for 600s (--connect-timeout)" in first


def test_want_of_files_is_not_blamed_on_the_server(request, greeter):
    binary = request.config.getoption("--binary")
    command = f"ulimit -n 40; exec {binary} run {greeter.url} -q -c 100 --connections 100 --threads 1"
    ended = subprocess.run(["sh", "-c", command], env={}, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "too many open files" in ended.stderr and "ulimit -n" in ended.stderr
    assert "Does a gRPC server listen there?" not in ended.stderr


@pytest.mark.parametrize("form", ["unix://{}", "unix:{}"])
def test_a_unix_socket_is_a_target(run, tmp_path, form):
    path = tmp_path / "greeter.sock"
    greeter = Greeter(reflection=True)
    assert greeter.server.add_insecure_port(f"unix:{path}")
    with greeter:
        url = form.format(path)
        code, report, _, said = run(url, *HELLO, "-n", "8", "-r", "100")
        assert (code, said, report["ledger"]["ok"]) == (0, "", 8)
    code, _, _, said = run(f"unix:{path}.gone", *HELLO, "--connect-timeout", "300ms")
    assert code == 1 and f"there is no socket {path}.gone" in said


def test_the_zone_of_an_address_chooses_its_interface(run):
    link_local = [line.split() for line in open("/proc/net/if_inet6") if line.startswith("fe80")]
    if not link_local:
        pytest.skip("no interface here has a link-local address")
    address, _, _, _, _, interface = link_local[0]
    address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address))
    greeter = Greeter(reflection=True)
    port = greeter.server.add_insecure_port("[::]:0")
    with greeter:
        code, report, _, said = run(f"http://[{address}%25{interface}]:{port}", *HELLO, "-n", "4", "-r", "100")
    assert (code, said, report["ledger"]["ok"]) == (0, "", 4)


V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


def blocks(path, blocked, backend):
    """A proxy to grpcio's server that blocks one method."""
    channel = grpc.insecure_channel(backend.removeprefix("http://"))

    class Way(Peer):
        def __exit__(self, *_):
            super().__exit__()
            channel.close()

    def answer(call):
        if call.path == path:
            return blocked(call)
        message = call.message[5:]
        try:
            if "Reflection" in call.path:
                answers = channel.stream_stream(call.path)(iter([message]))
                reply = next(iter(answers))
            else:
                reply = channel.unary_unary(call.path)(message)
        except grpc.RpcError as error:
            return call.begin(*HEADERS, ("grpc-status", str(error.code().value[0])), end=True)
        call.ok(reply)

    return Way(answer)


STATUSES = [("200", code) for code in (5, 7, 12, 13, 14, 16)] + [(status, None) for status in ("403", "404", "503")]


@pytest.mark.parametrize("http, grpc_status", STATUSES)
def test_reflection_that_is_blocked_in_its_new_version_is_asked_in_the_old(greeter, run, http, grpc_status):
    def blocked(call):
        status = [("grpc-status", str(grpc_status)), ("grpc-message", "blocked")] if grpc_status else []
        call.begin((":status", http), ("content-type", "application/grpc"), *status, end=True)

    with blocks(V1, blocked, greeter.url) as way:
        code, report, _, said = run(way.url, *HELLO, "-n", "4", "-r", "100")
    assert (code, said, report["ledger"]["ok"]) == (0, "", 4)


def test_where_both_versions_are_blocked_the_reason_is_told(silent_greeter, run):
    def blocked(call):
        call.begin(*HEADERS, ("grpc-status", "7"), ("grpc-message", "not for you"), end=True)

    with blocks(V1, blocked, silent_greeter.url) as way:
        code, _, _, said = run(way.url, *HELLO)
    assert code == 1 and "PERMISSION_DENIED: not for you" in said
    assert "--proto FILE or --descriptor-set FILE does without it" in said
