"""Descriptors of where init is: what the brain gets of an init that nobody may look into."""

from __future__ import annotations

import os
from pathlib import Path

from slinger.linux.flags import CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER
from slinger.plan import ops
from tests.contract.covers import fails, works
from tests.contract.look import namespace
from tests.contract.walk import LOOK, Walk, entered, failure, look, mapped, rooted, write_maps
from tests.requires import requires

pytestmark = requires("root", "gcc")

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")


def same(fd: int, path: Path) -> bool:
    """Whether a descriptor is of this very directory."""
    return os.path.samestat(os.fstat(fd), path.stat())


@works(ops.Handles)
def test_the_brain_gets_all_namespaces_and_the_root_before_the_pivot(rootfs: Path) -> None:
    """Those that are the container's own as well as those that it shares."""
    with look(*rooted(rootfs), ops.Handles("hooks.createContainer[0]")).reach() as walk:
        assert sorted(walk.handles) == sorted((*NAMESPACES, "root"))
        for name in NAMESPACES:
            assert os.readlink(f"/proc/self/fd/{walk.handles[name]}") == namespace(walk.pid, name)
        assert same(walk.handles["root"], Path(f"/proc/{walk.pid}/root{rootfs}"))
        assert namespace(walk.pid, "ipc") != namespace("self", "ipc")


@works(ops.Handles)
def test_after_the_pivot_it_gets_root_and_working_directory(rootfs: Path) -> None:
    """The root is the new one, and the working directory is not looked up again."""
    plan = (*entered(rootfs), ops.Chdir("process.cwd", path="/tmp/in", create=1), ops.Handles("", entered=1))
    with look(*plan).reach() as walk:
        assert sorted(walk.handles) == sorted((*NAMESPACES, "root", "cwd"))
        assert same(walk.handles["root"], rootfs)
        assert same(walk.handles["cwd"], rootfs / "tmp/in")


@works(ops.Handles)
def test_it_gets_them_of_an_init_that_is_concealed_and_no_longer_root() -> None:
    """Which without privilege could not be opened from outside; and there need be no /proc."""
    with Walk(
        *mapped(),
        ops.TakeRoot("linux.uidMappings"),
        ops.Unshare("linux.namespaces", flags=CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID),
        ops.Conceal("process"),
        ops.SetUser("process.user", uid=5, gid=5),
        ops.Handles("hooks.startContainer[0]", entered=1),
        LOOK,
    ) as walk:
        walk.reach(ops.GATE_IDS)
        write_maps(walk.pid)
        walk.hands.go()
        walk.reach()
        assert os.readlink(f"/proc/self/fd/{walk.handles['user']}") == namespace(walk.pid, "user")
        assert len(walk.handles) == len(NAMESPACES) + 2


@fails(ops.Handles)
def test_without_a_root_handle_there_is_none_to_give() -> None:
    """CLONE_NEWUSER: not even init's being root there helps."""
    plan = (ops.Clone("linux.namespaces", by=ops.OUTER, flags=CLONE_NEWUSER), ops.Handles("hooks.createContainer[1]"))
    assert failure(*plan) == "hooks.createContainer[1]: open root: bad file descriptor"
