"""What a container's cgroups have counted, from the files of v1 and v2 to one record.

A file that is not there counts nothing: which there are depends on the kernel's configuration. On a hybrid
host the controllers of v1 are asked there, and pressure, which only v2 knows, in the v2 hierarchy.
"""

from __future__ import annotations

import errno

from slinger.errors import HostError
from slinger.host.cgroup import files
from slinger.linux.cgroup_files import UNLIMITED, devices, keyed, nested, number, numbers, ranges
from slinger.spec.stats import (
    FLAGS,
    BlockEntry,
    BlockStats,
    CpusetStats,
    CpuStats,
    HugetlbStats,
    MemoryStats,
    MemoryUse,
    PidsStats,
    Pressure,
    Stall,
    Stats,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Place, Ref

TICK = 10**9 // 100  # nanoseconds of a clock tick: USER_HZ is 100 wherever we run
MICROSECOND = 1000
MISSING = frozenset({errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP})
# Where v1 counts requests and bytes, best first: of bfq, of the old elevator, of the throttling layer.
BLOCK_FAMILIES = ("blkio.bfq.{}_recursive", "blkio.{}_recursive", "blkio.throttle.{}_recursive", "blkio.throttle.{}")


def stats(ref: Ref) -> Stats:
    """All of it. HostError if the container has no cgroup, or a file cannot be read."""
    if not ref.places:
        raise HostError("the container has no cgroup that could count anything", hint="linux.cgroupsPath names one")
    unified = ref.unified()
    return Stats(
        cpu=_cpu(ref, unified),
        cpuset=_cpuset(ref, unified),
        memory=_memory(ref, unified),
        pids=_pids(ref, unified),
        block=_block(ref, unified),
        hugetlb=_hugetlb(ref, unified),
    )


def _v1(ref: Ref, controller: str) -> Place | None:
    return next((place for place in ref.places if controller in place.controllers), None)


def _read(place: Place | None, file: str) -> str:
    """The text, "" if there is no such file."""
    if place is None:
        return ""
    try:
        return files.read(f"{place.path}/{file}")
    except OSError as error:
        if error.errno in MISSING:
            return ""
        raise files.refused(f"reading {place.path}/{file}", error) from error


def _pressure(place: Place | None, resource: str) -> Pressure | None:
    lines = {
        key: Stall(
            avg10=float(pairs.get("avg10", "0")),
            avg60=float(pairs.get("avg60", "0")),
            avg300=float(pairs.get("avg300", "0")),
            total=number(pairs.get("total", "0")),
        )
        for key, pairs in nested(_read(place, f"{resource}.pressure"))
    }
    return Pressure(lines.get("some", Stall()), lines.get("full", Stall())) if lines else None


def _cpu(ref: Ref, unified: Place | None) -> CpuStats:
    pressure = _pressure(unified, "cpu")
    account, limited = _v1(ref, "cpuacct"), _v1(ref, "cpu")
    if account is None and limited is None:
        shown = keyed(_read(unified, "cpu.stat"))
        return CpuStats(
            total=shown.get("usage_usec", 0) * MICROSECOND,
            user=shown.get("user_usec", 0) * MICROSECOND,
            kernel=shown.get("system_usec", 0) * MICROSECOND,
            periods=shown.get("nr_periods", 0),
            throttled_periods=shown.get("nr_throttled", 0),
            throttled_time=shown.get("throttled_usec", 0) * MICROSECOND,
            pressure=pressure,
        )
    modes = keyed(_read(account, "cpuacct.stat"))
    each = [numbers(line) for line in _read(account, "cpuacct.usage_all").splitlines()[1:]]
    throttled = keyed(_read(limited, "cpu.stat"))
    return CpuStats(
        total=number(_read(account, "cpuacct.usage")),
        user=modes.get("user", 0) * TICK,
        kernel=modes.get("system", 0) * TICK,
        percpu=numbers(_read(account, "cpuacct.usage_percpu")),
        percpu_user=tuple(line[1] for line in each if len(line) > 2),  # noqa: PLR2004 - cpu, user, system
        percpu_kernel=tuple(line[2] for line in each if len(line) > 2),  # noqa: PLR2004
        periods=throttled.get("nr_periods", 0),
        throttled_periods=throttled.get("nr_throttled", 0),
        throttled_time=throttled.get("throttled_time", 0),
        pressure=pressure,
    )


def _cpuset(ref: Ref, unified: Place | None) -> CpusetStats:
    place = _v1(ref, "cpuset")
    if place is None:
        cpus, mems = (_read(unified, f"cpuset.{name}.effective") for name in ("cpus", "mems"))
        return CpusetStats(ranges(cpus), ranges(mems))
    flags = tuple((name, _signed(_read(place, f"cpuset.{name}"))) for name in FLAGS)
    return CpusetStats(ranges(_read(place, "cpuset.cpus")), ranges(_read(place, "cpuset.mems")), flags)


def _signed(text: str) -> int:
    """sched_relax_domain_level is -1 where nobody has set it."""
    return -number(text[1:]) if text.startswith("-") else number(text)


def _memory(ref: Ref, unified: Place | None) -> MemoryStats:
    place = _v1(ref, "memory")
    pressure = _pressure(unified, "memory")
    if place is None:
        return _memory_v2(unified, pressure)
    raw = keyed(_read(place, "memory.stat"))
    usage, swap, kernel, tcp = (_use_v1(place, name) for name in ("", "memsw.", "kmem.", "kmem.tcp."))
    return MemoryStats(raw.get("cache", 0), usage, swap, kernel, tcp, tuple(raw.items()), pressure)


def _use_v1(place: Place, name: str) -> MemoryUse:
    words = ("limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes", "failcnt")
    return MemoryUse(*(number(_read(place, f"memory.{name}{word}")) for word in words))


def _memory_v2(place: Place | None, pressure: Pressure | None) -> MemoryStats:
    raw = keyed(_read(place, "memory.stat"))
    usage, swap = (
        MemoryUse(*(number(_read(place, f"memory.{name}{word}")) for word in ("max", "current", "peak")))
        for name in ("", "swap.")
    )
    # As v1 counts: memory and swap together. The two peaks were not at the same time, so there is none.
    limit = swap.limit if swap.limit == UNLIMITED else swap.limit + usage.limit
    both = MemoryUse(min(limit, UNLIMITED), swap.usage + usage.usage)
    return MemoryStats(raw.get("file", 0), usage, both, raw=tuple(raw.items()), pressure=pressure)


def _pids(ref: Ref, unified: Place | None) -> PidsStats:
    place = _v1(ref, "pids") or unified
    limit = number(_read(place, "pids.max"))
    current = _read(place, "pids.current")
    if not current and place is not None:  # without the controller: processes, not threads
        return PidsStats(len(_read(place, "cgroup.procs").split()))
    return PidsStats(number(current), 0 if limit == UNLIMITED else limit)


def _block(ref: Ref, unified: Place | None) -> BlockStats:
    place = _v1(ref, "blkio")
    pressure = _pressure(unified, "io")
    if place is None:
        return _block_v2(nested(_read(unified, "io.stat")), pressure)
    # One family counts, or none has counted anything yet; runc too asks until one has lines.
    for family in BLOCK_FAMILIES:
        if serviced := _entries(place, family.format("io_serviced")):
            more = (
                ("queued", "io_queued"),
                ("service_time", "io_service_time"),
                ("wait_time", "io_wait_time"),
                ("merged", "io_merged"),
                ("time", "time"),
                ("sectors", "sectors"),
            )
            found = {name: _entries(place, family.format(word)) for name, word in more}
            service_bytes = _entries(place, family.format("io_service_bytes"))
            return BlockStats(serviced=serviced, service_bytes=service_bytes, pressure=pressure, **found)
    return BlockStats(pressure=pressure)


def _entries(place: Place, file: str) -> tuple[BlockEntry, ...]:
    return tuple(BlockEntry(*each) for each in devices(_read(place, file)))


def _block_v2(lines: list[tuple[str, dict[str, str]]], pressure: Pressure | None) -> BlockStats:
    def entries(read: str, written: str) -> tuple[BlockEntry, ...]:
        found: list[BlockEntry] = []
        for device, values in lines:
            for name, op in ((read, "Read"), (written, "Write")):
                if name in values:
                    found += [BlockEntry(*each) for each in devices(f"{device} {op} {values[name]}")]
        return tuple(found)

    return BlockStats(entries("rbytes", "wbytes"), entries("rios", "wios"), pressure=pressure)


def _hugetlb(ref: Ref, unified: Place | None) -> tuple[tuple[str, HugetlbStats], ...]:
    place = _v1(ref, "hugetlb") or unified
    if place is None:
        return ()
    ending = "usage_in_bytes" if place.version == 1 else "current"
    found: list[tuple[str, HugetlbStats]] = []
    for size in files.sizes(place.path, f".{ending}"):
        prefix = f"hugetlb.{size}"
        usage = _read(place, f"{prefix}.rsvd.{ending}") or _read(place, f"{prefix}.{ending}")
        if place.version != 1:
            failcnt = keyed(_read(place, f"{prefix}.events")).get("max", 0)
            found.append((size, HugetlbStats(number(usage), failcnt=failcnt)))
            continue
        kind = ".rsvd" if _read(place, f"{prefix}.rsvd.{ending}") else ""
        most, failcnt_text = (_read(place, f"{prefix}{kind}.{word}") for word in ("max_usage_in_bytes", "failcnt"))
        found.append((size, HugetlbStats(number(usage), number(most), number(failcnt_text))))
    return tuple(found)
