"""Id mappings, as mounts and linux have them (config-linux.md, "User namespace mappings")."""

from __future__ import annotations

from slinger.spec.config import IdMapping
from slinger.spec.reader import UINT32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.reader import Reader


def read_mappings(reader: Reader, name: str) -> tuple[IdMapping, ...]:
    """The list of id mappings that a property holds."""
    return tuple(
        IdMapping(
            container_id=entry.demanded_number("containerID", UINT32),
            host_id=entry.demanded_number("hostID", UINT32),
            size=entry.demanded_number("size", UINT32),
        )
        for entry in reader.objects(name)
    )
