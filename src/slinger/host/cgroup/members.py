"""The processes of a container's cgroup: list, freeze, thaw, kill.

They are asked of one place, ``Ref.main()``. On v1 that is the freezer's; the other hierarchies are looked
at when something is left in them (removal.py).
"""

from __future__ import annotations

import errno
import os
import select
import time

from slinger.errors import HostError
from slinger.host.cgroup import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Place, Ref

SIGKILL = 9
GONE = frozenset({errno.ENOENT, errno.ENODEV})
FREEZE_PATIENCE = 10.0  # seconds
KILL_PATIENCE = 1.0  # seconds to wait for a frozen state before signals are sent anyway
KILL_ROUNDS = 100
V1_ROUND, V1_REST, V1_SHORT_REST = 50, 0.01, 0.0001


def pids(ref: Ref) -> tuple[int, ...]:
    """All processes, those in cgroups below too, as we see them: one outside of our pid namespace is left out."""
    place = ref.main()
    if place is None:
        return ()
    found: set[int] = set()
    for path in files.tree(place.path):
        found.update(_listed(path))
    # 0 stands for a process that has no number here; kill(0) would hit ourselves.
    return tuple(sorted(found - {0}))


def _listed(path: str) -> list[int]:
    """Processes of one cgroup. A threaded one lists only threads; a signal to one is its process's."""
    for name in ("cgroup.procs", "cgroup.threads"):
        try:
            return [int(line) for line in files.read(f"{path}/{name}").split()]
        except OSError as error:
            if error.errno in GONE:
                break
            if error.errno != errno.EOPNOTSUPP:
                raise files.refused(f"reading {path}/{name}", error) from error
    return []


def frozen(ref: Ref) -> bool:
    """Whether this cgroup was frozen; not when only one above it is."""
    place = ref.main()
    if place is None:
        return False
    try:
        if place.version != 1:
            return files.read(f"{place.path}/cgroup.freeze") == "1"
        if files.read(f"{place.path}/freezer.state") == "THAWED":
            return False
        return files.read(f"{place.path}/freezer.self_freezing") == "1"
    except OSError as error:
        if error.errno in GONE:
            return False
        raise files.refused(f"reading {error.filename}", error) from error


def frozen_from(place: Place, path: str) -> str:
    """The nearest frozen cgroup from ``path`` upwards, in which processes below stand still; "" if there is none."""
    unified = place.version != 1
    if not unified and "freezer" not in place.controllers:
        return ""
    try:
        if not unified and path != place.mount and files.read(f"{path}/freezer.state") == "THAWED":
            return ""
        while path != place.mount:  # the root cannot be frozen and has no such files
            if files.read(f"{path}/{'cgroup.freeze' if unified else 'freezer.self_freezing'}") == "1":
                return path
            path = path.rpartition("/")[0]
    except OSError as error:
        if error.errno not in GONE:
            raise files.refused(f"reading {error.filename}", error) from error
    return ""


def freeze(ref: Ref) -> None:
    """Stop all processes and return when all have stopped. HostError if they do not, and then none is stopped."""
    place = ref.main()
    if place is None or (place.version == 1 and "freezer" not in place.controllers):
        message = "container's cgroup cannot be frozen: it has no freezer"
        raise HostError(message, hint="mount the freezer hierarchy" if place else "the container has no cgroup")
    try:
        if _try_freeze(place, FREEZE_PATIENCE):
            return
        _thaw(place)
    except OSError as error:
        raise files.refused(f"writing {error.filename}", error) from error
    message = f"container's cgroup cannot be frozen: not all processes stopped in {FREEZE_PATIENCE:.0f} s"
    raise HostError(message, hint="a process may be waiting for a disk or a network file system")


def thaw(ref: Ref, *, below: bool = False) -> None:
    """Let all processes go on. HostError; a cgroup that is gone is none.

    ``below``: and those in cgroups that the container made and froze, who would otherwise not die on v1.
    """
    place = ref.main()
    if place is None:
        return
    try:
        (_thaw_tree if below and place.version == 1 else _thaw)(place)
    except OSError as error:
        raise files.refused(f"writing {error.filename}", error) from error


def kill(ref: Ref, signal: int) -> None:
    """Send a signal to all processes, of which none can escape by forking. HostError.

    SIGKILL reaches frozen processes too, and the cgroup is thawed afterwards; another signal waits for
    the thaw of a cgroup that was frozen.
    """
    place = ref.main()
    if place is None:
        return
    try:
        if signal == SIGKILL and _kill_unified(ref) and ref.version != 1:
            return
        if not pids(ref):
            return
        held = signal != SIGKILL and frozen(ref)
        try:
            # Not all stopped in time: some may fork on. The rounds catch them, and removal kills again.
            _try_freeze(place, KILL_PATIENCE)
            _signal_all(ref, signal)
        finally:
            if signal == SIGKILL:
                _thaw_tree(place)
            elif not held:
                _thaw(place)
    except OSError as error:
        raise files.refused(f"signal {signal} to the processes of {place.path}", error) from error


def _kill_unified(ref: Ref) -> bool:
    """cgroup.kill, which nothing below the cgroup escapes (Linux 5.14); False where it cannot be used."""
    unified = ref.unified()
    if unified is None:
        return False
    try:
        files.write(f"{unified.path}/cgroup.kill", "1")
    except OSError as error:
        if error.errno in GONE:
            return True
        if error.errno == errno.EOPNOTSUPP:  # threaded
            return False
        raise
    return True


def _signal_all(ref: Ref, signal: int) -> None:
    seen: set[int] = set()
    for _ in range(KILL_ROUNDS):
        fresh = set(pids(ref)) - seen
        if not fresh:
            return
        for pid in fresh:
            try:
                os.kill(pid, signal)
            except ProcessLookupError:
                continue
        seen |= fresh


def _try_freeze(place: Place, patience: float) -> bool:
    """Whether all processes stopped within ``patience`` seconds. False without a freezer. OSError."""
    end = time.monotonic() + patience
    try:
        if place.version != 1:
            return _freeze_v2(place.path, end)
        return "freezer" in place.controllers and _freeze_v1(place.path, end)
    except OSError as error:
        if error.errno in GONE:
            return False
        raise


def _freeze_v1(path: str, end: float) -> bool:
    """FREEZING becomes FROZEN only when asked again, and processes that keep coming need a fresh start at times."""
    state = f"{path}/freezer.state"
    attempt = 0
    while True:
        files.write(state, "FROZEN")
        if files.read(state) == "FROZEN":
            return True
        attempt += 1
        if time.monotonic() > end:
            return False
        if attempt % V1_ROUND == 0:
            files.write(state, "THAWED")
            time.sleep(V1_REST)
        else:
            time.sleep(V1_SHORT_REST)


def _freeze_v2(path: str, end: float) -> bool:
    """Who has read cgroup.events is told of a change by POLLPRI (cgroup-v2.rst, "Basic Operations")."""
    files.write(f"{path}/cgroup.freeze", "1")
    fd = os.open(f"{path}/cgroup.events", os.O_RDONLY | os.O_CLOEXEC)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLPRI)
        while b"frozen 1" not in os.pread(fd, 4096, 0):
            left = end - time.monotonic()
            if left <= 0:
                return False
            poll.poll(left * 1000)
    finally:
        os.close(fd)
    return True


def _thaw(place: Place) -> None:
    if place.version != 1:
        _write_if_there(f"{place.path}/cgroup.freeze", "0")
    elif "freezer" in place.controllers:
        _write_if_there(f"{place.path}/freezer.state", "THAWED")


def _thaw_tree(place: Place) -> None:
    """With the cgroups that the container made: a process in a frozen one does not die, on v1."""
    for path in files.tree(place.path):
        _thaw(place.replace(path=path, base=path))


def _write_if_there(path: str, value: str) -> None:
    try:
        files.write(path, value)
    except OSError as error:
        if error.errno not in GONE:
            raise
