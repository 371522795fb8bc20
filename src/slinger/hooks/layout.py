"""A timeline without its idle stretches: between create and start, and before delete, there may be days.

Time is cut into *parts*, one for each stretch in which something happened; what lies between two is drawn as a
narrow *pause*, whatever its length. All numbers are nanoseconds.
"""

from __future__ import annotations

from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.hooks.trace import Step, Trace

IDLE = 20_000_000  # so long must nothing happen to be a pause
PAUSE_SHARE = 40  # a pause is drawn as this part of the whole


class Part(Record):
    """A stretch in which something happened: ``began`` in time since the epoch, ``x`` where it is drawn."""

    name: str
    began: int
    length: int
    x: int


class Layout(Record):
    """Where everything is drawn, from 0 to ``length``. ``pauses``: (x, width drawn, how long it was)."""

    length: int
    parts: tuple[Part, ...]
    pauses: tuple[tuple[int, int, int], ...]

    def x(self, moment: int) -> int:
        """Where a moment that lies in a part is drawn."""
        part = next(part for part in reversed(self.parts) if part.began <= moment)
        return part.x + moment - part.began


def lay_out(trace: Trace) -> Layout:
    """Where the steps of a trace are drawn; its parts are named by their verbs."""
    stretches = _stretches(trace.steps)
    busy = sum(ended - began for _, began, ended in stretches)
    width = max(busy // PAUSE_SHARE, 1)
    parts: list[Part] = []
    pauses: list[tuple[int, int, int]] = []
    at = 0
    for number, (verbs, began, ended) in enumerate(stretches):
        if number:
            pauses.append((at, width, began - stretches[number - 1][2]))
            at += width
        parts.append(Part(", ".join(verbs), began, max(ended - began, 1), at))
        at += max(ended - began, 1)
    return Layout(max(at, 1), tuple(parts), tuple(pauses))


def _stretches(steps: tuple[Step, ...]) -> list[tuple[tuple[str, ...], int, int]]:
    """(verbs, begin, end) of what is busy; ``steps`` are in the order of their beginning."""
    found: list[tuple[tuple[str, ...], int, int]] = []
    for step in steps:
        ended = step.started + step.duration
        if found and step.started - found[-1][2] < IDLE:
            verbs, began, last = found[-1]
            known = verbs if step.verb in verbs else (*verbs, step.verb)
            found[-1] = (known, began, max(ended, last))
        else:
            found.append(((step.verb,), step.started, ended))
    return found
