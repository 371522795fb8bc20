"""The id mappings of a new user namespace for which config.json has none (docs/decisions/0019-default-id-mappings.md).

config-linux.md, "User namespace mappings", leaves both lists optional and does not say what their absence means.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.record import Record
from slinger.spec.jsontext import dump_pretty, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from slinger.spec.jsontext import Json

    Members: TypeAlias = "dict[str, object]"

_NUMBERS = 2  # after the name in a line of subuid(5): the first id, and how many


class Range(Record):
    """``size`` ids, of which ``inside`` is the first in the container and ``outside`` the first in our namespace."""

    inside: int
    outside: int
    size: int


def every_own_id(table: str) -> tuple[Range, ...]:
    """Each id of our own user namespace, as the same id. ``table``: the text of our uid_map or gid_map."""
    firsts = [(int(words[0]), int(words[2])) for words in map(str.split, table.splitlines())]
    return tuple(Range(first, first, size) for first, size in firsts)


def id_and_subordinates(own: int, subordinate: Iterable[tuple[int, int]]) -> tuple[Range, ...]:
    """Root is who asks; after it, from 1 on, the ids that are subordinate to them, (first, how many) each."""
    ranges = [Range(0, own, 1)]
    following = 1
    for first, size in subordinate:
        ranges.append(Range(following, first, size))
        following += size
    return tuple(ranges)


def subordinates(text: str, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The ranges, (first, how many) each, that subuid(5) or subgid(5) grants to a user of one of these names.

    A line that is none is passed over, as newuidmap(1) does.
    """
    found: list[tuple[int, int]] = []
    for line in text.splitlines():
        name, *numbers = line.strip().split(":")
        if name not in names or len(numbers) != _NUMBERS or not all(n.isascii() and n.isdigit() for n in numbers):
            continue
        first, size = int(numbers[0][:20]), int(numbers[1][:20])
        if size > 0:
            found.append((first, size))
    return tuple(found)


def with_maps(text: bytes, uids: tuple[Range, ...], gids: tuple[Range, ...]) -> bytes:
    """The configuration's text with these mappings. It is one that ``values.lacks_maps`` is true of."""
    document = load(text, "config.json")
    linux = document.get("linux") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(linux, dict):
        raise ConfigError("linux", "must be an object")
    mapped: Members = {**linux, "uidMappings": _listed(uids), "gidMappings": _listed(gids)}
    whole: Members = {**document, "linux": mapped}
    return dump_pretty(whole, "\t").encode()


def _listed(ranges: tuple[Range, ...]) -> list[Json]:
    return [{"containerID": each.inside, "hostID": each.outside, "size": each.size} for each in ranges]
