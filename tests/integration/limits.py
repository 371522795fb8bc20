"""The limits of a box's container, as the kernel shows them on cgroup v1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bundles import Drop, Json
from tests.integration.box import INSIDE, Box

MOUNT: Final = Path("/sys/fs/cgroup")
FILES: Final = (
    "memory/memory.limit_in_bytes",
    "memory/memory.memsw.limit_in_bytes",
    "memory/memory.soft_limit_in_bytes",
    "cpu/cpu.shares",
    "cpu/cpu.cfs_quota_us",
    "cpu/cpu.cfs_period_us",
    "cpu/cpu.cfs_burst_us",
    "cpu/cpu.idle",
    "cpuset/cpuset.cpus",
    "cpuset/cpuset.mems",
    "pids/pids.max",
    "blkio/blkio.throttle.read_bps_device",
    "blkio/blkio.throttle.write_iops_device",
)
# As the kernel spells "no limit": the largest number of whole pages.
UNLIMITED: Final = str((1 << 63) - (1 << 12))
MEBI: Final = 1 << 20


def path_of(container: str, file: str) -> Path:
    """Where a file such as `memory/memory.limit_in_bytes` of a container is."""
    controller, name = file.split("/")
    return MOUNT / controller / container / name


def limits(container: str) -> dict[str, str]:
    """All of FILES."""
    return {file.partition("/")[2]: path_of(container, file).read_text("utf-8").strip() for file in FILES}


def run_limited(box: Box, resources: Mapping[str, Json], *words: str) -> None:
    """A container with these limits that waits, or runs the payload with these words."""
    changes: dict[str, Json | Drop] = {f"linux.resources.{name}": value for name, value in resources.items()}
    box.configure({"process.args": [INSIDE, *(words or ("pause",))], **changes})
    box.succeed("run", "--detach", "--bundle", str(box.directory), box.id)
