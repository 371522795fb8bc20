"""docs/security.md says what is true: each CVE has its row, each test and each function named there exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.security.guard_table import GUARDS, Guard
from tests.security.guards import REPOSITORY, stale

PAGE: Final = (REPOSITORY / "docs/security.md").read_text("utf-8")
# All that are known of runc, crun and their callers, and that a runtime of this kind could have.
KNOWN: Final = (
    *("2014-8989", "2016-3697", "2016-9962", "2019-5736", "2019-16884", "2019-18837", "2019-19921"),
    *("2021-30465", "2021-43784", "2022-24769", "2022-27650", "2022-29162", "2023-25809", "2023-27561", "2023-28642"),
    *("2024-3154", "2024-21626", "2024-45310", "2025-24965", "2025-31133", "2025-52565", "2025-52881"),
    *("2026-30892", "2026-41579", "2026-47766"),
)


@pytest.mark.parametrize("number", KNOWN)
def test_each_cve_has_a_row(number: str) -> None:
    """One that starts with its id."""
    assert re.search(rf"^\|[^|]*{number}[^|]*\|", PAGE, re.MULTILINE), f"CVE-{number} is not in docs/security.md"


def test_each_test_that_is_named_exists() -> None:
    """In some file of tests/."""
    tests = {name for path in Path(REPOSITORY, "tests").rglob("test_*.py") for name in _functions(path)}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 30
    assert sorted(named - tests) == []


def _functions(path: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)


def test_each_function_that_is_named_exists() -> None:
    """As FILE:NAME, in init/ or src/slinger/."""
    named = re.findall(r"`([\w/]+\.(?:c|py)):(\w+)`", PAGE)
    assert len(named) > 20
    for file, name in named:
        path = REPOSITORY / ("init" if file.endswith(".c") else "src/slinger") / file
        assert re.search(rf"\b{name}\b", path.read_text("utf-8")), f"{file}:{name}"


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: str(guard.name))
def test_each_guard_is_in_the_source_and_in_the_page(guard: Guard) -> None:
    """What tests/security/guards.py takes out is there once, and its outcome is in the table."""
    assert stale(guard) == []
    for test in guard.tests:
        name = test.partition("::")[2]
        row = re.search(rf"^\| {re.escape(guard.name)} \| `{name}` \| (\d+) of \d+ \|$", PAGE, re.MULTILINE)
        assert row, f"{guard.name}: {name}: run tests/security/guards.py"
        assert int(row[1]) > 0
