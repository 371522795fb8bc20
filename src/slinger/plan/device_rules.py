"""linux.resources.devices as a default and exceptions from it (config-linux.md, "Allowed Device list").

The rules of config.json are walked in order over the state "all is allowed", then the devices that every
container has are allowed. The outcome is what cgroup v1 can say: a default, and exceptions from it. The
kernel's own walk would be wrong: it drops an exception only if a rule names exactly it, and it reads a
rule of type "a" as "all" whatever else the rule says (security/device_cgroup.c).
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.record import Record
from slinger.spec.config import DeviceRule

ORIGIN = "linux.resources.devices"
ALL = "rwm"

# Allowed after the rules of config.json, which cannot switch them off: mknod of anything, then the
# default devices, the terminals, and /dev/net/tun, as runc and crun do.
DEFAULTS = (
    DeviceRule(allow=True, type="c", access="m"),
    DeviceRule(allow=True, type="b", access="m"),
    DeviceRule(allow=True, type="c", major=1, minor=3, access=ALL),
    DeviceRule(allow=True, type="c", major=1, minor=5, access=ALL),
    DeviceRule(allow=True, type="c", major=1, minor=7, access=ALL),
    DeviceRule(allow=True, type="c", major=1, minor=8, access=ALL),
    DeviceRule(allow=True, type="c", major=1, minor=9, access=ALL),
    DeviceRule(allow=True, type="c", major=5, minor=0, access=ALL),
    DeviceRule(allow=True, type="c", major=5, minor=2, access=ALL),
    DeviceRule(allow=True, type="c", major=136, access=ALL),
    DeviceRule(allow=True, type="c", major=10, minor=200, access=ALL),
)


class Nodes(Record):
    """A set of device nodes: type "b" or "c", and numbers of which None means all."""

    type: str
    major: int | None
    minor: int | None

    def __str__(self) -> str:
        """As devices.allow wants it: ``c 1:*``."""
        return f"{self.type} {_number(self.major)}:{_number(self.minor)}"

    def covers(self, other: Nodes) -> bool:
        """Every node of ``other`` is one of ours."""
        return self.type == other.type and self.major in {None, other.major} and self.minor in {None, other.minor}

    def meets(self, other: Nodes) -> bool:
        """Some node is in both."""
        return (
            self.type == other.type
            and (self.major == other.major or None in {self.major, other.major})
            and (self.minor == other.minor or None in {self.minor, other.minor})
        )


class Exempt(Record):
    """An exception from the default: these nodes, these letters of "rwm", and the property that asked for it."""

    nodes: Nodes
    access: str
    origin: str


class DeviceList(Record):
    """What is so by default, and the exceptions, in the order in which they were asked for."""

    allow: bool
    exempt: tuple[Exempt, ...] = ()


def device_list(rules: tuple[DeviceRule, ...]) -> DeviceList:
    """The list that these rules come to. ConfigError where a list cannot say it."""
    state = DeviceList(allow=True)
    for index, rule in enumerate(rules):
        state = _after(state, rule, f"{ORIGIN}[{index}]")
    for rule in DEFAULTS:
        state = _after(state, rule, ORIGIN)
    return state


class CheckedRule(Record):
    """A rule with its letters in the order of "rwm", each once, and None for all numbers."""

    allow: bool
    type: str
    major: int | None
    minor: int | None
    access: str


def checked(rule: DeviceRule, origin: str) -> CheckedRule:
    """The rule as it is meant. ConfigError for letters or a type that there are not."""
    access = "".join(letter for letter in ALL if letter in rule.access)
    if not rule.access or len(access) != len(set(rule.access)):
        raise ConfigError(f"{origin}.access", f'"{rule.access}" is not made of the letters r, w and m')
    if rule.type not in {"a", "b", "c"}:
        raise ConfigError(f"{origin}.type", f'"{rule.type}" is none of a, b and c')
    return CheckedRule(rule.allow, rule.type, _or_all(rule.major), _or_all(rule.minor), access)


def _after(state: DeviceList, asked: DeviceRule, origin: str) -> DeviceList:
    rule = checked(asked, origin)
    access, major, minor = rule.access, rule.major, rule.minor
    if rule.type == "a" and major is None and minor is None and access == ALL:
        return DeviceList(allow=rule.allow)
    if state == DeviceList(allow=True) and rule.type == "a" and major is None and minor is None and not rule.allow:
        # Some letters of all nodes: said the other way round, so that single nodes can still be allowed.
        rest = "".join(letter for letter in ALL if letter not in access)
        return DeviceList(allow=False, exempt=tuple(Exempt(Nodes(kind, None, None), rest, origin) for kind in "cb"))
    for kind in ("c", "b") if rule.type == "a" else (rule.type,):
        change = _grow if rule.allow != state.allow else _shrink
        state = change(state, Exempt(Nodes(kind, major, minor), access, origin))
    return state


def _grow(state: DeviceList, new: Exempt) -> DeviceList:
    """One more exception; letters for nodes that are listed already are added to theirs."""
    for index, old in enumerate(state.exempt):
        if old.nodes == new.nodes:
            access = "".join(letter for letter in ALL if letter in old.access + new.access)
            exempt = (*state.exempt[:index], old.replace(access=access), *state.exempt[index + 1 :])
            return state.replace(exempt=exempt)
    return state.replace(exempt=(*state.exempt, new))


def _shrink(state: DeviceList, gone: Exempt) -> DeviceList:
    """The exceptions without what is the default again."""
    kept: list[Exempt] = []
    for old in state.exempt:
        shared = set(old.access) & set(gone.access)
        if not shared or not old.nodes.meets(gone.nodes):
            kept.append(old)
            continue
        if not gone.nodes.covers(old.nodes):
            word = "allow" if state.allow else "deny"
            why = f"cannot {word} {gone.nodes} alone: {old.origin} is about all of {old.nodes}"
            raise ConfigError(gone.origin, why, hint="cgroup v1 has no exceptions of exceptions: name the nodes")
        left = "".join(letter for letter in old.access if letter not in shared)
        if left:
            kept.append(old.replace(access=left))
    return state.replace(exempt=tuple(kept))


def _or_all(number: int | None) -> int | None:
    return None if number is None or number < 0 else number


def _number(number: int | None) -> str:
    return "*" if number is None else str(number)
