"""One row of the table of known differences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where (names of cases and keys of the report, as shell patterns), who is alone, and why."""

    cases: str = "*"
    keys: str
    odd: str  # "runc", "crun", "slinger", or "all": no two agree
    reason: str


def rows(odd: str, keys: str, reason: str, *cases: str) -> tuple[Difference, ...]:
    """Make one row for each pattern of cases, for all cases when there is none; keys are separated by a comma."""
    return tuple(
        Difference(cases=case, keys=key, odd=odd, reason=reason) for case in cases or ("*",) for key in keys.split(", ")
    )
