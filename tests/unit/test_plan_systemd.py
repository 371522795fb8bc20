"""Limits as properties of a systemd unit: the same as what is written to the files."""

from __future__ import annotations

import pytest

from slinger.plan.cgroup import writes
from slinger.plan.cgroup_line import Write
from slinger.plan.systemd import INFINITY, device_properties, limit_properties
from slinger.plan.systemd_unit import Property
from slinger.spec.config import BlockIo, Cpu, DeviceRule, Memory, Resources

DENY = DeviceRule(allow=False, access="rwm")


def told(resources: Resources, version: int = 2, systemd: int = 252, *, bfq: bool = False) -> dict[str, object]:
    """Value by name."""
    return {each.name: each.value for each in limit_properties(writes(resources, version), systemd, bfq=bfq)}


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        (
            Resources(memory=Memory(limit=100, swap=150, reservation=50)),
            {"MemoryMax": 100, "MemorySwapMax": 50, "MemoryLow": 50},
        ),
        (Resources(memory=Memory(limit=-1)), {"MemoryMax": INFINITY, "MemorySwapMax": INFINITY}),
        (Resources(cpu=Cpu(shares=1024)), {"CPUWeight": 100}),
        (Resources(cpu=Cpu(shares=1024, idle=1)), {"CPUWeight": 0}),
        (Resources(cpu=Cpu(quota=20000, period=50000)), {"CPUQuotaPerSecUSec": 400_000, "CPUQuotaPeriodUSec": 50000}),
        (Resources(cpu=Cpu(quota=12345)), {"CPUQuotaPerSecUSec": 130_000, "CPUQuotaPeriodUSec": 100_000}),
        (Resources(cpu=Cpu(quota=-1)), {"CPUQuotaPerSecUSec": INFINITY, "CPUQuotaPeriodUSec": 100_000}),
        (Resources(cpu=Cpu(cpus="0-1,9", mems="0")), {"AllowedCPUs": b"\x03\x02", "AllowedMemoryNodes": b"\x01"}),
        (Resources(pids_limit=7), {"TasksMax": 7}),
        (Resources(pids_limit=0), {"TasksMax": 1}),
        (Resources(pids_limit=-1), {"TasksMax": INFINITY}),
        (Resources(block_io=BlockIo(weight=1000)), {"IOWeight": 10000}),
        (
            Resources(
                unified=(
                    ("memory.high", "5"),
                    ("memory.min", "4"),
                    ("cpu.max", "max 1000"),
                    ("pids.max", "max"),
                    ("io.weight", "default 60"),
                    ("cpuset.cpus", "2"),
                    ("hugetlb.2MB.max", "1"),
                )
            ),
            {
                "MemoryHigh": 5,
                "MemoryMin": 4,
                "CPUQuotaPerSecUSec": INFINITY,
                "CPUQuotaPeriodUSec": 1000,
                "TasksMax": INFINITY,
                "IOWeight": 60,
                "AllowedCPUs": b"\x04",
            },
        ),
        (Resources(cpu=Cpu(burst=5)), {}),
    ],
)
def test_limits_of_v2_are_properties(resources: Resources, wanted: dict[str, object]) -> None:
    """Each with the value that its file gets; a quota is rounded up to whole percents, which is all systemd keeps."""
    assert told(resources) == wanted


def test_limits_of_v1_are_the_older_properties() -> None:
    """By which systemd writes those files."""
    resources = Resources(
        memory=Memory(limit=100),
        cpu=Cpu(shares=512, quota=10000, period=20000),
        pids_limit=3,
        block_io=BlockIo(weight=500),
    )
    assert told(resources, 1) == {
        "MemoryLimit": 100,
        "CPUShares": 512,
        "CPUQuotaPerSecUSec": 500_000,
        "CPUQuotaPeriodUSec": 20000,
        "TasksMax": 3,
        "BlockIOWeight": 500,
    }


@pytest.mark.parametrize(("weight", "wanted"), [(10, 10), (100, 100), (500, 4500), (1000, 10000)])
def test_a_weight_of_bfq_comes_back_from_systemd(weight: int, wanted: int) -> None:
    """systemd makes a weight of bfq of IOWeight, and that is to be the one asked for."""
    assert told(Resources(block_io=BlockIo(weight=weight)), bfq=True) == {"IOWeight": wanted}
    bfq = 100 - (100 - wanted) * 99 // 99 if wanted <= 100 else 100 + (wanted - 100) * 900 // 9900
    assert bfq == weight


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        (241, {"CPUQuotaPeriodUSec", "AllowedCPUs", "CPUWeight"}),
        (243, {"AllowedCPUs", "CPUWeight"}),
        (251, {"CPUWeight"}),
        (252, set[str]()),
    ],
)
def test_an_older_systemd_is_not_told_what_it_does_not_know(version: int, missing: set[str]) -> None:
    """The files have it nevertheless."""
    resources = Resources(cpu=Cpu(idle=1, quota=1000, cpus="0"))
    every = {"CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "AllowedCPUs", "CPUWeight"}
    assert set(told(resources, systemd=version)) == every - missing


def test_memory_oom_group_is_a_policy_of_newer_systemds() -> None:
    """OOMPolicy of scopes came with 253."""
    resources = Resources(unified=(("memory.oom.group", "1"),))
    assert (told(resources, systemd=252), told(resources, systemd=253)) == ({}, {"OOMPolicy": "kill"})


@pytest.mark.parametrize(
    ("file", "value"),
    [("cpu.weight", "0"), ("cpu.weight", "10001"), ("cpu.weight", "x"), ("pids.max", "-7"), ("cpu.max", "5 0")],
)
def test_a_value_that_the_kernel_will_refuse_is_left_to_it(file: str, value: str) -> None:
    """Its refusal names the JSON path; systemd's would not."""
    assert limit_properties((Write(file.partition(".")[0], file, value, "here", 2),), 252, bfq=False) == ()


def test_devices_are_a_strict_policy_with_exceptions() -> None:
    """By numbers, which need no node and no name of a driver."""
    rules = (DENY, DeviceRule(allow=True, type="b", major=8, access="r"))
    policy, allowed = device_properties(rules)
    assert policy == Property("DevicePolicy", "s", "strict")
    assert allowed.type == "a(ss)"
    assert isinstance(allowed.value, tuple)
    assert allowed.value[:4] == (
        ("block-8", "r"),
        ("char-*", "m"),
        ("block-*", "m"),
        ("/dev/char/1:3", "rwm"),
    )
    assert ("char-136", "rwm") in allowed.value


@pytest.mark.parametrize(
    "rules",
    [
        (),
        (DeviceRule(allow=False, type="c", major=1, minor=11, access="rwm"),),
        (DENY, DeviceRule(allow=True, type="c", minor=3, access="rwm")),
        (
            DENY,
            DeviceRule(allow=True, type="c", major=7, access="rwm"),
            DeviceRule(allow=False, type="c", major=7, minor=7, access="rwm"),
        ),
    ],
)
def test_devices_that_systemd_cannot_say_are_left_to_the_filter(rules: tuple[DeviceRule, ...]) -> None:
    """Nothing asked; all but some; one minor number of each major one; an exception of an exception."""
    assert device_properties(rules) == ()
