"""What ``update`` needs to know of a cgroup as it stands: the other half of a pair, and the way back.

v2 keeps in one file what config.json has as two properties (quota and period), and swap without the memory
that config.json counts with it. Who changes one of a pair needs the other, and the kernel has it. The way
back is what stood in a file before, in the form in which that file is written.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.cgroup_line import Write
    from slinger.spec.config import Cpu, Memory

MAX = "max"
# Files whose lines begin with the name of what they are about; others do so by device number (8:0).
BY_NAME = frozenset({"net_prio.ifpriomap", "rdma.max", "misc.max", "dmem.max", "dmem.min", "dmem.low"})
# How a line of its own is said not to be there any more.
NOTHING = (
    ("io.max", "rbps=max wbps=max riops=max wiops=max"),
    ("rdma.max", "hca_handle=max hca_object=max"),
    ("misc.max", MAX),
    ("weight", "default"),
    ("throttle", "0"),
)


def filled_cpu(cpu: Cpu, cpu_max: str) -> Cpu:
    """With the quota or the period that ``cpu.max`` has, where only the other is to change."""
    quota, _, period = cpu_max.partition(" ")
    if cpu.period and not cpu.quota:
        return cpu.replace(quota=-1 if quota == MAX else int(quota))
    if cpu.quota and not cpu.period:
        return cpu.replace(period=int(period))
    return cpu


def filled_memory(memory: Memory, memory_max: str, swap_max: str) -> Memory:
    """With the limit or the sum of memory and swap as it is, where only the other is to change. "" is a missing file.

    As on v1 the sum stays where it is when memory alone is changed.
    """
    limited = memory_max not in {MAX, ""}
    if memory.swap and memory.swap > 0 and not memory.limit and limited:
        return memory.replace(limit=int(memory_max))
    if memory.limit and memory.limit > 0 and not memory.swap and limited and swap_max not in {MAX, ""}:
        return memory.replace(swap=int(memory_max) + int(swap_max))
    return memory


def beside(files: frozenset[str]) -> tuple[str, ...]:
    """Files that change with those that are written: a group that is no longer idle gets the default weight."""
    return ("cpu.shares", "cpu.weight") if "cpu.idle" in files else ()


def undoing(line: Write, before: str) -> Write | None:
    """What to write so that the file says again what it said ``before``; None where nothing can be."""
    text = _undoing_text(line.file, line.value, before)
    return None if text is None else line.replace(value=text, otherwise=None, missing_ok=False)


def _undoing_text(file: str, value: str, before: str) -> str | None:
    key = value.partition(" ")[0]
    if file == "memory.oom_control":
        return "1" if "oom_kill_disable 1" in before.splitlines() else "0"
    if ":" in key or file in BY_NAME:
        return _undoing_key(file, key, before.splitlines())
    first, _, more = before.partition("\n")
    if more and not first.startswith("default "):
        return None
    return before.partition("\n")[0] or "\n"  # an empty write is none


def _undoing_key(file: str, key: str, before: list[str]) -> str | None:
    old = next((each for each in before if each.partition(" ")[0] == key), "")
    if old:
        return old
    nothing = next((text for part, text in NOTHING if part in file), "")
    return f"{key} {nothing}" if nothing else None
