"""Sizes in words: 512m, 1.5GiB, 64 kb; the units count by 1024, as in runc and docker."""

from __future__ import annotations

UNITS = "kmgtp"
UNIT, WHOLE = 1024, 100
LARGEST = (1 << 63) - 1


def parse_size(text: str) -> int:
    """Bytes; ValueError for what is no size, or for more than 63 bits can say."""
    word = text.strip().lower()
    for ending in ("ib", "b"):
        if word.endswith(ending):
            word = word.removesuffix(ending)
            break
    power = UNITS.find(word[-1:]) + 1 if word else 0
    number = word[:-1].rstrip() if power else word.rstrip()
    whole, dot, part = number.partition(".")
    if not _digits(whole) or (dot and not _digits(part)):
        raise ValueError(text)
    # In integers: a float would round what is above 2^53.
    size: int = (int(whole + part) << (10 * power)) // 10 ** len(part)
    if size > LARGEST:
        raise ValueError(text)
    return size


def size_text(size: int) -> str:
    """For people: three digits and a unit, such as 12.3M; bytes below 1024 as they are."""
    value, unit = float(size), ""
    for name in UNITS.upper():
        if value < UNIT:
            break
        value, unit = value / UNIT, name
    return f"{value:.0f}{unit}" if not unit or value >= WHOLE else f"{value:.1f}{unit}"


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
