"""A frozen cgroup above the container's own, and processes that stay though they were killed: who stands in the way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.box import INSIDE, Box, wait_for
from tests.integration.exec_support import LONG, refusal, wait_inside
from tests.requires import requires

pytestmark = requires("root", "cgroup-v1")

FREEZER = Path("/sys/fs/cgroup/freezer")


@pytest.fixture
def parent(box: Box) -> Iterator[Path]:
    """A cgroup of the freezer, with the container's to be two levels below it."""
    path = FREEZER / f"{box.id}-parent"
    path.mkdir()
    box.common = {"linux.cgroupsPath": f"/{path.name}/between/{box.id}"}
    box.configure({})
    yield path
    (path / "freezer.state").write_text("THAWED")
    box.succeed("delete", "--force", box.id)
    path.rmdir()


@pytest.mark.parametrize("below", ["", "between"])
def test_no_container_is_made_below_a_frozen_cgroup(box: Box, parent: Path, below: str) -> None:
    """It would wait until somebody thaws it; now nothing is there, and create works after that."""
    (parent / below).mkdir(exist_ok=True)
    (parent / "freezer.state").write_text("FROZEN")
    message = f"container's cgroup unexpectedly frozen (thaw {parent}, or choose another linux.cgroupsPath)"
    for verb in (box.creating(), box.running()):
        assert box.fail(*verb) == message
        assert not box.home.exists()
    assert [path.name for path in parent.iterdir() if path.is_dir()] == [below] * bool(below)
    (parent / "freezer.state").write_text("THAWED")
    if below:
        (parent / below).rmdir()
    box.create()


def test_no_process_is_put_into_a_container_below_a_frozen_cgroup(box: Box, parent: Path) -> None:
    """Unless told so: it then runs when the container goes on."""
    wait_inside(box)
    (parent / "freezer.state").write_text("FROZEN")
    assert box.status() == "running"
    assert refusal(box, box.id, INSIDE, "true") == (
        f"cannot exec in a container whose cgroup is frozen: {parent} "
        "(thaw it, or use --ignore-paused to wait until somebody does)"
    )
    process, name = box.launch("exec", "--ignore-paused", box.id, INSIDE, "exit", "4")
    (parent / "freezer.state").write_text("THAWED")
    assert box.end_of(process, name).status == 4


@pytest.fixture
def frozen_elsewhere(box: Box) -> Iterator[tuple[int, Path]]:
    """A process in all of the container's v1 cgroups but the freezer's: there it is frozen in one of its own."""
    place = FREEZER / f"{box.id}-elsewhere"
    process = subprocess.Popen(["sleep", LONG])
    try:
        wait_inside(box)
        for path in Path("/sys/fs/cgroup").glob(f"*/{box.id}/cgroup.procs"):
            path.write_text(str(process.pid))
        place.mkdir()
        (place / "cgroup.procs").write_text(str(process.pid))
        (place / "freezer.state").write_text("FROZEN")
        wait_for(lambda: (place / "freezer.state").read_text() == "FROZEN\n", "the freezer")
        yield process.pid, place
    finally:
        (place / "freezer.state").write_text("THAWED")
        process.kill()
        process.wait()
        place.rmdir()


def test_a_frozen_process_that_stays_is_told_as_that(box: Box, frozen_elsewhere: tuple[int, Path]) -> None:
    """Once, with where to thaw it; and when that is done, the next delete removes the rest."""
    pid, place = frozen_elsewhere
    message = box.fail("delete", "--force", box.id)
    assert message.startswith("the cgroup: removing /sys/fs/cgroup/")
    assert message.endswith(
        f": still in use after 5 s (processes {pid} are in it: it is frozen, and ends when {place} is thawed) "
        "(slinger delete --force tries again)"
    )
    assert message.count("still in use") == 1
    assert box.status() == "stopped"
    (place / "freezer.state").write_text("THAWED")
    box.succeed("delete", "--force", box.id)
    assert not box.home.exists()


def test_a_zombie_in_the_way_is_told_with_who_should_collect_it(box: Box) -> None:
    """Put there by exec, it is its adopter's outside, and the container's init does not end before."""
    wait_inside(box)
    pid_file = box.calls / "pid-zombie"
    box.succeed("exec", "--detach", "--pid-file", str(pid_file), box.id, INSIDE, "true")
    zombie = int(pid_file.read_text())
    name = Path("/proc/self/comm").read_text().strip()
    init = box.pid()
    assert box.fail("delete", "--force", box.id) == (
        f"the container's processes: process {init} does not end (process {zombie} of its pid namespace has ended, and "
        f"waits to be collected by its parent, process {os.getpid()} ({name})) (slinger delete --force tries again)"
    )
    assert os.waitpid(zombie, 0)[0] == zombie
    box.succeed("delete", "--force", box.id)
    assert box.left() == []
