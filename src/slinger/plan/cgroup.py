"""linux.resources as the files to write, for cgroup v1 and v2 (config-linux.md, "Control groups").

``writes`` is the table of contents: one section a controller, each a pure function from the records of
config.json to lines of ``Write``; the longer ones are in cgroup_cpu.py, cgroup_memory.py and cgroup_io.py.
Which directory a controller has, and whether a file exists, is host/'s to know; what follows from a missing
file stands in the Write. Where v2 has no word for a property of v1, the spec demands an error; zero values
that mean "nothing asked" are none.

The order within a section is the order of writing. The kernel wants some values of the controllers in
IN_ANY_ORDER changed in an order that depends on the old ones (memory before swap or after it, quota
before period or after it): host/ writes again, after the others, what got EINVAL.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan.cgroup_cpu import cpu_writes, cpuset_writes
from slinger.plan.cgroup_line import ORIGIN, V1, V2, Write, limit_word, refuse
from slinger.plan.cgroup_memory import memory_writes
from slinger.plan.device_rules import device_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import Resources

__all__ = ("IN_ANY_ORDER", "THREADED", "Write", "asks_limits", "writes")

IN_ANY_ORDER = frozenset({"memory", "cpu"})
# What a threaded cgroup of v2 may have (cgroup-v2.rst, "Threads"); all others need a domain.
THREADED = frozenset({"cpu", "cpuset", "perf_event", "pids"})


def writes(resources: Resources, version: int, unified: frozenset[str] = frozenset()) -> tuple[Write, ...]:
    """All files to write. ``unified``: on a hybrid host (version 1), the controllers that v2 has.

    Raises ConfigError for what cannot be said in this version.
    """
    table: list[Write] = []
    for name, section in SECTIONS:
        table += section(resources, V2 if name in unified else version)
    return (*table, *_unified(resources, version))


def asks_limits(table: tuple[Write, ...]) -> bool:
    """Whether something is to be limited, other than devices."""
    return any(write.controller != "devices" for write in table)


# ---- sections that are a few lines each; the longer ones have a file of their own


def _block_io(resources: Resources, version: int) -> list[Write]:
    if resources.block_io is None:
        return []
    from slinger.plan.cgroup_io import block_io_writes  # noqa: PLC0415 - asked for by few

    return block_io_writes(resources.block_io, version)


def _pids(resources: Resources, version: int) -> list[Write]:
    limit = resources.pids_limit
    if limit is None:
        return []
    # 0 is a value of its own since runtime-spec 1.3, and no process could be in such a cgroup; runc writes 1 too.
    return [Write("pids", "pids.max", limit_word(limit or 1), f"{ORIGIN}.pids.limit", version)]


def _hugetlb(resources: Resources, version: int) -> list[Write]:
    table: list[Write] = []
    ending = "limit_in_bytes" if version == V1 else "max"
    for index, each in enumerate(resources.hugepage_limits):
        origin = f"{ORIGIN}.hugepageLimits[{index}]"
        if not (each.page_size.isascii() and each.page_size.isalnum()):
            raise ConfigError(f"{origin}.pageSize", f'"{each.page_size}" is no size such as 2MB')
        for kind in ("", ".rsvd"):  # reservations are counted since Linux 5.7
            file = f"hugetlb.{each.page_size}{kind}.{ending}"
            table.append(Write("hugetlb", file, str(each.limit), f"{origin}.limit", version, missing_ok=bool(kind)))
    return table


def _network(resources: Resources, version: int) -> list[Write]:
    network = resources.network
    if network is None:
        return []
    if version == V2:
        refuse("network", (("classID", network.class_id), ("priorities", network.priorities)))
        return []
    origin = f"{ORIGIN}.network"
    table = [
        Write("net_prio", "net_prio.ifpriomap", f"{each.name} {each.priority}", f"{origin}.priorities[{index}]", V1)
        for index, each in enumerate(network.priorities)
    ]
    if network.class_id is not None:
        table.append(Write("net_cls", "net_cls.classid", str(network.class_id), f"{origin}.classID", V1))
    return table


def _rdma(resources: Resources, version: int) -> list[Write]:
    table: list[Write] = []
    for each in resources.rdma:
        asked = (("hca_handle", each.hca_handles), ("hca_object", each.hca_objects))
        limits = [f"{word}={value}" for word, value in asked if value is not None]
        value = " ".join((each.device, *limits))
        table.append(Write("rdma", "rdma.max", value, f"{ORIGIN}.rdma.{each.device}", version))
    return table


def _devices(resources: Resources, version: int) -> list[Write]:
    # On v2 they are a program and no file: device_filter.py.
    if version == V2 or not resources.devices:
        return []
    final = device_list(resources.devices)
    file = "devices.deny" if final.allow else "devices.allow"
    table = [Write("devices", file, f"{each.nodes} {each.access}", each.origin, V1) for each in final.exempt]
    # A new cgroup has its parent's list. One that allows more than the parent's does cannot be made.
    return table if final.allow else [Write("devices", "devices.deny", "a", f"{ORIGIN}.devices", V1), *table]


def _unified(resources: Resources, version: int) -> list[Write]:
    if resources.unified and version == V1:
        why = "invalid configuration: cannot use unified on cgroup v1"
        raise ConfigError(f"{ORIGIN}.unified", why, hint="use the properties of linux.resources beside it")
    table: list[Write] = []
    for file, text in resources.unified:
        origin = f'{ORIGIN}.unified["{file}"]'
        controller, dot, _ = file.partition(".")
        if "/" in file:
            raise ConfigError(origin, "must be a file name (no slashes)")
        if not dot or not controller:
            raise ConfigError(origin, "must be in the form CONTROLLER.PARAMETER")
        table += [Write(controller, file, line, origin, V2) for line in text.splitlines() or [""]]
    return table


# In runc's order. cpuset and the real-time budget come first because processes cannot join without.
SECTIONS: tuple[tuple[str, Callable[[Resources, int], list[Write]]], ...] = (
    ("cpuset", cpuset_writes),
    ("devices", _devices),
    ("memory", memory_writes),
    ("cpu", cpu_writes),
    ("pids", _pids),
    ("io", _block_io),
    ("hugetlb", _hugetlb),
    ("network", _network),
    ("rdma", _rdma),
)
