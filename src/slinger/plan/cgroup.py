"""linux.resources as the files to write, for cgroup v1 and v2 (config-linux.md, "Control groups").

``writes`` is the table of contents: one section a controller, each a pure function from the records of
config.json to lines of ``Write``. Which directory a controller has, and whether a file exists, is host/'s
to know; what follows from a missing file stands in the Write. Where v2 has no word for a property of v1,
the spec demands an error; zero values that mean "nothing asked" are none.

The order within a section is the order of writing. The kernel wants some values of the controllers in
IN_ANY_ORDER changed in an order that depends on the old ones (memory before swap or after it, quota
before period or after it): host/ writes again, after the others, what got EINVAL.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan.device_rules import device_list
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import BlockIo, Cpu, Memory, Resources, ThrottleDevice

IN_ANY_ORDER = frozenset({"memory", "cpu"})
# What a threaded cgroup of v2 may have (cgroup-v2.rst, "Threads"); all others need a domain.
THREADED = frozenset({"cpu", "cpuset", "perf_event", "pids"})
V1, V2 = 1, 2
ORIGIN = "linux.resources"
UNSET = -1  # docker's word for "no swappiness", which arrives as 2^64 - 1
SHARES_MIN, SHARES_MAX = 2, 1 << 18
WEIGHT_MAX = 10000
PERIOD = 100000  # microseconds, the kernel's default
SWAPPINESS_MAX = 100


class Write(Record):
    """One value for one file of the container's cgroup, and the JSON path that asked for it."""

    controller: str  # as this version calls it: blkio on v1, io on v2
    file: str
    value: str
    origin: str
    version: int
    early: bool = False  # must be there before the first process joins
    missing_ok: bool = False  # where the kernel has no such file, nothing is lost
    otherwise: Write | None = None  # instead, where the file is missing


def writes(resources: Resources, version: int, unified: frozenset[str] = frozenset()) -> tuple[Write, ...]:
    """All files to write. ``unified``: on a hybrid host (version 1), the controllers that v2 has.

    Raises ConfigError for what cannot be said in this version.
    """
    table: list[Write] = []
    for name, section in SECTIONS:
        table += section(resources, V2 if name in unified else version)
    return (*table, *_unified(resources, version))


def asks_limits(table: tuple[Write, ...]) -> bool:
    """Whether something is to be limited, other than devices."""
    return any(write.controller != "devices" for write in table)


def ignored(resources: Resources) -> tuple[tuple[str, str], ...]:
    """What is asked for and not done, as (JSON path, why): what the kernel has given up. To be warned of."""
    memory = resources.memory
    if memory is None:
        return ()
    apart = "ignored: the kernel no longer limits it apart from the rest"
    always = "ignored: every memory cgroup is hierarchical since Linux 5.11"
    asked = (
        ("kernel", memory.kernel, apart),
        ("kernelTCP", memory.kernel_tcp, apart),
        ("useHierarchy", memory.use_hierarchy is False, always),
    )
    return tuple((f"{ORIGIN}.memory.{name}", why) for name, value, why in asked if value)


def cpu_weight(shares: int) -> int:
    """cpu.weight (1 to 10000, default 100) for cpu.shares (2 to 262144, default 1024); both ends and defaults meet.

    The curve of runc since 1.3.2 and crun since 1.23; before, 1024 shares came to a weight of 39.
    """
    import math  # noqa: PLC0415 - a shared object of its own, needed by few

    if shares <= SHARES_MIN:
        return 1
    if shares >= SHARES_MAX:
        return WEIGHT_MAX
    bits = math.log2(shares)
    return math.ceil(10 ** ((bits * bits + 125 * bits) / 612 - 7 / 34))


def io_weight(weight: int) -> int:
    """io.weight (1 to 10000) for blkio.weight (10 to 1000), linear."""
    return 1 + (max(weight, 10) - 10) * 9999 // 990


def swap_only(limit: int, swap: int) -> int:
    """memory.swap.max in bytes, -1 for unlimited, from memory + swap and memory, as the spec counts. ConfigError."""
    origin = f"{ORIGIN}.memory.swap"
    if swap < 0 or limit < 0:
        return swap
    if limit == 0:
        why = "unable to set swap limit without memory limit"
        raise ConfigError(origin, why, hint="set linux.resources.memory.limit")
    if swap < limit:
        raise ConfigError(origin, f"{swap} is less than the memory limit of {limit}", hint="it counts memory and swap")
    return swap - limit


def _refuse(prefix: str, asked: tuple[tuple[str, object], ...]) -> None:
    """ConfigError for the first that is set to something: cgroup v2 knows it not."""
    for name, value in asked:
        if value:
            raise ConfigError(f"{ORIGIN}.{prefix}.{name}", "cgroup v2 has nothing like it", hint="leave it out")


def _limit(value: int) -> str:
    return "max" if value < 0 else str(value)


# ---- sections: one a controller of v1, with its v2 form


def _cpuset(resources: Resources, version: int) -> list[Write]:
    cpu = resources.cpu
    asked = (("cpus", cpu.cpus), ("mems", cpu.mems)) if cpu is not None else ()
    # On v1 a cgroup without cpus or mems takes no process.
    return [
        Write("cpuset", f"cpuset.{name}", value, f"{ORIGIN}.cpu.{name}", version, early=version == V1)
        for name, value in asked
        if value
    ]


def _memory(resources: Resources, version: int) -> list[Write]:
    memory = resources.memory
    if memory is None:
        return []
    swappiness = memory.swappiness
    if swappiness in {UNSET, (1 << 64) - 1}:
        swappiness = None
    if swappiness is not None and not 0 <= swappiness <= SWAPPINESS_MAX:
        why = f"invalid memory swappiness value: {swappiness} (valid range is 0-100)"
        raise ConfigError(f"{ORIGIN}.memory.swappiness", why)
    return _memory_v1(memory, swappiness) if version == V1 else _memory_v2(memory, swappiness)


def _memory_v1(memory: Memory, swappiness: int | None) -> list[Write]:
    def write(file: str, value: int, name: str, *, missing_ok: bool = False) -> Write:
        return Write("memory", f"memory.{file}", str(value), f"{ORIGIN}.memory.{name}", V1, missing_ok=missing_ok)

    table: list[Write] = []
    if memory.limit:
        table.append(write("limit_in_bytes", memory.limit, "limit"))
    if memory.swap:
        table.append(write("memsw.limit_in_bytes", memory.swap, "swap"))
    elif memory.limit == -1:  # unlimited memory with an old limit on memory + swap would stay limited
        table.append(write("memsw.limit_in_bytes", -1, "limit", missing_ok=True))
    if memory.reservation:
        table.append(write("soft_limit_in_bytes", memory.reservation, "reservation"))
    if memory.disable_oom_killer:
        table.append(write("oom_control", 1, "disableOOMKiller"))
    if swappiness is not None:
        table.append(write("swappiness", swappiness, "swappiness"))
    return table


def _memory_v2(memory: Memory, swappiness: int | None) -> list[Write]:
    _refuse("memory", (("disableOOMKiller", memory.disable_oom_killer), ("swappiness", swappiness is not None)))

    def write(file: str, value: int, name: str, *, missing_ok: bool = False) -> Write:
        origin = f"{ORIGIN}.memory.{name}"
        return Write("memory", f"memory.{file}", _limit(value), origin, V2, missing_ok=missing_ok)

    table: list[Write] = []
    limit = memory.limit or 0
    if memory.swap:
        swap = swap_only(limit, memory.swap)
        # A kernel without swap accounting has no such file, and no swap that a container could use.
        table.append(write("swap.max", swap, "swap", missing_ok=swap <= 0))
    elif limit == -1:
        table.append(write("swap.max", -1, "limit", missing_ok=True))
    if limit:
        table.append(write("max", limit, "limit"))
    if memory.reservation:
        table.append(write("low", memory.reservation, "reservation"))
    return table


def _cpu(resources: Resources, version: int) -> list[Write]:
    cpu = resources.cpu
    if cpu is None:
        return []
    return _cpu_v1(cpu) if version == V1 else _cpu_v2(cpu)


def _cpu_v1(cpu: Cpu) -> list[Write]:
    def write(file: str, value: int, name: str, *, early: bool = False) -> Write:
        return Write("cpu", f"cpu.{file}", str(value), f"{ORIGIN}.cpu.{name}", V1, early=early)

    table: list[Write] = []
    # A process of a real-time policy cannot join a group without real-time budget.
    if cpu.realtime_period:
        table.append(write("rt_period_us", cpu.realtime_period, "realtimePeriod", early=True))
    if cpu.realtime_runtime:
        table.append(write("rt_runtime_us", cpu.realtime_runtime, "realtimeRuntime", early=True))
    if cpu.idle is not None:
        table.append(write("idle", cpu.idle, "idle"))
    if cpu.shares and not cpu.idle:  # an idle group has no weight to set
        table.append(write("shares", _checked_shares(cpu.shares), "shares"))
    if cpu.period:
        table.append(write("cfs_period_us", cpu.period, "period"))
    if cpu.quota:
        table.append(write("cfs_quota_us", max(cpu.quota, -1), "quota"))
    if cpu.burst is not None:
        table.append(write("cfs_burst_us", cpu.burst, "burst"))
    return table


def _checked_shares(shares: int) -> int:
    """ConfigError where v1 would silently take another number (kernel/sched/core.c, sched_group_set_shares)."""
    if shares < SHARES_MIN:
        raise ConfigError(f"{ORIGIN}.cpu.shares", f"the minimum allowed cpu-shares is {SHARES_MIN}")
    if shares > SHARES_MAX:
        raise ConfigError(f"{ORIGIN}.cpu.shares", f"the maximum allowed cpu-shares is {SHARES_MAX}")
    return shares


def _cpu_v2(cpu: Cpu) -> list[Write]:
    asked = (("realtimePeriod", cpu.realtime_period), ("realtimeRuntime", cpu.realtime_runtime))
    _refuse("cpu", asked)

    def write(file: str, value: str, name: str) -> Write:
        return Write("cpu", f"cpu.{file}", value, f"{ORIGIN}.cpu.{name}", V2)

    table: list[Write] = []
    if cpu.idle is not None:
        table.append(write("idle", str(cpu.idle), "idle"))
    if cpu.shares and not cpu.idle:
        table.append(write("weight", str(cpu_weight(cpu.shares)), "shares"))
    if cpu.quota or cpu.period:
        quota = cpu.quota if cpu.quota is not None and cpu.quota > 0 else -1
        name = "quota" if cpu.quota else "period"
        table.append(write("max", f"{_limit(quota)} {cpu.period or PERIOD}", name))
    if cpu.burst is not None:
        table.append(write("max.burst", str(cpu.burst), "burst"))
    return table


def _pids(resources: Resources, version: int) -> list[Write]:
    limit = resources.pids_limit
    if limit is None:
        return []
    # 0 is a value of its own since runtime-spec 1.3, and no process could be in such a cgroup; runc writes 1 too.
    return [Write("pids", "pids.max", _limit(limit or 1), f"{ORIGIN}.pids.limit", version)]


def _block_io(resources: Resources, version: int) -> list[Write]:
    block = resources.block_io
    if block is None:
        return []
    return _block_io_v1(block) if version == V1 else _block_io_v2(block)


def _throttles(block: BlockIo) -> tuple[tuple[str, str, str, tuple[ThrottleDevice, ...]], ...]:
    """(JSON name, word of v1, word of v2, entries)."""
    return (
        ("throttleReadBpsDevice", "read_bps", "rbps", block.throttle_read_bps_device),
        ("throttleWriteBpsDevice", "write_bps", "wbps", block.throttle_write_bps_device),
        ("throttleReadIOPSDevice", "read_iops", "riops", block.throttle_read_iops_device),
        ("throttleWriteIOPSDevice", "write_iops", "wiops", block.throttle_write_iops_device),
    )


def _block_io_v1(block: BlockIo) -> list[Write]:
    def write(file: str, value: str, name: str, otherwise: Write | None = None) -> Write:
        return Write("blkio", f"blkio.{file}", value, f"{ORIGIN}.blockIO.{name}", V1, otherwise=otherwise)

    table: list[Write] = []
    if block.weight:
        value = str(block.weight)
        table.append(write("bfq.weight", value, "weight", write("weight", value, "weight")))
    if block.leaf_weight:
        table.append(write("leaf_weight", str(block.leaf_weight), "leafWeight"))
    for index, each in enumerate(block.weight_device):
        node, name = f"{each.major}:{each.minor}", f"weightDevice[{index}]"
        if each.weight:
            value = f"{node} {each.weight}"
            table.append(write("bfq.weight_device", value, name, write("weight_device", value, name)))
        if each.leaf_weight:
            table.append(write("leaf_weight_device", f"{node} {each.leaf_weight}", name))
    for name, word, _, entries in _throttles(block):
        for index, entry in enumerate(entries):
            value = f"{entry.major}:{entry.minor} {entry.rate}"
            table.append(write(f"throttle.{word}_device", value, f"{name}[{index}]"))
    return table


def _block_io_v2(block: BlockIo) -> list[Write]:
    leaves = tuple((f"weightDevice[{i}].leafWeight", each.leaf_weight) for i, each in enumerate(block.weight_device))
    _refuse("blockIO", (("leafWeight", block.leaf_weight), *leaves))

    def write(file: str, value: str, name: str, otherwise: Write | None = None) -> Write:
        return Write("io", f"io.{file}", value, f"{ORIGIN}.blockIO.{name}", V2, otherwise=otherwise)

    table: list[Write] = []
    if block.weight:
        plain = write("weight", str(io_weight(block.weight)), "weight")
        table.append(write("bfq.weight", str(block.weight), "weight", plain))
    for index, each in enumerate(block.weight_device):
        if each.weight:
            node, name = f"{each.major}:{each.minor}", f"weightDevice[{index}]"
            plain = write("weight", f"{node} {io_weight(each.weight)}", name)
            table.append(write("bfq.weight", f"{node} {each.weight}", name, plain))
    for name, _, word, entries in _throttles(block):
        for index, entry in enumerate(entries):
            rate = str(entry.rate) if entry.rate else "max"  # 0 is how v1 lifts the limit
            table.append(write("max", f"{entry.major}:{entry.minor} {word}={rate}", f"{name}[{index}]"))
    return table


def _hugetlb(resources: Resources, version: int) -> list[Write]:
    table: list[Write] = []
    ending = "limit_in_bytes" if version == V1 else "max"
    for index, each in enumerate(resources.hugepage_limits):
        origin = f"{ORIGIN}.hugepageLimits[{index}]"
        if not (each.page_size.isascii() and each.page_size.isalnum()):
            raise ConfigError(f"{origin}.pageSize", f'"{each.page_size}" is no size such as 2MB')
        for kind in ("", ".rsvd"):  # reservations are counted since Linux 5.7
            file = f"hugetlb.{each.page_size}{kind}.{ending}"
            table.append(Write("hugetlb", file, str(each.limit), f"{origin}.limit", version, missing_ok=bool(kind)))
    return table


def _network(resources: Resources, version: int) -> list[Write]:
    network = resources.network
    if network is None:
        return []
    if version == V2:
        _refuse("network", (("classID", network.class_id), ("priorities", network.priorities)))
        return []
    origin = f"{ORIGIN}.network"
    table = [
        Write("net_prio", "net_prio.ifpriomap", f"{each.name} {each.priority}", f"{origin}.priorities[{index}]", V1)
        for index, each in enumerate(network.priorities)
    ]
    if network.class_id is not None:
        table.append(Write("net_cls", "net_cls.classid", str(network.class_id), f"{origin}.classID", V1))
    return table


def _rdma(resources: Resources, version: int) -> list[Write]:
    table: list[Write] = []
    for each in resources.rdma:
        asked = (("hca_handle", each.hca_handles), ("hca_object", each.hca_objects))
        limits = [f"{word}={value}" for word, value in asked if value is not None]
        value = " ".join((each.device, *limits))
        table.append(Write("rdma", "rdma.max", value, f"{ORIGIN}.rdma.{each.device}", version))
    return table


def _devices(resources: Resources, version: int) -> list[Write]:
    if version == V2 or not resources.devices:
        return []
    final = device_list(resources.devices)
    file = "devices.deny" if final.allow else "devices.allow"
    table = [Write("devices", file, f"{each.nodes} {each.access}", each.origin, V1) for each in final.exempt]
    # A new cgroup has its parent's list. One that allows more than the parent's does cannot be made.
    return table if final.allow else [Write("devices", "devices.deny", "a", f"{ORIGIN}.devices", V1), *table]


def _unified(resources: Resources, version: int) -> list[Write]:
    if resources.unified and version == V1:
        why = "invalid configuration: cannot use unified on cgroup v1"
        raise ConfigError(f"{ORIGIN}.unified", why, hint="use the properties of linux.resources beside it")
    table: list[Write] = []
    for file, text in resources.unified:
        origin = f'{ORIGIN}.unified["{file}"]'
        controller, dot, _ = file.partition(".")
        if "/" in file:
            raise ConfigError(origin, "must be a file name (no slashes)")
        if not dot or not controller:
            raise ConfigError(origin, "must be in the form CONTROLLER.PARAMETER")
        table += [Write(controller, file, line, origin, V2) for line in text.splitlines() or [""]]
    return table


# In runc's order. cpuset and the real-time budget come first because processes cannot join without.
SECTIONS: tuple[tuple[str, Callable[[Resources, int], list[Write]]], ...] = (
    ("cpuset", _cpuset),
    ("devices", _devices),
    ("memory", _memory),
    ("cpu", _cpu),
    ("pids", _pids),
    ("io", _block_io),
    ("hugetlb", _hugetlb),
    ("network", _network),
    ("rdma", _rdma),
)
