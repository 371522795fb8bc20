"""Another document out of known ones: what a fuzzer of JSON needs so that it gets past the first brace.

Most mutations are of the value (a member gone, doubled, renamed, of another type, out of range, or taken from another
document), the rest of the bytes. Same `chance`, same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, Final

# Where checks are forgotten: the edges of the integers, empty and hostile strings, the wrong type.
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 2, 7, 0.5, 1e300, -0.0, 127, 128, 255, 256, 4095, 4096, 65535, 65536),
    *(2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64, 10**40),
    *("", "/", "//", ".", "..", "/..", "/../../etc", "a", "a=b", "=", "=b", "0", "-1", "0-3,7", ",", "-"),
    *("0-4294967295", "9999999999", "0-99999999999"),
    *("\0", "a\0b", "\n", "é", "\u2028", "\x1b[2J", "%s", "%d", "a" * 300, "/" + "a/" * 3000, "max", "1.3.0", "2.0.0"),
    *("/proc", "/proc/self/fd/7", "/dev/null", "/sys/fs/cgroup", "tmpfs", "bind", "rbind", "idmap", "rro", "remount"),
    *("size=1k", "mode=777", "MB:0=1", "L3:", "kernel.shm_rmid_forced", "net.ipv4.ip_forward", "io.max", "memory.max"),
    *([], {}, [[]], [{}], {"": ""}, {"a": {}}, [""], ["\0"], [None], [1, 1], ["a", "a"]),
)
BYTES: Final = (
    *(bytes([mark]) for mark in b'{}[],:"\\ \n0-e.tn'),
    b"\\ud800",
    b"\xff",
    b"\xc3",
    b"1" * 40,
    b"\0",
    b"NaN",
)


def mutated(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """`data` with one to four changes."""
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return _bytes_mutated(data, chance, others)
    if chance.random() < 0.15:
        return _bytes_mutated(data, chance, others)
    box = [value]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        _change_somewhere(box, chance, others)
    return json.dumps(box[0], ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """(container, key) of everything below `value`."""
    kind: Any = value.__class__
    for key in list(value) if kind is dict else range(len(value)) if kind is list else ():
        found.append((value, key))
        _places(value[key], found)
    return found


def _change_somewhere(box: list[Any], chance: Random, others: Sequence[bytes]) -> None:
    holder, key = chance.choice(_places(box, []))
    match chance.randrange(7):
        case 0 | 1:
            holder[key] = _fresh(chance.choice(ODD))
        case 2:
            _take_away(holder, key, box)
        case 3:
            _transplant(holder, key, chance, others)
        case 4:
            holder[key] = _edited(holder[key], chance)
        case 5:
            _double(holder, key, chance)
        case _:
            _rename(holder, key, chance, box)


def _fresh(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _take_away(holder: Any, key: Any, box: list[Any]) -> None:
    if holder is not box:
        del holder[key]


def _transplant(holder: Any, key: Any, chance: Random, others: Sequence[bytes]) -> None:
    """A value from another document: of the member of this name, where that has one."""
    try:
        places = _places(json.loads(chance.choice(others)), [])
    except (ValueError, RecursionError):
        return
    alike = [place for place in places if place[1] == key and isinstance(key, str)]
    if alike or places:
        source, name = chance.choice(alike or places)
        holder[key] = source[name]


def _edited(value: Any, chance: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 2**31, 2**32, -(2**63), 2**63))
    if isinstance(value, str):
        at = chance.randrange(len(value) + 1)
        return value[:at] + chance.choice(("", "\0", "/", "=", "-", ",", "0", "\ud800", value)) + value[at + 1 :]
    return [value]


def _double(holder: Any, key: Any, chance: Random) -> None:
    if isinstance(holder, list):
        holder[key:key] = [_fresh(holder[key])] * chance.choice((1, 1, 1, 2, 400))
    else:
        holder[f"{key}{chance.randrange(3)}"] = _fresh(holder[key])


def _rename(holder: Any, key: Any, chance: Random, box: list[Any]) -> None:
    names = [name for _, name in _places(box, []) if isinstance(name, str)]
    kind: Any = holder.__class__
    if kind is dict and names:
        holder[chance.choice(names)] = holder.pop(key)


def _bytes_mutated(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    text = bytearray(data or b"0")
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(5):
            case 0:
                text[at : at + 1] = chance.choice(BYTES)
            case 1:
                text[at:at] = chance.choice(BYTES) * chance.choice((1, 1, 1, 2000))
            case 2:
                del text[at : at + chance.choice((1, 1, 8, 64))]
            case 3:
                text[at:at] = text[at : at + chance.choice((1, 8, 64))]
            case _:
                other = chance.choice(others)
                text[at:] = other[chance.randrange(len(other) + 1) :]
    return bytes(text)
