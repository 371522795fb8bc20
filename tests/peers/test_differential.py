"""The same bundle run by slinger, runc and crun: what a process sees inside must be the same, or explained.

Rule of the file: a difference is a fact of differences.py or a failure. Each config is run once per runtime.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.bundles import find_runtime
from tests.peers.case import Case
from tests.peers.cases import CASES
from tests.peers.compare import Finding, explanation
from tests.peers.differences import DIFFERENCES, VERSIONS
from tests.peers.document import PAGE, with_table
from tests.peers.observe import comparison
from tests.peers.row import Difference
from tests.peers.together import Together
from tests.requires import cgroup_layout, requires

by_name = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=requires("podman") if case.podman else (), id=case.name) for case in CASES]
)


@pytest.fixture(scope="module")
def runs() -> Iterator[Together[Case]]:
    """Share one comparison between the tests."""
    with comparison() as shared:
        yield shared


@functools.cache
def made_for_this_machine() -> bool:
    """Say whether the peers and the machine are those that the table was made with."""
    if cgroup_layout() not in {"v1", "hybrid"} or Path("/proc/kcore").exists():
        return False
    for name, version in VERSIONS.items():
        shown = subprocess.run([find_runtime(name) or name, "--version"], capture_output=True, text=True, check=True)
        if f" {version}" not in shown.stdout.splitlines()[0]:
            return False
    return True


def unexplained(found: list[Finding], *, exact: bool, table: Sequence[Difference] = DIFFERENCES) -> list[Finding]:
    """List what no row explains. Not exact (another machine, other peers): only where slinger agrees with none."""
    left = [finding for finding in found if explanation(finding, table) is None]
    return left if exact else [finding for finding in left if finding.odd() & {"slinger", "all"}]


@requires("root", "runc", "crun")
@by_name
def test_a_process_sees_the_same_under_every_runtime(case: Case, runs: Together[Case]) -> None:
    """Whatever the runtimes show differently has a row in differences.py."""
    left = unexplained(runs.found(case), exact=made_for_this_machine())
    assert left == [], "\n".join(["", *map(str, left)])


@requires("root", "runc", "crun", "podman")
def test_every_known_difference_is_still_to_be_seen(runs: Together[Case]) -> None:
    """A row of differences.py that explains nothing any more is removed. Holds where the table is exact."""
    if not made_for_this_machine():
        return
    assert runs.unused(CASES, DIFFERENCES) == []


def test_the_page_about_the_peers_is_up_to_date() -> None:
    """docs/peers.md holds the table that differences.py makes; `python -m tests.peers.document --write` renews it."""
    page = PAGE.read_text()
    assert page == with_table(page)


def test_the_names_of_cases_are_unique() -> None:
    """A case is known by its name alone."""
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ({"runc": "1", "crun": "2"}, {"runc", "crun"}),
        ({"runc": "1", "crun": "2", "slinger": "1"}, {"crun"}),
        ({"runc": "1", "crun": "1", "slinger": "2"}, {"slinger"}),
        ({"runc": "1", "crun": "2", "slinger": "3"}, {"all"}),
    ],
)
def test_who_stands_alone_is_the_odd_one(values: Mapping[str, str], odd: set[str]) -> None:
    """Of three, who disagrees with the two others; of two, either; when all disagree, all."""
    assert Finding(case="c", key="k", values=values).odd() == odd


def test_a_row_explains_only_its_own_case_key_and_runtime() -> None:
    """A row for crun does not explain what slinger does otherwise."""
    row = Difference(cases="a*", keys="k", odd="crun", reason="r")
    alike = {"runc": "1", "crun": "2", "slinger": "1"}
    assert explanation(Finding(case="ab", key="k", values=alike), [row]) == row
    assert explanation(Finding(case="b", key="k", values=alike), [row]) is None
    assert explanation(Finding(case="ab", key="x", values=alike), [row]) is None
    assert explanation(Finding(case="ab", key="k", values=alike | {"crun": "1", "slinger": "2"}), [row]) is None
