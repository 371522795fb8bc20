"""The container's cgroups: find them, make them, put processes in, limit, freeze, kill, remove.

    locate(path, id, hierarchies, rootless=)  -> Ref   looks, changes nothing; to be stored before anything is made
    locate_unit(...)                          -> Ref   the same, of a unit of systemd
    make(ref, resources)                      -> Ref   directories, and what must be there before a process joins
    join(ref, pid)                            -> Ref   all threads of the process, in every hierarchy
    give(ref, uid)                                     to a user of the host, for cgroups of the container's own
    apply(ref, resources, devices=True)                the limits
    update(ref, resources, name)                       other limits; after a failure the old ones
    pids(ref), frozen(ref), freeze(ref), thaw(ref), kill(ref, signal)
    frozen_from(place, path)                           which cgroup from there upwards is frozen
    remove(ref, kill=False)                            what we made, and what the container made below it

A Ref is plain data and says all that the other functions need to know, so that any later process can go
on from the stored one. make and join hand back the Ref without the hierarchies that a caller without
privilege could do without; an empty one makes everything else a no-op.

There are two drivers, which part in make, join, apply, update and remove (driver.py): cgroupfs, which does all
of it by files, and systemd (systemd.py), for a Ref with a unit, which has its manager make and remove the cgroup and
know of the limits. v1 and v2 differ by hierarchy, not by driver: every hierarchy of a Ref
has its version. The names are loaded when they are used, since most verbs need one file of this directory.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.driver import apply as apply
    from slinger.host.cgroup.driver import join as join
    from slinger.host.cgroup.driver import make as make
    from slinger.host.cgroup.driver import remove as remove
    from slinger.host.cgroup.driver import update as update
    from slinger.host.cgroup.members import freeze as freeze
    from slinger.host.cgroup.members import frozen as frozen
    from slinger.host.cgroup.members import frozen_from as frozen_from
    from slinger.host.cgroup.members import kill as kill
    from slinger.host.cgroup.members import pids as pids
    from slinger.host.cgroup.members import thaw as thaw
    from slinger.host.cgroup.ownership import give as give
    from slinger.host.cgroup.ref import Place as Place
    from slinger.host.cgroup.ref import Ref as Ref
    from slinger.host.cgroup.ref import locate as locate
    from slinger.host.cgroup.systemd import locate_unit as locate_unit

HOMES = {
    "Place": "ref",
    "Ref": "ref",
    "locate": "ref",
    "locate_unit": "systemd",
    "make": "driver",
    "join": "driver",
    "give": "ownership",
    "apply": "driver",
    "update": "driver",
    "pids": "members",
    "frozen": "members",
    "frozen_from": "members",
    "freeze": "members",
    "thaw": "members",
    "kill": "members",
    "remove": "driver",
}


def __getattr__(name: str) -> object:
    """The public names, each loaded with its file on first use."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(__import__(f"{__name__}.{HOMES[name]}", fromlist=(name,)), name)
    globals()[name] = value
    return value
