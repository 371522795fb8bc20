"""What a container uses, as records, and as the JSON that runc's callers read (runc's types/events.go).

v1's names and units are the common language, also for numbers that come from v2: nanoseconds, bytes,
memory and swap added up. runc leaves out what is 0 or empty, except where a reader would miss it.
"""

from __future__ import annotations

from slinger.record import Record
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Members: TypeAlias = dict[str, object]


class Stall(Record):
    """The share of time, in percent, over the last 10, 60 and 300 s, and the microseconds since the start."""

    avg10: float = 0.0
    avg60: float = 0.0
    avg300: float = 0.0
    total: int = 0


class Pressure(Record):
    """Pressure stall information (accounting/psi.rst): some or all of the processes wait for the resource."""

    some: Stall = Stall()
    full: Stall = Stall()


class CpuStats(Record):
    """Processor time in nanoseconds; ``percpu*`` on v1 alone. ``periods`` are those of the quota."""

    total: int = 0
    user: int = 0
    kernel: int = 0
    percpu: tuple[int, ...] = ()
    percpu_user: tuple[int, ...] = ()
    percpu_kernel: tuple[int, ...] = ()
    periods: int = 0
    throttled_periods: int = 0
    throttled_time: int = 0
    pressure: Pressure | None = None


class CpusetStats(Record):
    """The cpus and memory nodes of the container's cpuset, and its flags by their names in runc's JSON (v1)."""

    cpus: tuple[int, ...] = ()
    mems: tuple[int, ...] = ()
    flags: tuple[tuple[str, int], ...] = ()


class MemoryUse(Record):
    """Bytes in use, the most there ever were, how often the limit was hit, the limit (2^64 - 1: none on v2)."""

    limit: int = 0
    usage: int = 0
    max: int = 0
    failcnt: int = 0


class MemoryStats(Record):
    """Bytes. ``swap`` counts memory and swap; ``raw`` is memory.stat."""

    cache: int = 0
    usage: MemoryUse = MemoryUse()
    swap: MemoryUse = MemoryUse()
    kernel: MemoryUse = MemoryUse()
    kernel_tcp: MemoryUse = MemoryUse()
    raw: tuple[tuple[str, int], ...] = ()
    pressure: Pressure | None = None


class PidsStats(Record):
    """Processes and threads; limit 0 is none."""

    current: int = 0
    limit: int = 0


class BlockEntry(Record):
    """A number of a device, for one operation or for all ("")."""

    major: int
    minor: int
    op: str
    value: int


class BlockStats(Record):
    """What went to and from disks: bytes and requests; the others only with bfq's statistics on v1."""

    service_bytes: tuple[BlockEntry, ...] = ()
    serviced: tuple[BlockEntry, ...] = ()
    queued: tuple[BlockEntry, ...] = ()
    service_time: tuple[BlockEntry, ...] = ()
    wait_time: tuple[BlockEntry, ...] = ()
    merged: tuple[BlockEntry, ...] = ()
    time: tuple[BlockEntry, ...] = ()
    sectors: tuple[BlockEntry, ...] = ()
    pressure: Pressure | None = None


class HugetlbStats(Record):
    """Huge pages of one size, in bytes."""

    usage: int = 0
    max: int = 0
    failcnt: int = 0


class CacheInfo(Record):
    """What the L3 cache can be divided into (resctrl.rst, "Info directory"): mask, bits at least, classes."""

    cbm_mask: str
    min_cbm_bits: int
    num_closids: int


class MemoryBandwidthInfo(Record):
    """In what steps memory bandwidth can be limited, in percent, and how little there can be."""

    bandwidth_gran: int
    delay_linear: int
    min_bandwidth: int
    num_closids: int


class Bandwidth(Record):
    """Bytes to and from memory, of one domain of the cache: all, and those of its own node."""

    total: int
    local: int


class RdtStats(Record):
    """What resctrl says. Schemas come as (root's, container's); counters by domain, None where there are none."""

    cache: CacheInfo | None = None
    cache_schemas: tuple[str, str] = ("", "")
    bandwidth: MemoryBandwidthInfo | None = None
    bandwidth_schemas: tuple[str, str] = ("", "")
    schemata: tuple[str, ...] = ()
    bytes_moved: tuple[Bandwidth, ...] | None = None
    occupancy: tuple[int, ...] | None = None


class Stats(Record):
    """All that a container's cgroups count. ``hugetlb`` by size, such as "2MB"; ``rdt`` with linux.intelRdt."""

    cpu: CpuStats = CpuStats()
    cpuset: CpusetStats = CpusetStats()
    memory: MemoryStats = MemoryStats()
    pids: PidsStats = PidsStats()
    block: BlockStats = BlockStats()
    hugetlb: tuple[tuple[str, HugetlbStats], ...] = ()
    rdt: RdtStats | None = None


class Event(Record):
    """Something that happened to a container: "stats" with data, or "oom" for a process that lack of memory killed."""

    type: str
    container_id: str
    data: Stats | None = None


FLAGS = (
    "cpu_exclusive",
    "mem_hardwall",
    "mem_exclusive",
    "memory_migrate",
    "memory_spread_page",
    "memory_spread_slab",
    "memory_pressure",
    "sched_load_balance",
    "sched_relax_domain_level",
)


def event_text(event: Event) -> str:
    """One line of ``slinger events``, without its end."""
    members: Members = {"type": event.type, "id": event.container_id}
    if event.data is not None:
        members["data"] = stats_members(event.data)
    return dump(members)


def stats_members(stats: Stats) -> Members:
    """The statistics as runc shows them; network_interfaces is there for readers of fixed structures."""
    return {
        "cpu": _cpu(stats.cpu),
        "cpuset": _cpuset(stats.cpuset),
        "memory": _memory(stats.memory),
        "pids": _filled(current=stats.pids.current, limit=stats.pids.limit),
        "blkio": _block(stats.block),
        "hugetlb": {
            size: _filled(usage=each.usage, max=each.max) | {"failcnt": each.failcnt} for size, each in stats.hugetlb
        },
        "intel_rdt": _rdt(stats.rdt),
        "network_interfaces": None,
    }


def _filled(**members: object) -> Members:
    """Without what is 0, empty or None."""
    return {name: value for name, value in members.items() if value}


def _cpu(cpu: CpuStats) -> Members:
    usage = _filled(
        total=cpu.total, percpu=cpu.percpu, percpu_kernel=cpu.percpu_kernel, percpu_user=cpu.percpu_user
    ) | {"kernel": cpu.kernel, "user": cpu.user}
    throttling = _filled(periods=cpu.periods, throttledPeriods=cpu.throttled_periods, throttledTime=cpu.throttled_time)
    idle = not any((cpu.total, cpu.user, cpu.kernel, cpu.percpu))
    return _filled(usage={} if idle else usage, throttling=throttling) | _pressure(cpu.pressure)


def _cpuset(cpuset: CpusetStats) -> Members:
    flags = dict(cpuset.flags)
    members: Members = {"cpus": cpuset.cpus} if cpuset.cpus else {}
    for name in FLAGS:
        members[name] = flags.get(name, 0)
        if name == "cpu_exclusive" and cpuset.mems:
            members["mems"] = cpuset.mems
    return members


def _memory(memory: MemoryStats) -> Members:
    members = _filled(
        cache=memory.cache,
        usage=_memory_use(memory.usage),
        swap=_memory_use(memory.swap),
        kernel=_memory_use(memory.kernel),
        kernelTCP=_memory_use(memory.kernel_tcp),
        raw=dict(sorted(memory.raw)),
    )
    return members | _pressure(memory.pressure)


def _memory_use(use: MemoryUse) -> Members:
    if use == MemoryUse():
        return {}
    return {"limit": use.limit, **_filled(usage=use.usage, max=use.max), "failcnt": use.failcnt}


def _block(block: BlockStats) -> Members:
    members = _filled(
        ioServiceBytesRecursive=_entries(block.service_bytes),
        ioServicedRecursive=_entries(block.serviced),
        ioQueueRecursive=_entries(block.queued),
        ioServiceTimeRecursive=_entries(block.service_time),
        ioWaitTimeRecursive=_entries(block.wait_time),
        ioMergedRecursive=_entries(block.merged),
        ioTimeRecursive=_entries(block.time),
        sectorsRecursive=_entries(block.sectors),
    )
    return members | _pressure(block.pressure)


def _entries(entries: tuple[BlockEntry, ...]) -> list[Members]:
    return [_filled(major=each.major, minor=each.minor, op=each.op, value=each.value) for each in entries]


def _rdt(rdt: RdtStats | None) -> Members:
    if rdt is None:
        return {}
    cache, bandwidth = rdt.cache, rdt.bandwidth
    members = _filled(
        l3_cache_info=None if cache is None else _filled(**cache.__dict__),
        l3_cache_schema_root=rdt.cache_schemas[0],
        l3_cache_schema=rdt.cache_schemas[1],
        mem_bw_info=None if bandwidth is None else _filled(**bandwidth.__dict__),
        mem_bw_schema_root=rdt.bandwidth_schemas[0],
        mem_bw_schema=rdt.bandwidth_schemas[1],
        schemata=rdt.schemata,
    )
    if rdt.bytes_moved is not None:
        members["mbm_stats"] = [
            {"mbm_total_bytes": each.total, "mbm_local_bytes": each.local} for each in rdt.bytes_moved
        ]
    if rdt.occupancy is not None:
        members["cmt_stats"] = [{"llc_occupancy": each} for each in rdt.occupancy]
    return members


def _pressure(pressure: Pressure | None) -> Members:
    """The member psi, empty where nobody has waited yet; none where the kernel does not tell."""
    if pressure is None:
        return {}
    lines = (("some", pressure.some), ("full", pressure.full))
    return {"psi": {name: dict(line.__dict__) for name, line in lines if line != Stall()}}
