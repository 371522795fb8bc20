"""Where a text stops being JSON (RFC 8259), for the message; the C scanner has refused it before.

A loop over the tokens with a stack of open brackets, not a recursion, so that no text is too deep for it.
"""

from __future__ import annotations

import sys

_WHITESPACE = " \t\n\r"
_DIGITS = "0123456789"
_HEX = "0123456789abcdefABCDEF"
_ESCAPES = '"\\/bfnrt'
_LITERALS = ("true", "false", "null")

# What may come next.
_VALUE = "expecting a value"
_VALUE_OR_END = 'expecting a value or "]"'
_NAME = "expecting a member name in double quotes"
_NAME_OR_END = 'expecting a member name in double quotes or "}"'
_COLON = 'expecting ":"'
_MORE_ITEMS = 'expecting "," or "]"'
_MORE_MEMBERS = 'expecting "," or "}"'
_NOTHING = "expecting the end of the document"


class _Fault(Exception):  # noqa: N818  no error of slinger's: it never leaves this file
    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position
        self.why = why


def find_fault(text: str) -> tuple[int, str]:
    """The index at which the text stops being JSON, and what would have been expected; (-1, "") for JSON."""
    try:
        _walk(text)
    except _Fault as fault:
        return fault.position, fault.why
    return -1, ""


def _walk(text: str) -> None:
    """Go through the tokens until one is out of place."""
    open_brackets: list[str] = []
    expected = _VALUE
    position = 0
    while True:
        position = _skip(text, position, _WHITESPACE)
        mark = text[position : position + 1]
        if not mark:
            if expected == _NOTHING:
                return
            raise _Fault(position, expected)
        if expected in {_VALUE, _VALUE_OR_END} and mark in "{[":
            open_brackets.append(mark)
            expected = _NAME_OR_END if mark == "{" else _VALUE_OR_END
            position += 1
        elif _closes(mark, expected):
            open_brackets.pop()
            expected = _after_value(open_brackets)
            position += 1
        elif expected in {_VALUE, _VALUE_OR_END}:
            position = _scalar(text, position, expected)
            expected = _after_value(open_brackets)
        elif expected in {_NAME, _NAME_OR_END} and mark == '"':
            position = _string(text, position)
            expected = _COLON
        elif (mark, expected) in _SEPARATORS:
            expected = _SEPARATORS[mark, expected]
            position += 1
        else:
            raise _Fault(position, expected)


_SEPARATORS = {(":", _COLON): _VALUE, (",", _MORE_ITEMS): _VALUE, (",", _MORE_MEMBERS): _NAME}


def _closes(mark: str, expected: str) -> bool:
    return (mark == "]" and expected in {_VALUE_OR_END, _MORE_ITEMS}) or (
        mark == "}" and expected in {_NAME_OR_END, _MORE_MEMBERS}
    )


def _after_value(open_brackets: list[str]) -> str:
    if not open_brackets:
        return _NOTHING
    return _MORE_ITEMS if open_brackets[-1] == "[" else _MORE_MEMBERS


def _scalar(text: str, position: int, expected: str) -> int:
    """The index after a string, a literal or a number."""
    if text[position] == '"':
        return _string(text, position)
    for literal in _LITERALS:
        if text.startswith(literal, position):
            return position + len(literal)
    return _number(text, position, expected)


def _string(text: str, start: int) -> int:
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == '"':
            return position + 1
        if character < " ":
            raise _Fault(position, "control character in a string")
        if character == "\\":
            position += 1
            escape = text[position : position + 1]
            if escape == "u" and _skip(text[position + 1 : position + 5], 0, _HEX) == len("12ab"):
                position += len("12ab")
            elif not escape or escape not in _ESCAPES:
                raise _Fault(position - 1, "invalid escape in a string")
        position += 1
    raise _Fault(start, "string without an end")


def _number(text: str, start: int, expected: str) -> int:
    first = start + 1 if text[start] == "-" else start
    end = first + 1 if text[first : first + 1] == "0" else _skip(text, first, _DIGITS)
    if end == first:
        raise _Fault(start, expected)
    whole = end
    if text[end : end + 1] == "." and text[end + 1 : end + 2] in _FIRST_DIGITS:
        end = _skip(text, end + 1, _DIGITS)
    if text[end : end + 1] in _EXPONENTS:
        digits = end + 2 if text[end + 1 : end + 2] in _SIGNS else end + 1
        end = _skip(text, digits, _DIGITS) if text[digits : digits + 1] in _FIRST_DIGITS else end
    limit = sys.get_int_max_str_digits()
    if end == whole and 0 < limit < whole - first:  # CVE-2020-10735
        raise _Fault(start, "a number with too many digits")
    return end


_FIRST_DIGITS = frozenset(_DIGITS)
_EXPONENTS = frozenset("eE")
_SIGNS = frozenset("+-")


def _skip(text: str, position: int, characters: str) -> int:
    """The index of the first character that is not one of those."""
    while position < len(text) and text[position] in characters:
        position += 1
    return position
