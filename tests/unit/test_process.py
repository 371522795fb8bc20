"""host/process.py: a process that stays the one it was. Needs no root."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slinger.errors import ContainerError, HostError
from slinger.host.process import Process, wait_gone


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A child that does nothing."""
    with subprocess.Popen(["sleep", "60"]) as child:
        yield child
        child.kill()


def found(pid: int) -> Process:
    """A process that must be there."""
    process = Process.find(pid)
    assert process is not None
    return process


def test_a_process_is_its_pid_and_its_start(sleeper: subprocess.Popen[bytes]) -> None:
    """Found twice it is the same; with another start time it is another."""
    process = found(sleeper.pid)
    assert process == found(sleeper.pid)
    assert process.alive()
    assert process.started >= found(os.getpid()).started
    assert not process.replace(started=process.started - 1).alive()


def test_a_name_with_parentheses_does_not_confuse(tmp_path: Path) -> None:
    """proc_pid_stat(5): the name may hold anything."""
    program = tmp_path / ") S 1 (x y"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        while Path(f"/proc/{child.pid}/comm").read_text(encoding="ascii") != f"{program.name}\n":
            time.sleep(0.001)
        process = found(child.pid)
        assert abs(process.started - found(os.getpid()).started) < 10**6
        assert process.alive()
        child.kill()


def test_a_zombie_is_no_process(sleeper: subprocess.Popen[bytes]) -> None:
    """Nobody waited for it yet, but it has ended."""
    process = found(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive()
    assert Process.find(sleeper.pid) is None


def test_a_pid_of_nobody_is_no_process(sleeper: subprocess.Popen[bytes]) -> None:
    """After it was waited for."""
    process = found(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert Process.find(sleeper.pid) is None
    assert not process.alive()
    with pytest.raises(ContainerError, match=r"^container not running$"):
        process.send(signal.SIGTERM)
    wait_gone(process)


def test_a_signal_reaches_the_process_and_no_other_of_its_pid(sleeper: subprocess.Popen[bytes]) -> None:
    """One that merely has the pid gets none."""
    process = found(sleeper.pid)
    with pytest.raises(ContainerError, match=r"^container not running$"):
        process.replace(started=1).send(signal.SIGKILL)
    assert process.alive()
    process.send(signal.SIGTERM)
    assert sleeper.wait() == -signal.SIGTERM


def test_waiting_for_the_end_has_an_end(sleeper: subprocess.Popen[bytes]) -> None:
    """Of a process that ends, and of one that does not."""
    process = found(sleeper.pid)
    with pytest.raises(HostError) as caught:
        wait_gone(process, 0.01)
    assert str(caught.value) == f"process {sleeper.pid} does not end"
    sleeper.kill()
    wait_gone(process)
    assert not process.alive()
