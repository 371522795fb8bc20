"""Scheduling, I/O priority and memory policy: the words of config.json and the kernel's numbers.

Sources: include/uapi/linux/sched.h, sched/types.h, ioprio.h and mempolicy.h.
"""

from __future__ import annotations

SCHEDULER_POLICIES = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": 6,
}
SCHEDULER_FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
IO_CLASS_SHIFT = 13

MEMORY_POLICIES = {
    "MPOL_DEFAULT": 0,
    "MPOL_PREFERRED": 1,
    "MPOL_BIND": 2,
    "MPOL_INTERLEAVE": 3,
    "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5,
    "MPOL_WEIGHTED_INTERLEAVE": 6,
}
MEMORY_POLICY_FLAGS = {
    "MPOL_F_NUMA_BALANCING": 1 << 13,
    "MPOL_F_RELATIVE_NODES": 1 << 14,
    "MPOL_F_STATIC_NODES": 1 << 15,
}


def number_mask(numbers: str) -> bytes:
    """A list of nodes or CPUs such as ``0-1,3`` as a bit mask in whole 64-bit words; b"" for none."""
    mask = 0
    for part in numbers.replace(" ", "").split(","):
        if part:
            first, _, last = part.partition("-")
            low, high = int(first), int(last or first)
            mask |= ((1 << (high - low + 1)) - 1) << low
    return mask.to_bytes((mask.bit_length() + 63) // 64 * 8, "little")
