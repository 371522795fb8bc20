"""Times and texts as people read them."""

from __future__ import annotations

import time

MICROSECOND, MILLISECOND, SECOND, MINUTE, HOUR = 1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000


def in_words(nanoseconds: int) -> str:
    """A duration with about three digits: ``740 ns``, ``12.3 µs``, ``4.56 ms``, ``3 min 20 s``, ``2 h 5 min``."""
    if nanoseconds < MICROSECOND:
        return f"{nanoseconds} ns"
    if nanoseconds < MINUTE:
        unit, size = next(
            (name, size)
            for name, size in (("s", SECOND), ("ms", MILLISECOND), ("µs", MICROSECOND))
            if nanoseconds >= size
        )
        number = nanoseconds / size
        return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"  # noqa: PLR2004 - three digits
    if nanoseconds < HOUR:
        return f"{nanoseconds // MINUTE} min {nanoseconds % MINUTE // SECOND} s"
    return f"{nanoseconds // HOUR} h {nanoseconds % HOUR // MINUTE} min"


def moment(nanoseconds: int) -> str:
    """A moment since the epoch as RFC 3339 has it, in milliseconds."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanoseconds // SECOND))
    return f"{stamp}.{nanoseconds % SECOND // MILLISECOND:03}Z"
