"""Configs of several parts, drawn by number: slinger shows what one of the peers shows, or what a part explains.

SLINGER_GENERATED=1000 draws more of them. Rule of the file: how the peers' own oddities work together is not ours.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.case import Case
from tests.peers.generated import GENERATED, POOL, Generated, explained, generated
from tests.peers.observe import comparison
from tests.peers.together import Together
from tests.requires import requires


@pytest.fixture(scope="module")
def runs() -> Iterator[Together[Case]]:
    """Share one comparison between the tests."""
    with comparison() as shared:
        yield shared


@requires("root", "runc", "crun")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in GENERATED])
def test_parts_together_show_what_they_show_with_a_peer(case: Generated, runs: Together[Case]) -> None:
    """Where slinger stands alone, one of the parts has a row in differences.py."""
    alone = [each for each in runs.found(case) if each.odd() & {"slinger", "all"} and not explained(each, case.parts)]
    assert alone == [], "\n".join(["", *map(str, alone)])


def test_a_number_is_the_same_case_always() -> None:
    """And numbers differ."""
    assert generated(7) == generated(7)
    assert len({str(generated(number).changes) for number in range(200)}) > 190


def test_cases_of_all_kinds_are_drawn_and_together() -> None:
    """A draw has at least two parts nearly always, and each part is drawn at some time."""
    drawn = [generated(number).parts for number in range(2000)]
    assert sum(len(parts) >= 2 for parts in drawn) > 1900
    assert {part for parts in drawn for part in parts} == {case.name for case in POOL}
