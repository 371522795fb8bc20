"""update: limits of a container that runs, read back from the kernel; one that fails changes nothing."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from tests.bundles import Json
from tests.integration.box import INSIDE, Box, wait_for
from tests.integration.limits import MEBI, UNLIMITED, limits, path_of, run_limited
from tests.requires import requires

pytestmark = requires("root", "cgroup-v1")

FIRST: dict[str, Json] = {
    "memory": {"limit": 32 * MEBI, "reservation": 24 * MEBI},
    "cpu": {"shares": 100, "quota": 500000, "period": 1000000},
    "pids": {"limit": 20},
}


def updated(box: Box, *options: str) -> dict[str, str]:
    """What an update changes, as file and new value; the update must succeed without a word."""
    before = limits(box.id)
    assert box.succeed("update", *options, box.id) == ""
    after = limits(box.id)
    return {file: value for file, value in after.items() if value != before[file]}


def test_each_option_changes_its_file_and_no_other(box: Box) -> None:
    """One after the other, on one container."""
    run_limited(box, dict(FIRST))
    steps: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
        (("--memory", "67108864"), {"memory.limit_in_bytes": str(64 * MEBI)}),
        (("--memory", "50M"), {"memory.limit_in_bytes": str(50 * MEBI)}),
        (("--memory-reservation", "32m"), {"memory.soft_limit_in_bytes": str(32 * MEBI)}),
        (("--memory-swap", "92m"), {"memory.memsw.limit_in_bytes": str(92 * MEBI)}),
        (("--memory-swap", "-1"), {"memory.memsw.limit_in_bytes": UNLIMITED}),
        (("--memory", "-1"), {"memory.limit_in_bytes": UNLIMITED}),
        (("--cpu-period", "900000"), {"cpu.cfs_period_us": "900000"}),
        (("--cpu-quota", "600000"), {"cpu.cfs_quota_us": "600000"}),
        (("--cpu-burst", "5000"), {"cpu.cfs_burst_us": "5000"}),
        (("--cpu-burst", "0"), {"cpu.cfs_burst_us": "0"}),
        (("--cpu-quota", "-1"), {"cpu.cfs_quota_us": "-1"}),
        (("--cpu-share", "200"), {"cpu.shares": "200"}),
        (("--cpuset-cpus", "0"), {"cpuset.cpus": "0"}),
        (("--cpuset-mems", "0"), {}),
        (("--pids-limit", "12345"), {"pids.max": "12345"}),
        (("--pids-limit", "-1"), {"pids.max": "max"}),
        (("--pids-limit", "0"), {"pids.max": "1"}),
        ((), {}),
        (("--cpu-idle", "1"), {"cpu.idle": "1", "cpu.shares": "3"}),
        (("--cpu-period", "10000"), {"cpu.cfs_period_us": "10000"}),
        (("--cpu-idle", "0", "--cpu-share", "300"), {"cpu.idle": "0", "cpu.shares": "300"}),
    )
    seen = [(options, updated(box, *options)) for options, _ in steps]
    wanted = [(options, files) for options, files in steps]
    if limits(box.id)["cpuset.mems"] == "0" and path_of("", "cpuset/cpuset.cpus").read_text("utf-8").strip() == "0":
        wanted[12] = (wanted[12][0], {})  # a machine with one cpu
    assert seen == wanted


@pytest.mark.parametrize(
    ("first", "then"),
    [(("30m", "50m"), ("60m", "80m")), (("60m", "80m"), ("30m", "50m")), (("30m", "30m"), ("31m", "31m"))],
)
def test_memory_and_swap_move_together_in_any_direction(
    box: Box, first: tuple[str, str], then: tuple[str, str]
) -> None:
    """The kernel wants one before the other, or the other before the one."""
    run_limited(box, {})
    for memory, swap in (first, then):
        box.succeed("update", "--memory", memory, "--memory-swap", swap, box.id)
        shown = limits(box.id)
        assert (shown["memory.limit_in_bytes"], shown["memory.memsw.limit_in_bytes"]) == (
            str(int(memory[:-1]) * MEBI),
            str(int(swap[:-1]) * MEBI),
        )


def test_a_document_sets_what_it_names_and_nothing_else(box: Box) -> None:
    """From a file and from standard input; throttles of one device are added to those of others."""
    (device, other) = sorted(file.read_text("utf-8").strip() for file in Path("/sys/block").glob("loop*/dev"))[:2]
    numbers = [dict(zip(("major", "minor"), map(int, each.split(":")), strict=True)) for each in (device, other)]
    run_limited(box, FIRST | {"blockIO": {"throttleReadBpsDevice": [numbers[0] | {"rate": 1000000}]}})
    document = box.calls / "limits.json"
    rules: Json = [numbers[1] | {"rate": 2000000}]
    document.write_text(
        json.dumps(
            {
                "memory": {"limit": 48 * MEBI},
                "cpu": {"shares": 77},
                "blockIO": {"throttleReadBpsDevice": rules, "throttleWriteIOPSDevice": rules},
                "pids": {},
            }
        ),
        "utf-8",
    )
    changes = updated(box, "-r", str(document))
    throttles = changes.pop("blkio.throttle.read_bps_device").splitlines()  # the kernel has them in an order of its own
    assert sorted(throttles) == [f"{device} 1000000", f"{other} 2000000"]
    assert changes == {
        "memory.limit_in_bytes": str(48 * MEBI),
        "cpu.shares": "77",
        "blkio.throttle.write_iops_device": f"{other} 2000000",
    }


@requires("cgroup-unified-hugetlb")
def test_a_controller_of_v2_that_create_did_not_need_is_enabled(box: Box) -> None:
    """On a hybrid host, where create enables what it needs and no more."""
    control = Path("/sys/fs/cgroup/unified/cgroup.subtree_control")
    before = control.read_text("utf-8").split()
    run_limited(box, {})
    document = box.calls / "limits.json"
    document.write_text(json.dumps({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MEBI}]}), "utf-8")
    box.succeed("update", "--resources", str(document), box.id)
    limit = control.parent / box.id / "hugetlb.2MB.max"
    assert limit.read_text("utf-8") == f"{4 * MEBI}\n"
    box.succeed("delete", "--force", box.id)
    for more in set(control.read_text("utf-8").split()) - set(before):
        with contextlib.suppress(OSError):  # somebody else's container needs it now
            control.write_text(f"-{more}", "utf-8")


def test_a_paused_container_can_be_updated(box: Box) -> None:
    """And stays paused."""
    run_limited(box, dict(FIRST))
    box.succeed("pause", box.id)
    assert updated(box, "--pids-limit", "5", "--memory", "40m") == {
        "pids.max": "5",
        "memory.limit_in_bytes": str(40 * MEBI),
    }
    assert box.status() == "paused"


def test_a_stopped_container_cannot_be_updated(box: Box) -> None:
    """With the text that callers look for."""
    run_limited(box, {}, "true")
    box.wait_status("stopped")
    assert box.fail("update", "--pids-limit", "5", box.id) == "container not running"
    assert box.fail("update", "--pids-limit", "5", "no-such-box") == "container does not exist"


def test_a_program_sees_its_new_limit(box: Box) -> None:
    """What the kernel shows is what counts: a cgroup that is full refuses the next process."""
    run_limited(box, {})
    for limit in (5, 3):  # init, the process that forks, and its children
        box.succeed("update", "--pids-limit", str(limit), box.id)
        told = json.loads(box.succeed("exec", box.id, INSIDE, "forks", "10"))
        assert told == {"forks": limit - 2, "error": "EAGAIN"}


# Every failing update comes with values that would be fine, and are written before the bad one.
FINE = ("--memory", "40m", "--memory-swap", "80m", "--cpu-share", "333")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ("--cpu-quota", "5"),
            (
                '--cpu-quota: writing "5" to /sys/fs/cgroup/cpu/{id}/cpu.cfs_quota_us: invalid argument'
                " (at least 1000, the burst, and within the parent cgroup's share)"
            ),
        ),
        (
            ("--cpu-period", "100"),
            (
                '--cpu-period: writing "100" to /sys/fs/cgroup/cpu/{id}/cpu.cfs_period_us: invalid argument'
                " (from 1000 to 1000000 microseconds)"
            ),
        ),
        (
            ("--cpuset-cpus", "4000"),
            (
                '--cpuset-cpus: writing "4000" to /sys/fs/cgroup/cpuset/{id}/cpuset.cpus: numerical result out of range'
                " (a list such as 0-2,4 of cpus that the machine has)"
            ),
        ),
        (("--cpuset-cpus", "a-b"), '--cpuset-cpus: expected a list of numbers and ranges such as 0-3,8, got "a-b"'),
        (("--cpu-idle", "2"), "--cpu-idle: must be from 0 to 1, got 2"),
        (("--cpu-share", "1"), "--cpu-share: the minimum allowed cpu-shares is 2"),
        (("--cpu-share", "300000"), "--cpu-share: the maximum allowed cpu-shares is 262144"),
        (("--blkio-weight", "5"), "--blkio-weight: must be from 10 to 1000, got 5"),
        (
            ("--pids-limit", "5000000000000"),
            '--pids-limit: writing "5000000000000" to /sys/fs/cgroup/pids/{id}/pids.max: invalid argument',
        ),
        (
            ("--memory-swap", "30m"),
            "--memory-swap: memory and swap together must be at least the limit 41943040, got 31457280",
        ),
    ],
)
def test_a_failing_update_changes_nothing(box: Box, options: tuple[str, ...], error: str) -> None:
    """It names the option, the file and the reason; what was written before the refusal is set back."""
    run_limited(box, dict(FIRST))
    before = limits(box.id)
    assert box.fail("update", *FINE, *options, box.id) == error.format(id=box.id)
    assert limits(box.id) == before


def test_a_failing_update_brings_back_idleness_and_weight(box: Box) -> None:
    """A group that is idle no more gets the default weight from the kernel, not its old one."""
    run_limited(box, {"cpu": {"shares": 77}})
    before = limits(box.id)
    box.fail("update", "--cpu-idle", "1", "--pids-limit", "5000000000000", box.id)
    assert limits(box.id) == before
    box.succeed("update", "--cpu-idle", "1", box.id)
    before = limits(box.id)
    box.fail("update", "--cpu-idle", "0", "--cpu-share", "5", "--pids-limit", "5000000000000", box.id)
    assert limits(box.id) == before


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"memory": {"limit": -5}}, "resources.memory.limit: must be from -1 to 9223372036854775807, got -5"),
        (
            {"unified": {"memory.max": "5"}},
            (
                "resources.unified: invalid configuration: cannot use unified on cgroup v1"
                " (use the properties of linux.resources beside it)"
            ),
        ),
        ({"devices": [{"allow": True}]}, 'resources.devices[0].access: expected one or more of r, w and m, got ""'),
        (
            {
                "memory": {"limit": 1 << 26},
                "blockIO": {"throttleReadBpsDevice": [{"major": 4000, "minor": 1, "rate": 5}]},
            },
            (
                'resources.blockIO.throttleReadBpsDevice[0]: writing "4000:1 5" to'
                " /sys/fs/cgroup/blkio/{id}/blkio.throttle.read_bps_device: no such device"
            ),
        ),
        (
            {"memory": {"limit": 1 << 26}, "rdma": {"mlx5_1": {"hcaHandles": 3}}},
            (
                'resources.rdma.mlx5_1: the controller "rdma" is not available'
                " (mount its cgroup hierarchy, or leave the limit out)"
            ),
        ),
    ],
)
def test_a_bad_document_names_the_property_and_changes_nothing(box: Box, document: Json, error: str) -> None:
    """With the path in the document."""
    run_limited(box, dict(FIRST))
    before = limits(box.id)
    file = box.calls / "limits.json"
    file.write_text(json.dumps(document), "utf-8")
    assert box.fail("update", "--resources", str(file), box.id) == error.format(id=box.id)
    assert limits(box.id) == before


def test_memory_in_use_is_not_cut_off(box: Box) -> None:
    """The kernel refuses; the other limits of the same update are as before."""
    run_limited(box, dict(FIRST), "mem", str(16 * MEBI), "60")
    usage = path_of(box.id, "memory/memory.usage_in_bytes")
    wait_for(lambda: int(usage.read_text("utf-8")) > 16 * MEBI, "the memory to be used")
    before = limits(box.id)
    message = box.fail("update", "--memory", "4m", "--memory-swap", "4m", "--pids-limit", "7", box.id)
    path = path_of(box.id, "memory/memory.limit_in_bytes")
    assert message.startswith(f'--memory: writing "{4 * MEBI}" to {path}: device or resource busy (more than that')
    assert (limits(box.id), box.status()) == (before, "running")


def test_devices_are_left_alone_and_that_is_said(box: Box) -> None:
    """An engine sends all its resources; a device that a plug-in has added must stay."""
    run_limited(box, {})
    devices = path_of(box.id, "devices/devices.list")
    before = devices.read_text("utf-8")
    file = box.calls / "limits.json"
    file.write_text(json.dumps({"devices": [{"allow": False, "access": "rwm"}], "pids": {"limit": 9}}), "utf-8")
    done = box.call("update", "--resources", str(file), box.id)
    warning = "slinger: warning: resources.devices: ignored: an update leaves devices as they are\n"
    assert (done.status, done.stderr) == (0, warning)
    assert (devices.read_text("utf-8"), limits(box.id)["pids.max"]) == (before, "9")


@pytest.mark.spec("config-linux.md#memory/kernel")
def test_kernel_memory_is_ignored_with_a_warning(box: Box) -> None:
    """As by runc: the kernel no longer limits it apart."""
    run_limited(box, {})
    before = limits(box.id)
    done = box.call("update", "--kernel-memory", "50m", box.id)
    assert (done.status, done.stderr) == (0, "slinger: warning: --kernel-memory: deprecated, ignored\n")
    assert limits(box.id) == before
