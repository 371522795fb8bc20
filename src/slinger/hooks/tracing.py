"""What one verb spends its time on: spans of the brain, and the times of the ops that the hands have kept.

Rule of the file: it is loaded by every create and start, so it only collects; hooks/trace.py makes sense of it. All
times are nanoseconds of CLOCK_MONOTONIC, which the hands share with us, whatever time namespace init is in.
"""

from __future__ import annotations

import sys
import time

from slinger.host.store import TRACE
from slinger.plan.wire import Executing, Times
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from slinger.hooks.trace import Trace
    from slinger.host.store import Home
    from slinger.plan.ops import Op
    from slinger.plan.wire import Message

    # Is told of each verb that has ended: the container's whole trace so far, and which verb it was.
    Observer: TypeAlias = Callable[[Trace, str], None]

# Where the launcher says when it began, and when the interpreter was up (init/launcher.c).
LAUNCHED, INTERPRETER = "launched", "interpreter"


class Tracer:
    """The spans of one verb, one after the other: beginning one ends that before it."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        before, self.wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        self.clock = (before + after) // 2
        self.spans: list[tuple[str, int, int]] = []
        self.ops: list[tuple[int, str, str, str, str]] = []
        self.times = b""
        self.error = ""
        self._open: tuple[str, int] | None = None
        self._take_launch()

    def _take_launch(self) -> None:
        """How the process came up, for the first verb in it; in somebody else's process nothing is known of that."""
        options = sys._xoptions  # noqa: SLF001 - documented in "The Python Standard Library", sys
        launched, up = options.pop(LAUNCHED, ""), options.pop(INTERPRETER, "")
        if isinstance(launched, str) and launched.isdigit() and isinstance(up, str) and up.isdigit():
            self.spans.append(("start the interpreter", int(launched), int(up)))
            self.spans.append(("load slinger", int(up), self.clock))

    def begin(self, name: str) -> None:
        """What is being done from now on."""
        now = time.monotonic_ns()
        if self._open is not None:
            self.spans.append((*self._open, now))
        self._open = (name, now)

    def end(self) -> None:
        """Nothing of ours any more: the hands are at work, or all is done."""
        if self._open is not None:
            self.spans.append((*self._open, time.monotonic_ns()))
            self._open = None

    def knows(self, ops: dict[int, Op]) -> None:
        """The ops whose times will come: kind, origin, who does it, and what it is about."""
        rows = self.ops
        for at, op in ops.items():
            values = op.__dict__
            about = values.get("destination") or values.get("path") or values.get("name") or ""
            rows.append((at, type(op).__name__, op.origin, op.by, about))

    def heard(self, message: Message) -> bool:
        """Note what a message of the hands tells of times. True if it was that nothing but the exec is to come."""
        if isinstance(message, Times):
            self.times = message.times
        elif isinstance(message, Executing):
            self.begin("exec")
            return True
        return False

    def failed(self, error: BaseException) -> None:
        """The verb fails; what comes now is cleaning up."""
        self.end()
        self.error = str(error) or type(error).__name__

    def finish(self, home: Home, bundle: str, observe: Observer | None) -> None:
        """Keep it in the container's directory. HostError where that cannot be written."""
        home.append_line(TRACE, self.line())
        if observe is not None:
            from slinger.hooks.history import trace_of  # noqa: PLC0415 - hardly anybody observes

            observe(trace_of(home, bundle), self.verb)

    def line(self) -> str:
        """All of it, as a line of trace.jsonl."""
        self.end()
        return dump(
            {
                "verb": self.verb,
                "wall": self.wall,
                "clock": self.clock,
                "spans": self.spans,
                "ops": self.ops,
                "times": self.times.hex(),
                "error": self.error,
            }
        )
