"""Start a program with as little around it as possible, and say what it took.

Rule of the file: nothing but posix_spawn(3) and wait4(2) happens between the two readings of the clock.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CLONE_NEWNS: Final = 0x00020000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000
PR_SET_CHILD_SUBREAPER: Final = 36
UNIFIED: Final = "/sys/fs/cgroup/unified"
PATIENCE: Final = 20.0  # seconds; what takes longer is killed and has failed
ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a program took, in seconds: wall clock, and processor time with that of all descendants."""

    wall: float
    cpu: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(wall=self.wall + other.wall, cpu=self.cpu + other.cpu)


class FailedError(Exception):
    """A program ended with another status than 0; the text says which, and what it wrote to stderr."""


def prepare() -> None:
    """Make this process ready, once: a mount namespace without the unified hierarchy, and orphans come here.

    crun refuses the hybrid cgroup layout, so all are measured without it. OSError when not root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    steps = [
        ("unshare", libc.unshare(CLONE_NEWNS)),
        ("mount", libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)),
        ("prctl", libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)),
    ]
    if os.path.exists(f"{UNIFIED}/cgroup.procs"):
        steps.append(("umount", libc.umount2(UNIFIED.encode(), 0)))
    for name, result in steps:
        if result != 0:
            raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _await(pid: int) -> tuple[int, float]:
    """Wait for a child; its exit status (minus the signal) and its processor time. Too late: killed."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(PATIENCE * 1000):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def adopted() -> float:
    """Collect orphans that have ended and return their processor time in seconds."""
    total = 0.0
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return total
        if pid == 0:
            return total
        total += usage.ru_utime + usage.ru_stime


def await_orphan(pid: int) -> Cost:
    """Wait until a process that was left to us ends. Only its processor time counts: nobody waited for it."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return Cost(wall=0.0, cpu=0.0)  # it has ended and adopted() has counted it
    _, cpu = _await(pid)
    return Cost(wall=0.0, cpu=cpu)


def timed(command: Sequence[str], *, log: str) -> Cost:
    """Run a program to its end: stdin and stdout are /dev/null, stderr is the file log (emptied first).

    FailedError when it does not end with status 0.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, log, flags, 0o600),
    ]
    before = time.perf_counter()
    pid = os.posix_spawn(command[0], tuple(command), ENVIRONMENT, file_actions=actions)
    status, cpu = _await(pid)
    wall = time.perf_counter() - before
    if status != 0:
        with open(log, encoding="utf-8", errors="replace") as file:
            raise FailedError(f"{' '.join(command)}: exit status {status}: {file.read().strip()[-400:]}")
    return Cost(wall=wall, cpu=cpu + adopted())
