"""Device filters on a v2 cgroup of this machine: loaded, attached, obeyed, replaced."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from slinger.errors import HostError
from slinger.host import cgroup
from slinger.host.cgroup import filter as device_filter
from slinger.plan.device_filter import device_program
from slinger.spec.config import DeviceRule, Resources
from tests.integration.cgroup.support import Make, Start, go, unified
from tests.requires import requires

pytestmark = requires("root", "cgroup-unified")

Tries = Callable[[cgroup.Ref], int]
NOTHING = DeviceRule(allow=False, access="rwm")
EVERY = DeviceRule(allow=True, access="rwm")
# Exit status: one bit for each try that the kernel let through.
TRIES = """
status=0
try() { bit=$1; shift; if (eval "$*") 2> /dev/null; then status=$((status | bit)); fi; }
try 1 ': < /dev/null'
try 2 ': > /dev/null'
try 4 ': < /dev/kmsg'
try 8 ': > /dev/kmsg'
try 16 ': < /dev/zero'
try 32 mknod "$NODE" b 7 200
exit $status
"""
EVERYTHING = 63


@pytest.fixture
def tries(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tries:
    """A function that tells what a process in a cgroup may do, as the sum of the bits of TRIES."""
    monkeypatch.setenv("NODE", str(tmp_path / "node"))

    def tries(ref: cgroup.Ref) -> int:
        (tmp_path / "node").unlink(missing_ok=True)
        child = start(TRIES)
        cgroup.join(ref, child.pid)
        go(child)
        return child.wait(5)

    return tries


def filters(ref: cgroup.Ref) -> int:
    """How many programs of ours are on the cgroup."""
    fd = os.open(ref.places[0].path, os.O_RDONLY)
    found = device_filter._ours(fd)
    for each in (*found, fd):
        os.close(each)
    return len(found)


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ((), EVERYTHING),
        ((NOTHING,), 1 | 2 | 16 | 32),
        ((NOTHING, DeviceRule(allow=True, type="c", major=1, minor=11, access="r")), 1 | 2 | 4 | 16 | 32),
        (
            (
                NOTHING,
                DeviceRule(allow=True, type="c", major=1, access="rwm"),
                DeviceRule(allow=False, type="c", major=1, minor=11, access="w"),
            ),
            1 | 2 | 4 | 16 | 32,
        ),
        ((EVERY, DeviceRule(allow=False, type="c", major=1, minor=11, access="w")), EVERYTHING - 8),
        ((DeviceRule(allow=True, type="c", major=1, minor=11, access="w"),), EVERYTHING - 4),
        ((EVERY,), EVERYTHING),
    ],
)
def test_the_kernel_obeys_the_rules(make: Make, tries: Tries, rules: tuple[DeviceRule, ...], wanted: int) -> None:
    """open and mknod of a process in the cgroup, and of its children."""
    ref = make(hierarchies=unified())
    cgroup.apply(ref, Resources(devices=rules))
    assert tries(ref) == wanted
    assert filters(ref) == (1 if wanted != EVERYTHING else 0)


def test_a_filter_is_replaced_and_removed(make: Make, tries: Tries) -> None:
    """One takes the other's place; rules that allow all need none."""
    ref = make(hierarchies=unified())
    more = DeviceRule(allow=True, type="c", major=1, minor=11, access="rw")
    seen: list[tuple[int, int]] = []
    for rules in ((NOTHING,), (NOTHING, more), (NOTHING,), (DeviceRule(allow=True, access="rwm"),)):
        cgroup.apply(ref, Resources(devices=rules))
        seen.append((filters(ref), tries(ref)))
    denied = EVERYTHING - 4 - 8
    assert seen == [(1, denied), (1, EVERYTHING), (1, denied), (0, EVERYTHING)]


def test_an_update_leaves_the_filter_alone(make: Make, tries: Tries) -> None:
    """As on v1."""
    ref = make(hierarchies=unified())
    cgroup.apply(ref, Resources(devices=(NOTHING,)))
    cgroup.apply(ref, Resources(devices=(DeviceRule(allow=True, access="rwm"),)), devices=False)
    cgroup.update(ref, Resources(devices=(DeviceRule(allow=True, access="rwm"),)), str)
    assert tries(ref) == EVERYTHING - 4 - 8


def test_a_filter_of_somebody_else_stays_and_counts(make: Make, tries: Tries, monkeypatch: pytest.MonkeyPatch) -> None:
    """systemd has one for a unit with DevicePolicy: both must allow."""
    ref = make(hierarchies=unified())
    with monkeypatch.context() as context:
        context.setattr(device_filter, "NAME", b"somebody")
        theirs = device_program((EVERY, DeviceRule(allow=False, type="c", major=1, minor=11, access="r")))
        device_filter.attach(ref.places[0].path, theirs)
    more = DeviceRule(allow=True, type="c", major=1, minor=11, access="rw")
    cgroup.apply(ref, Resources(devices=(NOTHING, more)))
    assert (filters(ref), tries(ref)) == (1, EVERYTHING - 4)
    cgroup.apply(ref, Resources(devices=(NOTHING,)))
    assert (filters(ref), tries(ref)) == (1, EVERYTHING - 4 - 8)
    cgroup.apply(ref, Resources(devices=(DeviceRule(allow=True, access="rwm"),)))
    assert (filters(ref), tries(ref)) == (0, EVERYTHING - 4)


def test_a_cgroup_below_is_filtered_too(make: Make, tries: Tries) -> None:
    """What a container makes in its own cgroup does not lead out."""
    ref = make(hierarchies=unified())
    cgroup.apply(ref, Resources(devices=(NOTHING,)))
    inner = make(hierarchies=unified(), below="/inner")
    assert tries(inner) == EVERYTHING - 4 - 8


def test_without_privilege_devices_are_left_alone(make: Make, tries: Tries) -> None:
    """The kernel would refuse; everybody's config has device rules."""
    ref = make(hierarchies=unified()).replace(rootless=True)
    cgroup.apply(ref, Resources(devices=(NOTHING,)))
    assert (filters(ref), tries(ref)) == (0, EVERYTHING)


def test_a_program_that_the_kernel_refuses_is_told_with_the_verifiers_words(make: Make) -> None:
    """They are what a bug report needs."""
    ref = make(hierarchies=unified())
    with pytest.raises(HostError) as caught:
        device_filter.attach(ref.places[0].path, bytes(7) + b"\x01" + bytes(8))
    assert str(caught.value).startswith("linux.resources.devices: loading the device filter: ")
    assert [note.partition(":")[0] for note in caught.value.__notes__] == ["the kernel's verifier"]
    assert filters(ref) == 0


def test_a_missing_cgroup_is_told() -> None:
    """By its path."""
    with pytest.raises(HostError) as caught:
        device_filter.attach("/sys/fs/cgroup/unified/no-such-cgroup", b"")
    path = "/sys/fs/cgroup/unified/no-such-cgroup"
    assert str(caught.value) == f"linux.resources.devices: the cgroup '{path}': no such file or directory"
