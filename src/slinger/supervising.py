"""Waiting for a container that we supervise: how its program ends, and until then the terminal."""

from __future__ import annotations

import _thread
import os

from slinger.errors import ContainerError, HostError
from slinger.host.console import Proxy
from slinger.host.hands import Hands, exit_code
from slinger.plan.wire import Exited


class Supervision:
    """The process that stands between us and the program, and the terminal's master, -1 for none.

    ``stdio``: what the terminal's bytes are copied from and to. Threads may call ``wait`` beside each other.
    """

    def __init__(self, hands: Hands, master: int, stdio: tuple[int, int, int]) -> None:
        self._hands: Hands | None = hands
        self._master = master
        self._stdio = stdio
        self._exit_code: int | None = None
        self._waiting = _thread.allocate_lock()

    def wait(self) -> int:
        """The program's exit code, or 128 + N if signal N killed it; the same however often it is asked for.

        HostError if the process that watches it was killed, ContainerError after ``close``.
        """
        with self._waiting:
            if self._exit_code is None:
                self._exit_code = self._wait()
            return self._exit_code

    def _wait(self) -> int:
        hands = self._hands
        if hands is None:
            raise ContainerError("its end is not known: we have let go of it")
        self._serve_terminal(hands)
        while True:
            message, _ = hands.receive()
            if message is None:
                raise HostError("the process that watches the container was killed")
            if isinstance(message, Exited):
                break
        hands.reap()
        return exit_code(message.status)

    def _serve_terminal(self, hands: Hands) -> None:
        """Copy between the terminal and our stdio until the end."""
        if self._master < 0:
            return
        master, self._master = self._master, -1
        with Proxy(master, self._stdio[0], self._stdio[1]) as proxy:
            proxy.copy_until(hands.channel.fileno())

    def collect(self) -> None:
        """Leave nothing of a container that was destroyed; how it ended can still be asked for."""
        if self._hands is None:
            return
        if self._master >= 0 and self._waiting.acquire(blocking=False):
            os.close(self._master)
            self._master = -1
            self._waiting.release()
        try:
            self.wait()
        except HostError:
            self._hands.reap()  # it was killed, so nobody can tell how the container ended, and nobody has asked

    def close(self) -> None:
        """Let go; the container goes on without us."""
        if self._hands is not None:
            self._hands.close()
            self._hands = None
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
