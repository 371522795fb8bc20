"""The formats of the files of cgroups, as texts to numbers (cgroup-v2.rst, "Format"; cgroup-v1/*.rst).

A line that is not as it should be is left out: a newer kernel may add what an older reader does not know.
"""

from __future__ import annotations

MAX = "max"
UNLIMITED = (1 << 64) - 1  # how "max" is shown to readers who know v1 alone
NUMBERED_WORDS = 2


def number(text: str) -> int:
    """One value; "max" is UNLIMITED, a negative one 0, as runc has it. 0 for what is no number."""
    text = text.strip()
    if text == MAX:
        return UNLIMITED
    return max(_whole(text), 0)


def numbers(text: str) -> tuple[int, ...]:
    """Values with spaces between."""
    return tuple(max(_whole(word), 0) for word in text.split())


def keyed(text: str) -> dict[str, int]:
    """``KEY VALUE`` a line."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: number(pair[1]) for pair in pairs if len(pair) == NUMBERED_WORDS}


def ranges(text: str) -> tuple[int, ...]:
    """A list such as ``0-2,4``."""
    found: list[int] = []
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        if first.isdigit() and (not dash or last.isdigit()):
            found += range(int(first), int(last or first) + 1)
    return tuple(found)


def nested(text: str) -> list[tuple[str, dict[str, str]]]:
    """``KEY NAME=VALUE NAME=VALUE ...`` a line."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in text.splitlines():
        key, *pairs = line.split() or [""]
        if key:
            found.append((key, {name: value for name, equals, value in (p.partition("=") for p in pairs) if equals}))
    return found


def devices(text: str) -> list[tuple[int, int, str, int]]:
    """``MAJOR:MINOR [OPERATION] VALUE`` a line, as (major, minor, operation or "", value); the totals left out."""
    found: list[tuple[int, int, str, int]] = []
    for line in text.splitlines():
        numbers_of, *words = line.split() or [""]
        major, colon, minor = numbers_of.partition(":")
        if colon and major.isdigit() and minor.isdigit() and words:
            found.append((int(major), int(minor), words[0] if len(words) > 1 else "", number(words[-1])))
    return found


def _whole(text: str) -> int:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else 0
