"""One line of a container's limits: a value for a file of its cgroup. The words that all topics share."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.record import Record

V1, V2 = 1, 2
ORIGIN = "linux.resources"


class Write(Record):
    """One value for one file of the container's cgroup, and the JSON path that asked for it."""

    controller: str  # as this version calls it: blkio on v1, io on v2
    file: str
    value: str
    origin: str
    version: int
    early: bool = False  # must be there before the first process joins
    missing_ok: bool = False  # where the kernel has no such file, nothing is lost
    otherwise: Write | None = None  # instead, where the file is missing


def refuse(prefix: str, asked: tuple[tuple[str, object], ...]) -> None:
    """ConfigError for the first that is set to something: cgroup v2 knows it not."""
    for name, value in asked:
        if value:
            raise ConfigError(f"{ORIGIN}.{prefix}.{name}", "cgroup v2 has nothing like it", hint="leave it out")


def limit_word(value: int) -> str:
    """As v2 spells a limit: a negative one is none."""
    return "max" if value < 0 else str(value)
