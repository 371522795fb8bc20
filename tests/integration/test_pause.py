"""pause, resume and ps, as an engine calls them."""

from __future__ import annotations

import json

import pytest

from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root", "cgroup")


def run_paused(box: Box) -> None:
    """A container that sleeps, paused."""
    box.configure({"process.args": [INSIDE, "sleep", "60"]})
    assert box.call("run", "--detach", "--bundle", str(box.directory), box.id).status == 0
    assert box.call("pause", box.id).status == 0


def status(box: Box) -> str:
    """What state says."""
    return str(json.loads(box.call("state", box.id).stdout)["status"])


@pytest.mark.spec("runtime.md#state/status-more")
def test_a_paused_container_says_so_until_it_is_resumed(box: Box) -> None:
    """paused is a status of its own, derived from the freezer."""
    run_paused(box)
    assert status(box) == "paused"
    assert box.call("resume", box.id).status == 0
    assert status(box) == "running"


def test_pausing_twice_and_resuming_a_running_container_are_errors(box: Box) -> None:
    """With the texts that engines look for."""
    run_paused(box)
    assert box.call("pause", box.id).stderr == "slinger: container not running\n"
    assert box.call("resume", box.id).status == 0
    assert box.call("resume", box.id).stderr == "slinger: container not paused\n"


def test_exec_in_a_paused_container_is_refused(box: Box) -> None:
    """The process would hang at its first step."""
    run_paused(box)
    done = box.call("exec", box.id, INSIDE, "true")
    message = "slinger: cannot exec in a paused container (use --ignore-paused to override)\n"
    assert (done.status, done.stderr) == (255, message)


def test_a_paused_container_is_deleted_by_force(box: Box) -> None:
    """SIGKILL does not reach a frozen process on cgroup v1 before it is thawed."""
    run_paused(box)
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left()) == (0, "", [])


def test_ps_lists_the_processes_of_the_cgroup(box: Box) -> None:
    """As JSON the pids alone; as a table the rows of ps that have them."""
    run_paused(box)
    assert box.call("resume", box.id).status == 0
    pid = json.loads(box.call("state", box.id).stdout)["pid"]
    assert json.loads(box.call("ps", "--format", "json", box.id).stdout) == [pid]
    lines = box.call("ps", box.id, "-o", "pid,args").stdout.splitlines()
    assert [line.split() for line in lines] == [["PID", "COMMAND"], [str(pid), INSIDE, "sleep", "60"]]


def test_ps_without_a_pid_column_is_an_error(box: Box) -> None:
    """There is nothing to choose rows by."""
    run_paused(box)
    done = box.call("ps", box.id, "-o", "args")
    message = "slinger: ps: no PID column in what it prints (the options must leave it in)\n"
    assert (done.status, done.stderr) == (1, message)
