"""Capability names and numbers, as include/uapi/linux/capability.h has them (CAP_LAST_CAP is 40 since 5.9)."""

from __future__ import annotations

_NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
CAPABILITIES = {name: number for number, name in enumerate(_NAMES)}


def names_of(bits: int) -> tuple[str, ...]:
    """The names of the capabilities in a bit mask; ``CAP_N`` for one that is newer than this table."""
    numbers = (number for number in range(64) if bits >> number & 1)
    return tuple(_NAMES[number] if number < len(_NAMES) else f"CAP_{number}" for number in numbers)


def mask(names: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """The names as the bit mask that capset(2) takes, and those names that are unknown, in order."""
    bits = 0
    unknown: list[str] = []
    for name in names:
        number = CAPABILITIES.get(name)
        if number is None:
            unknown.append(name)
        else:
            bits |= 1 << number
    return bits, tuple(unknown)
