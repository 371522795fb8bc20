"""``slinger update``: other limits for a container, by options or by a JSON document."""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.errors import HostError, UsageError
from slinger.linux.sizes import parse_size
from slinger.spec.config import BlockIo, Cpu, Memory, Resources
from slinger.spec.parse_resources import parse_resources, unknown_members
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call, Values

SIGNED = (-(1 << 63), (1 << 63) - 1)
UNSIGNED = (0, (1 << 64) - 1)
# Option -> the property that it stands for, below linux.resources.
SIZES = (
    ("memory", "memory.limit"),
    ("memory-swap", "memory.swap"),
    ("memory-reservation", "memory.reservation"),
    ("kernel-memory", "memory.kernel"),
    ("kernel-memory-tcp", "memory.kernelTCP"),
)
NUMBERS = (
    ("blkio-weight", "blockIO.weight", (0, (1 << 16) - 1)),
    ("cpu-period", "cpu.period", UNSIGNED),
    ("cpu-quota", "cpu.quota", SIGNED),
    ("cpu-burst", "cpu.burst", UNSIGNED),
    ("cpu-share", "cpu.shares", UNSIGNED),
    ("cpu-rt-period", "cpu.realtimePeriod", UNSIGNED),
    ("cpu-rt-runtime", "cpu.realtimeRuntime", SIGNED),
    ("cpu-idle", "cpu.idle", SIGNED),
    ("pids-limit", "pids.limit", SIGNED),
)
LISTS = (("cpuset-cpus", "cpu.cpus"), ("cpuset-mems", "cpu.mems"))
SCHEMAS = {"l3-cache-schema": "linux.intelRdt.l3CacheSchema", "mem-bw-schema": "linux.intelRdt.memBwSchema"}
OPTIONS = {path: f"--{option}" for option, path in (*SIZES, *(row[:2] for row in NUMBERS), *LISTS)}
_SCHEMA_NAMES = {path: f"--{option}" for option, path in SCHEMAS.items()}
PREFIX = "linux."


def main(call: Call) -> Outcome:
    """Set what the options or the document say."""
    if call.options.given("resources"):
        resources, name = _document(call), _in_document
    else:
        resources, name = by_options(call.options), _in_options
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    try:
        l3_cache, mem_bw = (call.options.text(option) for option in SCHEMAS)
        container.update(resources, l3_cache_schema=l3_cache, mem_bw_schema=mem_bw, name=name)
    finally:
        container.close()
    return Outcome()


def _in_document(path: str) -> str:
    return _SCHEMA_NAMES.get(path) or path.removeprefix(PREFIX)


def _in_options(path: str) -> str:
    return _SCHEMA_NAMES.get(path) or OPTIONS.get(path.removeprefix(f"{PREFIX}resources."), path)


def _document(call: Call) -> Resources:
    """The resources in the file of --resources. HostError, ConfigError."""
    source = call.options.text("resources")
    ignored = [row for row in (*(path[2:] for path in OPTIONS.values()),) if call.options.given(row)]
    for option in ignored:
        call.warn(f"--{option}: ignored, because --resources is given")
    what = "standard input" if source == "-" else source
    try:
        fd = 0 if source == "-" else os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = b"".join(iter(lambda: os.read(fd, 1 << 20), b""))
        finally:
            if fd:
                os.close(fd)
    except OSError as error:
        message = f"--resources {source}"
        raise HostError(f"{message}: {(error.strerror or str(error)).lower()}") from error
    for warning in unknown_members(text, what):
        call.warn(warning)
    return parse_resources(text, what)


def by_options(options: Values) -> Resources:
    """The resources that the options ask for. UsageError."""
    sizes = {path: _size(options, option) for option, path in SIZES}
    numbers = {path: _number(options, option, limits) for option, path, limits in NUMBERS}
    lists = {path: _list(options, option) for option, path in LISTS}
    weight = numbers["blockIO.weight"]
    return Resources(
        memory=Memory(
            limit=sizes["memory.limit"],
            swap=sizes["memory.swap"],
            reservation=sizes["memory.reservation"],
            kernel=sizes["memory.kernel"],
            kernel_tcp=sizes["memory.kernelTCP"],
        ),
        cpu=Cpu(
            shares=numbers["cpu.shares"],
            quota=numbers["cpu.quota"],
            period=numbers["cpu.period"],
            burst=numbers["cpu.burst"],
            realtime_runtime=numbers["cpu.realtimeRuntime"],
            realtime_period=numbers["cpu.realtimePeriod"],
            cpus=lists["cpu.cpus"],
            mems=lists["cpu.mems"],
            idle=numbers["cpu.idle"],
        ),
        pids_limit=numbers["pids.limit"],
        block_io=None if weight is None else BlockIo(weight=weight),
    )


def _size(options: Values, option: str) -> int | None:
    if not options.given(option):
        return None
    text = options.text(option)
    try:
        return -1 if text == "-1" else parse_size(text)
    except ValueError:
        message = f'update --{option}: must be a size such as 536870912, 512m or 1.5g, or -1, not "{text}"'
        raise UsageError(message) from None


def _number(options: Values, option: str, limits: tuple[int, int]) -> int | None:
    if not options.given(option):
        return None
    text = options.text(option)
    low, high = limits
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= len(str(high)) and low <= int(text) <= high:
        return int(text)
    least = "" if low < 0 else f" from {low}"
    message = f'update --{option}: must be a whole number{least}, not "{text}"'
    raise UsageError(message)


def _list(options: Values, option: str) -> str:
    text = options.text(option)
    if options.given(option) and not text:
        message = f'update --{option}: must be a list such as 0-2,4, not ""'
        raise UsageError(message)
    return text
