"""Mounts of a container under test, as its program sees them."""

from __future__ import annotations

from tests.bundles import Drop, Json, mapping, sequence
from tests.integration.box import Box


def shown(box: Box, *points: str) -> list[dict[str, set[str]]]:
    """Flags, super block options and propagation of the uppermost mounts at these points, for the program."""
    table = {str(mapping(each)["point"]): mapping(each) for each in sequence(box.report()["mounts"])}
    return [
        {
            "options": set(str(table[point]["options"]).split(",")),
            "super": set(str(table[point]["super"]).split(",")),
            "propagation": {str(tag).partition(":")[0] for tag in sequence(table[point]["propagation"])},
        }
        for point in points
    ]


def with_mounts(box: Box, *entries: Json, **changes: Json | Drop) -> None:
    """Configure the common mounts and these; `process_args` stands for process.args."""
    box.configure({"mounts+": entries, **{name.replace("_", ".", 1): value for name, value in changes.items()}})


def probed(box: Box, *paths: str) -> list[dict[str, Json]]:
    """What the program finds at these paths."""
    probes = mapping(box.report(*(word for path in paths for word in ("--probe", path)))["probes"])
    return [dict(mapping(probes[path])) for path in paths]
