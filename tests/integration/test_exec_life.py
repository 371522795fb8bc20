"""exec in the life of a container: created, paused, stopped, and what becomes of the process when others end."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.integration.box import INSIDE, Box, processes_with, wait_for
from tests.integration.exec_support import refusal, wait_inside
from tests.requires import requires

pytestmark = requires("root")


def test_a_created_container_takes_processes(box: Box) -> None:
    """Its program still waits for start."""
    box.create()
    assert box.succeed("exec", box.id, INSIDE, "echo", "here") == "here\n"
    assert box.status() == "created"


def test_a_stopped_container_takes_none(box: Box) -> None:
    """And neither does one that is not there."""
    box.configure({"process.args": [INSIDE, "true"]})
    box.create()
    box.start()
    box.wait_status("stopped")
    assert refusal(box, box.id, INSIDE, "true") == "cannot exec in a stopped container"
    assert refusal(box, "none", INSIDE, "true") == "container does not exist"


def test_a_paused_container_takes_a_process_if_told_so(box: Box) -> None:
    """It is frozen with the others, and runs when they do."""
    wait_inside(box)
    box.succeed("pause", box.id)
    message = "cannot exec in a paused container (use --ignore-paused to override)"
    assert refusal(box, box.id, INSIDE, "true") == message
    # The freezer stops it when it joins, so exec waits until the container is resumed.
    process, name = box.launch("exec", "--ignore-paused", box.id, INSIDE, "exit", "4")
    wait_for(lambda: processes_with(box.id) != [], "exec")
    box.succeed("resume", box.id)
    assert box.end_of(process, name).status == 4


def test_a_killed_exec_takes_its_process_along_or_leaves_it_to_the_container(box: Box) -> None:
    """Nothing of ours is left on the host when the caller kills us."""
    wait_inside(box)
    process, name = box.launch("exec", box.id, INSIDE, "pause", "1", "orphan")
    wait_for(lambda: "ready" in Path(f"{name}.out").read_text(), "the program")
    process.kill()
    process.wait()
    box.succeed("kill", box.id, "KILL")
    wait_for(lambda: processes_with("orphan") == [], "the end of the container's processes")


def test_the_end_of_the_container_is_the_end_of_the_process(box: Box) -> None:
    """With the pid namespace all of it goes."""
    wait_inside(box)
    process, name = box.launch("exec", box.id, INSIDE, "pause")
    wait_for(lambda: "ready" in Path(f"{name}.out").read_text(), "the program")
    box.succeed("kill", box.id, "KILL")
    assert box.end_of(process, name).status == 128 + signal.SIGKILL
