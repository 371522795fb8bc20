"""Write docs/complaints.md: what users complain of, what slinger does, and the tests that show it.

The rows are those of docs/complaints.toml; which test shows which is said on the test, by its mark
``@pytest.mark.complaint("poststop/at-delete", ...)``. ``gen_complaints.py`` writes the page, ``--check`` fails when it
is stale; a row that no test shows and a mark that names no row are errors for both.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from tools.gen_conformance import Shown, marks, placed  # noqa: E402 - the path comes first

ROWS = HERE / "docs" / "complaints.toml"
PAGE = HERE / "docs" / "complaints.md"
MARK = "complaint"
TOOL = "gen_complaints"


@dataclass(frozen=True)
class Complaint:
    """``addresses``: where it was made, OWNER/REPOSITORY#NUMBER on GitHub."""

    section: str
    name: str
    text: str
    answer: str
    addresses: tuple[str, ...]

    @property
    def id(self) -> str:
        """What the mark of a test says."""
        return f"{self.section}/{self.name}"


def complaints() -> list[Complaint]:
    """All rows, in the order of the file; ValueError for one that is not written as it must be."""
    found: list[Complaint] = []
    for section, entries in tomllib.loads(ROWS.read_text(encoding="utf-8")).items():
        for name, entry in entries.items():
            match entry:
                case [str(text), str(answer), *addresses] if text and answer and addresses:
                    found.append(Complaint(section, name, text, answer, tuple(addresses)))
                case _:
                    message = f"{ROWS.name}: {section}/{name}: expected [complaint, answer, address, ...]"
                    raise ValueError(message)
    return found


def link(address: str) -> str:
    """An address as Markdown."""
    repository, _, number = address.partition("#")
    return f"[{address}](https://github.com/{repository}/issues/{number})"


def faults(rows: Sequence[Complaint], shown: Sequence[Shown]) -> list[str]:
    """Rows without a test, and marks without a row."""
    known, marked = {row.id for row in rows}, {each.pattern for each in shown}
    bare = [f"{row.id}: no test shows that it does not happen" for row in rows if row.id not in marked]
    lost = [f"{each.path}: {each.test}: no complaint {each.pattern!r}" for each in shown if each.pattern not in known]
    return bare + lost


def table(rows: Sequence[Complaint], shown: Sequence[Shown]) -> str:
    """The generated part of the page."""
    lines = [f"{len(rows)} complaints."]
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", f"## {section.capitalize()}", ""]
            lines += ["| complaint | told by | slinger | shown by |", "|---|---|---|---|"]
        tests = dict.fromkeys((each.path, each.test) for each in shown if each.pattern == row.id)
        links = ", ".join(f"[{test}](../{path})" for path, test in tests)
        lines.append(f"| {row.text} | {', '.join(map(link, row.addresses))} | {row.answer} | {links} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Write or check the page."""
    rows, shown = complaints(), marks(MARK)
    wrong = faults(rows, shown)
    for fault in wrong:
        print(f"complaints: {fault}", file=sys.stderr)
    page = PAGE.read_text(encoding="utf-8")
    new = placed(page, table(rows, shown), TOOL)
    if "--check" not in arguments:
        PAGE.write_text(new, encoding="utf-8")
    elif new != page:
        print(f"stale: {PAGE.relative_to(HERE)}; run make gen", file=sys.stderr)
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
