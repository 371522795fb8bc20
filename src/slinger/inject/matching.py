"""Patterns of hooks.d files at work, as Go runs them: the time grows with the text, whatever the pattern.

Python's own engine tries one way after the other, and for ``(a+)+$`` there are more ways than anybody can wait for;
what is matched are annotations, which anybody may write. So re only parses, and this file follows all ways at once
(K. Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968), each step remembered while that is cheap.

Rule of the file: what re parses and Go does not know is a ValueError.
"""

from __future__ import annotations

import re  # noqa: TID253 - this file is loaded only where there is a pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    # What a state is about: a test of the next character, a test of the place, two ways to go on; or the end.
    State: TypeAlias = "tuple[str, Any, int]"
    Test: TypeAlias = Callable[[str], bool]

CHARACTER, PLACE, SPLIT, END = "character", "place", "split", "end"
MOST_STATES = 10_000
MOST_REPEATS = 1_000  # Go's
REMEMBERED = 10_000
WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
CATEGORIES: dict[str, Test] = {
    "DIGIT": lambda letter: letter in "0123456789",
    "SPACE": lambda letter: letter in " \t\n\r\f\v",
    "WORD": lambda letter: letter in WORD,
}


class Machine:
    """The states of a pattern. ``parsed`` as re._parser gives it."""

    def __init__(self, pattern: str) -> None:
        """ValueError or re.error for what is no pattern of Go's."""
        parsed = __import__("re._parser", fromlist=["parse"]).parse(pattern, re.ASCII)
        self._states: list[State] = [(END, None, 0)]
        self._start = self._sequence(parsed, parsed.state.flags, 0)
        self._steps: dict[tuple[frozenset[int], tuple[bool, bool, bool], str], tuple[bool, frozenset[int]]] = {}

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        here: frozenset[int] = frozenset()
        before = ""
        for letter in (*text, ""):
            key = (here, (not before, before == "\n", before in WORD), letter)
            if key not in self._steps:
                if len(self._steps) >= REMEMBERED:
                    self._steps.clear()
                self._steps[key] = self._step(here, before, letter)
            matched, here = self._steps[key]
            if matched:
                return True
            before = letter
        return False

    def _step(self, here: frozenset[int], before: str, letter: str) -> tuple[bool, frozenset[int]]:
        """Whether the end is reached before this letter, and where the letter leads; a match may begin anywhere."""
        reached: set[int] = set()
        ways = [*here, self._start]
        while ways:
            at = ways.pop()
            if at in reached:
                continue
            reached.add(at)
            kind, value, after = self._states[at]
            if kind == SPLIT:
                ways += [value, after]
            elif kind == PLACE and value(before, letter):
                ways.append(after)
        states = [self._states[at] for at in reached]
        there = frozenset(after for kind, test, after in states if kind == CHARACTER and letter and test(letter))
        return any(kind == END for kind, _, _ in states), there

    # ---- from what re has parsed; each from its end to its beginning: `after` is the state that follows

    def _add(self, state: State) -> int:
        if len(self._states) >= MOST_STATES:
            raise ValueError("too large for a pattern")
        self._states.append(state)
        return len(self._states) - 1

    def _sequence(self, items: Iterable[tuple[object, Any]], flags: int, after: int) -> int:
        for op, value in reversed(list(items)):
            after = self._item(str(op), value, flags, after)
        return after

    def _item(self, op: str, value: Any, flags: int, after: int) -> int:
        if op in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}:
            return self._add((CHARACTER, _test(op, value, flags), after))
        if op == "AT":
            return self._add((PLACE, _place(str(value), flags), after))
        if op == "SUBPATTERN":
            _, more, less, items = value
            return self._sequence(items, (flags | more) & ~less, after)
        if op == "BRANCH":
            ways = [self._sequence(items, flags, after) for items in value[1]]
            entry = ways.pop()
            while ways:
                entry = self._add((SPLIT, ways.pop(), entry))
            return entry
        if op in {"MAX_REPEAT", "MIN_REPEAT"}:  # which of them does not matter to whether there is a match
            least, most, items = value
            return self._repeat((least, most), items, flags, after)
        raise ValueError("look-around, back references and the like are unknown in Go")

    def _repeat(self, bounds: tuple[int, int], items: Any, flags: int, after: int) -> int:
        least, most = bounds
        endless = str(most) == "MAXREPEAT"
        if max(least, 0 if endless else most) > MOST_REPEATS:
            raise ValueError(f"more than {MOST_REPEATS} repeats")
        entry = after
        if endless:
            entry = self._add((SPLIT, 0, after))
            self._states[entry] = (SPLIT, self._sequence(items, flags, entry), after)
        else:
            for _ in range(most - least):
                entry = self._add((SPLIT, self._sequence(items, flags, entry), after))
        for _ in range(least):
            entry = self._sequence(items, flags, entry)
        return entry


def _test(op: str, value: Any, flags: int) -> Test:
    """Of one character."""
    if op == "ANY":
        return (lambda _: True) if flags & re.DOTALL else (lambda letter: letter != "\n")
    items = [(str(kind), each) for kind, each in value] if op == "IN" else [("LITERAL", value)]
    negated = op == "NOT_LITERAL" or ("NEGATE", None) in items
    members = [_member(kind, each) for kind, each in items if kind != "NEGATE"]

    def test(letter: str) -> bool:
        forms = {letter}
        if flags & re.IGNORECASE:  # the Kelvin sign is a K as well, by its lower case
            forms |= {letter.lower(), letter.upper(), letter.lower().upper(), letter.upper().lower()}
        forms = {form for form in forms if len(form) == 1}
        return any(any(map(each, forms)) != without for each, without in members) != negated

    return test


def _member(kind: str, value: Any) -> tuple[Test, bool]:
    """Of one entry of a class; True with it: what it does not hold for."""
    if kind == "LITERAL":
        return lambda letter: ord(letter) == value, False
    if kind == "RANGE":
        low, high = value
        return lambda letter: low <= ord(letter) <= high, False
    name = str(value).removeprefix("CATEGORY_")
    return CATEGORIES[name.removeprefix("NOT_")], name.startswith("NOT_")


def _place(name: str, flags: int) -> Callable[[str, str], bool]:
    """Of the characters on both sides, "" at the edges of the text."""
    if name in {"AT_BOUNDARY", "AT_NON_BOUNDARY"}:
        wanted = name == "AT_BOUNDARY"
        return lambda before, after: ((before in WORD) != (after in WORD)) == wanted
    lines = bool(flags & re.MULTILINE) and not name.endswith("STRING")
    if name.startswith("AT_BEGINNING"):
        return lambda before, _: not before or (lines and before == "\n")
    return lambda _, after: not after or (lines and after == "\n")
