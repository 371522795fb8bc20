"""events and stats: what a container uses, and what happens to it, while it runs."""

from __future__ import annotations

import os
import select
import time

from slinger import lifecycle
from slinger.errors import ContainerError, HostError
from slinger.host.cgroup.oom import watch
from slinger.host.cgroup.stats import stats as read_stats
from slinger.spec.stats import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from slinger.existing import Existing
    from slinger.host import cgroup
    from slinger.host.cgroup.oom import Watch
    from slinger.spec.stats import Stats


def stats(existing: Existing) -> Stats:
    """What it uses now. ContainerError unless it is created, running or paused; HostError without a cgroup."""
    existing.refresh()
    lifecycle.check("events", existing.saved.container_id, existing.status())
    return _all_stats(existing, existing.cgroup())


def _all_stats(existing: Existing, ref: cgroup.Ref) -> Stats:
    groups = existing.groups()
    counted = read_stats(ref)
    if groups is None:
        return counted
    from slinger.host.resctrl_stats import rdt_stats  # noqa: PLC0415 - hardly any container needs it

    return counted.replace(rdt=rdt_stats(groups))


def events(existing: Existing, interval: float) -> Iterator[Event]:
    """Statistics every ``interval`` seconds, and every kill for lack of memory, until the container ends.

    Raises as ``stats`` does.
    """
    existing.refresh()
    lifecycle.check("events", existing.saved.container_id, existing.status())
    init = existing.init()
    try:
        end = os.pidfd_open(init.pid) if init is not None else -1
    except ProcessLookupError:
        end = -1
    try:
        if end < 0 or not existing.pid():
            raise ContainerError(f"container with id {existing.saved.container_id} is not running")
        oom = watch(existing.cgroup())
        try:
            yield from _until(end, oom, existing, interval)
        finally:
            oom.close()
    finally:
        if end >= 0:
            os.close(end)


def _until(end: int, oom: Watch, existing: Existing, interval: float) -> Iterator[Event]:
    container_id, ref = existing.saved.container_id, existing.cgroup()
    poll = select.poll()
    poll.register(end, select.POLLIN)
    if oom.fd >= 0:
        poll.register(oom.fd, oom.events)
    due = time.monotonic() + interval
    while True:
        ready = {fd for fd, _ in poll.poll(max(0.0, due - time.monotonic()) * 1000)}
        # Its last process may be the one that was killed, so this comes before the end.
        for _ in range(oom.kills()):
            yield Event("oom", container_id)
        if end in ready:
            return
        if time.monotonic() < due:
            continue
        # Not from when it was due: a reader who is slow gets no burst of old news.
        due = time.monotonic() + interval
        try:
            data = _all_stats(existing, ref)
        except HostError:
            if select.select([end], [], [], 0)[0]:
                return  # its cgroups went with it
            raise
        yield Event("stats", container_id, data)
