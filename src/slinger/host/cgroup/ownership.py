"""Giving the container's cgroup to its user, who can have cgroups of its own in there: cgroups(7), "Delegation".

Only the directory and the files that the kernel names for it: all others are limits, which the container must not
change. Nothing is given where v1 is in use, whose delegation is not safe.
"""

from __future__ import annotations

import os

from slinger.host.cgroup import files
from slinger.host.cgroup.ref import ORIGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Ref

DELEGATE = "/sys/kernel/cgroup/delegate"
# What config-linux.md names where the kernel has no such list (before Linux 4.15).
FILES = ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads")


def give(ref: Ref, uid: int) -> None:
    """Make a user of the host the owner. HostError where it cannot be."""
    if any(place.version == 1 for place in ref.places):
        return
    for place in ref.places:
        for path in (place.path, *(f"{place.path}/{name}" for name in delegated())):
            try:
                os.chown(path, uid, -1)
            except OSError as error:
                if isinstance(error, FileNotFoundError) and path != place.path:
                    continue
                raise files.refused(f"{ORIGIN}: giving {path} to user {uid}", error) from error


def delegated() -> tuple[str, ...]:
    """The names of the files that go along; not every cgroup has all of them."""
    try:
        return tuple(files.read(DELEGATE).split())
    except FileNotFoundError:
        return FILES
