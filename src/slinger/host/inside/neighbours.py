"""Who else is in the container: a function of the program's is not called beside processes of the container's own."""

from __future__ import annotations

import os

from slinger.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def refuse_neighbours(pids: Iterable[int], init: int, namespace: int) -> None:
    """HostError if anybody but init is in the container's cgroup (``pids``) or mount namespace (a descriptor)."""
    found = {pid for pid in pids if pid != init} | _residents(namespace) - {init}
    if found:
        named = ", ".join(map(str, sorted(found)))
        message = f"a Python hook is not run beside processes of the container's own: {named}"
        raise HostError(message, hint="an earlier hook or an exec has left them")


def _residents(namespace: int) -> set[int]:
    """All processes in this mount namespace, as far as we may look; none if it is ours."""
    found: set[int] = set()
    theirs = os.fstat(namespace)
    if os.path.samestat(os.stat("/proc/self/ns/mnt"), theirs):
        return found
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if os.path.samestat(os.stat(f"/proc/{name}/ns/mnt"), theirs):
                found.add(int(name))
        except OSError:
            continue  # gone, or not ours to look at
    return found
