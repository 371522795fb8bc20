"""linux.resources to files and values: the table of plan/cgroup.py, without any cgroup."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.plan.cgroup import Write, asks_limits, writes
from slinger.plan.cgroup_cpu import cpu_weight
from slinger.plan.cgroup_io import io_weight
from slinger.plan.cgroup_memory import swap_only
from slinger.spec.config import (
    BlockIo,
    Cpu,
    DeviceRule,
    HugepageLimit,
    InterfacePriority,
    Memory,
    Network,
    Rdma,
    Resources,
    ThrottleDevice,
    WeightDevice,
)

Line = tuple[str, str, str]


def lines(resources: Resources, version: int) -> list[Line]:
    """File, value and the JSON path below linux.resources of each write."""
    return [
        (each.file, each.value, each.origin.removeprefix("linux.resources.")) for each in writes(resources, version)
    ]


@pytest.mark.parametrize(
    ("shares", "weight"),
    [(0, 1), (1, 1), (2, 1), (3, 2), (256, 35), (512, 59), (1024, 100), (2048, 174), (65536, 3023), (262144, 10000)],
)
def test_shares_become_a_weight_on_the_curve(shares: int, weight: int) -> None:
    """Least, default and greatest of v1 are those of v2; a share more or less is never less or more weight."""
    assert cpu_weight(shares) == weight


def test_more_shares_never_weigh_less() -> None:
    """The curve rises over the whole range, and stops at 10000."""
    weights = [cpu_weight(shares) for shares in range(0, 300000, 97)]
    assert weights == sorted(weights)
    assert weights[-1] == 10000


@pytest.mark.parametrize(("weight", "converted"), [(10, 1), (100, 910), (500, 4950), (1000, 10000), (1, 1)])
def test_block_weights_are_stretched(weight: int, converted: int) -> None:
    """10 to 1000 becomes 1 to 10000, linear and rounded down."""
    assert io_weight(weight) == converted


@pytest.mark.parametrize(
    ("limit", "swap", "only"),
    [(100, 300, 200), (100, 100, 0), (100, -1, -1), (-1, 300, 300), (0, -1, -1)],
)
def test_swap_on_v2_is_without_memory(limit: int, swap: int, only: int) -> None:
    """The spec counts memory and swap, v2 counts swap; what is unlimited stays so."""
    assert swap_only(limit, swap) == only


@pytest.mark.spec("config-linux.md#unified/conversion")
@pytest.mark.parametrize(
    ("limit", "swap", "text"),
    [
        (0, 5, "unable to set swap limit without memory limit (set linux.resources.memory.limit)"),
        (9, 5, "5 is less than the memory limit of 9 (it counts memory and swap)"),
    ],
)
def test_a_swap_limit_that_v2_cannot_have_is_refused(limit: int, swap: int, text: str) -> None:
    """Without the memory limit there is nothing to subtract, and a negative rest is none."""
    with pytest.raises(ConfigError) as caught:
        swap_only(limit, swap)
    assert str(caught.value) == f"linux.resources.memory.swap: {text}"


@pytest.mark.parametrize(
    ("memory", "v1", "v2"),
    [
        (
            Memory(limit=100, swap=300, reservation=50),
            [
                ("memory.limit_in_bytes", "100", "memory.limit"),
                ("memory.memsw.limit_in_bytes", "300", "memory.swap"),
                ("memory.soft_limit_in_bytes", "50", "memory.reservation"),
            ],
            [
                ("memory.swap.max", "200", "memory.swap"),
                ("memory.max", "100", "memory.limit"),
                ("memory.low", "50", "memory.reservation"),
            ],
        ),
        (
            Memory(limit=-1),
            [("memory.limit_in_bytes", "-1", "memory.limit"), ("memory.memsw.limit_in_bytes", "-1", "memory.limit")],
            [("memory.swap.max", "max", "memory.limit"), ("memory.max", "max", "memory.limit")],
        ),
        (Memory(limit=0, swap=0, reservation=0, disable_oom_killer=False, use_hierarchy=True), [], []),
        (Memory(swappiness=(1 << 64) - 1, kernel=5, kernel_tcp=5), [], []),
    ],
    ids=["all three", "unlimited", "nothing asked", "docker's unset swappiness"],
)
def test_memory_limits(memory: Memory, v1: list[Line], v2: list[Line]) -> None:
    """v1 limits memory and memory + swap, v2 memory and swap; 0 is no limit asked."""
    assert lines(Resources(memory=memory), 1) == v1
    assert lines(Resources(memory=memory), 2) == v2


def test_what_only_v1_memory_has() -> None:
    """The OOM killer and swappiness."""
    assert lines(Resources(memory=Memory(disable_oom_killer=True, swappiness=0)), 1) == [
        ("memory.oom_control", "1", "memory.disableOOMKiller"),
        ("memory.swappiness", "0", "memory.swappiness"),
    ]


def test_a_missing_swap_file_is_nothing_lost_only_without_a_limit() -> None:
    """A kernel without swap accounting refuses a real swap limit."""
    found = [
        (each.value, each.missing_ok)
        for swap in (100, -1, 300)
        for each in writes(Resources(memory=Memory(limit=100, swap=swap)), 2)
        if each.file == "memory.swap.max"
    ]
    assert found == [("0", True), ("max", True), ("200", False)]


@pytest.mark.parametrize(
    ("cpu", "v1", "v2"),
    [
        (Cpu(shares=1024), [("cpu.shares", "1024", "cpu.shares")], [("cpu.weight", "100", "cpu.shares")]),
        (
            Cpu(quota=50000, period=200000),
            [("cpu.cfs_period_us", "200000", "cpu.period"), ("cpu.cfs_quota_us", "50000", "cpu.quota")],
            [("cpu.max", "50000 200000", "cpu.quota")],
        ),
        (Cpu(quota=-7), [("cpu.cfs_quota_us", "-1", "cpu.quota")], [("cpu.max", "max 100000", "cpu.quota")]),
        (Cpu(period=9000), [("cpu.cfs_period_us", "9000", "cpu.period")], [("cpu.max", "max 9000", "cpu.period")]),
        (
            Cpu(quota=50000, burst=0),
            [("cpu.cfs_quota_us", "50000", "cpu.quota"), ("cpu.cfs_burst_us", "0", "cpu.burst")],
            [("cpu.max", "50000 100000", "cpu.quota"), ("cpu.max.burst", "0", "cpu.burst")],
        ),
        (
            Cpu(idle=0, shares=512),
            [("cpu.idle", "0", "cpu.idle"), ("cpu.shares", "512", "cpu.shares")],
            [("cpu.idle", "0", "cpu.idle"), ("cpu.weight", "59", "cpu.shares")],
        ),
        (Cpu(idle=1, shares=512), [("cpu.idle", "1", "cpu.idle")], [("cpu.idle", "1", "cpu.idle")]),
        (
            Cpu(cpus="0-1", mems="0"),
            [("cpuset.cpus", "0-1", "cpu.cpus"), ("cpuset.mems", "0", "cpu.mems")],
            [("cpuset.cpus", "0-1", "cpu.cpus"), ("cpuset.mems", "0", "cpu.mems")],
        ),
        (Cpu(shares=0, quota=0, period=0, realtime_period=0), [], []),
    ],
    ids=[
        "shares",
        "quota and period",
        "unlimited",
        "period",
        "burst",
        "no longer idle",
        "idle",
        "cpuset",
        "nothing asked",
    ],
)
def test_cpu_limits(cpu: Cpu, v1: list[Line], v2: list[Line]) -> None:
    """v2 has quota and period in one file, weights for shares, and no weight for what is idle."""
    assert lines(Resources(cpu=cpu), 1) == v1
    assert lines(Resources(cpu=cpu), 2) == v2


def test_what_a_process_needs_to_join_on_v1_is_early() -> None:
    """cpus, mems and a real-time budget; on v2 nothing is."""
    cpu = Cpu(cpus="0", mems="0", realtime_runtime=5, realtime_period=10, shares=2)
    early = [each.file for each in writes(Resources(cpu=cpu), 1) if each.early]
    assert early == ["cpuset.cpus", "cpuset.mems", "cpu.rt_period_us", "cpu.rt_runtime_us"]
    assert not [each for each in writes(Resources(cpu=Cpu(cpus="0", mems="0")), 2) if each.early]


@pytest.mark.spec("config-linux.md#pids/zero")
@pytest.mark.parametrize(("limit", "value"), [(-1, "max"), (-9, "max"), (0, "1"), (7, "7")])
@pytest.mark.parametrize("version", [1, 2])
def test_the_number_of_processes(limit: int, value: str, version: int) -> None:
    """Negative is unlimited; 0 is a value, and becomes 1."""
    assert lines(Resources(pids_limit=limit), version) == [("pids.max", value, "pids.limit")]


BLOCK = BlockIo(
    weight=500,
    weight_device=(WeightDevice(8, 0, 100),),
    throttle_read_bps_device=(ThrottleDevice(8, 0, 1000),),
    throttle_write_iops_device=(ThrottleDevice(8, 16, 0),),
)


def test_block_io_limits_of_v1() -> None:
    """One file a limit; weights are BFQ's where the kernel has it."""
    table = writes(Resources(block_io=BLOCK), 1)
    assert [(each.file, each.value) for each in table] == [
        ("blkio.bfq.weight", "500"),
        ("blkio.bfq.weight_device", "8:0 100"),
        ("blkio.throttle.read_bps_device", "8:0 1000"),
        ("blkio.throttle.write_iops_device", "8:16 0"),
    ]
    spare = [(each.otherwise.file, each.otherwise.value) for each in table if each.otherwise]
    assert spare == [("blkio.weight", "500"), ("blkio.weight_device", "8:0 100")]


def test_leaf_weights_and_all_throttles_of_v1() -> None:
    """Leaf weights compete with child cgroups, and only the old elevator had them."""
    device, throttle = WeightDevice(8, 0, None, 20), (ThrottleDevice(8, 0, 5),)
    block = BlockIo(30, 40, (device,), throttle, throttle, throttle, throttle)
    assert [(each.file, each.value) for each in writes(Resources(block_io=block), 1)] == [
        ("blkio.bfq.weight", "30"),
        ("blkio.leaf_weight", "40"),
        ("blkio.leaf_weight_device", "8:0 20"),
        ("blkio.throttle.read_bps_device", "8:0 5"),
        ("blkio.throttle.write_bps_device", "8:0 5"),
        ("blkio.throttle.read_iops_device", "8:0 5"),
        ("blkio.throttle.write_iops_device", "8:0 5"),
    ]


def test_all_throttles_of_v2() -> None:
    """Words of one file."""
    throttle = (ThrottleDevice(8, 0, 5),)
    block = BlockIo(None, None, (), throttle, throttle, throttle, throttle)
    assert [(each.file, each.value) for each in writes(Resources(block_io=block), 2)] == [
        ("io.max", "8:0 rbps=5"),
        ("io.max", "8:0 wbps=5"),
        ("io.max", "8:0 riops=5"),
        ("io.max", "8:0 wiops=5"),
    ]


def test_huge_pages_and_rdma_of_v2() -> None:
    """Reservations may be missing: they are counted since Linux 5.7."""
    resources = Resources(hugepage_limits=(HugepageLimit("1GB", 9),), rdma=(Rdma("mlx5_1", 0, None),))
    assert [(each.file, each.value, each.missing_ok) for each in writes(resources, 2)] == [
        ("hugetlb.1GB.max", "9", False),
        ("hugetlb.1GB.rsvd.max", "9", True),
        ("rdma.max", "mlx5_1 hca_handle=0", False),
    ]


def test_block_io_limits_of_v2() -> None:
    """Throttles are lines of io.max, rate 0 lifts; weights are BFQ's, or else converted."""
    table = writes(Resources(block_io=BLOCK), 2)
    assert [(each.file, each.value) for each in table] == [
        ("io.bfq.weight", "500"),
        ("io.bfq.weight", "8:0 100"),
        ("io.max", "8:0 rbps=1000"),
        ("io.max", "8:16 wiops=max"),
    ]
    spare = [(each.otherwise.file, each.otherwise.value) for each in table if each.otherwise]
    assert spare == [("io.weight", "4950"), ("io.weight", "8:0 910")]


def test_the_rest_of_v1() -> None:
    """Huge pages with their reservations, network classes and priorities, rdma."""
    resources = Resources(
        hugepage_limits=(HugepageLimit("2MB", 9),),
        network=Network(7, (InterfacePriority("eth0", 3),)),
        rdma=(Rdma("mlx5_1", 3, 10000), Rdma("mlx4_0", None, 5)),
    )
    assert lines(resources, 1) == [
        ("hugetlb.2MB.limit_in_bytes", "9", "hugepageLimits[0].limit"),
        ("hugetlb.2MB.rsvd.limit_in_bytes", "9", "hugepageLimits[0].limit"),
        ("net_prio.ifpriomap", "eth0 3", "network.priorities[0]"),
        ("net_cls.classid", "7", "network.classID"),
        ("rdma.max", "mlx5_1 hca_handle=3 hca_object=10000", "rdma.mlx5_1"),
        ("rdma.max", "mlx4_0 hca_object=5", "rdma.mlx4_0"),
    ]


def test_a_controller_that_v2_has_on_a_hybrid_host_is_written_there() -> None:
    """The others stay with v1."""
    resources = Resources(hugepage_limits=(HugepageLimit("2MB", 9),), pids_limit=5)
    assert [(each.file, each.version) for each in writes(resources, 1, frozenset({"hugetlb"}))] == [
        ("pids.max", 1),
        ("hugetlb.2MB.max", 2),
        ("hugetlb.2MB.rsvd.max", 2),
    ]


@pytest.mark.spec("config-linux.md#unified/written")
def test_unified_comes_last_and_line_by_line() -> None:
    """It has the last word over the converted limits; a file takes one line at a time."""
    resources = Resources(unified=(("io.max", "8:0 rbps=1\n8:16 rbps=2"), ("memory.high", "5")), pids_limit=3)
    assert writes(resources, 2) == (
        Write("pids", "pids.max", "3", "linux.resources.pids.limit", 2),
        Write("io", "io.max", "8:0 rbps=1", 'linux.resources.unified["io.max"]', 2),
        Write("io", "io.max", "8:16 rbps=2", 'linux.resources.unified["io.max"]', 2),
        Write("memory", "memory.high", "5", 'linux.resources.unified["memory.high"]', 2),
    )


NOT_IN_V2 = "cgroup v2 has nothing like it (leave it out)"


@pytest.mark.spec("config-linux.md#unified/conversion")
@pytest.mark.parametrize(
    ("resources", "version", "text"),
    [
        (Resources(memory=Memory(swappiness=5)), 2, f"memory.swappiness: {NOT_IN_V2}"),
        (Resources(memory=Memory(disable_oom_killer=True)), 2, f"memory.disableOOMKiller: {NOT_IN_V2}"),
        (
            Resources(memory=Memory(swappiness=101)),
            1,
            "memory.swappiness: invalid memory swappiness value: 101 (valid range is 0-100)",
        ),
        (Resources(cpu=Cpu(realtime_runtime=5)), 2, f"cpu.realtimeRuntime: {NOT_IN_V2}"),
        (Resources(cpu=Cpu(shares=1)), 1, "cpu.shares: the minimum allowed cpu-shares is 2"),
        (Resources(cpu=Cpu(shares=262145)), 1, "cpu.shares: the maximum allowed cpu-shares is 262144"),
        (Resources(block_io=BlockIo(leaf_weight=5)), 2, f"blockIO.leafWeight: {NOT_IN_V2}"),
        (
            Resources(block_io=BlockIo(weight_device=(WeightDevice(8, 0, None, 5),))),
            2,
            f"blockIO.weightDevice[0].leafWeight: {NOT_IN_V2}",
        ),
        (Resources(network=Network(7)), 2, f"network.classID: {NOT_IN_V2}"),
        (Resources(network=Network(None, (InterfacePriority("e", 1),))), 2, f"network.priorities: {NOT_IN_V2}"),
        (
            Resources(hugepage_limits=(HugepageLimit("../2MB", 1),)),
            1,
            'hugepageLimits[0].pageSize: "../2MB" is no size such as 2MB',
        ),
        (
            Resources(unified=(("memory.high", "5"),)),
            1,
            (
                "unified: invalid configuration: cannot use unified on cgroup v1"
                " (use the properties of linux.resources beside it)"
            ),
        ),
        (Resources(unified=(("../x.y", "5"),)), 2, 'unified["../x.y"]: must be a file name (no slashes)'),
        (Resources(unified=(("memory", "5"),)), 2, 'unified["memory"]: must be in the form CONTROLLER.PARAMETER'),
    ],
)
def test_what_cannot_be_said_is_refused(resources: Resources, version: int, text: str) -> None:
    """A limit that is asked for is never silently left out; the error names the property."""
    with pytest.raises(ConfigError) as caught:
        writes(resources, version)
    assert str(caught.value) == f"linux.resources.{text}"


def test_devices_are_no_limit() -> None:
    """Every config has device rules: they do not make a cgroup necessary for who may not have one."""
    rules = (DeviceRule(allow=False, access="rwm"),)
    assert not asks_limits(writes(Resources(devices=rules), 1))
    assert asks_limits(writes(Resources(devices=rules, pids_limit=5), 1))
