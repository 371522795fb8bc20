"""Writing linux.resources: the table of plan/cgroup.py, each line into the directory of its controller."""

from __future__ import annotations

import errno
import os

from slinger.errors import ConfigError, HostError
from slinger.host.cgroup import files
from slinger.plan.cgroup import IN_ANY_ORDER, asks_limits, writes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Place, Ref
    from slinger.plan.cgroup import Write
    from slinger.spec.config import Resources

NO_WEIGHTS = "the kernel has no scheduler with weights for this: bfq, or iocost on v2"
# What a refusal means: (file, errno, hint).
HINTS = (
    ("memory.limit_in_bytes", errno.EBUSY, "more than that is in use and cannot be reclaimed"),
    ("memory.memsw.limit_in_bytes", errno.EBUSY, "more than that is in use and cannot be reclaimed"),
    ("memory.memsw.limit_in_bytes", errno.ENOENT, "the kernel does not account swap: boot with swapaccount=1"),
    ("memory.swap.max", errno.ENOENT, "the kernel does not account swap"),
    ("memory.memsw.limit_in_bytes", errno.EINVAL, "it counts memory and swap: not less than the memory limit"),
    ("memory.limit_in_bytes", errno.EINVAL, "it cannot be more than the limit of memory and swap"),
    ("cpu.cfs_quota_us", errno.EINVAL, "at least 1000, the burst, and within the parent cgroup's share"),
    ("cpu.cfs_period_us", errno.EINVAL, "from 1000 to 1000000 microseconds"),
    ("cpu.cfs_burst_us", errno.EINVAL, "no more than the quota"),
    ("cpu.max", errno.EINVAL, "a quota of at least 1000, and a period of 1000 to 1000000 microseconds"),
    ("cpu.max.burst", errno.EINVAL, "no more than the quota"),
    ("cpuset.cpus", errno.EACCES, "the parent cgroup does not have all of these cpus"),
    ("cpuset.mems", errno.EACCES, "the parent cgroup does not have all of these memory nodes"),
    ("cpuset.cpus", errno.EINVAL, "a list such as 0-2,4 of cpus that the machine has"),
    ("cpuset.mems", errno.EINVAL, "a list such as 0-1 of memory nodes that the machine has"),
    ("cpuset.cpus", errno.ERANGE, "a list such as 0-2,4 of cpus that the machine has"),
    ("cpuset.mems", errno.ERANGE, "a list such as 0-1 of memory nodes that the machine has"),
    ("cpuset.cpus", errno.EBUSY, "a cgroup below uses more than these"),
    ("cpuset.mems", errno.EBUSY, "a cgroup below uses more than these"),
    ("cpu.shares", errno.EINVAL, "an idle cgroup has no shares: set idle to 0 first"),
    ("cpu.weight", errno.EINVAL, "an idle cgroup has no weight: set idle to 0 first"),
    ("blkio.weight", errno.ENOENT, NO_WEIGHTS),
    ("blkio.weight_device", errno.ENOENT, NO_WEIGHTS),
    ("blkio.leaf_weight", errno.ENOENT, NO_WEIGHTS),
    ("blkio.leaf_weight_device", errno.ENOENT, NO_WEIGHTS),
    ("io.weight", errno.ENOENT, NO_WEIGHTS),
    ("cpu.rt_runtime_us", errno.EINVAL, "all cgroups above need a real-time budget that has room for it"),
    ("cpu.rt_period_us", errno.EINVAL, "the real-time budget of it must fit into that of the cgroups above"),
    ("devices.allow", errno.EPERM, "the parent cgroup does not allow it"),
)
UNDELEGATED = "a cgroup above has processes of its own or was not given the controller, so it cannot pass it on"


def table(ref: Ref, resources: Resources | None) -> tuple[Write, ...]:
    """All that these resources ask to be written for this container. ConfigError, HostError."""
    if resources is None:
        return ()
    if not ref.places:
        return writes(resources, 2 if resources.unified else 1)
    lines = writes(resources, ref.version)
    unified = ref.unified()
    if ref.version == 1 and unified is not None:
        mounted = {name for place in ref.places for name in place.controllers}
        if any(line.controller not in mounted for line in lines):
            lines = writes(resources, 1, _controllers(unified.mount))
    # The kernel lets only root of the initial user namespace set them; without v1's controller they are a filter.
    if ref.rootless or (unified is not None and not on_v1(ref, "devices")):
        lines = tuple(line for line in lines if line.controller != "devices")
    return lines


def is_for(write: Write, place: Place) -> bool:
    """Whether the file is one of this place's."""
    if place.version != 1:
        return write.version != 1
    return write.version == 1 and write.controller in place.controllers


def place_of(ref: Ref, write: Write) -> Place | None:
    """Where it is to be written; None where the container has no such cgroup."""
    return next((place for place in ref.places if is_for(write, place)), None)


def apply(ref: Ref, resources: Resources | None, *, devices: bool = True) -> None:
    """Set the limits; without ``devices`` the device list stays as it is (an update).

    Raises ConfigError for what cannot be converted, HostError with the JSON path for what the kernel refused.
    """
    lines = table(ref, resources)
    if resources is not None:
        check_usage(ref, resources)
        if devices:
            _apply_filter(ref, resources)
    run(ref, lines if devices else tuple(line for line in lines if line.controller != "devices"))


def _apply_filter(ref: Ref, resources: Resources) -> None:
    """Device rules where v1 does not have them: the program on the v2 cgroup. ConfigError, HostError."""
    unified = ref.unified()
    if not resources.devices or unified is None or ref.rootless or on_v1(ref, "devices"):
        return
    # _ctypes is a shared object of its own, and this is for v2 alone.
    from slinger.host.cgroup.filter import attach  # noqa: PLC0415
    from slinger.plan.device_filter import device_program  # noqa: PLC0415

    attach(unified.path, device_program(resources.devices))


def run(ref: Ref, lines: tuple[Write, ...]) -> None:
    """Write these lines, controller by controller in their order. HostError."""
    if not ref.places:
        if asks_limits(lines):
            raise HostError(f"{lines[0].origin}: the container has no cgroup", hint="leave the limit out")
        return
    for group in _groups(lines):
        place = place_of(ref, group[0])
        if place is None:
            first = group[0]
            message = f'{first.origin}: the controller "{first.controller}" is not available'
            raise HostError(message, hint="mount its cgroup hierarchy, or leave the limit out")
        put = _put_in_order if group[0].controller in IN_ANY_ORDER else _put_each
        put(place.path, group)


def put_again(ref: Ref, lines: tuple[Write, ...]) -> list[tuple[Write, OSError]]:
    """Write lines that were there before, in any order that works; those that the kernel did not take."""
    while True:
        failed: list[tuple[Write, OSError]] = []
        for line in lines:
            place = place_of(ref, line)
            try:
                if place is not None:
                    _put(place.path, line)
            except OSError as error:
                failed.append((line, error))
        if not failed or len(failed) == len(lines):
            return failed
        lines = tuple(line for line, _ in failed)


def _groups(lines: tuple[Write, ...]) -> list[list[Write]]:
    """The lines of one controller that stand together."""
    groups: list[list[Write]] = []
    for line in lines:
        if groups and (groups[-1][0].controller, groups[-1][0].version) == (line.controller, line.version):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _put_each(directory: str, group: list[Write]) -> None:
    for line in group:
        try:
            _put(directory, line)
        except OSError as error:
            raise _refused(directory, line, error) from error


def _put_in_order(directory: str, group: list[Write]) -> None:
    """What gets EINVAL is written again after the others, as long as that helps: see plan/cgroup.py."""
    while group:
        failed: list[tuple[Write, OSError]] = []
        for line in group:
            try:
                _put(directory, line)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise _refused(directory, line, error) from error
                failed.append((line, error))
        if len(failed) == len(group):
            line, first = failed[0]
            raise _refused(directory, line, first) from first
        group = [line for line, _ in failed]


def _put(directory: str, line: Write) -> None:
    try:
        files.write(f"{directory}/{line.file}", line.value)
    except FileNotFoundError:
        if line.otherwise is not None:
            _put(directory, line.otherwise)
        elif not line.missing_ok:
            raise


def check_usage(ref: Ref, resources: Resources) -> None:
    """memory.checkBeforeUpdate on v2, where the kernel would kill instead of refusing. ConfigError."""
    memory, unified = resources.memory, ref.unified()
    if memory is None or not memory.check_before_update or unified is None or on_v1(ref, "memory"):
        return
    path = f"{unified.path}/memory.current"
    try:
        usage = int(files.read(path))
    except OSError as error:
        raise files.refused(f"linux.resources.memory.checkBeforeUpdate: reading {path}", error) from error
    for name, limit in (("limit", memory.limit), ("swap", memory.swap)):
        if limit is not None and 0 < limit < usage:
            why = f"{limit} bytes is less than the {usage} bytes in use"
            raise ConfigError(f"linux.resources.memory.{name}", why, hint="raise it, or leave out checkBeforeUpdate")


def on_v1(ref: Ref, controller: str) -> bool:
    """Whether the controller is one of a v1 hierarchy here."""
    return any(controller in place.controllers for place in ref.places)


def _controllers(directory: str) -> frozenset[str]:
    path = f"{directory}/cgroup.controllers"
    try:
        return frozenset(files.read(path).split())
    except OSError as error:
        raise files.refused(f"linux.resources: reading {path}", error) from error


def _refused(directory: str, line: Write, error: OSError) -> HostError:
    path = str(error.filename)
    what = f'{line.origin}: writing "{line.value}" to {path}'
    file = path.rpartition("/")[2]
    hint = next((text for name, code, text in HINTS if (name, code) == (file, error.errno)), "")
    if error.errno == errno.ENOENT and not os.path.isdir(directory):
        hint = "the cgroup was removed by somebody else"
    elif error.errno == errno.ENOENT and line.version != 1 and line.controller != "cgroup":
        if line.controller not in _controllers(directory):
            message = f'{line.origin}: the controller "{line.controller}" is not available in {directory}'
            return HostError(message, hint=UNDELEGATED)
    elif (file, error.errno) == ("memory.limit_in_bytes", errno.EBUSY):
        hint = f"{hint}: {files.read(f'{directory}/memory.usage_in_bytes')} bytes"
    return files.refused(what, error, hint)
