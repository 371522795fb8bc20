"""Checks of single values that several sections of the configuration share. Each raises ConfigError."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Config, IdMapping, Linux

UINT32_COUNT = 2**32
_LONGEST_NUMBER = 10  # digits, more than any processor or node has; int() refuses thousands
MOST_MAPPINGS = 340  # user_namespaces(7): lines in uid_map since Linux 4.15


def quote(text: str) -> str:
    """A string as it would stand in the document, for messages."""
    return dump(text)


def refuse_nul(strings: tuple[str, ...], at: str) -> None:
    """Refuse a string that the kernel would see the beginning of only."""
    if "\0" in "".join(strings):
        index = next(number for number, text in enumerate(strings) if "\0" in text)
        raise ConfigError(f"{at}[{index}]", "must not hold a NUL character")


def refuse_nul_in(text: str, at: str) -> None:
    """The same for one string."""
    if "\0" in text:
        raise ConfigError(at, "must not hold a NUL character")


def demand_absolute(path: str, at: str) -> None:
    """Refuse a path that would depend on a working directory."""
    if not path.startswith("/"):
        raise ConfigError(at, f"must be an absolute path, got {quote(path)}")
    refuse_nul_in(path, at)


def demand_environment(entries: tuple[str, ...], at: str) -> None:
    """Each entry is NAME=VALUE, as environ(7) has them."""
    for index, entry in enumerate(entries):
        if "=" not in entry:
            raise ConfigError(f"{at}[{index}]", f"expected NAME=VALUE, got {quote(entry)}")
        if entry.startswith("="):
            raise ConfigError(f"{at}[{index}]", f"empty variable name in {quote(entry)}")
    refuse_nul(entries, at)


def demand_one_of(text: str, known: tuple[str, ...], at: str) -> None:
    """Refuse a word that is not in the table."""
    if text not in known:
        raise ConfigError(at, f"expected one of {', '.join(known)}, got {quote(text)}")


def demand_within(value: int | None, low: int, high: int, at: str) -> None:
    """Refuse a number outside of the limits; None is an absent one."""
    if value is not None and not low <= value <= high:
        raise ConfigError(at, f"must be from {low} to {high}, got {value}")


def demand_number_list(text: str, at: str) -> None:
    """Refuse what cpuset(7), "List format", does not allow: ``0-4,9``."""
    for part in text.split(","):
        first, dash, last = part.strip(" ").partition("-")
        good = _is_number(first) and (not dash or (_is_number(last) and int(last) >= int(first)))
        if part.strip(" ") and not good:
            raise ConfigError(at, f"expected a list of numbers and ranges such as 0-3,8, got {quote(text)}")


def demand_mappings(mappings: tuple[IdMapping, ...], at: str) -> None:
    """Refuse id mappings that user_namespaces(7), "uid_map", refuses."""
    if len(mappings) > MOST_MAPPINGS:
        raise ConfigError(at, f"at most {MOST_MAPPINGS} mappings are possible, got {len(mappings)}")
    for index, mapping in enumerate(mappings):
        if mapping.size == 0:
            raise ConfigError(f"{at}[{index}].size", "must be at least 1, got 0")
        if max(mapping.container_id, mapping.host_id) + mapping.size > UINT32_COUNT:
            raise ConfigError(f"{at}[{index}].size", f"the range ends above {UINT32_COUNT - 1}")
    for name, starts in (
        ("containerID", [mapping.container_id for mapping in mappings]),
        ("hostID", [mapping.host_id for mapping in mappings]),
    ):
        order = sorted(range(len(mappings)), key=starts.__getitem__)
        for place in range(1, len(order)):
            before, after = order[place - 1], order[place]
            if starts[before] + mappings[before].size > starts[after]:
                raise ConfigError(f"{at}[{after}].{name}", f"the range overlaps with that of {at}[{before}]")


def is_mapped(number: int, mappings: tuple[IdMapping, ...]) -> bool:
    """Whether an id of the container has one outside."""
    return any(each.container_id <= number < each.container_id + each.size for each in mappings)


def has_namespace(linux: Linux, kind: str) -> bool:
    """Whether the container gets a namespace of this type: a new one, or one that it joins."""
    return any(namespace.type == kind for namespace in linux.namespaces)


def joins_namespace(linux: Linux, kind: str) -> bool:
    """Whether the container enters a namespace of this type that exists already."""
    return any(namespace.type == kind and namespace.path for namespace in linux.namespaces)


def lacks_maps(linux: Linux) -> bool:
    """Whether there is a new user namespace, and not a word of what is to be mapped into it."""
    if linux.uid_mappings or linux.gid_mappings:
        return False
    return has_namespace(linux, "user") and not joins_namespace(linux, "user")


def demand_namespace(config: Config, kind: str, at: str) -> None:
    """Refuse a property that would change the host's namespace."""
    if not has_namespace(config.linux, kind):
        raise ConfigError(at, f"needs a {kind} namespace (new or joined) in linux.namespaces")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
