"""Configs that nobody wrote: several of the table's cases at once, drawn with a fixed seed.

Rule of the file: case number N is the same on every machine and however many are drawn. What the runtimes may differ
in is what they may differ in for one of the parts.
"""

from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from tests.bundles import Drop, Json, mapping, sequence
from tests.peers.case import Case
from tests.peers.cases import CASES
from tests.peers.cases_refusals import MORE_REFUSALS, REFUSALS
from tests.peers.compare import Finding, explanation
from tests.peers.differences import DIFFERENCES
from tests.peers.outcomes import OUTCOMES
from tests.peers.row import Difference

COUNT: Final = int(os.environ.get("SLINGER_GENERATED", "24"))  # more when one has the time
TRIES: Final = 12  # parts that are drawn for one case; those that do not go together with the first ones are left out
MOST: Final = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generated(Case):
    """A case of several parts."""

    parts: tuple[str, ...] = ()


def _combinable(case: Case) -> bool:
    """Whether a case says something about what is seen inside, of every runtime.

    A device that is named twice is left out: in a user namespace, where it may be bound, nobody says which one counts.
    """
    plain = case.arguments is None and not case.terminal and not case.podman and "process.args" not in case.changes
    refused = any(fnmatchcase(case.name, row.cases) for row in OUTCOMES) or "scheduler" in case.name
    return (
        plain
        and not refused
        and case.name != "device twice"
        and case not in (*REFUSALS, *MORE_REFUSALS)
        and bool(case.changes)
    )


POOL: Final = tuple(case for case in CASES if _combinable(case))


def _clashes(one: str, other: str) -> bool:
    """Whether two changes are about the same property, or about one in the other; several may append."""
    if one.endswith("+") and one == other:
        return False
    one, other = one.removesuffix("+"), other.removesuffix("+")
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _places(case: Case) -> set[str]:
    """Where the case mounts: two mounts at one place are a case of their own."""
    mounts = case.changes.get("mounts+", [])
    return (
        set()
        if isinstance(mounts, Drop)
        else {f"/{mapping(each).get('destination')}".replace("//", "/") for each in sequence(mounts)}
    )


def _fits(parts: Sequence[Case], more: Case) -> bool:
    return all(
        part.name != more.name
        and not (part.owner and more.owner)
        and not (_places(part) & _places(more))
        and not any(_clashes(one, other) for one in part.changes for other in more.changes)
        for part in parts
    )


def _merged(parts: Sequence[Case]) -> dict[str, Json | Drop]:
    changes: dict[str, Json | Drop] = {}
    for part in parts:
        for path, value in part.changes.items():
            before = changes.get(path)
            if before is None or isinstance(before, Drop) or isinstance(value, Drop):
                changes[path] = value
            else:
                changes[path] = [*sequence(before), *sequence(value)]
    return changes


def _looks(parts: Sequence[Case]) -> tuple[str, ...]:
    """What the parts look at, each pair of option and path once."""
    pairs = dict.fromkeys((part.look[at], part.look[at + 1]) for part in parts for at in range(0, len(part.look), 2))
    return tuple(word for pair in pairs for word in pair)


def generated(number: int) -> Generated:
    """Make case number N."""
    drawn = random.Random(number)  # noqa: S311 - the same every time, that is the point
    parts: list[Case] = []
    for case in drawn.choices(POOL, k=TRIES):
        if len(parts) < MOST and _fits(parts, case):
            parts.append(case)
    names = tuple(part.name for part in parts)
    return Generated(
        name=f"generated {number}: {' + '.join(names)}",
        parts=names,
        changes=_merged(parts),
        look=_looks(parts),
        options=tuple(word for part in parts for word in part.options),
        owner=max(part.owner for part in parts),
        fds=max(part.fds for part in parts),
    )


def explained(finding: Finding, parts: Sequence[str], table: Sequence[Difference] = DIFFERENCES) -> bool:
    """Say whether a row explains the difference, for one of the parts; where no two agree, two by two."""
    if len(finding.values) > 2 and "all" in finding.odd():
        ours = {name: value for name, value in finding.values.items() if name == "slinger"}
        pairs = [ours | {name: value} for name, value in finding.values.items() if name != "slinger"]
        if all(explained(dataclasses.replace(finding, values=pair), parts, table) for pair in pairs):
            return True
    return any(explanation(dataclasses.replace(finding, case=part), table) for part in parts)


GENERATED: Final = tuple(generated(number) for number in range(COUNT))
