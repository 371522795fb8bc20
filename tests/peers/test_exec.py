"""The same exec by slinger, runc and crun: what the process sees and how exec ends must be the same, or explained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.peers.exec_cases import EXECS, ExecCase
from tests.peers.exec_differences import EXEC_DIFFERENCES
from tests.peers.observe import RUNTIMES
from tests.peers.observe_exec import ALWAYS, execs
from tests.peers.test_differential import made_for_this_machine, unexplained
from tests.peers.together import Together
from tests.requires import requires


@pytest.fixture(scope="module")
def runs() -> Iterator[Together[ExecCase]]:
    """Share one comparison between the tests, with its containers."""
    with contextlib.ExitStack() as stack:
        yield Together({name: stack.enter_context(execs(name)).observe for name in RUNTIMES}, ALWAYS)


@requires("root", "runc", "crun")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in EXECS])
def test_an_exec_is_the_same_under_every_runtime(case: ExecCase, runs: Together[ExecCase]) -> None:
    """Whatever the runtimes show differently has a row in exec_differences.py."""
    left = unexplained(runs.found(case), exact=made_for_this_machine(), table=EXEC_DIFFERENCES)
    assert left == [], "\n".join(["", *map(str, left)])


@requires("root", "runc", "crun")
def test_every_known_difference_of_exec_is_still_to_be_seen(runs: Together[ExecCase]) -> None:
    """A row that explains nothing any more is removed. Holds where the table is exact."""
    if made_for_this_machine():
        assert runs.unused(EXECS, EXEC_DIFFERENCES) == []


def test_the_names_of_execs_are_unique() -> None:
    """A case is known by its name alone."""
    assert len({case.name for case in EXECS}) == len(EXECS)
