"""JSON text in and out, on the C half of the stdlib's json.

``import json`` costs 8 ms (it compiles regular expressions), ``_json`` nothing. Its scanner explains a
failure only through the Python half, so the explanation is our own (jsonfault.py). Stricter than
json.loads, as config.md and RFC 8259 ask: UTF-8, no duplicate member names, no NaN, no half of a
surrogate pair.
"""

from __future__ import annotations

import _json

from slinger.errors import ConfigError
from slinger.spec.jsonfault import find_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TypeAlias, cast

    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
    Writable: TypeAlias = (
        "bool | int | float | str | list[Writable] | tuple[Writable, ...] | dict[str, Writable] | None"
    )
else:

    def cast(_kind: str, value: object) -> object:
        """Nothing, at run time."""
        return value


_WHITESPACE = " \t\n\r"


class _Grammar:
    """What ``_json.make_scanner`` reads its settings from."""

    strict = True  # no control characters in strings
    object_hook = None
    parse_float = float
    parse_int = int

    def __init__(self, pairs: Callable[[list[tuple[str, Json]]], dict[str, Json]]) -> None:
        self.object_pairs_hook = pairs

    @staticmethod
    def parse_constant(name: str) -> NoReturn:
        """NaN and the infinities, which Python's scanner knows and JSON does not."""
        message = f"{name} is not JSON"
        raise ValueError(message)


def load(text: bytes, what: str) -> Json:
    """The value of a whole JSON document. ``what`` names it in errors. Raises ConfigError."""
    try:
        characters = str(text, "utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("", f"{what}: not UTF-8: {error.reason} at byte {error.start}") from None
    try:
        return _load(characters, what)
    except RecursionError:
        raise ConfigError("", f"{what}: invalid JSON: nested too deeply") from None


def _load(text: str, what: str) -> Json:
    doubled: list[tuple[dict[str, Json], str]] = []

    def pairs(members: list[tuple[str, Json]]) -> dict[str, Json]:
        """An object; where names repeat, remember it until its place in the document is known."""
        value = dict(members)
        if len(value) != len(members):
            names = [name for name, _ in members]
            doubled.append((value, next(name for name in names if names.count(name) > 1)))
        return value

    value = _scan(text, what, pairs)
    if "\\ud" in text or "\\uD" in text:
        _refuse_half_pairs(value, "", what)  # before a path is named that has one
    if doubled:
        path, name = _first_doubled(value, doubled)
        raise ConfigError(path, f'duplicate member "{name}"' if path else f'{what}: duplicate member "{name}"')
    return value


def dump(value: object) -> str:
    """The value as compact JSON, in ASCII. Tuples are written as arrays. Raises TypeError."""
    encode = _json.make_encoder({}, _refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, False)  # noqa: FBT003
    return "".join(cast("tuple[str, ...]", encode(value, 0)))


def dump_pretty(value: object, indent: str) -> str:
    """The value as JSON for people: one member a line, each level indented by ``indent``, no last newline."""
    return _pretty(cast("Writable", value), indent, "\n")


def _pretty(value: Writable, indent: str, newline: str) -> str:
    inner = newline + indent
    if isinstance(value, dict) and value:
        lines = (f"{dump(name)}: {_pretty(member, indent, inner)}" for name, member in value.items())
        return "{" + inner + f",{inner}".join(lines) + newline + "}"
    if isinstance(value, list | tuple) and value:
        items = (_pretty(item, indent, inner) for item in value)
        return "[" + inner + f",{inner}".join(items) + newline + "]"
    return dump(value)


def _refuse(value: object) -> NoReturn:
    message = f"{type(value).__name__} is not JSON"
    raise TypeError(message)


def _scan(text: str, what: str, pairs: Callable[[list[tuple[str, Json]]], dict[str, Json]]) -> Json:
    """Run the C scanner over the whole text."""
    start = len(text) - len(text.lstrip(_WHITESPACE))
    try:
        value, end = _json.make_scanner(cast("_json.make_scanner", _Grammar(pairs)))(text, start)
    except (ValueError, StopIteration, SystemError) as error:
        # SystemError: the scanner wants to raise json's own exception and finds that module not loaded.
        raise _invalid(text, what) from error
    if text[end:].strip(_WHITESPACE):
        raise _invalid(text, what)
    return cast("Json", value)


def _invalid(text: str, what: str) -> ConfigError:
    """Say where the text stops being JSON."""
    position, why = find_fault(text)
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return ConfigError("", f"{what}: invalid JSON at line {line} column {column}: {why}")


def _first_doubled(value: Json, doubled: list[tuple[dict[str, Json], str]], at: str = "") -> tuple[str, str]:
    """The JSON path of the first object that was built from repeated names, and the name."""
    for found, name in doubled:
        if found is value:
            return at, name
    for path, member in _members(value, at):
        if isinstance(member, dict | list):
            deeper = _first_doubled(member, doubled, path)
            if deeper[1]:
                return deeper
    return at, ""


def _refuse_half_pairs(value: Json, at: str, what: str) -> None:
    """Raise ConfigError for a string that cannot be written as UTF-8."""
    if isinstance(value, str) and not _is_text(value):
        raise ConfigError(at, f"{'' if at else what + ': '}half of a surrogate pair")
    for path, member in _members(value, at):
        if not _is_text(path):
            raise ConfigError(at, f"{'' if at else what + ': '}half of a surrogate pair in a member name")
        _refuse_half_pairs(member, path, what)


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _members(value: Json, at: str) -> list[tuple[str, Json]]:
    if isinstance(value, dict):
        return [(f"{at}.{name}" if at else name, member) for name, member in value.items()]
    if isinstance(value, list):
        return [(f"{at}[{index}]", item) for index, item in enumerate(value)]
    return []
