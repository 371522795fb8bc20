"""What a program in the container tells, and how to get at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from tests.bundles import Json, mapping, sequence, text
from tests.integration.box import INSIDE, Box

SLEEPING: Final = (INSIDE, "sleep", "88.6623")


def inspect(box: Box, *words: str) -> Mapping[str, Json]:
    """What one more process in the container tells."""
    return mapping(json.loads(box.succeed("exec", box.id, INSIDE, "report", *words)))


def at(report: Mapping[str, Json], *steps: str) -> Json:
    """A member of members."""
    value: Json = report
    for step in steps:
        value = mapping(value)[step]
    return value


def points(report: Mapping[str, Json]) -> list[str]:
    """The mount points, in their order."""
    return [text(mapping(line)["point"]) for line in sequence(report["mounts"])]
