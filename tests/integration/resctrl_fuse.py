"""An imitation of resctrl, as a file system in user space: what the kernel's does with a group, a task and a schema.

    python resctrl_fuse.py MOUNTPOINT

By the kernel's Documentation/filesystems/resctrl.rst and fs/resctrl: making a directory makes a group with its files,
removing one moves its tasks up, a task is in one group of each kind, schemata are checked, masks and bandwidth come out
as the kernel prints them, and info/last_cmd_status says what was wrong. Two caches (0, 1), four classes, four monitors.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import mfusepy

DOMAINS = ("0", "1")
FULL = {"L3": 0x7FF, "MB": 100}
CLASSES, MONITORS = 4, 4  # the default ones are among them
GRANULARITY, LEAST = 10, 10
INFO = {
    "/info/L3/cbm_mask": "7ff\n",
    "/info/L3/num_closids": f"{CLASSES}\n",
    "/info/L3/min_cbm_bits": "1\n",
    "/info/L3_MON/mon_features": "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n",
    "/info/MB/delay_linear": "1\n",
    "/info/MB/num_closids": f"{CLASSES}\n",
    "/info/MB/bandwidth_gran": f"{GRANULARITY}\n",
    "/info/MB/min_bandwidth": f"{LEAST}\n",
}
GROUP_FILES = ("tasks", "schemata")


class Refused(Exception):  # noqa: N818 - it is an answer
    """An errno, and the words for last_cmd_status."""

    def __init__(self, number: int, said: str) -> None:
        super().__init__(said)
        self.number = number
        self.said = said


@dataclass
class Class:
    """A control group: its schemata, and the tasks of its own and of each of its monitoring groups."""

    values: dict[str, dict[str, int]] = field(
        default_factory=lambda: {name: dict.fromkeys(DOMAINS, value) for name, value in FULL.items()}
    )
    tasks: set[int] = field(default_factory=set[int])
    monitors: dict[str, set[int]] = field(default_factory=dict[str, set[int]])

    def schemata(self) -> str:
        """As the kernel prints it, padded."""
        rows = (
            (name, ";".join(_shown(name, key, value) for key, value in row.items()))
            for name, row in self.values.items()
        )
        return "".join(f"{name:>6}:{row}\n" for name, row in rows)

    def write_schemata(self, text: str) -> None:
        """All lines, or none."""
        if not text.endswith("\n"):
            raise Refused(errno.EINVAL, "")
        new = {name: dict(row) for name, row in self.values.items()}
        for line in text.splitlines():
            name, _, rest = line.partition(":")
            name = name.strip()
            if name not in new:
                raise Refused(errno.EINVAL, f"Unknown or unsupported resource name '{name}'")
            for part in rest.split(";"):
                domain, _, value = part.partition("=")
                if domain.strip() not in DOMAINS:
                    raise Refused(errno.EINVAL, f"Unknown domain {domain.strip()}")
                new[name][domain.strip()] = _parsed(name, value.strip())
        self.values = new


def _counts(folder: str, tasks: int) -> dict[str, str]:
    """What a cache counts: the first one by the number of tasks, the second one not at the moment."""
    first = {"llc_occupancy": 4096 * tasks, "mbm_total_bytes": 1000 * tasks, "mbm_local_bytes": 600 * tasks}
    return {
        **{f"{folder}/mon_L3_00/{name}": f"{count}\n" for name, count in first.items()},
        **{f"{folder}/mon_L3_01/{name}": "Unavailable\n" for name in first},
    }


def _shown(name: str, domain: str, value: int) -> str:
    return f"{domain}={value}" if name == "MB" else f"{domain}={value:03x}"


def _parsed(name: str, text: str) -> int:
    try:
        value = int(text, 10 if name == "MB" else 16)
    except ValueError:
        raise Refused(errno.EINVAL, f"Non-hex character in the mask {text}") from None
    if name == "MB":
        if not LEAST <= value <= FULL[name]:
            raise Refused(errno.EINVAL, f"MB value {value} out of range [{LEAST},{FULL[name]}]")
        return -(-value // GRANULARITY) * GRANULARITY
    if not 0 < value <= FULL[name] or bin(value).strip("0b").count("0"):
        raise Refused(errno.EINVAL, f"The mask {value:x} has non-consecutive 1-bits")
    return value


class Tree:
    """The groups. A path is that of a group: ``/``, ``/NAME``, ``/mon_groups/ID``, ``/NAME/mon_groups/ID``."""

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {"": Class()}
        self.status = "ok"

    def files(self) -> dict[str, str]:
        """Every file with its content."""
        found = dict(INFO)
        found["/info/last_cmd_status"] = f"{self.status}\n"
        for name, group in self.classes.items():
            base = f"/{name}".rstrip("/")
            found[f"{base}/schemata"] = group.schemata()
            for place, tasks in (
                (base, group.tasks.union(*group.monitors.values())),
                *((f"{base}/mon_groups/{monitor}", tasks) for monitor, tasks in group.monitors.items()),
            ):
                found[f"{place}/tasks"] = "".join(f"{pid}\n" for pid in sorted(tasks))
                found |= _counts(f"{place}/mon_data", len(tasks))
        return found

    def folders(self) -> set[str]:
        """Every directory."""
        found = {str(parent) for path in self.files() for parent in PurePosixPath(path).parents}
        return found | {f"/{name}".rstrip("/") + "/mon_groups" for name in self.classes}

    def place(self, path: str) -> tuple[Class, str]:
        """The control group of a path below it, and the name of the monitoring group or ""."""
        base, there, monitor = path.rpartition("/mon_groups/")
        group = self.classes.get((base if there else path).strip("/"))
        if group is None:
            raise Refused(errno.ENOENT, "")
        return group, monitor if there else ""

    def make(self, path: str) -> None:
        """mkdir(2)."""
        parent, _, name = path.rpartition("/")
        if parent.endswith("/mon_groups"):
            group, _ = self.place(parent.removesuffix("/mon_groups"))
            if sum(1 + len(each.monitors) for each in self.classes.values()) >= MONITORS:
                raise Refused(errno.ENOSPC, "Out of RMIDs")
            group.monitors[name] = set()
        elif parent == "":
            if len(self.classes) >= CLASSES:
                raise Refused(errno.ENOSPC, "Out of CLOSIDs")
            self.classes[name] = Class()
        else:
            raise Refused(errno.EPERM, "")

    def remove(self, path: str) -> None:
        """rmdir(2): a class goes with its monitoring groups."""
        group, monitor = self.place(path)
        if monitor:
            group.tasks |= group.monitors.pop(monitor)
        elif path.strip("/") in {"", "info", "mon_groups"}:
            raise Refused(errno.EPERM, "")
        else:
            del self.classes[path.strip("/")]
            self.classes[""].tasks |= group.tasks.union(*group.monitors.values())

    def write_tasks(self, path: str, text: str) -> None:
        """Move one task."""
        pid = int(text)
        group, monitor = self.place(path)
        if not os.path.exists(f"/proc/{pid}"):
            raise Refused(errno.ESRCH, f"No task {pid}")
        if monitor and pid not in group.tasks.union(*group.monitors.values()):
            raise Refused(errno.EINVAL, "Can't move task to different control group")
        for each in self.classes.values():
            each.tasks.discard(pid)
            for tasks in each.monitors.values():
                tasks.discard(pid)
        (group.monitors[monitor] if monitor else group.tasks).add(pid)


class FileSystem(mfusepy.Operations):
    """The tree for FUSE. A write is one write, as with kernfs."""

    use_ns = True

    def __init__(self) -> None:
        self.tree = Tree()

    def _ask(self, action: Any, *arguments: str) -> None:
        self.tree.status = "ok"
        try:
            action(*arguments)
        except Refused as refusal:
            self.tree.status = refusal.said or "ok"
            raise mfusepy.FuseOSError(refusal.number) from None

    def getattr(self, path: str, _handle: int | None = None) -> dict[str, int]:
        """stat(2)."""
        files = self.tree.files()
        if path in files:
            return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": len(files[path])}
        if path in self.tree.folders():
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        raise mfusepy.FuseOSError(errno.ENOENT)

    def readdir(self, path: str, _handle: int) -> list[str]:
        """The names in a directory."""
        names = {PurePosixPath(each) for each in (*self.tree.files(), *self.tree.folders())}
        return [".", "..", *sorted(each.name for each in names if str(each.parent) == path and each.name)]

    def read(self, path: str, size: int, offset: int, _handle: int) -> bytes:
        """A file's content."""
        return self.tree.files()[path].encode()[offset : offset + size]

    def write(self, path: str, data: bytes, _offset: int, _handle: int) -> int:
        """To tasks and schemata."""
        folder, _, name = path.rpartition("/")
        if name == "tasks":
            self._ask(self.tree.write_tasks, folder or "/", data.decode())
        elif name == "schemata":
            self._ask(self.tree.place(folder or "/")[0].write_schemata, data.decode())
        else:
            raise mfusepy.FuseOSError(errno.EACCES)
        return len(data)

    def mkdir(self, path: str, _mode: int) -> int:
        """Make a group."""
        self._ask(self.tree.make, path)
        return 0

    def rmdir(self, path: str) -> int:
        """Remove a group."""
        self._ask(self.tree.remove, path)
        return 0

    def create(self, _path: str, _mode: int, _info: Any = None) -> int:
        """Nobody makes a file."""
        raise mfusepy.FuseOSError(errno.EPERM)


if __name__ == "__main__":
    mfusepy.FUSE(
        FileSystem(), sys.argv[1], foreground=True, nothreads=True, direct_io=True, attr_timeout=0, entry_timeout=0
    )
