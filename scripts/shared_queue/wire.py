"""A bare connection to a nats-server, for scripts/shared-queue: a publisher that does nothing else, and the completions as the server passes them on."""

import json
import socket
import time

from .processes import MESSAGE, PATIENCE, fail


class Connection:
    """A connection with the text protocol of NATS. It hears each message without headers."""

    def __init__(self, nats):
        self.socket = socket.create_connection(("127.0.0.1", nats.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        self.stream.readline()
        self.send(b'CONNECT {"verbose":false}\r\n')

    def send(self, lines):
        self.socket.sendall(lines)

    def answer(self):
        """Waits for the next message, and returns its body."""
        while True:
            try:
                line = self.stream.readline()
            except TimeoutError:
                fail(f"the server sent nothing for {PATIENCE} s")
            if line.startswith(b"PING"):
                self.send(b"PONG\r\n")
            elif line.startswith(b"MSG"):
                return self.stream.read(int(line.split()[-1]) + 2)[:-2]
            elif not line:
                fail("the server has closed the connection")


def bare_publisher(nats, seconds, window=64):
    """Messages per second that JetStream confirms to a publisher of `window` messages at once that does nothing else."""
    connection = Connection(nats)
    configuration = json.dumps({"name": "bare", "subjects": ["bare.>"], "storage": "file", "retention": "workqueue"}).encode()
    connection.send(b'SUB inbox.> 1\r\nPUB $JS.API.STREAM.CREATE.bare inbox.made %d\r\n%s\r\n' % (len(configuration), configuration))

    def confirmation():
        body = connection.answer()
        if b"error" in body:
            fail(f"the bare publisher: {body.decode()}")

    confirmation()
    one = b"PUB bare.work inbox.ok %d\r\n%s\r\n" % (MESSAGE, b"m" * MESSAGE)
    connection.send(one * window)
    confirmed, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        confirmation()
        confirmed += 1
        connection.send(one)
    return confirmed / (time.monotonic() - began)


class Completions:
    """The completions of all messages from now on, each as soon as the server has it."""

    def __init__(self, nats):
        self.connection = Connection(nats)
        self.connection.send(b"SUB foo.foo.done 1\r\nPING\r\n")
        while self.connection.stream.readline() != b"PONG\r\n":
            pass

    def longest_gap(self, number):
        """Waits for so many completions; returns the longest time between two of them, and the time from the first to the last."""
        self.connection.answer()
        first = last = time.monotonic()
        longest = 0
        for _ in range(number - 1):
            self.connection.answer()
            now = time.monotonic()
            longest, last = max(longest, now - last), now
        return longest, last - first
