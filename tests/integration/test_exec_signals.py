"""exec and signals: whenever one comes, it ends slinger before there is a program, or else it is the program's.

Where it comes: after each step of the verb, one after the other (tests.integration.stepping). So no program runs on of
which the caller was told that it was interrupted.
"""

from __future__ import annotations

import os
import signal
from typing import Final

import pytest

from tests.integration.box import INSIDE, Box, processes_with, wait_for
from tests.integration.exec_support import LONG, wait_inside
from tests.integration.stepping import steps_of, stop_at
from tests.requires import requires

pytestmark = requires("root")

TERMINATED: Final = 128 + signal.SIGTERM


def end_of_marked(when: str) -> None:
    """Wait for it, and collect it: init does not end before whoever has adopted it has done so."""
    wait_for(lambda: processes_with("marked") == [], f"the end of the program, {when}")
    while os.waitpid(-1, os.WNOHANG)[0]:
        pass


@pytest.mark.parametrize(("options", "ends"), [((), {TERMINATED}), (("--detach",), {0, TERMINATED})])
def test_an_exec_stopped_after_any_step_leaves_no_program(box: Box, options: tuple[str, ...], ends: set[int]) -> None:
    """One that is not waited for is there when exec succeeds, and the signal its own."""
    words = ("exec", *options, box.id, INSIDE)
    steps = steps_of(
        box, *words, "true", "marked", before=lambda: wait_inside(box), after=lambda: end_of_marked("not stopped")
    )
    wait_inside(box)
    seen: set[int] = set()
    # In the foreground the last one hears of the program's end.
    for step, _name in steps if options else steps[:-1]:
        done, when = stop_at(box, step, *words, "sleep", LONG, "marked")
        said = "slinger: interrupted\n" if done.status == TERMINATED and done.stderr else ""
        assert (done.status in ends, done.stderr, when) == (True, said, when)
        end_of_marked(when)
        seen.add(done.status)
    assert seen == ends
