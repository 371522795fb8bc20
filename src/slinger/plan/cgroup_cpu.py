"""linux.resources.cpu as files and values: shares, quota and real-time budget of v1, weight and max of v2; cpusets."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan.cgroup_line import ORIGIN, V1, V2, Write, limit_word, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Cpu, Resources

SHARES_MIN, SHARES_MAX = 2, 1 << 18
WEIGHT_MAX = 10000
PERIOD = 100000  # microseconds, the kernel's default


def cpuset_writes(resources: Resources, version: int) -> list[Write]:
    """The cpus and memory nodes."""
    cpu = resources.cpu
    asked = (("cpus", cpu.cpus), ("mems", cpu.mems)) if cpu is not None else ()
    # On v1 a cgroup without cpus or mems takes no process.
    return [
        Write("cpuset", f"cpuset.{name}", value, f"{ORIGIN}.cpu.{name}", version, early=version == V1)
        for name, value in asked
        if value
    ]


def cpu_writes(resources: Resources, version: int) -> list[Write]:
    """The processor time. ConfigError."""
    cpu = resources.cpu
    if cpu is None:
        return []
    return _cpu_v1(cpu) if version == V1 else _cpu_v2(cpu)


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
    refuse("cpu", asked)

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
        table.append(write("max", f"{limit_word(quota)} {cpu.period or PERIOD}", name))
    if cpu.burst is not None:
        table.append(write("max.burst", str(cpu.burst), "burst"))
    return table
