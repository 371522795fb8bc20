"""Find where the runtimes differ in one case, and the rows of the table that explain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.peers.normal import Flat
from tests.peers.row import Difference

ABSENT = "(absent)"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One key that not all show alike in one case."""

    case: str
    key: str
    values: Mapping[str, str]  # by runtime

    def odd(self) -> frozenset[str]:
        """Say who may be called the odd one: who stands alone; of two, either."""
        shown = list(self.values.values())
        alone = [name for name, value in self.values.items() if shown.count(value) == 1]
        return frozenset({"all"} if len(alone) == 3 else alone)

    def __str__(self) -> str:
        """Show the case, the key and each value on a line of its own."""
        values = [f"    {name:8}{value!r}" for name, value in self.values.items()]
        return "\n".join([f"{self.case}: {self.key}", *values])


def findings(case: str, shown: Mapping[str, Flat], always: Sequence[str] = ("outcome",)) -> list[Finding]:
    """Compare what the runtimes showed (by runtime).

    always: the keys that say how it ended; the others are compared between those that have a report, of which a
    runtime that refused has none.
    """
    ran = {name: flat for name, flat in shown.items() if flat["outcome"] != "refused" and set(flat) - set(always)}
    found: list[Finding] = []
    for key in (*always, *sorted(set[str]().union(*ran.values()) - set(always))):
        values = {name: flat.get(key, ABSENT) for name, flat in (shown if key in always else ran).items()}
        if len(set(values.values())) > 1:
            found.append(Finding(case=case, key=key, values=values))
    return found


def explanation(finding: Finding, table: Sequence[Difference]) -> Difference | None:
    """Return the first row that names this case, this key and who is odd; None when there is none."""
    odd = finding.odd()
    for row in table:
        if (
            (row.odd in odd or (len(finding.values) == 2 and row.odd == "all"))
            and fnmatchcase(finding.case, row.cases)
            and fnmatchcase(finding.key, row.keys)
        ):
            return row
    return None
