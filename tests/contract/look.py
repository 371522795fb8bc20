"""What the kernel shows of a process, for tests to compare: status, mounts, namespaces."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One line of mountinfo (proc_pid_mountinfo(5))."""

    point: str
    root: str
    options: frozenset[str]
    propagation: frozenset[str]
    type: str
    source: str
    super_options: frozenset[str]


def _mount(line: str) -> Mount:
    left, _, right = line.partition(" - ")
    fields, rest = left.split(" "), right.split(" ")
    return Mount(
        point=fields[4],
        root=fields[3],
        options=frozenset(fields[5].split(",")),
        propagation=frozenset(tag.partition(":")[0] for tag in fields[6:]),
        type=rest[0],
        source=rest[1],
        super_options=frozenset(rest[2].split(",")),
    )


def mount_table(pid: int) -> list[Mount]:
    """All mounts of a process's namespace below its root, in their order."""
    return [_mount(line) for line in Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()]


def mounts(pid: int) -> dict[str, Mount]:
    """The uppermost mount of each mount point."""
    return {mount.point: mount for mount in mount_table(pid)}


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status, name to value."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def namespace(pid: int | str, name: str) -> str:
    """``uts:[4026531838]``."""
    return os.readlink(f"/proc/{pid}/ns/{name}")


def stat_field(pid: int, number: int) -> int:
    """A number of /proc/PID/stat, counted as in proc_pid_stat(5): 4 is the parent, 6 the session, 7 the terminal."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(text.rpartition(")")[2].split()[number - 3])


def inside(pid: int, path: str) -> Path:
    """A path below the root of a process, seen from outside."""
    return Path(f"/proc/{pid}/root/{path.lstrip('/')}")
