"""linux.resources.memory as files and values: memory.*_in_bytes of v1, memory.max and its kin of v2."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan.cgroup_line import ORIGIN, V1, V2, Write, limit_word, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Memory, Resources

UNSET = -1  # docker's word for "no swappiness", which arrives as 2^64 - 1
SWAPPINESS_MAX = 100


def memory_writes(resources: Resources, version: int) -> list[Write]:
    """The memory and swap. ConfigError."""
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
    refuse("memory", (("disableOOMKiller", memory.disable_oom_killer), ("swappiness", swappiness is not None)))

    def write(file: str, value: int, name: str, *, missing_ok: bool = False) -> Write:
        origin = f"{ORIGIN}.memory.{name}"
        return Write("memory", f"memory.{file}", limit_word(value), origin, V2, missing_ok=missing_ok)

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
