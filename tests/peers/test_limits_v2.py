"""The same linux.resources and updates under slinger, runc and crun on a machine with cgroup v2 alone.

Rule of the file: as in test_limits.py, whose cases these are, but for the properties that v2 has no word for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json
from tests.peers.test_limits import CREATED, FIRST, MEBI, RUNTIMES, UPDATES, observed, unexplained
from tests.requires import requires

pytestmark = requires("root", "cgroup-v2", "runc", "crun")

V1_ALONE: Final = ("memory ways", "memory swappiness 0", "memory swappiness unset", "cpu realtime")
MORE: Final[dict[str, dict[str, Json]]] = {
    "unified": {"unified": {"memory.high": "1048576", "cpu.weight": "77"}},
    "unified over the rest": {"memory": {"limit": 64 * MEBI}, "unified": {"memory.max": "33554432"}},
    "huge pages": {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MEBI}]},
}
MADE: Final = {name: each for name, each in CREATED.items() if name not in V1_ALONE} | MORE
# Without shares, whose weight would differ in every case.
BEFORE: Final[dict[str, Json]] = FIRST | {"cpu": {"quota": 500000, "period": 1000000}}
WEIGHT: Final = (
    "the curve that runc has since 1.3.2 and crun since 1.23; before, the default of shares was no default weight"
)
PERIOD: Final = "crun 1.8.1 writes quota and period anew from what the update names alone"
# (case, file, who is alone): why. No file: the runtime refuses.
DIFFERENCES: Final[dict[tuple[str, str, str], str]] = {
    (
        "create memory zero",
        "",
        "crun",
    ): "writes the zeros, although 0 is what engines write for a limit that is not set",
    ("create cpu shares", "cpu.weight", "slinger"): WEIGHT,
    ("create cpu burst", "cpu.max.burst", "slinger"): "runc knows bursts from 1.2 on, crun 1.8.1 does not either",
    ("create cpu idle", "cpu.idle", "runc"): "runc knows idle from 1.2 on",
    ("create cpu idle", "cpu.weight", "runc"): "the same; the kernel shows no weight of an idle group",
    ("create pids none", "pids.max", "slinger"): "0 is a value since runtime-spec 1.3; runc 1.4 writes 1 as well",
    (
        "create block weight of a device",
        "",
        "all",
    ): "no scheduler with weights here, which runc alone takes for no error",
    ("create huge pages", "hugetlb.2MB.rsvd.max", "slinger"): "what is reserved is limited as well, as on v1",
    ("update swap", "", "all"): "slinger knows the limit, which swap is counted from, from the container's config",
    ("update shares", "cpu.weight", "slinger"): WEIGHT,
    ("update several", "cpu.weight", "slinger"): WEIGHT,
    ("update document", "cpu.weight", "slinger"): WEIGHT,
    ("update quota", "cpu.max", "crun"): PERIOD,
    ("update quota lifted", "cpu.max", "crun"): PERIOD,
    ("update period", "cpu.max", "crun"): PERIOD,
    ("update several", "cpu.max", "crun"): PERIOD,
    ("update document throttle", "io.max", "runc"): "runc 1.1.5 reads no throttles in an update",
}


@pytest.mark.parametrize("case", MADE)
def test_a_created_container_is_limited_alike(case: str, tmp_path: Path) -> None:
    """The file and the value for every property."""
    found = {name: observed(name, tmp_path, MADE[case], ()) for name in RUNTIMES}
    assert unexplained(f"create {case}", found, DIFFERENCES) == []


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_changes_the_same_files(case: str, tmp_path: Path) -> None:
    """From the same limits to the same limits."""
    found = {name: observed(name, tmp_path, BEFORE, UPDATES[case]) for name in RUNTIMES}
    assert unexplained(f"update {case}", found, DIFFERENCES) == []


def test_a_row_is_about_a_case() -> None:
    """A reason for a case that is not tried any more explains nothing."""
    cases = {f"create {case}" for case in MADE} | {f"update {case}" for case in UPDATES}
    assert {case for case, _, _ in DIFFERENCES} <= cases
