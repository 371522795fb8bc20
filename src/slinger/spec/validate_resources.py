"""Checks of resources: config-linux.md, "Control groups", as far as no cgroup has to be asked."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.spec.reader import key_path
from slinger.spec.values import demand_number_list, demand_within, quote, refuse_nul_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import Resources

_UNLIMITED = -1
_LARGEST_INT64 = 2**63 - 1
_LARGEST_NUMBER = 2**32 - 1  # of a device
_NO_SWAPPINESS = frozenset({None, -1, 2**64 - 1})  # engines write -1 for "not set", as an unsigned number
_WEIGHTS = (10, 1000)  # blkio.weight of cgroup v1


def check_resources(resources: Resources, at: str) -> None:
    """Run all checks of resources. Raises ConfigError."""
    for check in CHECKS:
        check(resources, at)


def warn_resources(resources: Resources, at: str) -> tuple[str, ...]:
    """Limits on kernel memory are deprecated (config-linux.md) and gone from Linux 5.16 and cgroup v2."""
    memory = resources.memory
    if memory is None:
        return ()
    return tuple(
        f"{at}.memory.{name}: deprecated, ignored"
        for name, value in (("kernel", memory.kernel), ("kernelTCP", memory.kernel_tcp))
        if value is not None and value != _UNLIMITED
    )


def check_devices(resources: Resources, at: str) -> None:
    """The words of the device controller (cgroup v1: devices.rst)."""
    for index, rule in enumerate(resources.devices):
        here = f"{at}.devices[{index}]"
        if rule.type not in {"a", "b", "c"}:
            raise ConfigError(f"{here}.type", f"expected a, b or c, got {quote(rule.type)}")
        if not rule.access or not set(rule.access) <= set("rwm"):
            raise ConfigError(f"{here}.access", f"expected one or more of r, w and m, got {quote(rule.access)}")
        demand_within(rule.major, 0, _LARGEST_NUMBER, f"{here}.major")
        demand_within(rule.minor, 0, _LARGEST_NUMBER, f"{here}.minor")


def check_memory(resources: Resources, at: str) -> None:
    """``swap`` counts memory and swap together, so it cannot be below the limit."""
    memory = resources.memory
    if memory is None:
        return
    at = f"{at}.memory"
    demand_within(memory.limit, _UNLIMITED, _LARGEST_INT64, f"{at}.limit")
    demand_within(memory.reservation, _UNLIMITED, _LARGEST_INT64, f"{at}.reservation")
    demand_within(memory.swap, _UNLIMITED, _LARGEST_INT64, f"{at}.swap")
    if memory.swappiness not in _NO_SWAPPINESS:
        demand_within(memory.swappiness, 0, 100, f"{at}.swappiness")
    limit, swap = memory.limit or 0, memory.swap or 0
    if 0 < swap < limit:
        raise ConfigError(f"{at}.swap", f"memory and swap together must be at least the limit {limit}, got {swap}")


def check_cpu(resources: Resources, at: str) -> None:
    """config-linux.md: a positive quota must be greater than or equal to the burst."""
    cpu = resources.cpu
    if cpu is None:
        return
    at = f"{at}.cpu"
    quota, burst = cpu.quota or 0, cpu.burst or 0
    if 0 < quota < burst:
        raise ConfigError(f"{at}.burst", f"must be at most the quota {quota}, got {burst}")
    demand_within(cpu.idle, 0, 1, f"{at}.idle")
    demand_number_list(cpu.cpus, f"{at}.cpus")
    demand_number_list(cpu.mems, f"{at}.mems")


def check_block_io(resources: Resources, at: str) -> None:
    """Weights are 10 to 1000, and an entry without any means nothing."""
    block = resources.block_io
    if block is None:
        return
    at = f"{at}.blockIO"
    _check_weight(block.weight, f"{at}.weight")
    _check_weight(block.leaf_weight, f"{at}.leafWeight")
    for index, device in enumerate(block.weight_device):
        here = f"{at}.weightDevice[{index}]"
        if device.weight is None and device.leaf_weight is None:
            raise ConfigError(here, "at least one of weight and leafWeight is required")
        _check_weight(device.weight, f"{here}.weight")
        _check_weight(device.leaf_weight, f"{here}.leafWeight")
        _check_numbers(device.major, device.minor, here)
    for name, throttles in (
        ("throttleReadBpsDevice", block.throttle_read_bps_device),
        ("throttleWriteBpsDevice", block.throttle_write_bps_device),
        ("throttleReadIOPSDevice", block.throttle_read_iops_device),
        ("throttleWriteIOPSDevice", block.throttle_write_iops_device),
    ):
        for index, throttle in enumerate(throttles):
            _check_numbers(throttle.major, throttle.minor, f"{at}.{name}[{index}]")


def check_hugepages(resources: Resources, at: str) -> None:
    """The pattern of the schema: ``^[1-9][0-9]*[KMG]B$``."""
    for index, limit in enumerate(resources.hugepage_limits):
        size = limit.page_size
        number = size[:-2]
        good = size[-2:] in {"KB", "MB", "GB"} and number.isascii() and number.isdigit() and number[0] != "0"
        if not good:
            raise ConfigError(
                f"{at}.hugepageLimits[{index}].pageSize", f"expected a size such as 64KB, 2MB or 1GB, got {quote(size)}"
            )


def check_network(resources: Resources, at: str) -> None:
    """A line of net_prio.ifpriomap is a name and a number."""
    network = resources.network
    for index, entry in enumerate(() if network is None else network.priorities):
        here = f"{at}.network.priorities[{index}].name"
        if not entry.name or any(character.isspace() for character in entry.name):
            raise ConfigError(here, f"expected the name of an interface, got {quote(entry.name)}")
        refuse_nul_in(entry.name, here)


def check_rdma(resources: Resources, at: str) -> None:
    """A line of rdma.max is a device and at least one limit."""
    for limit in resources.rdma:
        here = key_path(f"{at}.rdma", limit.device)
        if limit.hca_handles is None and limit.hca_objects is None:
            raise ConfigError(here, "at least one of hcaHandles and hcaObjects is required")
        if not limit.device or any(character.isspace() or character == "\0" for character in limit.device):
            raise ConfigError(here, "expected the name of a device")


def check_unified(resources: Resources, at: str) -> None:
    """A key is the name of a file in the container's cgroup and must not lead out of it."""
    for name, value in resources.unified:
        here = key_path(f"{at}.unified", name)
        if not name or "/" in name or name in {".", ".."}:
            raise ConfigError(here, "expected the name of a file of the cgroup")
        refuse_nul_in(name, here)
        refuse_nul_in(value, here)


CHECKS: tuple[Callable[[Resources, str], None], ...] = (
    check_devices,
    check_memory,
    check_cpu,
    check_block_io,
    check_hugepages,
    check_network,
    check_rdma,
    check_unified,
)


def _check_weight(weight: int | None, at: str) -> None:
    """0 is what engines write for a weight that is not set."""
    if weight:
        demand_within(weight, *_WEIGHTS, at)


def _check_numbers(major: int, minor: int, at: str) -> None:
    demand_within(major, 0, _LARGEST_NUMBER, f"{at}.major")
    demand_within(minor, 0, _LARGEST_NUMBER, f"{at}.minor")
