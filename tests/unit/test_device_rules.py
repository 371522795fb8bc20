"""Device rules: the list that cgroup v1 gets for the rules of config.json."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.plan.cgroup import writes
from slinger.plan.device_rules import ALL, device_list
from slinger.spec.config import DeviceRule, Resources

DENY_ALL = DeviceRule(allow=False, access="rwm")
ALLOW_ALL = DeviceRule(allow=True, access="mwr")
ALWAYS = (
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
    "c 10:200 rwm",
)


def allowed(text: str) -> DeviceRule:
    """A rule written as the kernel writes them: ``c 1:* rw``."""
    kind, numbers, access = text.split()
    major, minor = (None if part == "*" else int(part) for part in numbers.split(":"))
    return DeviceRule(allow=True, type=kind, major=major, minor=minor, access=access)


def denied(text: str) -> DeviceRule:
    """The same, to deny."""
    return allowed(text).replace(allow=False)


def texts(*rules: DeviceRule) -> tuple[str, tuple[str, ...]]:
    """The default and the exceptions."""
    final = device_list(rules)
    return "allow" if final.allow else "deny", tuple(f"{each.nodes} {each.access}" for each in final.exempt)


@pytest.mark.parametrize(
    ("rules", "final"),
    [
        ((), ("allow", ())),
        ((DENY_ALL,), ("deny", ALWAYS)),
        ((DENY_ALL, ALLOW_ALL), ("allow", ())),
        ((allowed("c 7:1 r"), DENY_ALL), ("deny", ALWAYS)),
        ((DENY_ALL, allowed("c 7:1 r"), allowed("c 7:1 w")), ("deny", ("c 7:1 rw", *ALWAYS))),
        ((DENY_ALL, allowed("c 7:1 rwm"), denied("c 7:* wm")), ("deny", ("c 7:1 r", *ALWAYS))),
        ((DENY_ALL, allowed("c 7:1 r"), denied("c *:* rwm")), ("deny", ALWAYS)),
        ((DENY_ALL, allowed("a 7:1 r")), ("deny", ("c 7:1 r", "b 7:1 r", *ALWAYS))),
        ((denied("b 8:* rwm"),), ("allow", ("b 8:* rw",))),
        ((denied("c 1:3 rwm"),), ("allow", ())),
        (
            (DeviceRule(allow=False, access="w"), allowed("c *:* w")),
            ("deny", ("c *:* rwm", "b *:* rm", *ALWAYS[2:])),
        ),
        ((DENY_ALL, DeviceRule(allow=True, type="c", major=-1, minor=5, access="r")), ("deny", ("c *:5 r", *ALWAYS))),
    ],
    ids=[
        "no rules allow all",
        "deny all leaves what is always allowed",
        "the last rule for all counts",
        "what came before is forgotten",
        "letters add up",
        "a wider rule takes letters away",
        "a rule for all of a type takes all away",
        "type a with numbers is both types",
        "exceptions from allow",
        "the default devices cannot be denied",
        "some letters of all",
        "a negative number is all",
    ],
)
def test_rules_become_a_default_and_exceptions(
    rules: tuple[DeviceRule, ...], final: tuple[str, tuple[str, ...]]
) -> None:
    """In their order, the last that matches wins; then come the devices that every container has."""
    assert texts(*rules) == final


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (
            (DENY_ALL, allowed("c 7:* rw"), denied("c 7:1 w")),
            (
                "linux.resources.devices[2]: cannot deny c 7:1 alone: linux.resources.devices[1] is about all of c 7:*"
                " (cgroup v1 has no exceptions of exceptions: name the nodes)"
            ),
        ),
        (
            (denied("c 1:* r"),),
            (
                "linux.resources.devices: cannot allow c 1:3 alone: linux.resources.devices[0] is about all of c 1:*"
                " (cgroup v1 has no exceptions of exceptions: name the nodes)"
            ),
        ),
        ((DeviceRule(allow=True),), 'linux.resources.devices[0].access: "" is not made of the letters r, w and m'),
        (
            (DENY_ALL, DeviceRule(allow=True, access="rx")),
            'linux.resources.devices[1].access: "rx" is not made of the letters r, w and m',
        ),
        (
            (DeviceRule(allow=True, type="p", access="r"),),
            'linux.resources.devices[0].type: "p" is none of a, b and c',
        ),
    ],
)
def test_what_a_list_cannot_say_is_refused(rules: tuple[DeviceRule, ...], text: str) -> None:
    """The kernel would ignore such a rule and leave a device open."""
    with pytest.raises(ConfigError) as caught:
        device_list(rules)
    assert str(caught.value) == text


def test_a_denying_list_starts_from_nothing() -> None:
    """The parent's list is dropped before anything is allowed, and each line names the rule it comes from."""
    table = writes(Resources(devices=(DENY_ALL, allowed("b 7:0 r"))), 1)
    assert [(each.file, each.value, each.origin) for each in table[:3]] == [
        ("devices.deny", "a", "linux.resources.devices"),
        ("devices.allow", "b 7:0 r", "linux.resources.devices[1]"),
        ("devices.allow", "c *:* m", "linux.resources.devices"),
    ]


@pytest.mark.parametrize(("rules", "version"), [((), 1), ((ALLOW_ALL,), 1), ((DENY_ALL,), 2)])
def test_nothing_is_written_for_what_is_so_already(rules: tuple[DeviceRule, ...], version: int) -> None:
    """A new cgroup has its parent's list; v2 has no files for devices."""
    assert writes(Resources(devices=rules), version) == ()


def walk(rules: tuple[DeviceRule, ...], kind: str, major: int, minor: int, letter: str) -> bool:
    """What the spec says of one access: the last rule that matches."""
    answer = True
    for rule in rules:
        numbers = rule.major in {None, major} and rule.minor in {None, minor}
        if rule.type in {"a", kind} and numbers and letter in rule.access:
            answer = rule.allow
    return answer


@pytest.mark.parametrize(
    "rules",
    [
        (DENY_ALL, allowed("c 7:* rw"), allowed("b 7:1 r"), denied("c 7:* w")),
        (DeviceRule(allow=False, access="rw"), allowed("c *:* r"), allowed("b 7:1 rw")),
        (DENY_ALL, DeviceRule(allow=True, access="r"), denied("b *:* r"), allowed("b 8:1 rw")),
    ],
)
def test_the_list_allows_what_the_rules_allow(rules: tuple[DeviceRule, ...]) -> None:
    """Invariant: for every node other than those always allowed, list and rules agree."""
    final = device_list(rules)
    for kind, major, minor, letter in (
        (kind, major, minor, letter) for kind in "bc" for major in (7, 8) for minor in (1, 2) for letter in ALL
    ):
        hit = any(
            each.nodes.type == kind
            and each.nodes.major in {None, major}
            and each.nodes.minor in {None, minor}
            and letter in each.access
            for each in final.exempt
        )
        expected = True if letter == "m" else walk(rules, kind, major, minor, letter)
        assert (final.allow != hit) == expected, (kind, major, minor, letter)
