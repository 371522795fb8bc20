"""A create, start or delete that is killed or stopped while a hook runs: the hook dies with it, and nothing is left.

Also init, or the hands, killed in that moment, by the out-of-memory killer perhaps.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Drop, Json
from tests.integration.box import INSIDE, Box, Process, processes_with, wait_for
from tests.requires import requires

pytestmark = requires("root")

SLEEP: Final = "66.9153"
NO_PID_NAMESPACE: Final = [{"type": kind} for kind in ("mount", "uts", "ipc", "network")]


def family(box: Box) -> dict[str, Json]:
    """A hook of two processes that would sleep for a minute, the first of which runs in the group's foreground."""
    script = f"{box.bundle.payload} sleep {SLEEP} & {box.bundle.payload} sleep {SLEEP}"
    return {"path": "/bin/sh", "args": ["hook", "-c", script], "env": ["PATH=/usr/bin:/bin"]}


def until_asleep(count: int = 2) -> None:
    """Wait until the hook's processes are there."""
    wait_for(lambda: len(processes_with(SLEEP)) == count, "the hook's processes")


def create_at_hook(box: Box, stage: str, *, pid_namespace: bool) -> tuple[Process, Path]:
    """A create that sleeps in a hook of this stage."""
    changes: dict[str, Json | Drop] = {"hooks": {stage: [family(box)], "poststop": [box.report_hook("poststop")]}}
    if not pid_namespace:
        changes["linux.namespaces"] = NO_PID_NAMESPACE
    box.configure(changes)
    launched = box.launch(*box.creating())
    until_asleep()
    return launched


def without_hooks(box: Box) -> None:
    """A create of the same id, without hooks."""
    box.configure({})
    box.create()
    box.start()
    box.succeed("delete", "--force", box.id)


def by_force(box: Box) -> None:
    """What delete --force does with it: poststop hooks run as after a failed create."""
    box.succeed("delete", "--force", box.id)
    assert len(box.reports("poststop")) == 1


HOOKS: Final = [("createRuntime", True), ("createContainer", True), ("createContainer", False)]
HOOK_IDS: Final = ["createRuntime", "createContainer", "createContainer without a pid namespace"]
EVERY_HOOK: Final = pytest.mark.parametrize(("stage", "pid_namespace"), HOOKS, ids=HOOK_IDS)


@pytest.mark.parametrize("afterwards", [by_force, without_hooks])
@EVERY_HOOK
def test_a_hook_dies_with_the_create_that_is_killed(
    box: Box, stage: str, *, pid_namespace: bool, afterwards: Callable[[Box], None]
) -> None:
    """With all of its process group; and what else there is goes as ever."""
    process, name = create_at_hook(box, stage, pid_namespace=pid_namespace)
    process.kill()
    assert box.end_of(process, name).status == -signal.SIGKILL
    wait_for(lambda: processes_with(SLEEP) == [], "the hook's end")
    afterwards(box)
    assert box.left() == []


@pytest.mark.complaint("time/for-ever")
@EVERY_HOOK
def test_a_create_that_is_stopped_at_a_hook_is_undone(box: Box, stage: str, *, pid_namespace: bool) -> None:
    """The hook's group is dead and the poststop hooks have run when it returns, with 128 + SIGTERM."""
    process, name = create_at_hook(box, stage, pid_namespace=pid_namespace)
    process.terminate()
    done = box.end_of(process, name)
    assert processes_with(SLEEP) == []
    assert (done.status, done.stderr) == (128 + signal.SIGTERM, "slinger: interrupted\n")
    assert box.left() == []
    assert len(box.reports("poststop")) == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_every_stopping_signal_undoes_create(box: Box, number: signal.Signals) -> None:
    """As SIGTERM does."""
    process, name = create_at_hook(box, "createRuntime", pid_namespace=True)
    process.send_signal(number)
    assert box.end_of(process, name).status == 128 + number
    assert (box.left(), processes_with(SLEEP)) == ([], [])


def test_signals_that_come_at_once_do_not_keep_the_first_from_undoing(box: Box) -> None:
    """They are all there when it goes on: one of them ends create, all is taken back, and the poststop hooks run."""
    process, name = create_at_hook(box, "createRuntime", pid_namespace=True)
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: stopped(process.pid), "the stop")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    done = box.end_of(process, name)
    assert (done.status, done.stderr) == (128 + signal.SIGHUP, "slinger: interrupted\n")  # Python goes by numbers
    assert (box.left(), processes_with(SLEEP)) == ([], [])
    assert len(box.reports("poststop")) == 1


def stopped(pid: int) -> bool:
    """Whether a signal has stopped the process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_run_is_undone_as_create_is(box: Box) -> None:
    """Before there is a program, a signal is for slinger."""
    box.configure({"hooks": {"createRuntime": [family(box)]}})
    process, name = box.launch(*box.running())
    until_asleep()
    process.terminate()
    assert box.end_of(process, name).status == 128 + signal.SIGTERM
    assert (box.left(), processes_with(SLEEP)) == ([], [])


def test_a_second_signal_ends_a_poststop_hook_that_hangs(box: Box) -> None:
    """And nothing else of the undoing."""
    box.configure({"hooks": {"createRuntime": [box.hook("createRuntime", "exit", "1")], "poststop": [family(box)]}})
    process, name = box.launch(*box.creating())
    until_asleep()
    process.terminate()
    done = box.end_of(process, name)
    assert processes_with(SLEEP) == []
    assert box.left() == []
    assert done.status == 1
    assert done.stderr.splitlines()[0] == "slinger: warning: cleaning up: poststop hooks: interrupted"


def hands_of(pid: int) -> list[int]:
    """The children of a process that are hands: outer of the brain, init of outer; the youngest last."""
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in words if Path(f"/proc/{child}/comm").read_text() == "slinger-init\n"]


def create_at_single_hook(box: Box, stage: str, *, pid_namespace: bool) -> tuple[Process, Path]:
    """A create that sleeps in a hook of one process."""
    box.configure({"hooks": {stage: [box.hook(stage, "sleep", SLEEP)]}})
    if not pid_namespace:
        box.configure({"linux.namespaces": NO_PID_NAMESPACE, "hooks": {stage: [box.hook(stage, "sleep", SLEEP)]}})
    launched = box.launch(*box.creating())
    until_asleep(1)
    return launched


@EVERY_HOOK
def test_a_create_whose_hands_are_killed_is_undone(box: Box, stage: str, *, pid_namespace: bool) -> None:
    """By the out-of-memory killer perhaps: the hook's own process dies with the one that watches it."""
    process, name = create_at_single_hook(box, stage, pid_namespace=pid_namespace)
    (outer,) = hands_of(process.pid)
    os.kill(outer, signal.SIGKILL)
    done = box.end_of(process, name)
    message = "slinger: the container's init ended before it was created (the kernel log may say more)\n"
    assert (done.status, done.stderr) == (1, message)
    wait_for(lambda: processes_with(SLEEP) == [], "the hook's end")
    assert box.left() == []


@EVERY_HOOK
def test_a_create_whose_init_is_killed_is_undone(box: Box, stage: str, *, pid_namespace: bool) -> None:
    """At once where init runs the hook itself; where the runtime does, when that hook has ended."""
    process, name = create_at_single_hook(box, stage, pid_namespace=pid_namespace)
    (outer,) = hands_of(process.pid)
    init = hands_of(outer)[0]
    os.kill(init, signal.SIGKILL)
    if stage == "createRuntime":
        assert process.poll() is None
        for pid in processes_with(SLEEP):
            os.kill(pid, signal.SIGKILL)
    done = box.end_of(process, name)
    assert done.status == 1
    assert done.stderr.startswith("slinger: ")
    wait_for(lambda: processes_with(SLEEP) == [], "the hook's end")
    assert box.left() == []


# ---- start and delete, killed


@pytest.mark.parametrize("stage", ["startContainer", "poststart"])
def test_a_hook_dies_with_the_start_that_is_killed(box: Box, stage: str) -> None:
    """And the container can be deleted; poststop hooks run then."""
    hook = box.hook(stage, "sleep", SLEEP)
    box.configure(
        {
            "process.args": [INSIDE, "sleep", "1000"],
            "hooks": {stage: [hook], "poststop": [box.report_hook("poststop")]},
        }
    )
    box.create()
    process, name = box.launch("start", box.id)
    until_asleep(1)
    process.kill()
    box.end_of(process, name)
    wait_for(lambda: processes_with(SLEEP) == [], "the hook's end")
    box.wait_status("stopped" if stage == "startContainer" else "running")
    by_force(box)
    assert box.left() == []


@pytest.mark.complaint("poststop/not-again")
def test_a_delete_that_is_killed_can_be_done_again(box: Box) -> None:
    """At a poststop hook, which dies with it."""
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"poststop": [family(box)]}})
    box.create()
    box.start()
    box.wait_status("stopped")
    process, name = box.launch("delete", box.id)
    until_asleep()
    process.kill()
    box.end_of(process, name)
    wait_for(lambda: processes_with(SLEEP) == [], "the hook's end")
    assert box.status() == "stopped"
    launched = box.launch("delete", box.id)
    until_asleep()
    for pid in processes_with(SLEEP):
        os.kill(pid, signal.SIGKILL)
    assert box.end_of(*launched).status == 0
    assert box.left() == []
