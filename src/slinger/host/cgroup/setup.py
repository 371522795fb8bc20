"""Making the container's cgroups, and putting processes into them.

On v1 a hierarchy costs one mkdir and one write to cgroup.procs, the cpuset two copied files more. The
first write to cgroup.procs after some 50 ms of quiet waits out an RCU grace period in the kernel (some
12 ms, once for all hierarchies): ``join`` early, while others work.
"""

from __future__ import annotations

import errno
import os
import time

from slinger.errors import HostError
from slinger.host.cgroup import files, limits
from slinger.host.cgroup.ref import ORIGIN, check_unused
from slinger.plan.cgroup import THREADED, asks_limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Place, Ref
    from slinger.plan.cgroup import Write
    from slinger.spec.config import Resources

MODE = 0o755
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
PARENT_TRIES = 100
CPUSET = ("cpuset.cpus", "cpuset.mems")
# A process that fork() has not finished yet is EINVAL to cgroup.procs.
NEWBORN_TRIES, NEWBORN_PAUSE = 6, 0.03
ROOTLESS_HINT = "without privilege: leave out linux.resources and linux.cgroupsPath, or have a cgroup delegated to you"


def make(ref: Ref, resources: Resources | None) -> Ref:
    """The directories, with the controllers that limits need and what a process needs there to join.

    Returns the Ref of what there is to join: without the hierarchies that refused, where nobody asked for
    them. Raises ConfigError for resources that cannot be converted, HostError for what the machine refused.
    """
    table = limits.table(ref, resources)
    spare = ref.optional and not asks_limits(table)
    places: list[Place] = []
    for place in ref.places:
        try:
            _make(place, tuple(write for write in table if limits.is_for(write, place)), alone=ref.version != 1)
        except OSError as error:
            if spare and error.errno in DENIED:
                _give_up(place)
                continue
            hint = ROOTLESS_HINT if ref.rootless and error.errno in DENIED else ""
            what = f"{ORIGIN}: making {place.path}"
            if error.filename != place.path:
                what = f"{what}: {error.filename}"
            raise files.refused(what, error, hint) from error
        places.append(place)
    made = ref.replace(places=tuple(places))
    limits.run(made, tuple(write for write in table if write.early))
    return made


def join(ref: Ref, pid: int, *, beside: int = 0) -> Ref:
    """Move a process into the container's cgroup in every hierarchy.

    ``beside``: a process of the container whose cgroup is taken where the container's own no longer takes
    processes, since it passes controllers on to cgroups that the container made (v2). Returns the Ref of
    what was joined, see ``make``. Raises HostError.
    """
    places: list[Place] = []
    for place in ref.places:
        try:
            _enter(place, pid, beside)
        except OSError as error:
            if ref.optional and error.errno in DENIED:
                _give_up(place)
                continue
            raise _not_joined(ref, place, pid, error) from error
        places.append(place)
    return ref.replace(places=tuple(places))


def _make(place: Place, table: tuple[Write, ...], *, alone: bool) -> None:
    if place.version == 1:
        _mkdirs(place, {write.file for write in table if write.early})
        return
    _mkdirs(place, set())
    needed = {write.controller for write in table} - {"cgroup"}
    if needed or alone:
        pass_on(place, needed, alone=alone)
    _check_type(place, needed)


def make_beside(ref: Ref, resources: Resources | None) -> None:
    """The directories of v1 hierarchies in which systemd makes none, and what a process needs there to join."""
    table = limits.table(ref, resources)
    for place in ref.places:
        if place.version != 1:
            continue
        early = {write.file for write in table if write.early and limits.is_for(write, place)}
        try:
            if not files.exists(place.path):
                _mkdirs(place, early)
            elif "cpuset" in place.controllers:
                _inherit(place, place.path, tuple(file for file in CPUSET if file not in early))
        except OSError as error:
            raise files.refused(f"{ORIGIN}: making {place.path}", error) from error
    limits.run(ref, tuple(write for write in table if write.early))


# ---- directories


def _mkdirs(place: Place, asked: set[str]) -> None:
    """All of ``place.made()``, from the top; a cpuset gets what its parent has, other than the files ``asked`` for."""
    for left in range(PARENT_TRIES - 1, -1, -1):
        try:
            return _mkdirs_once(place, asked)
        except FileNotFoundError:  # a parent went with the last container below it
            if not left or not files.exists(place.mount):
                raise
    return None


def _mkdirs_once(place: Place, asked: set[str]) -> None:
    cpuset = "cpuset" in place.controllers
    for path in reversed(place.made()):
        _mkdir(place, path)
        if cpuset and path != place.path:
            _inherit(place, path, CPUSET)
    if cpuset:
        _inherit(place, place.path, tuple(file for file in CPUSET if file not in asked))


def _mkdir(place: Place, path: str) -> None:
    try:
        os.mkdir(path, MODE)
    except FileExistsError:
        if path == place.path:  # somebody else's, since we looked
            check_unused(place)
        return
    except FileNotFoundError:  # an ancestor that was there was removed by who made it
        parent = path.rpartition("/")[0]
        if parent == place.mount:
            raise
        _mkdir(place, parent)
        if "cpuset" in place.controllers:
            _inherit(place, parent, CPUSET)
        raise  # and _mkdirs begins anew: others may be at work on the same parents
    if path != place.path:
        files.mark(path)


def _inherit(place: Place, path: str, names: tuple[str, ...]) -> None:
    """Fill empty cpus and mems from the parent's, and the parent's, if empty too, from its parent's (cpusets.rst)."""
    parent = path.rpartition("/")[0]
    fresh = path in place.made()
    for name in names:
        if not fresh and files.read(f"{path}/{name}"):
            continue
        if not (value := files.read(f"{parent}/{name}")) and parent != place.mount:
            _inherit(place, parent, (name,))
            value = files.read(f"{parent}/{name}")
        files.write(f"{path}/{name}", value)


# ---- v2


def pass_on(place: Place, needed: set[str], *, alone: bool) -> None:
    """Enable controllers in every ancestor: all that there are, or on a hybrid host those that are needed.

    A controller that an ancestor does not pass on is no error here: it is one where a limit needs it.
    """
    wanted = set(files.read(f"{place.mount}/cgroup.controllers").split())
    if not alone:
        wanted &= needed
    parent = place.path.rpartition("/")[0]
    if wanted.issubset(files.read(f"{parent}/cgroup.subtree_control").split()):
        return
    words = [f"+{name}" for name in sorted(wanted)]
    for path in _ancestors(place):
        if _try_write(f"{path}/cgroup.subtree_control", " ".join(words)) in {0, *DENIED}:
            continue
        for word in words:  # all or nothing is how the kernel takes several
            _try_write(f"{path}/cgroup.subtree_control", word)


def _ancestors(place: Place) -> list[str]:
    """From the mount down to the parent."""
    path, paths = place.mount, [place.mount]
    for name in place.path[len(place.mount) + 1 :].split("/")[:-1]:
        path = f"{path}/{name}"
        paths.append(path)
    return paths


def _try_write(path: str, value: str) -> int:
    """The errno; 0 for done."""
    try:
        files.write(path, value)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _check_type(place: Place, needed: set[str]) -> None:
    """Below processes or threaded cgroups only threaded controllers work (cgroup-v2.rst, "Threads"); HostError."""
    kind = files.read(f"{place.path}/cgroup.type")
    if kind == "domain":
        return
    if unfit := sorted(needed - THREADED):
        message = f'{ORIGIN}: {place.path} is "{kind}": the controller "{unfit[0]}" cannot work there'
        raise HostError(message, hint="choose a path that is not below a threaded cgroup or one with processes")
    if kind == "domain invalid":
        files.write(f"{place.path}/cgroup.type", "threaded")


# ---- joining


def _enter(place: Place, pid: int, beside: int) -> None:
    path = f"{place.path}/cgroup.procs"
    for left in range(NEWBORN_TRIES - 1, -1, -1):
        try:
            files.write(path, str(pid))
        except OSError as error:
            if error.errno == errno.EBUSY and beside and place.version != 1:
                files.write(f"{_cgroup_of(beside, place)}/cgroup.procs", str(pid))
            elif error.errno == errno.EINVAL and left:
                time.sleep(NEWBORN_PAUSE)
                continue
            else:
                raise
        return


def _cgroup_of(pid: int, place: Place) -> str:
    """The directory of a process's v2 cgroup, which must be the container's or one below it."""
    own = place.path.removeprefix(place.mount)
    for line in files.read(f"/proc/{pid}/cgroup").splitlines():
        path = line.removeprefix("0::")
        if path != line and (path == own or path.startswith(f"{own}/")):
            return place.mount + path
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), place.path)


def _give_up(place: Place) -> None:
    """Leave no directory that nobody uses; one that somebody uses stays."""
    if place.ours:
        try:
            os.rmdir(place.path)
        except OSError as error:
            if error.errno not in {errno.EBUSY, errno.ENOENT, *DENIED}:
                raise files.refused(f"{ORIGIN}: removing {place.path}", error) from error


def _not_joined(ref: Ref, place: Place, pid: int, error: OSError) -> HostError:
    hint = ""
    if error.errno in DENIED and ref.rootless:
        hint = ROOTLESS_HINT
    elif error.errno == errno.ENOENT:
        hint = "the cgroup was removed by somebody else"
    elif error.errno == errno.ESRCH:
        hint = "the process has ended"
    elif error.errno == errno.EBUSY:
        hint = "the cgroup passes controllers on to others below it and so takes no processes"
    elif error.errno == errno.EOPNOTSUPP:
        hint = "a cgroup above it is threaded, or has processes: choose another path"
    return files.refused(f"{ORIGIN}: moving process {pid} into {place.path}", error, hint)
