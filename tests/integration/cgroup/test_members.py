"""The processes of a cgroup on this machine: frozen, thawed, signalled, killed."""

from __future__ import annotations

import os
import signal
import time

import pytest

from slinger.errors import HostError
from slinger.host import cgroup, probe
from tests.integration.cgroup.support import Make, Start, go, unified, wait_for
from tests.requires import requires

pytestmark = requires("root", "cgroup")

# Children for ever, which live on without the shell.
FORKING = "while :; do (sleep 100 & sleep 100) & sleep 0.01; done"
LAYOUTS = pytest.mark.parametrize(
    "alone",
    [pytest.param(False, id="as mounted"), pytest.param(True, id="v2 alone", marks=requires("cgroup-unified"))],
)


@LAYOUTS
def test_frozen_processes_stand_still(make: Make, start: Start, *, alone: bool) -> None:
    """Until they are thawed; the cgroup tells which it is."""
    ref = make(hierarchies=unified() if alone else None)
    child = start("while :; do echo tick; sleep 0.005; done")
    assert child.stdout is not None
    cgroup.join(ref, child.pid)
    go(child)
    assert not cgroup.frozen(ref)
    cgroup.freeze(ref)
    assert cgroup.frozen(ref)
    os.set_blocking(child.stdout.fileno(), False)
    child.stdout.read()
    time.sleep(0.05)
    assert child.stdout.read() is None
    cgroup.thaw(ref)
    assert not cgroup.frozen(ref)
    wait_for(lambda: bool(child.stdout and child.stdout.read()))


@LAYOUTS
@pytest.mark.parametrize("paused", [False, True])
def test_killing_leaves_nobody(make: Make, start: Start, *, alone: bool, paused: bool) -> None:
    """Not the children that are started meanwhile, and not in a frozen cgroup, which is thawed."""
    ref = make(hierarchies=unified() if alone else None)
    child = start(FORKING)
    cgroup.join(ref, child.pid)
    go(child)
    wait_for(lambda: len(cgroup.pids(ref)) > 3)
    if paused:
        cgroup.freeze(ref)
    cgroup.kill(ref, signal.SIGKILL)
    assert child.wait(2) == -signal.SIGKILL
    wait_for(lambda: cgroup.pids(ref) == ())
    cgroup.remove(ref)


@LAYOUTS
def test_a_signal_reaches_all(make: Make, start: Start, *, alone: bool) -> None:
    """And waits in a frozen cgroup, which stays frozen."""
    ref = make(hierarchies=unified() if alone else None)
    children = [start("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done") for _ in range(3)]
    for child in children:
        cgroup.join(ref, child.pid)
        go(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
    cgroup.freeze(ref)
    cgroup.kill(ref, signal.SIGTERM)
    assert cgroup.frozen(ref)
    assert [child.poll() for child in children] == [None] * 3
    cgroup.thaw(ref)
    # The shell's sleep was hit too; the shell itself runs its trap.
    assert [child.wait(2) for child in children] == [3] * 3


@requires("cgroup-v1")
def test_a_cgroup_without_a_freezer_is_killed_too(make: Make, start: Start) -> None:
    """In rounds, until nobody new is found."""
    hierarchies = tuple(each for each in probe.probe_hierarchies() if each.version == 1 and "pids" in each.controllers)
    ref = make(hierarchies=hierarchies)
    child = start("sleep 100 & sleep 100 & wait")
    cgroup.join(ref, child.pid)
    go(child)
    wait_for(lambda: len(cgroup.pids(ref)) == 3)
    cgroup.kill(ref, signal.SIGKILL)
    assert child.wait(2) == -signal.SIGKILL
    with pytest.raises(HostError) as caught:
        cgroup.freeze(ref)
    message = "container's cgroup cannot be frozen: it has no freezer (mount the freezer hierarchy)"
    assert str(caught.value) == message
