"""The systemd driver: a container's cgroup is that of a transient unit, which systemd makes, keeps and removes.

The directories are used as the other driver does it, for processes, freezing, killing, counting; what systemd must know
of is told to it: the unit's making and end, and its limits, which it would undo otherwise (plan/systemd.py). A unit is
ours if its description says so: one that somebody else has made under the same name is left alone.
"""

from __future__ import annotations

import os

from slinger.errors import HostError
from slinger.host.bus import UNIT_EXISTS, BusError, Manager, NoBusError
from slinger.host.cgroup import files, limits, members, setup, updating
from slinger.host.cgroup.ref import ORIGIN, Place, Ref, check_unused, look
from slinger.plan.systemd import device_properties, limit_properties
from slinger.plan.systemd_unit import Property, start_properties, unit_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.plan.cgroup import Write
    from slinger.plan.facts import Hierarchy
    from slinger.plan.systemd_unit import Unit
    from slinger.spec.config import Resources

NAMED = "name=systemd"  # the v1 hierarchy that is systemd's own


def locate_unit(
    cgroups_path: str,
    container_id: str,
    root: str,
    hierarchies: tuple[Hierarchy, ...],
    annotations: tuple[tuple[str, str], ...],
    *,
    rootless: bool,
) -> Ref:
    """Where the container's cgroups are to be, by the unit that cgroupsPath names; nothing is made.

    ``rootless``: the manager of our user is asked instead of the system's. Raises ConfigError for a path that names no
    unit, HostError for a cgroup in use, and where there is no systemd to talk to.
    """
    unit = unit_of(cgroups_path, container_id, root, user=rootless)
    start = start_properties(unit, annotations)
    if rootless and any(each.version == 1 for each in hierarchies):
        message = "--systemd-cgroup: without privilege systemd's cgroups need a machine with cgroup v2 alone"
        raise HostError(message, hint="boot with systemd.unified_cgroup_hierarchy=1, or leave the option out")
    with Manager(user=unit.user) as manager:
        above = manager.cgroup()
    places: list[Place] = []
    for each in hierarchies:
        mount = each.path.rstrip("/")
        path = f"{mount}{above}{unit.cgroup()}"
        # Slices are systemd's to remove; on v1 there are hierarchies that it does not know.
        base = mount if each.version == 1 else path.rpartition("/")[0]
        place = look(Place(mount, each.version, each.controllers, path, base))
        if not place.ours:
            check_unused(place)
        places.append(place)
    return Ref(tuple(places), rootless, unit=unit, start=start)


def start(ref: Ref, unit: Unit, pid: int, resources: Resources | None) -> Ref:
    """Have the unit started with this process, and put it into the hierarchies that systemd knows not. HostError."""
    properties = ref.start if unit.is_slice else (*ref.start, Property("PIDs", "au", (pid,)))
    try:
        with Manager(user=unit.user) as manager:
            manager.start(unit.name, properties)
    except BusError as error:
        if not os.path.exists(f"/proc/{pid}"):
            raise HostError(str(error)) from ProcessLookupError()
        if error.name == UNIT_EXISTS and unit.is_slice:
            pass  # for others too
        else:
            raise HostError(f"{ORIGIN}: {error.message}", hint=error.hint) from error
    started = ref.replace(start=())
    if not unit.is_slice:
        _check_place(started, pid)
    setup.make_beside(started, resources)
    others = tuple(each for each in started.places if each.version == 1 or unit.is_slice)
    setup.join(started.replace(places=others), pid)
    return started


def _check_place(ref: Ref, pid: int) -> None:
    """HostError if the process is not where it was to be, which all that follows rests on."""
    shown = files.read(f"/proc/{pid}/cgroup").splitlines()
    for place in ref.places:
        start = "0::" if place.version != 1 else f":{NAMED}:"
        own = place.path.removeprefix(place.mount)
        for line in shown if place.version != 1 or place.controllers == (NAMED,) else ():
            at = line.find(start)
            if at >= 0 and line[at + len(start) :] != own:
                message = f"{ORIGIN}: systemd has put process {pid} into {line[at + len(start) :]}, not into {own}"
                raise HostError(message, hint="a drop-in of the unit may say otherwise: systemctl cat shows them")


def join(ref: Ref, unit: Unit, pid: int, *, beside: int) -> Ref:
    """One more process, by systemd where we may not move it ourselves: from a session of the user's. HostError."""
    try:
        return setup.join(ref, pid, beside=beside)
    except HostError as error:
        unified = ref.unified()
        cause = error.__cause__
        denied = isinstance(cause, OSError) and cause.errno in setup.DENIED
        if unit.is_slice or unified is None or ref.version == 1 or not denied:
            raise
        inner = unified.path.partition(unit.cgroup())[2]
        with Manager(user=unit.user) as manager:
            manager.attach(unit.name, inner, pid)
        return ref


def tell_limits(ref: Ref, unit: Unit, resources: Resources, *, devices: bool) -> None:
    """Set the properties for these limits. ConfigError for what cannot be converted, HostError."""
    lines = limits.table(ref, resources)
    with Manager(user=unit.user) as manager:
        also = device_properties(resources.devices) if devices and not ref.rootless and not unit.is_slice else ()
        _tell(manager, ref, unit, lines, also)
    updating.enable(ref, lines)


def update(ref: Ref, unit: Unit, resources: Resources, name: Callable[[str], str]) -> None:
    """Other limits, for systemd too; after a failure both have the old ones."""
    with Manager(user=unit.user) as manager:
        updating.update(ref, resources, name, lambda lines: _tell(manager, ref, unit, lines))


def _tell(manager: Manager, ref: Ref, unit: Unit, lines: tuple[Write, ...], also: tuple[Property, ...] = ()) -> None:
    main = ref.unified() if ref.version != 1 else None
    bfq = main is not None and files.exists(f"{main.path}/io.bfq.weight")
    properties = limit_properties(lines, manager.version(), bfq=bfq)
    try:
        manager.set(unit.name, (*properties, *also))
    except BusError as error:
        raise HostError(f"linux.resources: {error.message}", hint=error.hint) from error


def stop(ref: Ref, unit: Unit, *, kill: bool) -> bool:
    """Have the unit stopped and forgotten. False if it is somebody else's, and so are its cgroups. HostError.

    Where there is no systemd any more there is no unit either, and what is left is directories.
    """
    try:
        with Manager(user=unit.user) as manager:
            if manager.description(unit.name) not in {None, unit.description}:
                # A slice that was there before us is not ours, but what we have put there is.
                return unit.is_slice
            if kill:
                members.kill(ref, members.SIGKILL)  # systemd would wait for who does not mind SIGTERM
            if not unit.is_slice or all(place.ours for place in ref.places):
                manager.stop(unit.name)
    except NoBusError:
        pass
    return True
