"""linux.resources: config-linux.md, "Control groups". Also what ``update --resources FILE`` is given."""

from __future__ import annotations

from slinger.spec.config import (
    BlockIo,
    Cpu,
    DeviceRule,
    HugepageLimit,
    InterfacePriority,
    Memory,
    Network,
    Rdma,
    Resources,
    ThrottleDevice,
    WeightDevice,
)
from slinger.spec.jsontext import load
from slinger.spec.parse_hooks import similar_name, warn_unknown
from slinger.spec.reader import INT64, UINT16, UINT32, UINT64, Reader

_ALL_NUMBERS = -1  # what engines write for a device number that is not given

# The properties of resources, and of the objects in it.
MEMBERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("devices", "memory", "cpu", "pids", "blockIO", "hugepageLimits", "network", "rdma", "unified")),
    (
        "memory",
        (
            *("limit", "reservation", "swap", "kernel", "kernelTCP", "swappiness"),
            *("disableOOMKiller", "useHierarchy", "checkBeforeUpdate"),
        ),
    ),
    ("cpu", ("shares", "quota", "period", "burst", "realtimeRuntime", "realtimePeriod", "cpus", "mems", "idle")),
    ("pids", ("limit",)),
    (
        "blockIO",
        (
            *("weight", "leafWeight", "weightDevice", "throttleReadBpsDevice", "throttleWriteBpsDevice"),
            *("throttleReadIOPSDevice", "throttleWriteIOPSDevice"),
        ),
    ),
    ("network", ("classID", "priorities")),
)


def parse_resources(text: bytes, what: str = "resources.json") -> Resources:
    """A document that is one resources object. Paths in errors begin with ``resources``. Raises ConfigError."""
    return read_resources(Reader(load(text, what), "resources", what))


def unknown_members(text: bytes, what: str = "resources.json") -> tuple[str, ...]:
    """A warning for each property that resources do not have; the parser ignores it. ConfigError."""
    top = Reader(load(text, what), "resources", what)
    warnings: list[str] = []
    for name, known in MEMBERS:
        reader = top.object(name) if name else top
        for member in () if reader is None else reader.members:
            if member not in known:
                path, meant = f"{top.at}.{name}.{member}" if name else f"{top.at}.{member}", similar_name(member, known)
                warnings.append(warn_unknown(path, meant) if meant else f"{path}: unknown property, ignored")
    return tuple(warnings)


def read_resources(resources: Reader) -> Resources:
    """The limits that an object describes. Raises ConfigError."""
    pids = resources.object("pids")
    return Resources(
        devices=tuple(_read_device_rule(rule) for rule in resources.objects("devices")),
        memory=_read_memory(resources.object("memory")),
        cpu=_read_cpu(resources.object("cpu")),
        pids_limit=None if pids is None else pids.number_or_none("limit", INT64),
        block_io=_read_block_io(resources.object("blockIO")),
        hugepage_limits=tuple(
            HugepageLimit(
                page_size=limit.demanded_text("pageSize"),
                limit=limit.demanded_number("limit", UINT64),
            )
            for limit in resources.objects("hugepageLimits")
        ),
        network=_read_network(resources.object("network")),
        rdma=tuple(
            Rdma(
                device=device,
                hca_handles=limits.number_or_none("hcaHandles", UINT32),
                hca_objects=limits.number_or_none("hcaObjects", UINT32),
            )
            for device, limits in resources.entries("rdma")
        ),
        unified=resources.map("unified"),
    )


def _read_device_rule(rule: Reader) -> DeviceRule:
    rule.demand("allow")
    major = rule.number_or_none("major", INT64)
    minor = rule.number_or_none("minor", INT64)
    return DeviceRule(
        allow=rule.flag("allow"),
        type=rule.text("type") or "a",
        major=None if major == _ALL_NUMBERS else major,
        minor=None if minor == _ALL_NUMBERS else minor,
        access=rule.text("access"),
    )


def _read_memory(memory: Reader | None) -> Memory | None:
    if memory is None:
        return None
    return Memory(
        limit=memory.number_or_none("limit", INT64),
        reservation=memory.number_or_none("reservation", INT64),
        swap=memory.number_or_none("swap", INT64),
        kernel=memory.number_or_none("kernel", INT64),
        kernel_tcp=memory.number_or_none("kernelTCP", INT64),
        swappiness=memory.number_or_none("swappiness", UINT64),
        disable_oom_killer=memory.flag_or_none("disableOOMKiller"),
        use_hierarchy=memory.flag_or_none("useHierarchy"),
        check_before_update=memory.flag("checkBeforeUpdate"),
    )


def _read_cpu(cpu: Reader | None) -> Cpu | None:
    if cpu is None:
        return None
    return Cpu(
        shares=cpu.number_or_none("shares", UINT64),
        quota=cpu.number_or_none("quota", INT64),
        period=cpu.number_or_none("period", UINT64),
        burst=cpu.number_or_none("burst", UINT64),
        realtime_runtime=cpu.number_or_none("realtimeRuntime", INT64),
        realtime_period=cpu.number_or_none("realtimePeriod", UINT64),
        cpus=cpu.text("cpus"),
        mems=cpu.text("mems"),
        idle=cpu.number_or_none("idle", INT64),
    )


def _read_block_io(block: Reader | None) -> BlockIo | None:
    if block is None:
        return None
    return BlockIo(
        weight=block.number_or_none("weight", UINT16),
        leaf_weight=block.number_or_none("leafWeight", UINT16),
        weight_device=tuple(
            WeightDevice(
                major=device.demanded_number("major", INT64),
                minor=device.demanded_number("minor", INT64),
                weight=device.number_or_none("weight", UINT16),
                leaf_weight=device.number_or_none("leafWeight", UINT16),
            )
            for device in block.objects("weightDevice")
        ),
        throttle_read_bps_device=_read_throttles(block, "throttleReadBpsDevice"),
        throttle_write_bps_device=_read_throttles(block, "throttleWriteBpsDevice"),
        throttle_read_iops_device=_read_throttles(block, "throttleReadIOPSDevice"),
        throttle_write_iops_device=_read_throttles(block, "throttleWriteIOPSDevice"),
    )


def _read_throttles(block: Reader, name: str) -> tuple[ThrottleDevice, ...]:
    return tuple(
        ThrottleDevice(
            major=device.demanded_number("major", INT64),
            minor=device.demanded_number("minor", INT64),
            rate=device.demanded_number("rate", UINT64),
        )
        for device in block.objects(name)
    )


def _read_network(network: Reader | None) -> Network | None:
    if network is None:
        return None
    return Network(
        class_id=network.number_or_none("classID", UINT32),
        priorities=tuple(
            InterfacePriority(
                name=entry.demanded_text("name"),
                priority=entry.demanded_number("priority", UINT32),
            )
            for entry in network.objects("priorities")
        ),
    )
