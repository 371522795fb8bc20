"""A user that is not root may open /dev/stdout again, as programs that log to it by name do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Drop, Json
from tests.integration.box import INSIDE, OWNER, USER_NAMESPACE, Box
from tests.integration.exec_support import wait_inside
from tests.integration.test_exec_places import opened
from tests.requires import requires

pytestmark = requires("root")

WRITES: Final = (INSIDE, "write", "/dev/stdout", "by name\n")
USER: Final[dict[str, Json | Drop]] = {"process.user": {"uid": 1000, "gid": 1000}}


def through_pipes(command: list[str]) -> tuple[str, str]:
    """What the command says on stdout and stderr, both of them pipes of root's."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout, done.stderr


def test_a_pipe_can_be_opened_again(box: Box) -> None:
    """The usual case: an engine's pipe."""
    box.configure({**USER, "process.args": WRITES})
    assert through_pipes(box.command(*box.running())) == ("by name\n", "")


def test_a_file_can_be_opened_again_and_belongs_to_the_user(box: Box) -> None:
    """Its group is left alone."""
    box.configure({**USER, "process.args": WRITES})
    process, name = box.launch(*box.running())
    assert box.end_of(process, name).stdout == "by name\n"
    info = Path(f"{name}.out").stat()
    assert (info.st_uid, info.st_gid) == (1000, os.getgid())


def test_the_null_device_of_the_host_stays_roots(box: Box) -> None:
    """It is stdin here."""
    before = Path("/dev/null").stat()
    box.configure({**USER, "process.args": [INSIDE, "true"]})
    assert box.succeed(*box.running()) == ""
    assert (Path("/dev/null").stat().st_uid, Path("/dev/null").stat().st_mode) == (before.st_uid, before.st_mode)


@pytest.mark.parametrize("uid", [0, 1000])
def test_in_a_user_namespace_it_belongs_to_the_user_as_the_host_counts(box: Box, uid: int) -> None:
    """Whose ids alone the pipe knew."""
    opened(box)
    box.configure({**USER_NAMESPACE, "process.user": {"uid": uid, "gid": uid}, "process.args": WRITES})
    process, name = box.launch(*box.running())
    assert box.end_of(process, name).stdout == "by name\n"
    info = Path(f"{name}.out").stat()
    assert (info.st_uid, info.st_gid) == (OWNER + uid, OWNER + uid)


def test_exec_gives_its_own_stdio_as_well(box: Box) -> None:
    """To the user of that process."""
    wait_inside(box)
    command = box.command("exec", "--user", "1000:1000", box.id, *WRITES)
    assert through_pipes(command) == ("by name\n", "")
