"""A process that stays the one it was: its pid together with the time it started (proc_pid_stat(5))."""

from __future__ import annotations

import _signal
import os

from slinger.errors import ContainerError, HostError
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

DEAD_STATES = frozenset({"Z", "X", "x"})
START_TIME_FIELD = 19  # counted from the state, which is field 3 of the page


class Process(Record):
    """``started`` in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def find(cls, pid: int) -> Self | None:
        """The process that has this pid now; None if there is none, or only a zombie."""
        fields = _stat(pid)
        if fields is None or fields[0] in DEAD_STATES:
            return None
        return cls(pid, int(fields[START_TIME_FIELD]))

    def alive(self) -> bool:
        """Whether it still runs: a zombie does not, and neither does another process with its pid."""
        return Process.find(self.pid) == self

    def send(self, number: int) -> None:
        """Send a signal. ContainerError "container not running" if it is gone."""
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            raise ContainerError("container not running") from None
        try:
            # Between the look at its start time and the signal the descriptor holds the pid fast.
            if not self.alive():
                raise ContainerError("container not running")
            _signal.pidfd_send_signal(fd, number)
        except ProcessLookupError:
            raise ContainerError("container not running") from None
        finally:
            os.close(fd)


def _stat(pid: int) -> list[str] | None:
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        text = os.read(fd, 4096).decode("utf-8", "replace")
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)
    # The name is in parentheses and may hold anything, parentheses too.
    return text.rsplit(")", 1)[-1].split()


def wait_gone(process: Process, seconds: float = 10.0) -> None:
    """Wait until a process that was killed has ended. HostError if it does not."""
    import select  # noqa: PLC0415 - failures and delete only

    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if process.alive():
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            if not poll.poll(seconds * 1000):
                from slinger.host.lingering import why_lingers  # noqa: PLC0415 - failures only

                message = f"process {process.pid} does not end"
                raise HostError(message, hint=why_lingers(process.pid))
    finally:
        os.close(fd)
