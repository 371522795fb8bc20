"""Limits and devices on this machine: written, read back, refused."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from slinger.errors import HostError
from slinger.host import cgroup, probe
from slinger.spec.config import BlockIo, Cpu, DeviceRule, HugepageLimit, Memory, Resources, ThrottleDevice
from tests.integration.cgroup.support import Make, Start, content, go, unified
from tests.requires import requires

pytestmark = requires("root", "cgroup")


@requires("cgroup-v1")
def test_limits_of_v1_are_read_back(make: Make) -> None:
    """As the kernel has taken them."""
    resources = Resources(
        memory=Memory(limit=64 << 20, swap=96 << 20, reservation=32 << 20, swappiness=10, disable_oom_killer=True),
        cpu=Cpu(shares=512, quota=50000, period=200000, burst=1000, cpus="0", mems="0"),
        pids_limit=17,
    )
    ref = make(resources)
    assert content(ref, "cpuset.cpus") == "0"
    cgroup.apply(ref, resources)
    wanted = {
        "memory.limit_in_bytes": str(64 << 20),
        "memory.memsw.limit_in_bytes": str(96 << 20),
        "memory.soft_limit_in_bytes": str(32 << 20),
        "memory.swappiness": "10",
        "cpu.shares": "512",
        "cpu.cfs_quota_us": "50000",
        "cpu.cfs_period_us": "200000",
        "cpu.cfs_burst_us": "1000",
        "cpuset.cpus": "0",
        "cpuset.mems": "0",
        "pids.max": "17",
    }
    assert {file: content(ref, file) for file in wanted} == wanted
    assert content(ref, "memory.oom_control").startswith("oom_kill_disable 1")


@requires("cgroup-v1")
def test_the_rarer_limits_of_v1_are_read_back(make: Make) -> None:
    """Real-time budget, idleness, and the four throttles."""
    device = Path("/sys/block/loop0/dev").read_text("utf-8").strip()
    major, minor = map(int, device.split(":"))
    throttle = (ThrottleDevice(major, minor, 1000),)
    resources = Resources(
        cpu=Cpu(realtime_period=900000, realtime_runtime=1000, idle=1),
        block_io=BlockIo(
            weight=500,
            throttle_read_bps_device=throttle,
            throttle_write_bps_device=throttle,
            throttle_read_iops_device=throttle,
            throttle_write_iops_device=throttle,
        ),
    )
    ref = make(resources)
    assert (content(ref, "cpu.rt_period_us"), content(ref, "cpu.rt_runtime_us")) == ("900000", "1000")
    cgroup.apply(ref, resources)
    assert content(ref, "cpu.idle") == "1"
    assert content(ref, "blkio.bfq.weight").splitlines()[0].split()[-1] == "500"
    for word in ("read_bps", "write_bps", "read_iops", "write_iops"):
        assert content(ref, f"blkio.throttle.{word}_device") == f"{device} 1000"
    cgroup.apply(ref, Resources(block_io=BlockIo(throttle_read_bps_device=(throttle[0].replace(rate=0),))))
    assert content(ref, "blkio.throttle.read_bps_device") == ""


@requires("cgroup-v1")
def test_a_cpuset_below_new_cgroups_has_what_they_pass_on(make: Make) -> None:
    """A new cpuset is empty, and takes no process and no cpu that its parent has not got."""
    ref = make(Resources(cpu=Cpu(cpus="0")), below="/a/b")
    (place,) = [each for each in ref.places if "cpuset" in each.controllers]
    path = Path(place.path)
    everywhere = Path(place.mount, "cpuset.cpus").read_text("utf-8")
    shown = [Path(each, "cpuset.cpus").read_text("utf-8") for each in (path, path.parent, path.parent.parent)]
    assert shown == ["0\n", everywhere, everywhere]
    assert Path(path, "cpuset.mems").read_text("utf-8") == Path(place.mount, "cpuset.mems").read_text("utf-8")


@requires("cgroup-v1")
@pytest.mark.parametrize(
    ("first", "then", "wanted"),
    [
        (Memory(limit=64 << 20, swap=64 << 20), Memory(limit=128 << 20, swap=128 << 20), (128 << 20, 128 << 20)),
        (Memory(limit=128 << 20, swap=128 << 20), Memory(limit=64 << 20, swap=64 << 20), (64 << 20, 64 << 20)),
        (Memory(limit=64 << 20, swap=64 << 20), Memory(limit=-1), None),
    ],
    ids=["raised", "lowered", "lifted"],
)
def test_memory_limits_change_in_any_direction(
    make: Make, first: Memory, then: Memory, wanted: tuple[int, int] | None
) -> None:
    """v1 wants memory before swap, or swap before memory."""
    ref = make()
    files = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    unlimited = tuple(int(content(ref, file)) for file in files)
    cgroup.apply(ref, Resources(memory=first))
    cgroup.apply(ref, Resources(memory=then))
    assert tuple(int(content(ref, file)) for file in files) == (wanted or unlimited)


@requires("cgroup-v1")
def test_quota_period_and_burst_change_together(make: Make) -> None:
    """Each against the old ones of the others: what is refused at first is written again."""
    ref = make()
    cgroup.apply(ref, Resources(cpu=Cpu(quota=20000, period=20000, burst=10000)))
    cgroup.apply(ref, Resources(cpu=Cpu(quota=5000, period=10000, burst=1000)))
    cgroup.apply(ref, Resources(cpu=Cpu(quota=90000, period=100000, burst=80000)))
    files = ("cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.cfs_burst_us")
    assert [content(ref, file) for file in files] == ["90000", "100000", "80000"]


@requires("cgroup-v1")
@pytest.mark.parametrize(
    ("resources", "origin", "file", "why"),
    [
        (
            Resources(cpu=Cpu(quota=5)),
            'cpu.quota: writing "5"',
            "cpu/cpu.cfs_quota_us",
            "invalid argument (at least 1000, the burst, and within the parent cgroup's share)",
        ),
        (
            Resources(cpu=Cpu(realtime_runtime=5000000)),
            'cpu.realtimeRuntime: writing "5000000"',
            "cpu/cpu.rt_runtime_us",
            "invalid argument (all cgroups above need a real-time budget that has room for it)",
        ),
        (
            Resources(block_io=BlockIo(leaf_weight=500)),
            'blockIO.leafWeight: writing "500"',
            "blkio/blkio.leaf_weight",
            "no such file or directory (the kernel has no scheduler with weights for this: bfq, or iocost on v2)",
        ),
        (
            Resources(cpu=Cpu(cpus="4000")),
            'cpu.cpus: writing "4000"',
            "cpuset/cpuset.cpus",
            "numerical result out of range (a list such as 0-2,4 of cpus that the machine has)",
        ),
    ],
)
def test_a_refused_limit_names_property_value_and_file(
    name: str, make: Make, resources: Resources, origin: str, file: str, why: str
) -> None:
    """And what may be meant. What a process needs to join is refused at make already."""
    controller, file = file.split("/")
    mount = next(each.path for each in probe.probe_hierarchies() if controller in each.controllers)
    with pytest.raises(HostError) as caught:
        cgroup.apply(make(resources), resources)
    assert str(caught.value) == f"linux.resources.{origin} to {mount}{name}/{file}: {why}"


@requires("cgroup-v1")
def test_a_memory_limit_below_usage_tells_the_usage(make: Make, start: Start) -> None:
    """The kernel says busy, and nothing more."""
    ref = make()
    child = start(f"exec {sys.executable} -c \"x = bytearray(b'x') * (40 << 20); print(flush=True); input()\"")
    cgroup.join(ref, child.pid)
    go(child)
    assert child.stdout is not None
    assert child.stdout.readline() == b"\n"
    # Swap could take it, so both are limited.
    resources = Resources(memory=Memory(limit=4 << 20, swap=4 << 20))
    with pytest.raises(HostError) as caught:
        cgroup.apply(ref, resources)
    path = next(f"{each.path}/memory.limit_in_bytes" for each in ref.places if "memory" in each.controllers)
    text = f'linux.resources.memory.limit: writing "{4 << 20}" to {path}: device or resource busy'
    assert str(caught.value).startswith(f"{text} (more than that is in use and cannot be reclaimed: 4")


@pytest.mark.spec("config-linux.md#allowed-device-list/order")
@requires("cgroup-v1")
def test_a_processes_devices_are_those_of_the_list(make: Make, start: Start) -> None:
    """A device that is not in it cannot be opened; the default ones can; an update leaves the list alone."""
    ref = make()
    rules = (DeviceRule(allow=False, access="rwm"), DeviceRule(allow=True, type="b", major=7, minor=3, access="r"))
    resources = Resources(devices=rules)
    cgroup.apply(ref, resources)
    listed = content(ref, "devices.list").splitlines()
    assert listed[0] == "b 7:3 r"
    assert {"c 1:3 rwm", "c *:* m", "c 136:* rwm", "c 10:200 rwm"} <= set(listed)
    assert "a *:* rwm" not in listed
    child = start(": < /dev/null || exit 1; (: < /dev/kmsg) 2> /dev/null && exit 2; exit 0")
    cgroup.join(ref, child.pid)
    go(child)
    assert child.wait(2) == 0
    cgroup.apply(ref, Resources(devices=rules[:1]), devices=False)
    assert content(ref, "devices.list").splitlines() == listed


@requires("cgroup-v1")
def test_without_privilege_devices_are_left_alone(name: str) -> None:
    """The kernel would refuse; everybody's config has device rules."""
    ref = cgroup.locate(name, "unused", probe.probe_hierarchies(), rootless=True)
    cgroup.make(ref, None)
    try:
        cgroup.apply(ref, Resources(devices=(DeviceRule(allow=False, access="rwm"),)))
        assert content(ref, "devices.list") == "a *:* rwm"
    finally:
        cgroup.remove(ref)


@pytest.mark.spec("config-linux.md#unified/controllers")
@requires("cgroup-hybrid", "cgroup-unified-hugetlb")
def test_a_controller_of_v2_is_used_on_a_hybrid_host(make: Make) -> None:
    """Where v1 does not have it: enabled on the way down, and only it."""
    resources = Resources(hugepage_limits=(HugepageLimit("2MB", 4 << 20),))
    ref = make(resources, below="/a/b")
    cgroup.apply(ref, resources)
    assert content(ref, "hugetlb.2MB.max") == str(4 << 20)
    assert content(ref, "hugetlb.2MB.rsvd.max") == str(4 << 20)


@requires("cgroup-unified")
def test_below_a_threaded_cgroup_only_some_limits_work(make: Make, start: Start) -> None:
    """A parent in threaded mode lets a container in, but none with limits that need a domain."""
    hierarchies = unified()
    outer = make(hierarchies=hierarchies)
    inner = f"{outer.places[0].path}/threads"
    os.mkdir(inner)
    Path(inner, "cgroup.type").write_text("threaded", "utf-8")
    ref = make(hierarchies=hierarchies, below="/box")
    assert content(ref, "cgroup.type") == "threaded"
    with pytest.raises(HostError) as caught:
        make(Resources(memory=Memory(limit=5)), hierarchies=hierarchies, below="/other")
    path = f"{outer.places[0].path}/other"
    assert str(caught.value) == (
        f'linux.cgroupsPath: {path} is "domain invalid": the controller "memory" cannot work there'
        " (choose a path that is not below a threaded cgroup or one with processes)"
    )
    child = start()
    cgroup.join(outer, child.pid)
    Path(ref.places[0].path, "cgroup.threads").write_text(str(child.pid), "utf-8")
    assert cgroup.pids(ref) == (child.pid,)
    cgroup.kill(ref, signal.SIGKILL)
    assert child.wait(2) == -signal.SIGKILL
