"""The same calls of slinger, runc and crun: exit status, where texts go, and what the container does then.

Rule of the file: texts themselves are each runtime's own; whether there is one, and where, is what callers rely on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.peers.observe import RUNTIMES
from tests.peers.observe_verb import ALWAYS, calls
from tests.peers.test_differential import made_for_this_machine, unexplained
from tests.peers.together import Together
from tests.peers.verb_cases import CALLS, Call
from tests.peers.verb_differences import VERB_DIFFERENCES
from tests.requires import requires


@pytest.fixture(scope="module")
def runs() -> Iterator[Together[Call]]:
    """Share one comparison between the tests, with its containers."""
    with contextlib.ExitStack() as stack:
        yield Together({name: stack.enter_context(calls(name)).observe for name in RUNTIMES}, ALWAYS)


@requires("root", "runc", "crun")
@pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in CALLS])
def test_a_call_ends_the_same_under_every_runtime(call: Call, runs: Together[Call]) -> None:
    """Whatever the runtimes do differently has a row in verb_differences.py."""
    left = unexplained(runs.found(call), exact=made_for_this_machine(), table=VERB_DIFFERENCES)
    assert left == [], "\n".join(["", *map(str, left)])


@requires("root", "runc", "crun")
def test_every_known_difference_of_verbs_is_still_to_be_seen(runs: Together[Call]) -> None:
    """A row that explains nothing any more is removed. Holds where the table is exact."""
    if made_for_this_machine():
        assert runs.unused(CALLS, VERB_DIFFERENCES) == []


def test_the_names_of_calls_are_unique() -> None:
    """A call is known by its name alone."""
    assert len({call.name for call in CALLS}) == len(CALLS)
