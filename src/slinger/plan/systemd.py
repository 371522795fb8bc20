"""Limits as properties of a systemd unit: what is written to cgroup files, said to systemd as well.

systemd writes its own idea of a unit's limits whenever it looks at the unit again (``systemctl daemon-reload``, another
property set). It must know ours, or they would be undone. What stands here follows from the lines of plan/cgroup.py,
so that both say the same, ``unified`` and updates and their undoing included. What systemd has no property for
(burst, huge pages, rdma, limits of single disks) it leaves alone, and the files suffice.

Reference: org.freedesktop.systemd1(5); systemd.resource-control(5).
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.linux.cgroup_files import ranges
from slinger.plan.cgroup_cpu import PERIOD
from slinger.plan.device_rules import device_list
from slinger.plan.systemd_unit import Property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from slinger.plan.cgroup_line import Write
    from slinger.plan.device_rules import Nodes
    from slinger.spec.config import DeviceRule

INFINITY = (1 << 64) - 1
SECOND = 10**6  # microseconds
# systemd.resource-control(5) keeps CPUQuota= in whole percents of one CPU: more than asked for rather than less.
QUOTA_STEP = 10_000
BYTE = 8
# The first version of systemd that has the property; what an older one lacks is in the files alone.
SINCE = {
    "CPUQuotaPeriodUSec": 242,
    "AllowedCPUs": 244,
    "AllowedMemoryNodes": 244,
    "MemoryMin": 240,
    "OOMPolicy": 253,
    "MemoryZSwapMax": 253,
}
IDLE_WEIGHT_SINCE = 252  # CPUWeight=idle
# Files of one number (or "max") and their properties. v1 first.
NUMBERS = {
    "memory.limit_in_bytes": "MemoryLimit",
    "cpu.shares": "CPUShares",
    "blkio.weight": "BlockIOWeight",
    "blkio.bfq.weight": "BlockIOWeight",
    "memory.max": "MemoryMax",
    "memory.high": "MemoryHigh",
    "memory.low": "MemoryLow",
    "memory.min": "MemoryMin",
    "memory.swap.max": "MemorySwapMax",
    "memory.zswap.max": "MemoryZSwapMax",
    "cpu.weight": "CPUWeight",
    "pids.max": "TasksMax",
}
SETS = {"cpuset.cpus": "AllowedCPUs", "cpuset.mems": "AllowedMemoryNodes"}
# systemd refuses what is out of range, and the kernel's refusal is the better text.
LIMITS = {"CPUWeight": (1, 10_000), "IOWeight": (1, 10_000), "CPUShares": (2, 1 << 18), "BlockIOWeight": (10, 1000)}
BFQ_DEFAULT, BFQ_MAX, WEIGHT_DEFAULT, WEIGHT_MAX = 100, 1000, 100, 10_000


def limit_properties(lines: Iterable[Write], version: int, *, bfq: bool) -> tuple[Property, ...]:
    """The properties that say the same as these lines, each once, to a systemd of this version.

    ``bfq``: weights of disks are bfq's. A later line about the same wins, as in the files.
    """
    values: dict[str, str] = {}
    for line in lines:
        values[line.file] = line.value
        if line.otherwise is not None:
            values[line.otherwise.file] = line.otherwise.value
    found: dict[str, Property] = {}
    for each in (*_numbers(values), *_cpu(values, version), *_sets(values), *_io(values, bfq=bfq), *_oom(values)):
        if version >= SINCE.get(each.name, 0):
            found[each.name] = each
    return tuple(found.values())


def _ranged(name: str, value: int | None) -> list[Property]:
    low, high = LIMITS.get(name, (0, INFINITY))
    return [] if value is None or not low <= value <= high else [Property(name, "t", value)]


def _number(text: str) -> int | None:
    """A limit as systemd counts: "max" and -1 are infinity; None for what is no number."""
    text = text.strip()
    if text in {"max", "-1"}:
        return INFINITY
    return int(text) if text.isascii() and text.isdigit() and int(text) <= INFINITY else None


def _numbers(values: dict[str, str]) -> list[Property]:
    return [each for file, name in NUMBERS.items() if file in values for each in _ranged(name, _number(values[file]))]


def _cpu(values: dict[str, str], version: int) -> list[Property]:
    table: list[Property] = []
    if values.get("cpu.idle") == "1" and version >= IDLE_WEIGHT_SINCE:
        table.append(Property("CPUWeight", "t", 0))
    elif values.get("cpu.idle") == "0" and "cpu.weight" not in values:
        table.append(Property("CPUWeight", "t", WEIGHT_DEFAULT))
    if "cpu.max" in values:
        quota, _, period = values["cpu.max"].partition(" ")
        return [*table, *_quota(quota, period)]
    if "cpu.cfs_quota_us" in values or "cpu.cfs_period_us" in values:
        table += _quota(values.get("cpu.cfs_quota_us", "max"), values.get("cpu.cfs_period_us", ""))
    return table


def _quota(quota: str, period: str) -> list[Property]:
    """CPUQuotaPerSecUSec is the time in each second, however long the period."""
    time, length = _number(quota), _number(period) if period else PERIOD
    if time is None or not length:
        return []
    if time != INFINITY:
        time = -(-(time * SECOND // length) // QUOTA_STEP) * QUOTA_STEP
    return [Property("CPUQuotaPerSecUSec", "t", time), Property("CPUQuotaPeriodUSec", "t", length)]


def _sets(values: dict[str, str]) -> list[Property]:
    """A bit for each number, the lowest first."""
    table: list[Property] = []
    for file, name in SETS.items():
        if file not in values:
            continue
        bits = sum(1 << number for number in set(ranges(values[file])))
        table.append(Property(name, "ay", bits.to_bytes((bits.bit_length() + BYTE - 1) // BYTE, "little")))
    return table


def _io(values: dict[str, str], *, bfq: bool) -> list[Property]:
    """IOWeight, from which systemd writes both of io.weight and io.bfq.weight."""
    weight = _number(values.get("io.weight", "").removeprefix("default "))
    if bfq and (own := _number(values.get("io.bfq.weight", "").removeprefix("default "))) is not None:
        weight = _from_bfq(own)
    return _ranged("IOWeight", weight)


def _from_bfq(weight: int) -> int:
    """The IOWeight of which systemd makes this weight of bfq (BFQ_WEIGHT of its cgroup-util.h)."""
    if weight <= BFQ_DEFAULT:
        return WEIGHT_DEFAULT - (BFQ_DEFAULT - weight) * (WEIGHT_DEFAULT - 1) // (BFQ_DEFAULT - 1)
    return WEIGHT_DEFAULT + -(-(weight - BFQ_DEFAULT) * (WEIGHT_MAX - WEIGHT_DEFAULT) // (BFQ_MAX - BFQ_DEFAULT))


def _oom(values: dict[str, str]) -> list[Property]:
    words = {"0": "continue", "1": "kill"}
    word = words.get(values.get("memory.oom.group", ""))
    return [] if word is None else [Property("OOMPolicy", "s", word)]


def device_properties(rules: tuple[DeviceRule, ...]) -> tuple[Property, ...]:
    """DevicePolicy and DeviceAllow, an inner limit beside ours; () where systemd cannot say it.

    It has no word for "all but these", nor for a minor number of every major one.
    """
    if not rules:
        return ()
    try:
        final = device_list(rules)
    except ConfigError:  # exceptions of exceptions: only a program can say them
        return ()
    if final.allow or any(each.nodes.major is None and each.nodes.minor is not None for each in final.exempt):
        return ()
    allowed = tuple((_nodes(each.nodes), each.access) for each in final.exempt)
    return (Property("DevicePolicy", "s", "strict"), Property("DeviceAllow", "a(ss)", allowed))


def _nodes(nodes: Nodes) -> str:
    word = "char" if nodes.type == "c" else "block"
    if nodes.major is None:
        return f"{word}-*"
    # A number is taken for a major one wherever a name of /proc/devices could stand.
    return f"{word}-{nodes.major}" if nodes.minor is None else f"/dev/{word}/{nodes.major}:{nodes.minor}"
