"""The systemd unit of a container: its name, its slice, its cgroup, and what it is started with.

``linux.cgroupsPath`` is ``SLICE:PREFIX:NAME`` for this driver, as engines write it. systemd.slice(5) says how slices
nest, systemd.scope(5) and systemd.resource-control(5) what the properties mean.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan.gvariant import Value, parse_value
from slinger.record import Record

ORIGIN = "linux.cgroupsPath"
PREFIX = "slinger"
SYSTEM_SLICE, USER_SLICE = "system.slice", "user.slice"
SLICE, SCOPE = ".slice", ".scope"
ROOT_SLICE = "-.slice"
PARTS = 3
NAME_LENGTH = 255  # UNIT_NAME_MAX of systemd's unit-name.h, with the NUL
NAME_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@")
ANNOTATION = "org.systemd.property."
MICROSECONDS = 10**6
SHORTEST_NAME = 3
OURS = frozenset({"PIDs", "Slice", "Wants", "Description", "Delegate"})
NUMBERS = frozenset("ynqiuxtd")


class Property(Record):
    """A property of a unit: its value, and the D-Bus type of that."""

    name: str
    type: str
    value: Value


class Unit(Record):
    """A container's unit. ``user``: of the user's manager, not the system's."""

    name: str
    slice: str
    user: bool
    description: str

    @property
    def is_slice(self) -> bool:
        """A slice has processes of others too, perhaps, and is not started with a pid."""
        return self.name.endswith(SLICE)

    def row(self) -> dict[str, str | bool]:
        """For the state record."""
        return {"name": self.name, "slice": self.slice, "user": self.user, "description": self.description}

    def cgroup(self) -> str:
        """Its cgroup below that of the manager, ``/a.slice/a-b.slice/NAME``. ConfigError."""
        return expanded(self.name) if self.is_slice else f"{expanded(self.slice)}/{self.name}"


def unit_of(cgroups_path: str, container_id: str, root: str, *, user: bool) -> Unit:
    """The unit that cgroupsPath names, "" being ``:slinger:ID``. ``root``: the directory of the containers' state.

    Without a slice it is system.slice, and user.slice for a user's manager; a NAME that ends in .slice is the unit
    itself, else it is PREFIX-NAME.scope. Raises ConfigError.
    """
    parts = (cgroups_path or f":{PREFIX}:{container_id}").split(":")
    if len(parts) != PARTS:
        why = f'must be SLICE:PREFIX:NAME for systemd, not "{cgroups_path}"'
        raise ConfigError(ORIGIN, why, hint='such as "system.slice:slinger:box", or leave it out')
    slice_name, prefix, name = parts
    if not name:
        raise ConfigError(ORIGIN, f'"{cgroups_path}" has no name behind its second colon')
    slice_name = slice_name or (USER_SLICE if user else SYSTEM_SLICE)
    if not name.endswith(SLICE):
        name = f"{prefix}-{name}{SCOPE}" if prefix else f"{name}{SCOPE}"
    expanded(slice_name)
    if len(name) >= NAME_LENGTH or not NAME_LETTERS.issuperset(name) or name.startswith("."):
        why = f'"{name}" is no name of a unit'
        raise ConfigError(ORIGIN, why, hint=f"at most {NAME_LENGTH - 1} letters, digits and :-_.@\\ (systemd.unit(5))")
    unit = Unit(name, slice_name, user, f"container {container_id} of slinger in {root}")
    if unit.cgroup() == "":
        raise ConfigError(ORIGIN, f'"{name}" is the root of all slices, which has processes of others')
    return unit


def expanded(name: str) -> str:
    """The path of a slice: "/a.slice/a-b.slice" for "a-b.slice", "" for the root. ConfigError."""
    if name == ROOT_SLICE:
        return ""
    inner = name.removesuffix(SLICE)
    parts = inner.split("-")
    if inner == name or "" in parts or not NAME_LETTERS.issuperset(inner) or len(name) >= NAME_LENGTH:
        hint = "its name ends in .slice, has no / and no empty part between dashes: a-b.slice is below a.slice"
        raise ConfigError(ORIGIN, f'"{name}" is no slice', hint=hint)
    return "".join(f"/{'-'.join(parts[: count + 1])}{SLICE}" for count in range(len(parts)))


def start_properties(unit: Unit, annotations: tuple[tuple[str, str], ...]) -> tuple[Property, ...]:
    """What the unit is started with, beside a scope's first process. What annotations say wins.

    Raises ConfigError for an annotation that is no property.
    """
    own = [Property("Description", "s", unit.description), Property("DefaultDependencies", "b", value=False)]
    if unit.is_slice:
        own.append(Property("Wants", "as", (unit.slice,)))
    else:
        own += (
            Property("Slice", "s", unit.slice),
            Property("Delegate", "b", value=True),
            Property("CollectMode", "s", "inactive-or-failed"),  # one that failed leaves nothing behind either
        )
    own += [Property(f"{name}Accounting", "b", value=True) for name in ("CPU", "Memory", "IO", "Tasks")]
    asked = annotated(annotations)
    names = {each.name for each in asked}
    return (*(each for each in own if each.name not in names), *asked)


def annotated(annotations: tuple[tuple[str, str], ...]) -> tuple[Property, ...]:
    """The properties that annotations ``org.systemd.property.NAME`` ask for, in the text format of GVariant.

    ``NameSec`` becomes ``NameUSec`` with a million times the number, as systemctl(1) does it. Raises ConfigError.
    """
    found: list[Property] = []
    for key, text in annotations:
        if not key.startswith(ANNOTATION):
            continue
        name, origin = key.removeprefix(ANNOTATION), f'annotations["{key}"]'
        if len(name) < SHORTEST_NAME or not (name.isascii() and name.isalpha()):
            raise ConfigError(origin, f'"{name}" is no property of a unit', hint="three letters or more (a-z, A-Z)")
        if name in OURS:
            raise ConfigError(origin, f"{name} follows from linux.cgroupsPath and the container")
        kind, value = parse_value(text, origin)
        if name.endswith("Sec") and name[-4:-3].islower():
            if kind not in NUMBERS or not isinstance(value, int | float):
                raise ConfigError(origin, f"{text} is no number of seconds")
            name, kind, value = f"{name[:-3]}USec", "t", int(value * MICROSECONDS)
            if not 0 <= value < 1 << 64:
                raise ConfigError(origin, f"{text} seconds are out of range")
        found.append(Property(name, kind, value))
    return tuple(found)
