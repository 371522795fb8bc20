"""A verb that is killed leaves nothing that delete --force, or a new create of the id, does not remove.

Where it is killed: before each of its steps, one after the other (tests.integration.stepping). What "nothing" is:
Box.left(), which is the container's directory, cgroups, mounts, and processes.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.integration.box import INSIDE, Box
from tests.integration.stepping import kill_at, steps_of
from tests.requires import requires

pytestmark = requires("root")

FILES: Final = ["config.json", "start", "state.json", "trace.jsonl"]


def test_a_create_killed_before_any_step_leaves_nothing_that_delete_by_force_does_not_remove(box: Box) -> None:
    """From the first to the last one; and before the first trace of it there is nothing at all."""
    steps = steps_of(box, *box.creating())
    assert len(steps) >= 20
    for step, _name in steps:
        killed = kill_at(box, step, *box.creating())
        if not box.home.exists():
            assert box.left() == [], killed
        box.succeed("delete", "--force", box.id)
        assert box.left() == [], killed


def test_a_killed_create_does_not_keep_the_id(box: Box) -> None:
    """A new create takes over what is left, until the old one has written down that the container exists.

    Every second step: each costs two creates.
    """
    steps = steps_of(box, *box.creating())[::2]
    kept: list[tuple[int, str]] = []
    for step, name in steps:
        killed = kill_at(box, step, *box.creating())
        done = box.call(*box.creating())
        if done.status == 0:
            assert sorted(path.name for path in box.home.iterdir()) == FILES, killed
        else:
            kept.append((step, name))
            assert done.stderr == "slinger: container with given ID already exists\n", killed
            assert box.status() in {"created", "stopped"}, killed
        box.succeed("delete", "--force", box.id)
        assert box.left() == [], killed
    assert 0 < len(kept) <= len(steps) / 4
    assert kept == steps[-len(kept) :]


def test_a_run_killed_before_any_step_leaves_nothing_that_delete_by_force_does_not_remove(box: Box) -> None:
    """Those of create are the same; so from the last record on: start, wait and delete."""
    box.configure({"process.args": [INSIDE, "true"]})
    steps = steps_of(box, *box.running())
    last_record = [at for at, (_step, name) in enumerate(steps) if name == "rename"][-1]
    for step, _name in steps[last_record:]:
        killed = kill_at(box, step, *box.running())
        box.succeed("delete", "--force", box.id)
        assert box.left() == [], killed


def test_a_start_killed_before_any_step_leaves_nothing_that_delete_by_force_does_not_remove(box: Box) -> None:
    """Whether or not the program has begun."""
    steps = steps_of(box, "start", box.id, before=box.create)
    for step, _name in steps:
        box.create()
        killed = kill_at(box, step, "start", box.id)
        box.succeed("delete", "--force", box.id)
        assert box.left() == [], killed


def test_a_delete_killed_before_any_step_leaves_nothing_that_another_does_not_remove(box: Box) -> None:
    """By force too: of a program that runs."""
    box.configure({"process.args": [INSIDE, "sleep", "1000"]})

    def started() -> None:
        box.create()
        box.start()

    for step, _name in steps_of(box, "delete", "--force", box.id, before=started):
        started()
        killed = kill_at(box, step, "delete", "--force", box.id)
        box.succeed("delete", "--force", box.id)
        assert box.left() == [], killed


# A process of the hands, and a system call that only they make: killed when it makes the N-th of them.
HANDS: Final = [
    ("outer", "open_tree", 1),
    ("joiner", "setns", 1),
    ("init", "move_mount", 1),
    ("init", "move_mount", 5),
    ("init", "pivot_root", 1),
    ("init", "capset", 1),
]


@pytest.fixture
def cgroup_namespace(tmp_path: Path) -> Iterator[str]:
    """One that is not ours, bound at a path."""
    path = tmp_path / "namespace"
    path.touch()
    subprocess.run(["unshare", f"--cgroup={path}", "true"], check=True)
    yield str(path)
    subprocess.run(["umount", str(path)], check=True)


@requires("strace", "unshare")
@pytest.mark.parametrize(("process", "call", "count"), HANDS, ids=str)
def test_a_create_whose_hands_are_killed_at_any_step_leaves_nothing(
    box: Box, cgroup_namespace: str, process: str, call: str, count: int
) -> None:
    """By the out-of-memory killer perhaps: the brain sees it, says so and takes everything back."""
    if process == "joiner":
        box.configure({"linux.namespaces+": [{"type": "cgroup", "path": cgroup_namespace}]})
    trace = box.calls / "trace"
    words = ("-f", "-o", str(trace), "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={count}")
    with open(box.calls / "err", "wb") as err:
        command = ["strace", *words, *box.command(*box.creating())]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, check=False, timeout=30)
    said = (box.calls / "err").read_text()
    assert "+++ killed by SIGKILL +++" in trace.read_text()
    assert (done.returncode, said[:9]) == (1, "slinger: ")
    assert box.left() == []


@pytest.mark.parametrize("content", [{}, {".state.json": "{"}, {".config.json": "{", "hooks.jsonl": ""}])
def test_a_directory_without_a_record_is_removed_by_force(box: Box, content: Mapping[str, str]) -> None:
    """Its create was killed before it had written one; without --force there is no container to delete."""
    box.home.mkdir()
    for name, text in content.items():
        (box.home / name).write_text(text)
    assert box.fail("state", box.id) == "container does not exist"
    assert box.fail("delete", box.id) == "container does not exist"
    assert box.succeed("list", "--quiet") == ""
    box.succeed("delete", "--force", box.id)
    assert box.left() == []


@pytest.mark.parametrize("content", [{}, {".state.json": "{"}, {".config.json": "{", "hooks.jsonl": "old\n"}])
def test_a_directory_without_a_record_is_taken_over(box: Box, content: Mapping[str, str]) -> None:
    """By the next create of that id; nothing of the old one is left in it."""
    box.home.mkdir()
    for name, text in content.items():
        (box.home / name).write_text(text)
    box.create()
    assert sorted(path.name for path in box.home.iterdir()) == FILES


def test_the_directory_of_a_create_at_work_is_not_removed(box: Box) -> None:
    """It is locked, though it has no record yet."""
    box.home.mkdir()
    fd = os.open(box.home, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        box.succeed("delete", "--force", box.id)
        assert box.home.exists()
        assert box.fail(*box.creating()) == "container with given ID already exists"
    finally:
        os.close(fd)
