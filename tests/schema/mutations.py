"""Small changes of a document, made from the schema: each is at one place and of one kind.

| kind | what is put in the place |
|---|---|
| type | a value of every other JSON type, null, and a number that is no integer |
| enum | each word of the list, a word that is not in it, and one in another case |
| pattern | strings at the edge of the pattern, an empty one, one with a line break |
| bound | the least and the greatest integer, and one less and one more |
| text | an empty string, one with a NUL character, a long one |
| required, optional | the object without one of its members |
| extra | an object or an array with one more member |
| empty | an object or an array without any |
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.schema.schemas import STEPS, Place, json_path, members_of, places

OF_ALL_TYPES: Final[tuple[tuple[str, Any], ...]] = (
    ("null", None),
    ("boolean", True),
    ("integer", 7),
    ("number", 1.5),
    ("string", "seven"),
    ("array", ["seven"]),
    ("object", {"seven": 7}),
)
# An object whose keys are the names of clocks; the schema knows both, as properties.
MAPS: Final = frozenset({("linux", "timeOffsets")})
# What would be the host's without a namespace, and what cannot be without one.
NEED_NAMESPACES: Final = frozenset(
    {
        *("hostname", "domainname", "mounts", "namespaces", "uidMappings", "gidMappings", "netDevices"),
        *("sysctl", "maskedPaths", "readonlyPaths", "timeOffsets"),
    }
)
# A whole number written as a float, and one beyond every type.
NUMBERS: Final = (("whole", 7.0), ("huge", 10**30))
PATTERNS: Final = {
    "^RLIMIT_[A-Z]+$": ("RLIMIT_CPU", "RLIMIT_", "RLIMIT_cpu", "RLIMIT_NONE", "CPU", "", "RLIMIT_CPU\n"),
    "^[0-9, -]*$": ("0", "0-3,7", "", " 1, 2 ", "a", "1;2", "3-1", ",", "1\n"),
    "^[1-9][0-9]*[KMG]B$": ("64KB", "1GB", "0KB", "2mb", "MB", "2TB", "", "2MB\n", "02MB"),
    "^MB:[^\\n]*$": ("MB:", "MB:0=20;1=70", "mb:0=20", "L3:0=f", "", "MB:0=20\n", "MB:0=1\nMB:1=1"),
    "^[cbup]$": ("b", "u", "p", "a", "cc", "C", "", "c\n"),
}


@dataclass(frozen=True)
class Mutation:
    """A changed document, and what was changed. `path` is the JSON path, `what` the kind and the value."""

    path: str
    what: str
    document: Any

    def __str__(self) -> str:
        return f"{self.path or 'the document'}: {self.what}"


def mutations(document: Any, file: str, below: STEPS = ()) -> Iterator[Mutation]:
    """All at a place of a document and below it, by the schema in a file."""
    found = list(places(document, {"$ref": file}, file))
    maps = MAPS | {place.steps for place in found if place.rules.others}
    for place in found:
        if place.steps[: len(below)] != below:
            continue
        for what, value in _values(place):
            yield Mutation(json_path(place.steps, maps), what, replaced(document, place.steps, value))
        for what, name, value in _objects(place):
            yield Mutation(json_path((*place.steps, name), maps), what, replaced(document, place.steps, value))


def replaced(document: Any, steps: STEPS, value: Any) -> Any:
    """A copy of the document with another value at a place; what is beside the way there is shared."""
    if not steps:
        return value
    step = steps[0]
    changed = copy.copy(document)
    changed[step] = replaced(document[step], steps[1:], value)
    return changed


def sections(document: dict[str, Any]) -> Iterator[tuple[STEPS, dict[str, Any]]]:
    """The document in parts, small ones: each part, and a document of it and what others need of the rest."""
    linux: dict[str, Any] = document.get("linux", {})
    spaces = {name: linux[name] for name in ("namespaces", "uidMappings", "gidMappings") if name in linux}
    common = {name: document[name] for name in ("ociVersion", "root") if name in document}
    yield (), document
    for name, value in document.items():
        if name != "linux":
            yield (name,), common | {name: value, "linux": spaces if name in NEED_NAMESPACES else {}}
    for name, value in linux.items():
        yield ("linux", name), common | {"linux": (spaces if name in NEED_NAMESPACES else {}) | {name: value}}


def _values(place: Place) -> Iterator[tuple[str, Any]]:
    """Other values for a place."""
    rules = place.rules.keywords
    own = rules.get("type", "object")
    for name, value in OF_ALL_TYPES:
        if name != own:
            yield f"type {name}", value
    match own:
        case "integer":
            yield from ((f"type {name}", value) for name, value in NUMBERS)
            yield from _bounds(rules)
        case "string":
            yield from _texts(rules)
        case "array":
            yield "empty", []
            for name, value in OF_ALL_TYPES:
                yield f"extra {name}", [*place.value, value]
            if place.value:
                yield "extra double", [*place.value, place.value[0]]
        case _:
            pass


def _bounds(rules: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    low, high = rules.get("minimum"), rules.get("maximum")
    for limit, step in ((low, -1), (high, 1)):
        if limit is not None:
            yield f"bound {limit}", limit
            yield f"bound {limit + step}", limit + step
    for value in (-2, -1, 0, 1, 10, 1001):
        if value not in {low, high, (low or 0) - 1}:
            yield f"bound {value}", value


def _texts(rules: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    words = rules.get("enum", ())
    for word in words:
        yield f"enum {word}", word
    if words:
        other = words[0].swapcase()
        yield from (("enum unknown", f"{words[0]}_NOT"), (f"enum {other}", other))
    if "pattern" in rules:
        yield from ((f"pattern {text!r}", text) for text in PATTERNS[rules["pattern"]])
    yield from (("text empty", ""), ("text with NUL", "seven\0"), ("text long", "/" + "long" * 1000))


def _objects(place: Place) -> Iterator[tuple[str, str, Any]]:
    """The object with one member less or more: kind, name of the member, object."""
    members = members_of(place.value)
    for name in members:
        kind = "required" if name in place.rules.keywords.get("required", ()) else "optional"
        yield f"{kind} missing", name, {key: each for key, each in members.items() if key != name}
    if place.rules.others:
        for key in ("", "other", "a/b", "seven\0"):
            for value in members.values():
                yield f"extra key {key!r}", key, members | {key: value}
    elif isinstance(place.value, dict):
        for name, value in OF_ALL_TYPES:
            yield f"extra {name}", "com.example.extra", members | {"com.example.extra": value}
