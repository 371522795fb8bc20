"""To be told when lack of memory kills a process of a container.

v1: an eventfd that cgroup.event_control ties to memory.oom_control (cgroup-v1/memory.rst, "OOM Control"). v2: the
counter oom_kill of memory.events, whose readers are told of changes by POLLPRI (cgroup-v2.rst, "Memory Interface
Files").
"""

from __future__ import annotations

import os
import select

from slinger.host.cgroup import files
from slinger.linux.cgroup_files import keyed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Ref


class Watch:
    """``fd`` becomes ready for ``events`` (of poll) when there may be something new; -1: there is nothing to watch."""

    def __init__(self, fd: int, events: int) -> None:
        self.fd = fd
        self.events = events

    def kills(self) -> int:
        """How many there were since the last call, as far as the kernel tells them apart."""
        return 0

    def close(self) -> None:
        """Watch no longer."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class _WatchV1(Watch):
    def __init__(self, directory: str) -> None:
        super().__init__(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK), select.POLLIN)
        self._directory = directory
        try:
            control = os.open(f"{directory}/memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
            try:
                files.write(f"{directory}/cgroup.event_control", f"{self.fd} {control}")
            finally:
                os.close(control)
        except OSError:
            self.close()
            raise

    def kills(self) -> int:
        try:
            count = os.eventfd_read(self.fd)
        except BlockingIOError:
            return 0
        # The end of the cgroup is an event as well.
        return count if files.exists(self._directory) else 0


class _WatchV2(Watch):
    def __init__(self, directory: str) -> None:
        super().__init__(os.open(f"{directory}/memory.events", os.O_RDONLY | os.O_CLOEXEC), select.POLLPRI)
        self._seen = self._count()

    def kills(self) -> int:
        before, self._seen = self._seen, self._count()
        return self._seen - before

    def _count(self) -> int:
        try:
            return keyed(os.pread(self.fd, 4096, 0).decode()).get("oom_kill", 0)
        except OSError:  # the cgroup is gone
            return self._seen


def watch(ref: Ref) -> Watch:
    """A watch over the container's memory cgroup; one that never tells anything where it has none. HostError."""
    try:
        for place in ref.places:
            if "memory" in place.controllers:
                return _WatchV1(place.path)
        unified = ref.unified()
        if unified is not None and files.exists(f"{unified.path}/memory.events"):
            return _WatchV2(unified.path)
    except OSError as error:
        raise files.refused(f"watching {error.filename or 'memory'} for processes killed", error) from error
    return Watch(-1, 0)
