"""Limits on a machine with cgroup v2 alone: what each property and option comes to in the kernel's files.

Rule of the file: what is not named here stays as a container without any limit has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json
from tests.integration.box import Box
from tests.integration.limits import MEBI, run_limited
from tests.requires import requires

pytestmark = requires("root", "cgroup-v2")

MOUNT: Final = Path("/sys/fs/cgroup")
FILES: Final = (
    *("memory.max", "memory.low", "memory.swap.max", "memory.high"),
    *("cpu.weight", "cpu.max", "cpu.max.burst", "cpu.idle", "cpuset.cpus", "cpuset.mems"),
    *("pids.max", "io.max", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"),
)
Files = dict[str, str]
LOOP: Final[dict[str, Json]] = {"major": 7, "minor": 0}

CREATED: Final[dict[str, tuple[dict[str, Json], Files]]] = {
    "nothing": ({}, {}),
    "memory": ({"memory": {"limit": 64 * MEBI}}, {"memory.max": str(64 * MEBI)}),
    "swap counts both": (
        {"memory": {"limit": 64 * MEBI, "swap": 96 * MEBI}},
        {"memory.max": str(64 * MEBI), "memory.swap.max": str(32 * MEBI)},
    ),
    "no swap": (
        {"memory": {"limit": 64 * MEBI, "swap": 64 * MEBI}},
        {"memory.max": str(64 * MEBI), "memory.swap.max": "0"},
    ),
    "reservation": ({"memory": {"reservation": 32 * MEBI}}, {"memory.low": str(32 * MEBI)}),
    "memory unlimited": ({"memory": {"limit": -1, "swap": -1, "reservation": -1}}, {"memory.low": "max"}),
    "shares by default": ({"cpu": {"shares": 1024}}, {}),
    "shares": ({"cpu": {"shares": 512}}, {"cpu.weight": "59"}),
    "least shares": ({"cpu": {"shares": 2}}, {"cpu.weight": "1"}),
    "most shares": ({"cpu": {"shares": 262144}}, {"cpu.weight": "10000"}),
    "quota and period": ({"cpu": {"quota": 50000, "period": 200000}}, {"cpu.max": "50000 200000"}),
    "quota": ({"cpu": {"quota": 50000}}, {"cpu.max": "50000 100000"}),
    "period": ({"cpu": {"period": 200000}}, {"cpu.max": "max 200000"}),
    "burst": (
        {"cpu": {"quota": 50000, "period": 200000, "burst": 1000}},
        {"cpu.max": "50000 200000", "cpu.max.burst": "1000"},
    ),
    "idle": ({"cpu": {"idle": 1, "shares": 512}}, {"cpu.idle": "1", "cpu.weight": "0"}),
    "cpuset": ({"cpu": {"cpus": "0", "mems": "0"}}, {"cpuset.cpus": "0", "cpuset.mems": "0"}),
    "pids": ({"pids": {"limit": 17}}, {"pids.max": "17"}),
    "pids unlimited": ({"pids": {"limit": -1}}, {}),
    "throttles": (
        {
            "blockIO": {
                "throttleReadBpsDevice": [LOOP | {"rate": 1000000}],
                "throttleWriteBpsDevice": [LOOP | {"rate": 2000000}],
                "throttleReadIOPSDevice": [LOOP | {"rate": 300}],
                "throttleWriteIOPSDevice": [LOOP | {"rate": 400}],
            }
        },
        {"io.max": "7:0 rbps=1000000 wbps=2000000 riops=300 wiops=400"},
    ),
    "huge pages": (
        {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MEBI}]},
        {"hugetlb.2MB.max": str(4 * MEBI), "hugetlb.2MB.rsvd.max": str(4 * MEBI)},
    ),
    "unified": (
        {"memory": {"limit": 64 * MEBI}, "unified": {"memory.high": "1048576", "memory.max": "33554432"}},
        {"memory.high": "1048576", "memory.max": "33554432"},
    ),
}
FIRST: Final[dict[str, Json]] = {
    "memory": {"limit": 32 * MEBI, "swap": 48 * MEBI, "reservation": 24 * MEBI},
    "cpu": {"shares": 100, "quota": 500000, "period": 1000000},
    "pids": {"limit": 20},
}
UPDATES: Final[tuple[tuple[tuple[str, ...], Files], ...]] = (
    (("--memory", "40m", "--memory-swap", "60m"), {"memory.max": str(40 * MEBI), "memory.swap.max": str(20 * MEBI)}),
    (("--memory-reservation", "32m"), {"memory.low": str(32 * MEBI)}),
    (("--memory", "-1"), {"memory.max": "max", "memory.swap.max": "max"}),
    (("--cpu-period", "900000"), {"cpu.max": "500000 900000"}),
    (("--cpu-quota", "600000"), {"cpu.max": "600000 900000"}),
    (("--cpu-burst", "5000"), {"cpu.max.burst": "5000"}),
    (("--cpu-burst", "0"), {"cpu.max.burst": "0"}),
    (("--cpu-quota", "-1"), {"cpu.max": "max 900000"}),
    (("--cpu-share", "1024"), {"cpu.weight": "100"}),
    (("--cpuset-cpus", "0", "--cpuset-mems", "0"), {"cpuset.cpus": "0", "cpuset.mems": "0"}),
    (("--pids-limit", "12345"), {"pids.max": "12345"}),
    (("--pids-limit", "-1"), {"pids.max": "max"}),
    (("--cpu-idle", "1"), {"cpu.idle": "1", "cpu.weight": "0"}),
    ((), {}),
)


def shown(box: Box) -> Files:
    """All of FILES."""
    return {name: (MOUNT / box.id / name).read_text("utf-8").strip() for name in FILES}


UNLIMITED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("memory.max", "memory.swap.max", "memory.high", "pids.max"), "max"),
    **dict.fromkeys(("hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"), "max"),
    **dict.fromkeys(("memory.low", "cpu.max.burst", "cpu.idle"), "0"),
    **dict.fromkeys(("cpuset.cpus", "cpuset.mems", "io.max"), ""),
    "cpu.weight": "100",
    "cpu.max": "max 100000",
}


@pytest.mark.parametrize("case", CREATED)
def test_each_property_is_in_its_file_and_no_other(box: Box, case: str) -> None:
    """As the kernel shows it."""
    resources, files = CREATED[case]
    run_limited(box, resources)
    assert shown(box) == {**UNLIMITED, **files}


def test_each_option_of_update_changes_its_file_and_no_other(box: Box) -> None:
    """One after the other, on one container."""
    run_limited(box, FIRST)
    seen: list[tuple[tuple[str, ...], Files]] = []
    for options, _ in UPDATES:
        before = shown(box)
        assert box.succeed("update", *options, box.id) == ""
        seen.append((options, {name: value for name, value in shown(box).items() if value != before[name]}))
    assert seen == list(UPDATES)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"pids": {"limit": 5}, "cpu": {"quota": 5}},
            (
                'resources.cpu.quota: writing "5 1000000" to /sys/fs/cgroup/{id}/cpu.max: invalid argument'
                " (a quota of at least 1000, and a period of 1000 to 1000000 microseconds)"
            ),
        ),
        (
            {"memory": {"limit": 64 * MEBI, "swap": 32 * MEBI}},
            "resources.memory.swap: memory and swap together must be at least the limit 67108864, got 33554432",
        ),
        (
            {"pids": {"limit": 5}, "unified": {"memory.max": "much"}},
            ('resources.unified["memory.max"]: writing "much" to /sys/fs/cgroup/{id}/memory.max: invalid argument'),
        ),
        (
            {"pids": {"limit": 5}, "unified": {"nothing.max": "5"}},
            (
                'resources.unified["nothing.max"]: the controller "nothing" is not available in /sys/fs/cgroup/{id}'
                " (a cgroup above has processes of its own or was not given the controller, so it cannot pass it on)"
            ),
        ),
        (
            {"pids": {"limit": 5}, "blockIO": {"throttleReadBpsDevice": [{"major": 99, "minor": 9, "rate": 5}]}},
            (
                'resources.blockIO.throttleReadBpsDevice[0]: writing "99:9 rbps=5" to /sys/fs/cgroup/{id}/io.max:'
                " no such device"
            ),
        ),
    ],
    ids=["quota", "swap", "unified", "controller", "device"],
)
def test_an_update_that_fails_changes_nothing(box: Box, limits: dict[str, Json], message: str) -> None:
    """The limits that it had written before are taken back."""
    run_limited(box, FIRST)
    before = shown(box)
    document = box.calls / "limits.json"
    document.write_text(json.dumps(limits), "utf-8")
    assert box.fail("update", "--resources", str(document), box.id) == message.format(id=box.id)
    assert shown(box) == before


def test_a_container_sees_its_own_cgroup_as_the_root(box: Box) -> None:
    """With its limits in it."""
    box.configure(
        {"linux.namespaces+": [{"type": "cgroup"}], "linux.resources.memory": {"limit": 64 * MEBI}},
    )
    told = box.report("--file", "/sys/fs/cgroup/memory.max")
    assert (told["cgroup"], told["files"]) == ("0::/", {"/sys/fs/cgroup/memory.max": str(64 * MEBI)})


def test_a_paused_container_is_updated_and_killed(box: Box) -> None:
    """It stays frozen through the one, and dies of the other."""
    run_limited(box, FIRST)
    box.succeed("pause", box.id)
    box.succeed("update", "--pids-limit", "5", box.id)
    frozen = (MOUNT / box.id / "cgroup.freeze").read_text("ascii").strip()
    assert (box.status(), shown(box)["pids.max"], frozen) == ("paused", "5", "1")
    box.succeed("kill", box.id, "KILL")
    box.wait_status("stopped")
    box.succeed("delete", box.id)
    assert box.left() == []
