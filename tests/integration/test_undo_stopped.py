"""A create or run that is asked to stop (SIGTERM, SIGINT, SIGHUP, SIGQUIT) leaves nothing, whenever that is.

At hooks: test_undo_hooks.py.
"""

from __future__ import annotations

import signal

import pytest

from tests.integration.box import Box
from tests.integration.stepping import steps_of, stop_at
from tests.requires import requires

pytestmark = requires("root")


@pytest.mark.spec("runtime.md#errors/no-trace")
def test_a_create_stopped_after_any_step_leaves_nothing(box: Box) -> None:
    """From the container's directory to the last answer to the hands; and it says that it was stopped."""
    steps = steps_of(box, *box.creating())
    assert len(steps) >= 20
    for step, _name in steps[:-1]:  # the last one lets the directory go: the container is there
        done, when = stop_at(box, step, *box.creating())
        assert (done.status, done.stderr, when) == (128 + signal.SIGTERM, "slinger: interrupted\n", when)
        assert box.left() == [], when


def test_a_run_stopped_after_any_step_of_its_create_leaves_nothing(box: Box) -> None:
    """A few of them; before there is a program, a signal is for slinger."""
    steps = steps_of(box, *box.creating())
    for step, _name in steps[:-1:6]:
        done, when = stop_at(box, step, *box.running())
        assert (done.status, done.stderr, when) == (128 + signal.SIGTERM, "slinger: interrupted\n", when)
        assert box.left() == [], when
