"""Terminals: handed to a console socket, or served by `run` itself, on a terminal and on pipes."""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.box import INSIDE, Box, wait_for
from tests.requires import requires

pytestmark = requires("root")

PATIENCE = 5.0
SIZE = (33, 101)


def read_until(master: int, end: bytes) -> bytes:
    """What a terminal gives, up to and with `end`; AssertionError with what came if it does not come in time."""
    data = b""
    limit = time.monotonic() + PATIENCE
    while end not in data:
        ready, _, _ = select.select([master], [], [], max(0, limit - time.monotonic()))
        assert ready, data
        try:
            data += os.read(master, 4096)
        except OSError:
            break  # EIO: the last one to hold the slave has closed it
    return data


@contextmanager
def terminal(rows: int, columns: int) -> Generator[tuple[int, int], None, None]:
    """A terminal of this size: master and slave."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        yield master, slave
    finally:
        os.close(master)
        os.close(slave)


@pytest.fixture
def tty(box: Box) -> Box:
    """A container with a terminal, whose program tells what terminal it has."""
    box.configure({"process.terminal": True, "process.args": [INSIDE, "tty"]})
    return box


@contextmanager
def on_terminal(box: Box, slave: int) -> Generator[subprocess.Popen[bytes], None, None]:
    """`run` with its stdio on a terminal, in a session of its own; it must end well."""
    words = box.command(*box.running())
    process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    try:
        yield process
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def test_run_on_a_terminal_gives_the_program_one_of_the_same_size(tty: Box) -> None:
    """It is the controlling one, and called by its name in the container."""
    with terminal(*SIZE) as (master, slave), on_terminal(tty, slave):
        told = json.loads(read_until(master, b"}"))
    assert told == {"name": "/dev/pts/0", "rows": 33, "columns": 101, "foreground": 1}


def test_the_terminal_of_run_is_raw_and_restored(box: Box) -> None:
    """Between us and the program its own line discipline counts; afterwards ours is as it was."""
    box.configure({"process.terminal": True, "process.args": [INSIDE, "cat"]})
    with terminal(*SIZE) as (master, slave):
        before = termios.tcgetattr(slave)
        with on_terminal(box, slave):
            wait_for(lambda: not termios.tcgetattr(slave)[3] & termios.ICANON, "raw mode")
            os.write(master, b"hello\r")
            # Once echoed by the terminal's line discipline, once by cat.
            assert read_until(master, b"hello\r\nhello\r\n") == b"hello\r\nhello\r\n"
            os.write(master, b"\x04")
        assert termios.tcgetattr(slave) == before


def test_an_interrupt_from_the_keyboard_ends_the_program(box: Box) -> None:
    """Ctrl-C goes through the terminal: the program is told, and not we."""
    box.configure({"process.terminal": True, "process.args": [INSIDE, "pause"]})
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave):
        read_until(master, b"ready")
        os.write(master, b"\x03")
        assert b"signal 2" in read_until(master, b"signal 2")


def test_the_size_follows(box: Box) -> None:
    """SIGWINCH in the container, and its terminal has the new size."""
    box.configure({"process.terminal": True, "process.args": [INSIDE, "pause", "1"]})
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave) as process:
        read_until(master, b"ready")
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
        process.send_signal(28)
        assert b"signal 28" in read_until(master, b"signal 28")


def test_run_with_a_terminal_works_on_pipes(tty: Box) -> None:
    """The program has a terminal, its output comes through our pipe as it writes it: no carriage returns."""
    done = subprocess.run(tty.command(*tty.running()), check=False, capture_output=True, input=b"")
    assert (done.returncode, done.stderr, b"\r" in done.stdout, done.stdout[-1:]) == (0, b"", False, b"\n")
    assert json.loads(done.stdout)["name"] == "/dev/pts/0"


def test_input_from_a_pipe_ends_as_at_a_terminal(box: Box) -> None:
    """The end of the pipe is the end of file for the program."""
    box.configure({"process.terminal": True, "process.args": [INSIDE, "cat"]})
    done = subprocess.run(box.command(*box.running()), check=False, capture_output=True, input=b"one\ntwo\n", timeout=9)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.replace(b"\r", b"").replace(b"^D\b\b", b"").splitlines().count(b"two") == 2


def test_a_console_size_is_the_terminals(box: Box) -> None:
    """process.consoleSize has the last word."""
    size = {"height": 12, "width": 34}
    box.configure({"process.terminal": True, "process.consoleSize": size, "process.args": [INSIDE, "tty"]})
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave):
        told = json.loads(read_until(master, b"}"))
    assert (told["rows"], told["columns"]) == (12, 34)


@pytest.fixture
def listener(tmp_path: Path) -> Generator[socket.socket, None, None]:
    """A console socket, as an engine opens it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "console"))
        listener.listen(1)
        listener.settimeout(PATIENCE)
        yield listener


def test_a_console_socket_gets_the_terminal(tty: Box, listener: socket.socket) -> None:
    """One message: the slave's name, and the master as a descriptor (runc, docs/terminals.md)."""
    tty.create("--console-socket", listener.getsockname())
    connection, _ = listener.accept()
    with connection:
        name, fds, _, _ = socket.recv_fds(connection, 4096, 2)
    (master,) = fds
    try:
        assert name == b"/dev/pts/0"
        tty.start()
        assert json.loads(read_until(master, b"}"))["foreground"] == 1
    finally:
        os.close(master)


def test_a_console_socket_that_nobody_listens_on_fails_create(tty: Box) -> None:
    """And nothing is left."""
    path = f"{tty.calls}/no-socket"
    assert tty.fail(*tty.creating("--console-socket", path)) == f"--console-socket {path}: no such file or directory"
    assert tty.left() == []


def test_create_with_a_terminal_needs_a_console_socket(tty: Box) -> None:
    """And a console socket needs a terminal."""
    message = "process.terminal: cannot allocate tty if slinger will detach without setting console socket"
    assert tty.fail(*tty.creating()) == f"{message} (use --console-socket PATH, or terminal: false)"
    tty.configure({"process.terminal": False})
    message = "process.terminal: cannot use console socket if slinger will not detach or allocate tty"
    assert tty.fail(*tty.creating("--console-socket", "/x")) == message
