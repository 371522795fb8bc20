"""Regular expressions as hooks.d files have them: Go's syntax (RE2), searched for anywhere in a text.

Rule of the file: what Python writes otherwise is translated, what it cannot say is refused. A word for it is in Go's
regexp/syntax documentation.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.inject.matching import Machine

POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}


class Pattern(Record):
    """``text`` is as written."""

    text: str
    machine: Machine

    def matches(self, text: str) -> bool:
        """Whether it is found anywhere in the text."""
        return self.machine.found_in(text)


def compile_pattern(pattern: str, at: str) -> Pattern:
    """The pattern of a file. ConfigError, naming ``at``, for one that is none."""
    import re  # 10 ms, only where a file has such a condition

    from slinger.inject.matching import Machine  # noqa: PLC0415 - the same

    try:
        return Pattern(pattern, Machine(_translated(pattern)))
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(at, f"not a regular expression: {error}: {pattern}") from None
    except ValueError as error:
        raise ConfigError(at, f"{error}: {pattern}") from None


def _translated(pattern: str) -> str:
    r"""Go's ``$`` is the very end; ``\z``, ``\Q...\E`` and ``[[:alpha:]]`` are unknown here."""
    by_lines = pattern.startswith("(?") and "m" in pattern[2:].partition(")")[0].partition(":")[0]
    out: list[str] = []
    in_class = False
    at = 0
    while at < len(pattern):
        piece, length = _piece(pattern[at:], in_class=in_class, by_lines=by_lines)
        if pattern[at] == "[" and not in_class:
            in_class = True
            # A bracket at the beginning of a class stands for itself.
            start = 2 if pattern[at + 1 : at + 2] == "^" else 1
            if pattern[at + start : at + start + 1] == "]":
                piece, length = pattern[at : at + start] + r"\]", start + 1
        elif pattern[at] == "]":
            in_class = False
        out.append(piece)
        at += length
    return "".join(out)


def _piece(rest: str, *, in_class: bool, by_lines: bool) -> tuple[str, int]:
    """What the next characters become, and how many they are."""
    if rest.startswith("\\"):
        return _escape(rest)
    if in_class and rest.startswith("[:") and rest[2:].partition(":]")[1]:
        name = rest[2:].partition(":]")[0]
        if name not in POSIX_CLASSES:
            raise ValueError(f"no character class [:{name}:]")
        return POSIX_CLASSES[name], len(name) + 4
    if in_class and rest.startswith("["):
        return r"\[", 1
    ends = rest.startswith("$") and not in_class and not by_lines
    return (r"\Z" if ends else rest[0]), 1


def _escape(rest: str) -> tuple[str, int]:
    if rest.startswith(r"\Q"):
        quoted = rest[2:].partition(r"\E")[0]
        return "".join(each if each.isalnum() else f"\\{each}" for each in quoted), len(quoted) + 4
    if rest.startswith((r"\p", r"\P")):
        raise ValueError(r"Unicode classes (\p) are not known here")
    return (r"\Z" if rest.startswith(r"\z") else rest[:2]), 2
