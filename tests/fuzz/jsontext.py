"""Invariant tested: slinger's JSON reader finds what the standard library finds, and refuses whatever that refuses.

What it refuses beyond that is listed here, and nothing else: doubled names, halves of surrogate pairs, NaN and the
infinities, a text that is not UTF-8 or begins with a byte order mark, and depth. What it writes, both read back.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from slinger.errors import ConfigError
from slinger.spec.jsontext import dump, dump_pretty, load
from tests.fuzz import config

EDGES = (
    b'{"a": 1, "a": 2}',
    b'{"a": {"b": [1, {"c": 1, "c": 2}]}}',
    b'["\\ud83d\\ude00", "\\ud83d", "\\u0000", "\\\\ud800"]',
    b"[NaN, Infinity, -Infinity]",
    b"[1e400, -1e400, 1E-400, -0, 0.1e+1, 123456789012345678901234567890]",
    b"\xef\xbb\xbf{}",
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b"[" * 100 + b"]" * 100,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b" \t\r\n[ ] \t\r\n",
    b"",
    b"01",
    b'"\x7f\xc2\x80\xe2\x80\xa8"',
    b"9" * 5000,
)


def corpus() -> list[bytes]:
    """What we know to be hard, and configurations."""
    return [*EDGES, *config.corpus()]


def one(data: bytes) -> None:
    """Compare the two readers on one text."""
    refused = None
    ours: Any = None
    try:
        ours = load(data, "x.json")
    except ConfigError as error:
        refused = error
    if refused is not None:
        assert refused.message.startswith("x.json: ") or refused.path, refused.message
        assert refusable(data), f"refused although it is JSON: {refused.message}"
        return
    assert not refusable(data), "taken although it is to be refused"
    theirs = json.loads(data)
    assert same(ours, theirs)
    if "inf" in repr(theirs):
        return  # a number that overflowed: read alike, but there is no way to write it
    for text in (dump(ours), dump_pretty(ours, "\t")):
        assert same(load(text.encode(), "x.json"), theirs)
        assert same(json.loads(text), theirs)


def same(one_value: Any, other: Any) -> bool:
    """Equal to the type: 1 is neither 1.0 nor true. An infinity that a number overflowed to is one."""
    return repr(one_value) == repr(other)


class RefusedError(Exception):
    """JSON for the standard library, but not for config.md or RFC 8259."""


def refusable(data: bytes) -> bool:
    """Whether the standard library refuses the text too, or it is one of the kinds that are listed above."""
    try:
        text = str(data, "utf-8")
        value = json.loads(text, object_pairs_hook=_no_doubles, parse_constant=_no_constants)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError, RefusedError):
        return True
    return False


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise RefusedError
    return dict(pairs)


def _no_constants(name: str) -> NoReturn:
    raise RefusedError(name)
