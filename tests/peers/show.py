"""Show unexplained differences, grouped: `python -m tests.peers.show [WORD...]`, cases that hold one of the words."""

from __future__ import annotations

import sys

from tests.peers.cases import CASES
from tests.peers.compare import Finding, explanation
from tests.peers.differences import DIFFERENCES
from tests.peers.observe import comparison


def grouped(found: list[Finding]) -> str:
    """Lay out findings: each key with its values once, then the cases that show it."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in found:
        groups.setdefault((finding.key, *finding.values.values()), []).append(finding)
    blocks: list[str] = []
    for group in groups.values():
        names = ", ".join(finding.case for finding in group[:4]) + (", ..." if len(group) > 4 else "")
        _, *values = str(group[0]).splitlines()
        blocks.append("\n".join([f"{group[0].key}    [{len(group)}: {names}]", *values]))
    return "\n".join(blocks)


def main(words: list[str]) -> int:
    """Run the cases and print; 1 when anything is unexplained."""
    found: list[Finding] = []
    chosen = [case for case in CASES if not words or any(word in case.name for word in words)]
    with comparison() as runs:
        for case in chosen:
            found += [each for each in runs.found(case) if not explanation(each, DIFFERENCES)]
    sys.stdout.write(f"{grouped(found)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
