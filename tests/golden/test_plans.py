"""The plan of each sample, word for word: what changes in a plan is seen, and decided, in a diff."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from slinger.plan.explain import text
from tests.golden.samples import ENTERED, SAMPLES, Entered, Sample
from tests.plan_reader import as_read, read_plan

ALL: dict[str, Sample | Entered] = {**SAMPLES, **ENTERED}
PLANS = Path(__file__).parent / "plans"


@pytest.mark.parametrize("name", ALL)
def test_the_plan_is_the_one_that_was_agreed_on(name: str, pytestconfig: pytest.Config) -> None:
    """The text, and a hash of the bytes. `pytest tests/golden --golden-update` after a change that is wanted."""
    plan = ALL[name].compile()
    data = plan.encode()
    digest = hashlib.sha256(data).hexdigest()
    found = f"{text(plan)}{plan.slots} slots, {len(data)} bytes, sha256 {digest[:32]}\n"
    path = PLANS / f"{name}.txt"
    if pytestconfig.getoption("--golden-update", default=False):
        path.write_text(found, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == found


def test_there_is_no_plan_without_a_sample() -> None:
    """A file that no test reads says nothing."""
    assert sorted(path.stem for path in PLANS.iterdir()) == sorted(ALL)


@pytest.mark.parametrize("name", ALL)
def test_another_reader_finds_in_the_bytes_what_is_in_the_plan(name: str) -> None:
    """Written after docs/protocol.md: tests/plan_reader.py."""
    plan = ALL[name].compile()
    assert read_plan(plan.encode()) == ([as_read(op) for op in plan.ops], plan.slots)


@pytest.mark.parametrize("name", ALL)
def test_a_plan_is_one_line_an_op(name: str) -> None:
    """Whatever is in the configuration: nothing that a terminal would obey."""
    plan = ALL[name].compile()
    lines = text(plan).split("\n")
    assert len(lines) == len(plan.ops) + 1
    assert all(line.isprintable() for line in lines)
