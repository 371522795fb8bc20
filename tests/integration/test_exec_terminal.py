"""exec --tty: a terminal of the container's, served by exec itself or handed to a console socket."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bundles import Json
from tests.integration.box import INSIDE, Box, wait_for
from tests.integration.exec_support import process_file, refusal, wait_inside
from tests.integration.test_terminal import PATIENCE, SIZE, read_until, terminal
from tests.requires import requires

pytestmark = requires("root")


@contextmanager
def on_terminal(box: Box, slave: int, *words: str) -> Generator[subprocess.Popen[bytes], None, None]:
    """`exec --tty` with its stdio on a terminal, in a session of its own; it must end well."""
    command = box.command("exec", *words)
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    try:
        yield process
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def told(master: int) -> dict[str, Json]:
    """What `payload tty` tells."""
    found: dict[str, Json] = json.loads(read_until(master, b"}"))
    return found


def test_it_is_the_controlling_terminal_of_the_callers_size(box: Box) -> None:
    """A slave of the container's own devpts."""
    wait_inside(box)
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave, "-t", box.id, INSIDE, "tty"):
        shown = told(master)
    assert (shown["name"], shown["rows"], shown["columns"]) == ("/dev/pts/0", *SIZE)
    assert isinstance(shown["foreground"], int)
    assert shown["foreground"] > 1


def test_a_size_of_the_process_file_counts_more(box: Box) -> None:
    """process.consoleSize; and the file says whether there is a terminal."""
    wait_inside(box)
    size: Json = {"height": 12, "width": 34}
    path = process_file(box, args=[INSIDE, "tty"], terminal=True, consoleSize=size)
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave, "--process", path, box.id):
        shown = told(master)
    assert (shown["rows"], shown["columns"]) == (12, 34)


def test_the_callers_terminal_is_raw_meanwhile_and_restored(box: Box) -> None:
    """Also when the program cannot be run."""
    wait_inside(box)
    with terminal(*SIZE) as (master, slave):
        before = termios.tcgetattr(slave)
        with on_terminal(box, slave, "--tty", box.id, INSIDE, "cat"):
            wait_for(lambda: not termios.tcgetattr(slave)[3] & termios.ICANON, "raw mode")
            os.write(master, b"hello\r")
            assert read_until(master, b"hello\r\nhello\r\n") == b"hello\r\nhello\r\n"
            os.write(master, b"\x04")
        assert termios.tcgetattr(slave) == before
        command = box.command("exec", "-t", box.id, "/none")
        assert subprocess.run(command, stdin=slave, stdout=slave, stderr=slave, check=False).returncode == 255
        assert termios.tcgetattr(slave) == before


def test_the_keyboard_interrupts_the_program_and_not_us(box: Box) -> None:
    """Its status is the program's."""
    wait_inside(box)
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave, "-t", box.id, INSIDE, "pause"):
        read_until(master, b"ready")
        os.write(master, b"\x03")
        assert b"signal 2" in read_until(master, b"signal 2")


def test_the_size_follows_the_callers(box: Box) -> None:
    """The program gets SIGWINCH from its own terminal."""
    wait_inside(box)
    with terminal(*SIZE) as (master, slave), on_terminal(box, slave, "-t", box.id, INSIDE, "pause") as process:
        read_until(master, b"ready")
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
        process.send_signal(signal.SIGWINCH)
        assert b"signal 28" in read_until(master, b"signal 28")


def test_a_terminal_works_on_pipes(box: Box) -> None:
    """The status gets through as well, and no carriage return."""
    wait_inside(box)
    command = box.command("exec", "-t", box.id, INSIDE, "exit", "9", "last words")
    done = subprocess.run(command, check=False, capture_output=True, input=b"", timeout=30)
    assert (done.returncode, done.stdout.replace(b"^D\b\b", b""), done.stderr) == (9, b"last words\n", b"")


def test_without_the_option_there_is_none(box: Box) -> None:
    """Even where the container's own process has one: each exec asks for its own."""
    with listening(box.calls) as listener:
        box.configure({"process.terminal": True, "process.args": [INSIDE, "sleep", "600"]})
        box.create("--console-socket", listener.getsockname())
        box.start()
        with listener.accept()[0] as connection:
            _, fds, _, _ = socket.recv_fds(connection, 4096, 2)
    try:
        assert json.loads(box.succeed("exec", box.id, INSIDE, "tty"))["name"] == "ENOTTY"
        assert json.loads(box.succeed("exec", "-t", box.id, INSIDE, "tty"))["name"] == "/dev/pts/1"
    finally:
        os.close(fds[0])


@contextmanager
def listening(directory: Path) -> Generator[socket.socket, None, None]:
    """A console socket, as an engine opens it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        path = str(directory / "console")
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(PATIENCE)
        yield listener


@pytest.mark.parametrize("detach", [True, False])
def test_a_console_socket_gets_the_terminal(box: Box, *, detach: bool) -> None:
    """One message with the slave's name and the master; exec then waits, or does not."""
    wait_inside(box)
    pid_file = box.calls / "pid"
    with listening(box.calls) as listener:
        options = ["--pid-file", str(pid_file), *(["--detach"] if detach else [])]
        words = ("exec", "--tty", *options, "--console-socket", listener.getsockname(), box.id, INSIDE, "pause")
        process, name = box.launch(*words)
        with listener.accept()[0] as connection:
            message, fds, _, _ = socket.recv_fds(connection, 4096, 2)
    (master,) = fds
    try:
        assert message == b"/dev/pts/0"
        read_until(master, b"ready")
        if detach:
            assert box.end_of(process, name).status == 0
        os.write(master, b"\x03")
        assert b"signal 2" in read_until(master, b"signal 2")
        if not detach:
            assert box.end_of(process, name).status == 0
    finally:
        os.close(master)
    if detach:  # an orphan, which the tests adopt; a zombie in its pid namespace would hold up the container's end
        os.waitpid(int(pid_file.read_text()), 0)


def test_a_console_socket_that_nobody_listens_on_runs_nothing(box: Box) -> None:
    """And the error names it."""
    wait_inside(box)
    message = "--console-socket /none: no such file or directory"
    assert refusal(box, "-t", "-d", "--console-socket", "/none", box.id, INSIDE, "write", "/tmp/ran", "x") == message
    assert not (box.bundle.rootfs / "tmp/ran").exists()
