"""linux.resources.blockIO as files and values: blkio.* of v1, io.* of v2."""

from __future__ import annotations

from slinger.plan.cgroup_line import ORIGIN, V1, V2, Write, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import BlockIo, ThrottleDevice


def block_io_writes(block: BlockIo, version: int) -> list[Write]:
    """The weights and throttles of disks. ConfigError."""
    return _block_io_v1(block) if version == V1 else _block_io_v2(block)


def io_weight(weight: int) -> int:
    """io.weight (1 to 10000) for blkio.weight (10 to 1000), linear."""
    return 1 + (max(weight, 10) - 10) * 9999 // 990


def _throttles(block: BlockIo) -> tuple[tuple[str, str, str, tuple[ThrottleDevice, ...]], ...]:
    """(JSON name, word of v1, word of v2, entries)."""
    return (
        ("throttleReadBpsDevice", "read_bps", "rbps", block.throttle_read_bps_device),
        ("throttleWriteBpsDevice", "write_bps", "wbps", block.throttle_write_bps_device),
        ("throttleReadIOPSDevice", "read_iops", "riops", block.throttle_read_iops_device),
        ("throttleWriteIOPSDevice", "write_iops", "wiops", block.throttle_write_iops_device),
    )


def _block_io_v1(block: BlockIo) -> list[Write]:
    def write(file: str, value: str, name: str, otherwise: Write | None = None) -> Write:
        return Write("blkio", f"blkio.{file}", value, f"{ORIGIN}.blockIO.{name}", V1, otherwise=otherwise)

    table: list[Write] = []
    if block.weight:
        value = str(block.weight)
        table.append(write("bfq.weight", value, "weight", write("weight", value, "weight")))
    if block.leaf_weight:
        table.append(write("leaf_weight", str(block.leaf_weight), "leafWeight"))
    for index, each in enumerate(block.weight_device):
        node, name = f"{each.major}:{each.minor}", f"weightDevice[{index}]"
        if each.weight:
            value = f"{node} {each.weight}"
            table.append(write("bfq.weight_device", value, name, write("weight_device", value, name)))
        if each.leaf_weight:
            table.append(write("leaf_weight_device", f"{node} {each.leaf_weight}", name))
    for name, word, _, entries in _throttles(block):
        for index, entry in enumerate(entries):
            value = f"{entry.major}:{entry.minor} {entry.rate}"
            table.append(write(f"throttle.{word}_device", value, f"{name}[{index}]"))
    return table


def _block_io_v2(block: BlockIo) -> list[Write]:
    leaves = tuple((f"weightDevice[{i}].leafWeight", each.leaf_weight) for i, each in enumerate(block.weight_device))
    refuse("blockIO", (("leafWeight", block.leaf_weight), *leaves))

    def write(file: str, value: str, name: str, otherwise: Write | None = None) -> Write:
        return Write("io", f"io.{file}", value, f"{ORIGIN}.blockIO.{name}", V2, otherwise=otherwise)

    table: list[Write] = []
    if block.weight:
        plain = write("weight", str(io_weight(block.weight)), "weight")
        table.append(write("bfq.weight", str(block.weight), "weight", plain))
    for index, each in enumerate(block.weight_device):
        if each.weight:
            node, name = f"{each.major}:{each.minor}", f"weightDevice[{index}]"
            plain = write("weight", f"{node} {io_weight(each.weight)}", name)
            table.append(write("bfq.weight", f"{node} {each.weight}", name, plain))
    for name, _, word, entries in _throttles(block):
        for index, entry in enumerate(entries):
            rate = str(entry.rate) if entry.rate else "max"  # 0 is how v1 lifts the limit
            table.append(write("max", f"{entry.major}:{entry.minor} {word}={rate}", f"{name}[{index}]"))
    return table
