"""The container's groups in resctrl: its class of service, and its monitoring group.

config-linux.md, "IntelRdt"; the kernel's Documentation/filesystems/resctrl.rst.

    locate(rdt, id)       -> Groups   looks and compares, changes nothing; to be stored before anything is made
    groups.make(rdt)      -> Groups   directories and schemata; takes back what it made if it fails
    groups.join(pid)                  the process, and what it will fork
    groups.change(schemas)            other schemata; gives what takes that back
    groups.remove()                   what is the container's own: any number of calls do the same as one

A group whose name is in closID belongs to whoever chose the name: it may be made, and is never removed.
"""

from __future__ import annotations

import os

from slinger.errors import ConfigError, HostError
from slinger.host.cgroup import files
from slinger.host.probe import plain
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import IntelRdt

ORIGIN = "linux.intelRdt"
CLOS = f"{ORIGIN}.closID"
MONITORING = f"{ORIGIN}.enableMonitoring"
MOUNTINFO = "/proc/self/mountinfo"
USUAL = "/sys/fs/resctrl"
BANDWIDTH = "MB"


class Groups(Record):
    """Directories, absolute. ``path`` "": the container has nothing to do with resctrl."""

    tree: str = ""  # where resctrl is mounted
    path: str = ""  # the group of its class of service
    own: bool = False  # made by us for this container alone, so removed with it
    monitor: str = ""  # its monitoring group, which always is

    def row(self) -> tuple[str, str, bool, str]:
        """The fields, as the container's record has them."""
        return (self.tree, self.path, self.own, self.monitor)

    def make(self, rdt: IntelRdt) -> Groups:
        """Make the groups and write the schemata; a group that appeared meanwhile is not ours. HostError."""
        made: list[str] = []
        try:
            if self._mkdir(self.path, CLOS, may_exist=True):
                made.append(self.path)
            for origin, text in _schemata(rdt):
                self._write("schemata", self.path, text, origin)
            if self.monitor:
                self._mkdir(self.monitor, MONITORING)
                made.append(self.monitor)
        except HostError:
            for path in reversed(made):
                _rmdir(path)
            raise
        return self.replace(own=self.own and self.path in made)

    def join(self, pid: int, *, if_there: bool = False) -> None:
        """Put a process of one thread into the groups; ``if_there``: into those that nobody has removed.

        HostError, whose cause is a ProcessLookupError if the process has ended.
        """
        # A process can be in a monitoring group of its own class alone, so in this order.
        for path in (self.path, self.monitor):
            if path and not (if_there and not files.exists(path)):
                self._write("tasks", path, str(pid), ORIGIN)

    def change(self, schemas: tuple[tuple[str, str], ...]) -> Callable[[], None]:
        """Write schemata, each with what the caller calls it; the answer writes back what was there.

        HostError, and then it has been written back.
        """
        try:
            before = files.read(f"{self.path}/schemata")
        except OSError as error:
            raise HostError.of(ORIGIN, error) from error

        def take_back() -> None:
            self._write("schemata", self.path, before, ORIGIN)

        for origin, text in schemas:
            try:
                self._write("schemata", self.path, text, origin)
            except HostError:
                take_back()
                raise
        return take_back

    def remove(self) -> None:
        """Remove what is the container's own; whoever is still in there falls to the group above. HostError."""
        for path in (self.monitor, self.path if self.own else ""):
            if path:
                _rmdir(path)

    def _mkdir(self, path: str, origin: str, *, may_exist: bool = False) -> bool:
        """Make a group; False if it is there. HostError when there are no more of them, say."""
        try:
            os.mkdir(path, 0o755)
        except OSError as error:
            if may_exist and isinstance(error, FileExistsError):
                return False
            raise self._refused(f"{origin}: making {path}", error) from error
        return True

    def _write(self, name: str, folder: str, text: str, origin: str) -> None:
        path = f"{folder}/{name}"
        try:
            files.write(path, f"{text}\n")
        except OSError as error:
            shown = text.replace("\n", "; ")
            raise self._refused(f'{origin}: writing "{shown}" to {path}', error) from error

    def _refused(self, what: str, error: OSError) -> HostError:
        """With what the kernel says of it beside the errno (info/last_cmd_status)."""
        try:
            status = files.read(f"{self.tree}/info/last_cmd_status")
        except OSError:
            status = ""
        return files.refused(what, error, "" if status == "ok" else status.replace("\n", "; "))


def find_tree(mountinfo: str) -> str:
    """Where resctrl is mounted, by a text as that of proc_pid_mountinfo(5); "" where it is not.

    A mount that shows only one group is none: the usual place is taken before others.
    """
    found: list[str] = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if after.startswith("resctrl ") and len(fields) > 4 and fields[3] == "/":  # noqa: PLR2004 - root, mount point
            found.append(plain(fields[4]))
    return USUAL if USUAL in found else next(iter(found), "")


def locate(rdt: IntelRdt, container_id: str, mountinfo: str = "") -> Groups:
    """The groups of a container. ``mountinfo`` is the file to read, "" the kernel's.

    ConfigError without a resctrl file system, for a group that must be there and is not, or that must be as the
    configuration says and is not.
    """
    tree = find_tree(files.read(mountinfo or MOUNTINFO))
    if not tree:
        hint = "mount -t resctrl resctrl /sys/fs/resctrl, on a machine that has it"
        raise ConfigError(ORIGIN, "no resctrl file system is mounted", hint=hint)
    name = container_id if rdt.clos_id is None else rdt.clos_id
    path = tree if name == "/" else f"{tree}/{name}"
    monitor = f"{path}/mon_groups/{container_id}" if rdt.enable_monitoring else ""
    there = files.exists(path)
    if rdt.clos_id is not None and there:
        _compare(rdt, tree, path)
    elif rdt.clos_id is not None and not _schemata(rdt):
        hint = "without a schema the group must be there already: mkdir"
        raise ConfigError(CLOS, f"there is no group {path}", hint=hint)
    if monitor and files.exists(monitor):
        message = f"there is a monitoring group {monitor} already"
        raise ConfigError(MONITORING, message, hint="rmdir, if it was left behind")
    return Groups(tree, path, rdt.clos_id is None and not there, monitor)


def _schemata(rdt: IntelRdt) -> list[tuple[str, str]]:
    """What is written, in this order, with the property that asks for it."""
    parts = (
        (f"{ORIGIN}.l3CacheSchema", rdt.l3_cache_schema),
        (f"{ORIGIN}.memBwSchema", rdt.mem_bw_schema),
        (f"{ORIGIN}.schemata", "\n".join(rdt.schemata)),
    )
    return [(origin, text) for origin, text in parts if text]


def _compare(rdt: IntelRdt, tree: str, path: str) -> None:
    """A group that others may be in must have the values that are asked for (config-linux.md, "IntelRdt")."""
    asked = [row for row in _schemata(rdt) if not row[0].endswith(".schemata")]
    if not asked:
        return
    # What is written is rounded up to steps, except where the unit is MBps (mount option mba_MBps).
    step = _number(f"{tree}/info/{BANDWIDTH}/bandwidth_gran")
    try:
        text = files.read(f"{path}/schemata")
    except OSError as error:
        raise HostError.of(CLOS, error) from error
    there = _values(text)
    for origin, schema in asked:
        for (resource, domain), value in _values(schema).items():
            rounded = -(-value // step) * step if resource == BANDWIDTH and isinstance(value, int) else value
            if there.get((resource, domain)) not in {value, rounded}:
                line = next((row.strip() for row in text.splitlines() if row.strip().startswith(f"{resource}:")), "")
                has = f'has "{line}"' if line else f"has no {resource}"
                raise ConfigError(origin, f'"{schema}" is asked for, but the group {path} {has}')


def _values(text: str) -> dict[tuple[str, str], int | str]:
    """(resource, domain) -> value of lines such as ``L3:0=7f0;1=1f``: a number as the kernel has, or what is none."""
    values: dict[tuple[str, str], int | str] = {}
    for line in text.splitlines():
        resource, _, rest = line.partition(":")
        resource = resource.strip()
        for part in rest.split(";"):
            domain, _, value = (each.strip() for each in part.partition("="))
            try:
                number: int | str = int(value, 10 if resource == BANDWIDTH else 16)
            except ValueError:
                number = value
            values[resource, domain.lstrip("0") or "0"] = number
    return values


def _number(path: str) -> int:
    """A number that is at least 1; 1 where the file is missing."""
    try:
        return max(int(files.read(path)), 1)
    except (OSError, ValueError):
        return 1


def _rmdir(path: str) -> None:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostError.of(ORIGIN, error) from error
