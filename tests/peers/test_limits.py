"""The same linux.resources and the same updates under slinger, runc and crun: the kernel's files must say the same.

Rule of the file: a difference has a row with its reason in DIFFERENCES, and every row is shown by a case.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import PREPARE, Json, Runtime, base_config, changed, find_runtime, make_bundle, runtime_at
from tests.requires import cgroup_layout, requires

pytestmark = requires("root", "cgroup-v1", "runc", "crun")

MEBI: Final = 1 << 20
MOUNT: Final = Path("/sys/fs/cgroup")
CONTROLLERS: Final = ("memory", "cpu", "cpuset", "pids", "blkio")
# What a runtime may set: no counters, no statistics, nothing that the kernel changes by itself.
SETTINGS: Final = (
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.swappiness",
    "memory.oom_control",
    "memory.use_hierarchy",
    "memory.move_charge_at_immigrate",
    "memory.kmem.limit_in_bytes",
    "memory.kmem.tcp.limit_in_bytes",
    "cpu.shares",
    "cpu.cfs_*_us",
    "cpu.rt_*_us",
    "cpu.idle",
    "cpuset.*",
    "pids.max",
    "blkio.throttle.*_device",
    "blkio.bfq.weight*",
)
SETTINGS_V2: Final = (
    *("memory.max", "memory.low", "memory.high", "memory.min", "memory.swap.max", "memory.oom.group"),
    *("cpu.weight", "cpu.idle", "cpu.max", "cpu.max.burst", "cpuset.cpus", "cpuset.mems", "cpuset.cpus.partition"),
    *("pids.max", "io.max", "io.weight", "io.bfq.weight", "hugetlb.*.max"),
)
COUNTED: Final = ("cpuset.memory_pressure", "cpuset.effective_*")

LOOP: Final[dict[str, Json]] = {"major": 7, "minor": 0}
CREATED: Final[dict[str, dict[str, Json]]] = {
    "nothing": {},
    "memory": {"memory": {"limit": 64 * MEBI, "swap": 96 * MEBI, "reservation": 32 * MEBI}},
    "memory odd": {"memory": {"limit": 64 * MEBI + 1, "reservation": 12345}},
    "memory unlimited": {"memory": {"limit": -1, "swap": -1, "reservation": -1}},
    "memory limit -1 alone": {"memory": {"limit": -1}},
    "memory zero": {"memory": {"limit": 0, "swap": 0, "reservation": 0}},
    "memory ways": {"memory": {"swappiness": 7, "disableOOMKiller": True}},
    "memory swappiness 0": {"memory": {"limit": 64 * MEBI, "swappiness": 0, "disableOOMKiller": False}},
    "cpu shares": {"cpu": {"shares": 512}},
    "cpu shares least": {"cpu": {"shares": 2}},
    "cpu shares most": {"cpu": {"shares": 262144}},
    "cpu quota": {"cpu": {"quota": 50000, "period": 200000}},
    "cpu quota alone": {"cpu": {"quota": 5000}},
    "cpu period alone": {"cpu": {"period": 200000}},
    "cpu realtime": {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 900000}},
    "cpu burst": {"cpu": {"quota": 50000, "period": 200000, "burst": 1000}},
    "cpu idle": {"cpu": {"idle": 1, "shares": 512}},
    "memory swappiness unset": {"memory": {"limit": 64 * MEBI, "swappiness": (1 << 64) - 1}},
    "cpu no quota": {"cpu": {"quota": -1, "period": 50000}},
    "cpuset": {"cpu": {"cpus": "0", "mems": "0"}},
    "pids": {"pids": {"limit": 17}},
    "pids unlimited": {"pids": {"limit": -1}},
    "pids none": {"pids": {"limit": 0}},
    "block weight": {"blockIO": {"weight": 500}},
    "block weight of a device": {"blockIO": {"weightDevice": [LOOP | {"weight": 500}]}},
    "block throttles": {
        "blockIO": {
            "throttleReadBpsDevice": [LOOP | {"rate": 1000000}],
            "throttleWriteBpsDevice": [LOOP | {"rate": 2000000}],
            "throttleReadIOPSDevice": [LOOP | {"rate": 300}],
            "throttleWriteIOPSDevice": [LOOP | {"rate": 400}],
        }
    },
}
FIRST: Final[dict[str, Json]] = {
    "memory": {"limit": 32 * MEBI, "reservation": 24 * MEBI},
    "cpu": {"shares": 100, "quota": 500000, "period": 1000000},
    "pids": {"limit": 20},
}
# An update is options, or a document.
UPDATES: Final[dict[str, tuple[str, ...] | dict[str, Json]]] = {
    "memory": ("--memory", "67108864"),
    "memory and swap up": ("--memory", "67108864", "--memory-swap", "134217728"),
    "swap": ("--memory-swap", "96468992"),
    "memory lifted": ("--memory", "-1"),
    "swap lifted": ("--memory-swap", "-1"),
    "reservation": ("--memory-reservation", "33554432"),
    "shares": ("--cpu-share", "200"),
    "quota": ("--cpu-quota", "600000"),
    "quota lifted": ("--cpu-quota", "-1"),
    "period": ("--cpu-period", "900000"),
    "quota and period": ("--cpu-quota", "3000", "--cpu-period", "10000"),
    "cpuset": ("--cpuset-cpus", "0", "--cpuset-mems", "0"),
    "pids": ("--pids-limit", "10"),
    "pids lifted": ("--pids-limit", "-1"),
    "several": ("--memory", "67108864", "--cpu-share", "256", "--pids-limit", "50", "--cpu-period", "500000"),
    "block weight": ("--blkio-weight", "300"),
    "document": {"memory": {"limit": 48 * MEBI}, "cpu": {"shares": 77, "cpus": "0"}, "pids": {"limit": 9}},
    "document throttle": {"blockIO": {"throttleReadBpsDevice": [LOOP | {"rate": 4096}]}},
    "document empty": {},
}
# (case, file, who is alone): why. No file: the runtime refuses.
DIFFERENCES: Final[dict[tuple[str, str, str], str]] = {
    (
        "create memory zero",
        "",
        "crun",
    ): "writes the zeros, although 0 is what engines write for a limit that is not set",
    (
        "create cpu no quota",
        "",
        "crun",
    ): "-1 means no limit; crun 1.8.1 hands it to the kernel in a form that it refuses",
    ("update quota lifted", "", "crun"): "the same",
    ("create pids unlimited", "", "crun"): "the same",
    ("update pids lifted", "", "crun"): "the same",
    ("create block weight", "", "crun"): "crun 1.8.1 knows blkio.weight, the file of the old elevator, alone",
    ("update block weight", "", "crun"): "the same",
    ("create block weight of a device", "", "all"): "the disk of this machine has no scheduler with weights",
    ("create cpu burst", "cpu.cfs_burst_us", "slinger"): "runc knows bursts from 1.2 on, crun 1.8.1 does not either",
    ("create cpu idle", "cpu.idle", "runc"): "runc knows idle from 1.2 on",
    ("create cpu idle", "cpu.shares", "runc"): "the same; the kernel gives an idle group 3 shares",
    ("create memory swappiness unset", "", "crun"): "-1 is what engines write for a swappiness that is not set",
    ("create pids none", "pids.max", "slinger"): "0 is a value since runtime-spec 1.3; runc 1.4 writes 1 as well",
    (
        "update document throttle",
        "blkio.throttle.read_bps_device",
        "runc",
    ): "runc 1.1.5 reads no throttles in an update",
}

Shown = dict[str, str]
REFUSED: Final[Shown] = {"refused": ""}


def shown(container: str) -> Shown:
    """The settings of a container's cgroups."""
    v2 = cgroup_layout() == "v2"
    settings = SETTINGS_V2 if v2 else SETTINGS
    return {
        path.name: " ".join(sorted(path.read_text("utf-8").strip().splitlines()))
        for place in ([MOUNT / container] if v2 else [MOUNT / each / container for each in CONTROLLERS])
        for path in sorted(place.iterdir())
        if any(fnmatch(path.name, name) for name in settings) and not any(fnmatch(path.name, n) for n in COUNTED)
    }


def succeeds(runtime: Runtime, *arguments: str) -> bool:
    """Whether a call does; its output goes nowhere, since a created container would hold a pipe open."""
    command = [*PREPARE, runtime.program, "--root", str(runtime.root), *arguments]
    null = subprocess.DEVNULL
    return subprocess.run(command, check=False, timeout=30, stdin=null, stdout=null, stderr=null).returncode == 0


def remove(container: str) -> None:
    """Remove the cgroups of a container whose processes are on their way out."""
    end = time.monotonic() + 5
    while left := [*MOUNT.glob(container), *MOUNT.glob(f"*/{container}")]:
        for path in left:
            with contextlib.suppress(OSError):
                path.rmdir()
        assert time.monotonic() < end, left
        time.sleep(0.01)


def observed(
    name: str, directory: Path, resources: dict[str, Json], update: tuple[str, ...] | dict[str, Json]
) -> Shown:
    """The settings that one runtime makes of a config and an update."""
    changes: dict[str, Json] = {f"linux.resources.{key}": value for key, value in resources.items()}
    config = changed(base_config(), {"process.args": ["/bin/payload", "pause"], **changes})
    bundle = make_bundle(directory / name, config)
    if isinstance(update, dict):
        file = directory / "limits.json"
        file.write_text(json.dumps(update), "utf-8")
        update = ("--resources", str(file))
    try:
        with runtime_at(str(find_runtime(name)), directory / f"{name}-state") as runtime:
            if not succeeds(runtime, "create", "--bundle", str(bundle.directory), bundle.container):
                return REFUSED
            if update and not succeeds(runtime, "update", *update, bundle.container):
                return REFUSED
            return shown(bundle.container)
    finally:
        if name != "slinger":  # a peer that failed, or could not wait for its processes, leaves its cgroups
            remove(bundle.container)


def odd(found: dict[str, Shown]) -> Iterator[tuple[str, str, Shown]]:
    """File, who is alone (or all), and what each shows, of each file that differs."""
    refused = [name for name, each in found.items() if each == REFUSED]
    if refused:
        yield "", refused[0] if len(refused) == 1 else "all", dict.fromkeys(refused, "refused")
        found = {name: each for name, each in found.items() if name not in refused}
    for file in sorted({file for each in found.values() for file in each}):
        values = {name: each.get(file, "no such file") for name, each in found.items()}
        if len(set(values.values())) > 1:
            alone = [name for name, value in values.items() if list(values.values()).count(value) == 1]
            yield file, alone[0] if len(alone) == 1 else "all", values


def unexplained(
    case: str, found: dict[str, Shown], differences: Mapping[tuple[str, str, str], str] = DIFFERENCES
) -> list[str]:
    """The differences without a row."""
    return [f"{case}: {file}: {values}" for file, who, values in odd(found) if (case, file, who) not in differences]


RUNTIMES: Final = ("slinger", "runc", "crun")


@pytest.mark.parametrize("case", CREATED)
def test_a_created_container_is_limited_alike(case: str, tmp_path: Path) -> None:
    """The file and the value for every property that this machine's controllers have."""
    found = {name: observed(name, tmp_path, CREATED[case], ()) for name in RUNTIMES}
    assert unexplained(f"create {case}", found) == []


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_changes_the_same_files(case: str, tmp_path: Path) -> None:
    """From the same limits to the same limits."""
    found = {name: observed(name, tmp_path, FIRST, UPDATES[case]) for name in RUNTIMES}
    assert unexplained(f"update {case}", found) == []


def test_a_row_is_about_a_case() -> None:
    """A reason for a case that is not tried any more explains nothing."""
    cases = {f"create {case}" for case in CREATED} | {f"update {case}" for case in UPDATES}
    assert {case for case, _, _ in DIFFERENCES} <= cases
