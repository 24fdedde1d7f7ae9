"""The live view on a real terminal: its contents, its keys and signals, and that it restores the terminal."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
# Longer than any step takes on the slowest machine. No test waits for all of it.
PATIENCE = 60


def take_terminal():
    """Makes stderr the controlling terminal. Its end is a signal, also if these tests were started by nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(2, termios.TIOCSCTTY, 0)


class Terminal:
    """A program on its own controlling terminal."""

    def __init__(self, command, env, size=(24, 80), stdout=None):
        self.seen = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.before = termios.tcgetattr(slave)
        # Kept open, so that the terminal and its attributes outlive the program.
        self.slave = slave
        self.open = [slave, self.master]
        self.child = subprocess.Popen(
            command,
            env=env,
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            start_new_session=True,
            preexec_fn=take_terminal,
        )

    def read(self, within):
        """Reads the available output. Returns whether there was any."""
        if not select.select([self.master], [], [], within)[0]:
            return False
        self.seen += os.read(self.master, 65536)
        return True

    def wait_until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"in vain: {self.seen!r}\n{self.screen()}"
            assert self.read(0.1) or self.child.poll() is None, f"it has ended: {self.seen!r}"

    def wait_for(self, what):
        self.wait_until(lambda: what in self.seen)

    def screen(self):
        """The alternate screen as it looks now. Its program places the cursor and writes; it neither scrolls nor wraps."""
        cells, row, column = {}, 1, 1
        drawn = self.seen.partition(ENTER)[2].partition(LEAVE)[0].decode(errors="ignore")
        for found in re.finditer(r"\x1b\[([?0-9;]*)([A-Za-z])|([^\x1b])", drawn):
            parameters, command, character = found.groups()
            if command == "H":
                row, column = map(int, parameters.split(";"))
            elif command == "J":
                cells.clear()
            elif character:
                cells[row, column] = character
                column += 1
        height, width = (max((place[axis] for place in cells), default=0) for axis in (0, 1))
        rows = ("".join(cells.get((row, column), " ") for column in range(1, width + 1)) for row in range(1, height + 1))
        return "\n".join(rows)

    def hang_up(self):
        """Takes the terminal away, as when its window is closed."""
        self.close_terminal()

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Waits for the end, and returns the exit code and the text after the view."""
        end = time.monotonic() + PATIENCE
        while self.child.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.seen!r}"
            self.read(0.1)
        while self.read(0):
            pass
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is not as it was"
        _, left, after = self.seen.rpartition(LEAVE)
        if left:
            assert self.seen.count(ENTER) == self.seen.count(LEAVE) == 1
            assert self.seen.rfind(SHOW) > self.seen.rfind(HIDE) > 0
        return self.child.returncode, after

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.close_terminal()

    def close_terminal(self):
        while self.open:
            os.close(self.open.pop())


@pytest.fixture
def start(request):
    """Starts the load client on a terminal."""
    binary = request.config.getoption("--binary")
    with contextlib.ExitStack() as stack:

        def start(*args, env=(), **terminal):
            env = {"TERM": "xterm-256color", **dict(env)}
            terminal = Terminal([binary, *args], env, **terminal)
            stack.callback(terminal.close)
            return terminal

        yield start


COMPARE = ["compare", "-z", "30s", "--strategy", "sync,async-unbounded"]


# From the report, however short the run was.
WORDS = b"Each client waits"
# The row of that strategy once something was answered: goodput, ok.
ANSWERED = re.compile(r"^. sync +[0-9.]+ +[1-9]", re.MULTILINE)
BRAILLE = re.compile("[\u2801-\u28ff]")


def in_the_view(terminal):
    terminal.wait_until(lambda: ANSWERED.search(terminal.screen()))


def assert_reported(code, after):
    assert code == 0, after
    assert b"async-unbounded" in after and WORDS in after
    assert b"\x1b[" not in after


@pytest.mark.parametrize("key", [b"q", b"\x1b", b"\x03"], ids=["q", "escape", "control-c"])
def test_a_key_ends_the_run_with_its_report_and_the_terminal_as_it_was(start, key):
    terminal = start(*COMPARE)
    in_the_view(terminal)
    terminal.press(key)
    assert_reported(*terminal.end())


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_signal_ends_the_run_with_its_report_and_the_terminal_as_it_was(start, which):
    terminal = start(*COMPARE)
    in_the_view(terminal)
    terminal.child.send_signal(which)
    assert_reported(*terminal.end())


def test_a_terminal_that_goes_away_ends_the_run_with_its_report(start, tmp_path):
    report = tmp_path / "report.json"
    terminal = start(*COMPARE, "--json", str(report))
    in_the_view(terminal)
    terminal.hang_up()
    # The end must not wait for a key from a terminal that is gone.
    assert terminal.child.wait(PATIENCE) == 0
    assert json.loads(report.read_text())["runs"]


def test_a_run_that_has_not_begun_ends_too(start):
    # No server listens there, and the client waits for it. A stop before the load has no report.
    terminal = start("run", "http://127.0.0.1:9", "--connect-timeout", "1h")
    terminal.wait_until(lambda: "connection refused by 127.0.0.1:9" in terminal.screen())
    terminal.press(b"q")
    code, after = terminal.end()
    assert (code, b"stopped before the load began" in after) == (1, True)


def test_the_third_key_leaves_without_a_report(start):
    terminal = start(*COMPARE)
    in_the_view(terminal)
    # All three arrive at once, so there is no time for a report between them.
    terminal.child.send_signal(signal.SIGSTOP)
    terminal.press(b"q\x03q")
    terminal.child.send_signal(signal.SIGCONT)
    assert terminal.end() == (130, b"")


def test_without_a_view_nothing_but_lines_is_written(start):
    for args, env in [(["--no-tui"], {}), ([], {"LOAD_NO_TUI": "true"}), ([], {"TERM": "dumb"})]:
        terminal = start(*COMPARE, *args, env=env)
        terminal.wait_for(b"sync: ")
        terminal.press(b"\x03")
        code, after = terminal.end()
        assert code == 0 and WORDS in terminal.seen
        assert b"\x1b" not in terminal.seen


def test_quiet_means_quiet(start):
    terminal = start("compare", "--strategy", "sync", "-z", "3s", "-q", "--virtual-time")
    code, _ = terminal.end()
    assert code == 0
    assert b"\x1b" not in terminal.seen and b"sync: " not in terminal.seen


def colours(seen):
    """The codes of colours that are set; 39 and 49 ask for the terminal's own."""
    codes = [code for found in re.findall(rb"\x1b\[([0-9;]*)m", seen) for code in found.split(b";")]
    return {code for code in codes if re.fullmatch(rb"(3|4|9|10)[0-8]", code)}


@pytest.mark.parametrize("wanted", [True, False], ids=["colours", "no-colour"])
def test_there_are_no_colours_where_none_are_wanted(start, wanted):
    terminal = start(*COMPARE, env={} if wanted else {"NO_COLOR": "1"})
    in_the_view(terminal)
    assert bool(BRAILLE.search(terminal.screen())) == wanted
    assert ("● sync" if wanted else "b sync") in terminal.screen()
    terminal.press(b"q")
    assert terminal.end()[0] == 0
    assert bool(colours(terminal.seen)) == wanted


def test_it_follows_the_size_of_its_window(start):
    terminal = start(*COMPARE, size=(5, 20))
    terminal.wait_until(lambda: "q, Esc" in terminal.screen())
    assert not BRAILLE.search(terminal.screen())
    fcntl.ioctl(terminal.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    in_the_view(terminal)
    assert "unavailable" in terminal.screen() and BRAILLE.search(terminal.screen())
    terminal.press(b"q")
    assert_reported(*terminal.end())


def test_a_window_that_claims_more_than_any_screen_is_drawn_on_in_part(start):
    # `stty rows 65535 cols 65535`: a frame of so many cells does not fit in memory.
    terminal = start(*COMPARE, size=(65535, 65535))
    in_the_view(terminal)
    terminal.press(b"q")
    assert_reported(*terminal.end())


def test_the_report_may_go_to_a_file_meanwhile_but_not_to_a_program(start, tmp_path):
    with open(tmp_path / "report.txt", "wb") as file:
        terminal = start(*COMPARE, stdout=file)
        in_the_view(terminal)
        terminal.press(b"q")
        code, after = terminal.end()
    assert (code, after) == (0, b"")
    assert WORDS in (tmp_path / "report.txt").read_bytes()

    # A pager would write to the same terminal.
    read, write = os.pipe()
    terminal = start(*COMPARE, stdout=write)
    os.close(write)
    terminal.wait_for(b"sync: ")
    terminal.press(b"\x03")
    code, _ = terminal.end()
    os.close(read)
    assert code == 0 and b"\x1b" not in terminal.seen
