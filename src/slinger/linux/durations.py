"""Times in words as Go's time.ParseDuration takes them: 5s, 100ms, 1m30s, 1.5h."""

from __future__ import annotations

UNITS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
SIGNS = "+-"


def parse_duration(text: str) -> float:
    """Seconds; ValueError for what is no time."""
    rest = text[1:] if text[:1] and text[0] in SIGNS else text
    if rest == "0":
        return 0.0
    total = 0.0
    while rest:
        number, rest = _leading(rest, "0123456789.")
        unit, rest = _leading(rest, "nu\u00b5msh")
        if unit not in UNITS or not number.strip(".") or number.count(".") > 1:
            raise ValueError(text)
        total += float(number) * UNITS[unit]
    if not text.strip(SIGNS):
        raise ValueError(text)
    return -total if text[0] == "-" else total


def _leading(text: str, characters: str) -> tuple[str, str]:
    rest = text.lstrip(characters)
    return text[: len(text) - len(rest)], rest
