"""The table of docs/peers.md, made from differences.py. `python -m tests.peers.document --write` renews it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from tests.bundles import REPOSITORY
from tests.peers.cases import CASES
from tests.peers.differences import DIFFERENCES, VERSIONS
from tests.peers.exec_cases import EXECS
from tests.peers.exec_differences import EXEC_DIFFERENCES
from tests.peers.row import Difference
from tests.peers.verb_cases import CALLS
from tests.peers.verb_differences import VERB_DIFFERENCES

PAGE: Final = REPOSITORY / "docs/peers.md"
BEGIN: Final = "<!-- made from tests/peers/differences.py: begin -->"
END: Final = "<!-- made from tests/peers/differences.py: end -->"
HEAD: Final = "| differs | in the config or call | in the report | why |"
RULE: Final = "|---|---|---|---|"
ODD: Final = {"runc": "runc alone", "crun": "crun alone", "slinger": "slinger alone", "all": "each its own"}


def table() -> str:
    """Render the generated section: the rows in the order of the table, slinger's own first."""
    versions = ", ".join(f"{name} {version}" for name, version in VERSIONS.items())
    lines = [f"{len(CASES)} configs, compared with {versions}.", ""]
    lines += [HEAD, RULE]
    lines += _lines(DIFFERENCES)
    for what, count, rows in (
        ("execs", len(EXECS), EXEC_DIFFERENCES),
        ("calls of verbs", len(CALLS), VERB_DIFFERENCES),
    ):
        lines += ["", f"{count} {what}.", "", HEAD, RULE, *_lines(rows)]
    return "\n".join(lines)


def _lines(table: Sequence[Difference]) -> list[str]:
    lines: list[str] = []
    for (odd, reason), (cases, keys) in _grouped(table).items():
        case = "any" if "*" in cases else ", ".join(f"`{each}`" for each in cases)
        lines.append(f"| {ODD[odd]} | {case} | {', '.join(f'`{key}`' for key in keys)} | {reason} |")
    return lines


def _grouped(table: Sequence[Difference]) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
    """Gather cases and keys by who is odd and why."""
    groups: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for row in sorted(table, key=lambda row: row.odd != "slinger"):
        cases, keys = groups.setdefault((row.odd, row.reason), ([], []))
        cases += [row.cases] if row.cases not in cases else []
        keys += [row.keys] if row.keys not in keys else []
    return groups


def with_table(page: str) -> str:
    """Return the page with the generated section replaced; ValueError when the markers are missing."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{PAGE}: markers are missing")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    fresh = with_table(PAGE.read_text())
    if "--write" in sys.argv:
        PAGE.write_text(fresh)
    else:
        sys.stdout.write(fresh)
