"""Waiting for the start, and who hears what after it."""

from __future__ import annotations

import _socket
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from slinger.plan import ops
from slinger.plan.ops import Op
from slinger.plan.wire import GO, Executing, Failed, HookRan, decode_message
from tests.contract.covers import fails, works
from tests.contract.look import namespace
from tests.contract.walk import Walk, cloned, look, payload_hook
from tests.requires import requires

pytestmark = requires("root", "gcc")


class Start:
    """The listening socket, and the part of who calls start."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "start")
        self.listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        self.listener.bind(self.path)
        self.listener.listen(1)

    def call(self) -> _socket.socket:
        """A connection to init."""
        caller = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        caller.settimeout(10)
        caller.connect(self.path)
        return caller

    def go(self) -> list[object]:
        """Start it: all that is said until init is on its own."""
        caller = self.call()
        caller.send(GO)
        heard: list[object] = []
        while data := caller.recv(65536):
            heard.append(decode_message(data))
        caller.close()
        return heard


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """In the test's directory."""
    start = Start(tmp_path)
    yield start
    start.listener.close()


def waiting(payload: Path, *last: Op, words: tuple[str, ...] = ("true",)) -> tuple[Op, ...]:
    """Init that waits for its start."""
    return (
        *cloned(0x20000000),
        ops.FindProgram("process.args[0]", name=str(payload)),
        ops.Gate("", name=ops.GATE_CREATED),
        ops.WaitStart(""),
        *last,
        ops.Announce("process.args"),
        ops.Exec("process.args", args=("payload", *words)),
    )


@works(ops.WaitStart, ops.Announce)
def test_init_outlives_outer_and_brain_and_waits_for_its_start(payload: Path, start: Start, tmp_path: Path) -> None:
    """Its start hears of hooks, then that the exec comes; the silence after that is the exec."""
    hook = payload_hook(payload, "hook-write", str(tmp_path / "hooked"), "x")
    plan = waiting(payload, hook, words=("write", str(tmp_path / "ran"), "y"))
    with Walk(*plan, listener=start.listener.fileno()) as walk:
        walk.finish()
        assert not walk.ended(0.1), "init lives"
        assert namespace(walk.pid, "pid") != namespace("self", "pid")
        heard = start.go()
        assert [type(each) for each in heard] == [HookRan, Executing]
        assert walk.ended()
        assert (tmp_path / "hooked").read_text(encoding="ascii") == "x"
        assert (tmp_path / "ran").read_text(encoding="ascii") == "y"


@works(ops.Release)
@pytest.mark.parametrize(("release", "lives"), [((), False), ((ops.Release(""),), True)])
def test_a_released_process_no_longer_ends_with_outer(release: tuple[Op, ...], *, lives: bool) -> None:
    """For exec, which waits for no start."""
    with look(*cloned(), *release).reach() as walk:
        os.kill(walk.hands.pid, 9)
        fd = os.pidfd_open(walk.pid)
        ended = bool(select.select([fd], [], [], 0.2 if lives else 5)[0])
        os.close(fd)
        assert ended is not lives


@works(ops.WaitStart)
def test_a_caller_that_goes_away_or_talks_nonsense_has_started_nothing(payload: Path, start: Start) -> None:
    """The next one may."""
    with Walk(*waiting(payload), listener=start.listener.fileno()) as walk:
        walk.finish()
        start.call().close()
        other = start.call()
        other.send(b"X")
        assert other.recv(10) == b""
        other.close()
        assert not walk.ended(0.05)
        assert [type(each) for each in start.go()] == [Executing]
        assert walk.ended()


@works(ops.WaitStart)
def test_a_failure_after_the_start_comes_home_to_who_called_it(payload: Path, start: Start) -> None:
    """Not to the brain of create, which is gone."""
    plan = waiting(payload, ops.Session(""), ops.Session("process"))
    with Walk(*plan, listener=start.listener.fileno()) as walk:
        walk.finish()
        assert walk.failed is None
        assert start.go() == [Failed(op=5, errno=1, syscall="setsid", detail="")]
        assert walk.ended()


@fails(ops.WaitStart)
def test_init_without_a_socket_to_wait_at_ends(payload: Path) -> None:
    """Nobody is left who could be told: it must not stay, and must not run the program."""
    with Walk(*waiting(payload), listener=-1) as walk:
        walk.finish()
        assert walk.ended()
        assert (walk.failed, walk.executing) == (None, False)


@fails(ops.Announce)
def test_a_program_is_not_run_when_nobody_can_be_told(payload: Path, start: Start, tmp_path: Path) -> None:
    """A start that was killed after its go: init ends instead, so that the silence of a start is always an exec."""
    gate = payload_hook(payload, "hook-sleep", "0.3", go_on=1)
    plan = waiting(payload, gate, words=("write", str(tmp_path / "ran"), "y"))
    with Walk(*plan, listener=start.listener.fileno()) as walk:
        walk.finish()
        caller = start.call()
        caller.send(GO)
        caller.close()
        assert walk.ended()
    assert not (tmp_path / "ran").exists()
