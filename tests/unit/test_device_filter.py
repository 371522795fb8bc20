"""Device rules as an eBPF program, run by a machine of our own against what the rules say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slinger.errors import ConfigError
from slinger.linux.ebpf import SIZE
from slinger.plan.device_filter import KINDS, LETTERS, device_program
from slinger.plan.device_rules import DEFAULTS, device_list
from slinger.spec.config import DeviceRule
from tests.ebpf_machine import answer, verify

NOTHING = DeviceRule(allow=False, access="rwm")


def allowed(rules: tuple[DeviceRule, ...], kind: str, major: int, minor: int, access: str) -> bool:
    """The program's answer; without a program all is allowed."""
    program = device_program(rules)
    if not program:
        return True
    verify(program)
    return answer(program, KINDS[kind], sum(LETTERS[letter] for letter in access), major, minor) == 1


def meant(rules: tuple[DeviceRule, ...], kind: str, major: int, minor: int, access: str) -> bool:
    """What the rules say, the plain way: for each letter the last rule about the device, and all letters must pass."""
    verdicts = dict.fromkeys(access, not rules)
    for rule in (*rules, *DEFAULTS):
        if rule.type in {"a", kind} and rule.major in {None, major} and rule.minor in {None, minor}:
            verdicts |= {letter: rule.allow for letter in access if letter in rule.access}
    return all(verdicts.values())


@pytest.mark.parametrize(
    ("device", "access", "wanted"),
    [
        (("c", 1, 3), "rw", True),
        (("c", 1, 11), "r", False),
        (("c", 1, 11), "m", True),
        (("c", 1, 11), "rm", False),
        (("b", 1, 3), "r", False),
        (("b", 8, 0), "m", True),
        (("c", 136, 77), "rw", True),
        (("c", 5, 1), "rw", False),
        (("c", 4294967295, 4294967295), "w", False),
    ],
)
def test_with_everything_denied_the_default_devices_are_left(
    device: tuple[str, int, int], access: str, wanted: bool
) -> None:
    """mknod of anything, and the devices that every container has."""
    assert allowed((NOTHING,), *device, access) == wanted


def test_exceptions_of_exceptions_can_be_said() -> None:
    """Which no list of v1 can."""
    rules = (
        NOTHING,
        DeviceRule(allow=True, type="c", major=1, access="rwm"),
        DeviceRule(allow=False, type="c", major=1, minor=11, access="w"),
    )
    with pytest.raises(ConfigError):
        device_list(rules)
    asked = [(minor, access) for minor in (10, 11) for access in ("r", "w", "rw")]
    assert [allowed(rules, "c", 1, minor, access) for minor, access in asked] == [True, True, True, True, False, False]


def test_where_all_is_allowed_there_is_no_program() -> None:
    """The kernel need not ask one."""
    everything = DeviceRule(allow=True, access="rwm")
    assert device_program((NOTHING, everything, DeviceRule(allow=True, type="c", access="r"))) == b""
    assert device_program(()) == b""


def test_what_no_rule_is_about_is_denied() -> None:
    """A list of what is allowed is one, with or without a rule that denies all before it."""
    rules = (DeviceRule(allow=True, type="c", major=1, minor=11, access="r"),)
    assert [allowed(rules, "c", 1, minor, "r") for minor in (11, 12)] == [True, False]


def test_what_a_rule_for_all_devices_overrides_is_not_in_the_program() -> None:
    """The verifier refuses instructions that cannot be reached."""
    short = device_program((NOTHING,))
    assert device_program((DeviceRule(allow=True, type="b", major=8, access="r"), NOTHING)) == short
    assert len(short) % SIZE == 0


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            DeviceRule(allow=True, type="c", access=""),
            'linux.resources.devices[1].access: "" is not made of the letters r, w and m',
        ),
        (DeviceRule(allow=True, type="x", access="r"), 'linux.resources.devices[1].type: "x" is none of a, b and c'),
    ],
)
def test_a_wrong_rule_is_refused_by_its_place(rule: DeviceRule, text: str) -> None:
    """No access is no rule."""
    with pytest.raises(ConfigError) as caught:
        device_program((NOTHING, rule))
    assert str(caught.value) == text


ACCESS = st.sampled_from(("r", "w", "m", "rw", "rm", "wm", "rwm"))
NUMBERS = st.sampled_from((0, 1, 3, 136, 1 << 31, (1 << 32) - 1))
RULES = st.lists(
    st.builds(
        DeviceRule,
        allow=st.booleans(),
        type=st.sampled_from(("a", "b", "c")),
        major=st.none() | NUMBERS,
        minor=st.none() | NUMBERS,
        access=ACCESS,
    ),
    max_size=6,
).map(tuple)


@given(RULES, st.sampled_from(("b", "c")), NUMBERS, NUMBERS, ACCESS)
@settings(max_examples=600, deadline=None)
def test_the_program_says_what_the_rules_say(
    rules: tuple[DeviceRule, ...], kind: str, major: int, minor: int, access: str
) -> None:
    """For every request, and the kernel would take the program."""
    assert allowed(rules, kind, major, minor, access) == meant(rules, kind, major, minor, access)


@given(st.booleans(), RULES, st.sampled_from(("b", "c")), NUMBERS, NUMBERS, st.sampled_from("rwm"))
@settings(max_examples=600, deadline=None)
def test_v1_and_v2_agree_where_v1_can_say_it(
    everything: bool, rules: tuple[DeviceRule, ...], kind: str, major: int, minor: int, letter: str
) -> None:
    """From a first rule about all on, and one letter at a time: a list of v1 asks one entry for all of a request."""
    rules = (DeviceRule(allow=everything, access="rwm"), *rules)
    try:
        listed = device_list(rules)
    except ConfigError:
        return
    exempt = any(
        each.nodes.type == kind
        and each.nodes.major in {None, major}
        and each.nodes.minor in {None, minor}
        and letter in each.access
        for each in listed.exempt
    )
    assert allowed(rules, kind, major, minor, letter) == (listed.allow != exempt)
