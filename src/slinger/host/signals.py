"""Signals of ``create`` and ``run``: stop while the container is made, relay to it once it runs.

Relay is the command's; Held is for the library too, whatever handlers its caller has.

The only user of ``_signal``, the C half of the stdlib's ``signal``: the other half builds enums at
import, which costs 4 ms. Handlers are Python functions, so they run in the main thread between two
byte codes, or when a blocking call is interrupted (PEP 475 then goes on with the call).
"""

from __future__ import annotations

import _signal

from slinger.errors import ContainerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType
    from typing import Self

# Left alone: the two that nobody can catch; the children's and the terminal's size, which are ours;
# SIGURG, as runc does; and those that a fault of our own raises.
NOT_RELAYED = frozenset(
    {
        _signal.SIGKILL,
        _signal.SIGSTOP,
        _signal.SIGCHLD,
        _signal.SIGWINCH,
        _signal.SIGURG,
        _signal.SIGSEGV,
        _signal.SIGBUS,
        _signal.SIGFPE,
        _signal.SIGILL,
    }
)
STOPPING = frozenset({_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM})
IGNORED_BY_PYTHON = frozenset({_signal.SIGPIPE, _signal.SIGXFSZ})  # at its start, not by our caller


class Interrupted(KeyboardInterrupt):
    """A signal asked slinger to stop before there was a program to relay it to."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


class Relay:
    """While entered, signals raise Interrupted or are kept; from ``to`` on they go to the container.

    What would end slinger (STOPPING) raises Interrupted in the main thread, so that what was made is
    undone; the others wait for ``to``. A signal that the caller ignores (nohup) stays ignored.
    """

    def __init__(self, numbers: Iterable[int] | None = None) -> None:
        """``numbers``: only these signals; all that can be relayed if None."""
        self._numbers = frozenset(_signal.valid_signals() if numbers is None else numbers) - NOT_RELAYED
        self._send: Callable[[int], None] | None = None
        self._kept: list[int] = []
        self._before: list[tuple[int, Callable[[int, FrameType | None], object] | int | None]] = []

    def __enter__(self) -> Self:
        for number in sorted(self._numbers):
            before = _signal.getsignal(number)
            if before == _signal.SIG_IGN and number not in IGNORED_BY_PYTHON:
                continue
            _signal.signal(number, self._arrived)
            self._before.append((number, before))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._before:
            number, before = self._before.pop()
            # None: a handler that was not set from Python, which cannot be put back from here.
            _signal.signal(number, _signal.SIG_DFL if before is None else before)

    def to(self, send: Callable[[int], None] | None) -> None:
        """Relay from now on, what was kept first; None: stop slinger by them again."""
        self._send = send
        while send is not None and self._kept:
            self._deliver(send, self._kept.pop(0))

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if self._send is not None:
            self._deliver(self._send, number)
        elif number in STOPPING:
            raise Interrupted(number)
        else:
            self._kept.append(number)

    @staticmethod
    def _deliver(send: Callable[[int], None], number: int) -> None:
        try:
            send(number)
        except ContainerError:
            return  # the program has just ended: there is nobody left to relay to, and wait says so next


class Held:
    """While entered, the handlers of signals run only at `check` and in `waiting`; in between they are kept.

    A handler that raises (KeyboardInterrupt, Interrupted, a time limit of the caller's) does so between any two byte
    codes: between the making of something and the note of how to undo it too. Outside the main thread nothing is
    held, since handlers run in that thread alone.
    """

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], object]] = {}
        self._kept: list[int] = []
        self._open = False
        self._over = False

    def __enter__(self) -> Self:
        self._over = False
        try:
            for number in _signal.valid_signals():
                before = _signal.getsignal(number)
                # None: a handler that was not set from Python, which cannot be put back from here.
                if before is not None and not isinstance(before, int):
                    self._before[int(number)] = before
                    _signal.signal(number, self._arrived)
        except ValueError:  # not the main thread
            self._before.clear()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Handlers as before. What is kept is handled now, unless an error, of a signal perhaps, is on its way."""
        self._restore()
        if kind is None:
            self.check()

    def _restore(self) -> None:
        self._over = True  # from now on ours only passes on, wherever it should stay in place
        for number, before in self._before.items():
            _signal.signal(number, before)

    def check(self) -> None:
        """Handle what is kept."""
        while self._kept:
            number = self._kept.pop(0)
            self._before[number](number, None)

    def forget(self) -> None:
        """Ignore what is kept."""
        self._kept.clear()

    def waiting(self) -> _Waiting:
        """A context in which signals are handled as they come: around what may take as long as it likes."""
        return _Waiting(self)

    def let_through(self) -> None:
        """Handle signals as they come, and what is kept."""
        self._open = True
        self.check()

    def hold(self) -> None:
        """Keep signals from now on."""
        self._open = False

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._over:
            self._before[number](number, frame)
        elif self._open:
            # A handler that raises has ended the waiting: the next signal is kept, or it would meet what undoes.
            self._open = False
            self._before[number](number, frame)
            self.let_through()
        else:
            self._kept.append(number)


class _Waiting:
    def __init__(self, held: Held) -> None:
        self._held = held

    def __enter__(self) -> None:
        self._held.let_through()

    def __exit__(self, *_exception: object) -> None:
        self._held.hold()
