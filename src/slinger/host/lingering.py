"""Why a killed process does not end: who has to do what. Only looked at when one has not ended in good time."""

from __future__ import annotations

import os

from slinger.host.cgroup.members import frozen_from
from slinger.host.cgroup.ref import Place
from slinger.host.probe import probe_hierarchies

STATE, PARENT = 0, 1  # fields of /proc/PID/stat behind the name


def why_lingers(pid: int) -> str:
    """What keeps a killed process, or the one of its pid namespace that its init waits for; "" where nothing shows.

    Init ends when all others in its pid namespace are gone, zombies too (pid_namespaces(7)); and a zombie that was put
    there from outside, as exec does, is for its parent outside to collect.
    """
    for other in (pid, *_namespace_of(pid)):
        fields = _stat(other)
        who = f"process {other} of its pid namespace" if other != pid else "it"
        if not fields:
            continue
        if fields[STATE] == "Z" and other != pid:
            parent = int(fields[PARENT])
            return f"{who} has ended, and waits to be collected by its parent, process {parent}{_name(parent)}"
        frozen = _frozen(other)
        if frozen:
            return f"{who} is frozen, and ends when {frozen} is thawed"
        if fields[STATE] == "D":
            return f"{who} may wait for a disk or a network file system"
    return ""


def _namespace_of(pid: int) -> list[int]:
    """The others in its pid namespace, if it has one of its own; in one below that they hold up their own init."""
    own = _link(pid)
    if not own or own == _link(os.getpid()):
        return []
    numbers = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [number for number in numbers if number != pid and _link(number) == own]


def _link(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _name(pid: int) -> str:
    name = _read(f"/proc/{pid}/comm").strip()
    return f" ({name})" if name else ""


def _frozen(pid: int) -> str:
    """The frozen cgroup of v1 that keeps it: one of v2 lets a killed process end."""
    paths: dict[str, str] = {}
    for line in _read(f"/proc/{pid}/cgroup").splitlines():
        _number, controllers, path = line.split(":", 2)
        paths.update((name, path) for name in controllers.split(","))
    for each in probe_hierarchies():
        if each.version == 1 and "freezer" in each.controllers and paths.get("freezer", "/") != "/":
            mount = each.path.rstrip("/")
            place = Place(mount, 1, each.controllers, mount + paths["freezer"], mount)
            return frozen_from(place, place.path)
    return ""


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, 1 << 16).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
