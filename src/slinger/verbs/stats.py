"""``slinger stats``: what containers use, as a table that refreshes itself, for people."""

from __future__ import annotations

import os
import time

from slinger.container import Container, containers
from slinger.errors import ContainerError, HostError
from slinger.lifecycle import STOPPED
from slinger.linux.sizes import size_text
from slinger.record import Record
from slinger.spec.jsontext import dump
from slinger.verbs import Outcome
from slinger.verbs.events import interval_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.stats import BlockEntry, Stats
    from slinger.verbs import Call

HEAD = ("ID", "STATUS", "CPU %", "MEMORY", "LIMIT", "MEM %", "PIDS", "READ", "WRITTEN")
RIGHT = frozenset({"CPU %", "MEMORY", "LIMIT", "MEM %", "PIDS", "READ", "WRITTEN"})
FIRST_LOOK = 0.5  # seconds between the two looks that the first cpu share is made of
NO_LIMIT = 1 << 60  # v1 says "none" by a number of this size, v2 by 2^64 - 1
NANO = 10**9
GAP = "  "


class Sample(Record):
    """One look at a container. ``cpu`` in nanoseconds at ``when`` seconds; ``cpu_share`` in percent of one cpu."""

    id: str
    status: str
    when: float
    cpu: int = 0
    memory: int = 0
    limit: int = 0  # 0: none
    pids: int = 0
    pids_limit: int = 0  # 0: none
    read: int = 0
    written: int = 0
    cpu_share: float | None = None


def main(call: Call) -> Outcome:
    """Once, or again and again until the user has seen enough or no container is left."""
    interval = interval_of("stats", call.options.text("interval"))
    once = call.options.flag("once") or call.options.flag("no-stream")
    try:
        before = look(call)
        time.sleep(min(FIRST_LOOK, interval))
        now = shares(look(call), before)
        if once:
            return Outcome(shown(call, now))
        follow(call, now, interval)
    except KeyboardInterrupt:
        pass  # how one ends it
    return Outcome()


def follow(call: Call, now: list[Sample], interval: float) -> None:
    """Show new samples until no container is left; as a table in place where there is a terminal to draw it on."""
    if call.options.flag("json") or not os.isatty(1):
        while now:
            call.answer(shown(call, now))
            time.sleep(interval)
            now = shares(look(call, again=True), now)
        return
    from slinger.verbs.stats_live import live  # noqa: PLC0415 - it loads rich

    live(now, interval, lambda before: shares(look(call, again=True), before))


def look(call: Call, *, again: bool = False) -> list[Sample]:
    """A sample of each container that was named, or of all.

    ContainerError for a named one that is not there or has stopped; ``again``: that it was there before is enough.
    """
    if call.arguments:
        return _named(call, again=again)
    try:
        found = containers(call.root, _quiet if again else call.warn)
    except FileNotFoundError:
        return []
    samples: list[Sample] = []
    for container in found:
        try:
            samples.append(sample(container))
        except ContainerError:
            continue  # it has ended, or was deleted since the directory was read
        finally:
            container.close()
    return samples


def _quiet(_warning: str) -> None:
    """What cannot be read was told of at the first look."""


def _named(call: Call, *, again: bool) -> list[Sample]:
    samples: list[Sample] = []
    for name in call.arguments:
        try:
            container = Container.load(name, root=call.root, warn=call.warn)
            try:
                samples.append(sample(container))
            finally:
                container.close()
        except ContainerError:
            if not again:
                raise
    return samples


def sample(container: Container) -> Sample:
    """What a container uses. ContainerError if it has stopped; one without a cgroup shows nothing but its status."""
    status = container.status()
    when = time.monotonic()
    if status == STOPPED:
        raise ContainerError(f"container with id {container.id} is not running")
    try:
        stats = container.stats()
    except HostError:
        if container.status() == STOPPED:
            raise ContainerError(f"container with id {container.id} is not running") from None
        return Sample(container.id, status, when)
    return _sample(container.id, status, when, stats)


def _sample(container_id: str, status: str, when: float, stats: Stats) -> Sample:
    memory = stats.memory
    raw = dict(memory.raw)
    # What the kernel can drop at any time is not use: podman and docker do not count it either.
    idle = raw.get("total_inactive_file", raw.get("inactive_file", 0))
    return Sample(
        container_id,
        status,
        when,
        stats.cpu.total,
        max(memory.usage.usage - idle, 0),
        memory.usage.limit if memory.usage.limit < NO_LIMIT else 0,
        stats.pids.current,
        stats.pids.limit,
        _sum(stats.block.service_bytes, "Read"),
        _sum(stats.block.service_bytes, "Write"),
    )


def _sum(entries: tuple[BlockEntry, ...], op: str) -> int:
    return sum(each.value for each in entries if each.op == op)


def shares(now: list[Sample], before: list[Sample]) -> list[Sample]:
    """With the share of a cpu that each used between the two looks; None for one that was not there before."""
    earlier = {each.id: each for each in before}
    return [_share(each, earlier.get(each.id)) for each in now]


def _share(now: Sample, before: Sample | None) -> Sample:
    if before is None or now.when <= before.when or now.cpu < before.cpu:
        return now
    return now.replace(cpu_share=100 * (now.cpu - before.cpu) / NANO / (now.when - before.when))


def row(each: Sample) -> tuple[str, ...]:
    """The columns of HEAD."""
    return (
        each.id,
        each.status,
        "-" if each.cpu_share is None else f"{each.cpu_share:.1f}",
        size_text(each.memory),
        size_text(each.limit) if each.limit else "-",
        f"{100 * each.memory / each.limit:.1f}" if each.limit else "-",
        f"{each.pids}/{each.pids_limit}" if each.pids_limit else str(each.pids),
        size_text(each.read),
        size_text(each.written),
    )


def shown(call: Call, samples: list[Sample]) -> str:
    """The samples as a plain table, or as JSON: one array a line."""
    return json_text(samples) if call.options.flag("json") else table(samples)


def json_text(samples: list[Sample]) -> str:
    """An array of objects; bytes, percents of one cpu, null where there is no limit or no share yet."""
    members = [
        {
            "id": each.id,
            "status": each.status,
            "cpuPercent": None if each.cpu_share is None else round(each.cpu_share, 2),
            "cpuTotal": each.cpu,
            "memory": each.memory,
            "memoryLimit": each.limit or None,
            "pids": each.pids,
            "pidsLimit": each.pids_limit or None,
            "read": each.read,
            "written": each.written,
        }
        for each in samples
    ]
    return f"{dump(members)}\n"


def table(samples: list[Sample]) -> str:
    """Words to the left, numbers to the right."""
    rows = [HEAD, *(row(each) for each in samples)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = (
        GAP.join(
            f"{cell:>{width}}" if name in RIGHT else f"{cell:<{width}}"
            for cell, width, name in zip(cells, widths, HEAD, strict=True)
        )
        for cells in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)
