"""Removing what was made: the container's cgroups, those that it made below them, and our empty parents.

What was there before us stays, by the record: ``Place.base`` and ``Place.kept``; but a parent that another container
made is marked, and goes with the last one below it. Any number of calls do the same as one.
"""

from __future__ import annotations

import errno
import os
import time

from slinger.errors import HostError
from slinger.host.cgroup import files, members
from slinger.host.cgroup.ref import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Place

IN_USE = frozenset({errno.EBUSY, errno.ENOTEMPTY})
PATIENCE = 5.0  # seconds for killed processes to be gone
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.1  # seconds


def remove(ref: Ref, *, kill: bool = False) -> None:
    """Remove the cgroups; ``kill``: and whoever is still in them. HostError if something stays in use."""
    left = [place for place in ref.places if not _try_quick(place, kill=kill)]
    failures: list[HostError] = []
    if left and kill:
        _kill_left(left)
    end = time.monotonic() + PATIENCE
    for place in left:
        try:
            _remove_tree(place, end, kill=kill)
        except HostError as error:
            failures.append(error)
    for place in ref.places:
        _remove_parents(place)
    if failures:
        raise failures[0]


def _remove_parents(place: Place) -> None:
    """Those that we made, or another container before us, unless others have put their cgroups there."""
    made = place.made()
    parent = place.path.rpartition("/")[0]
    while parent != place.mount and (parent in made or files.marked(parent)):
        if not _rmdir(parent):
            return
        parent = parent.rpartition("/")[0]


def _try_quick(place: Place, *, kill: bool) -> bool:
    """The usual case: nobody is left, nothing is below, one rmdir per hierarchy."""
    if place.ours:
        return _rmdir(place.path)
    return not kill and set(files.children(place.path)).issubset(place.kept)


def _kill_left(left: list[Place]) -> None:
    """First where a freezer is: nobody there dies in a frozen cgroup. Then who is in the other hierarchies alone."""
    members.kill(Ref(tuple(left)), members.SIGKILL)
    for place in left:
        members.kill(Ref((place,)), members.SIGKILL)


def _remove_tree(place: Place, end: float, *, kill: bool) -> None:
    """Bottom up; what is in use is tried again, since a killed process takes a while to be gone. HostError.

    ``end``: until when, the same for all hierarchies, since whoever stays in one stays in the others too.
    """
    pause = FIRST_PAUSE
    while busy := _busy_after(place):
        if time.monotonic() > end:
            raise _in_use(place, busy)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
        if kill:
            members.kill(Ref((place,)), members.SIGKILL)


def _busy_after(place: Place) -> str:
    """Remove what can be; the first cgroup that could not, or ""."""
    busy = ""
    for path in files.tree(place.path, place.kept):
        mine = path != place.path or place.ours
        if mine and not _rmdir(path):
            busy = busy or path
    return busy


def _in_use(place: Place, busy: str) -> HostError:
    from slinger.host.lingering import why_lingers  # noqa: PLC0415 - failures only

    found = members.pids(Ref((place,)))
    who = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")  # noqa: PLR2004
    message = f"removing {busy}: still in use after {PATIENCE:.0f} s"
    hint = f"processes {who} are in it" if found else "a process in it has not quite ended"
    why = next((known for known in map(why_lingers, found) if known), "")
    return HostError(message, hint=f"{hint}: {why}" if why else hint)


def _rmdir(path: str) -> bool:
    """True when it is gone, False when it is in use. HostError for any other reason."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in IN_USE:
            return False
        # A read-only cgroupfs says so even of what is not there.
        if error.errno == errno.EROFS and not files.exists(path):
            return True
        raise files.refused(f"removing {path}", error) from error
    return True
