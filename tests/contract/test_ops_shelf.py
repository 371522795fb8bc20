"""The shelf: how mounts of the host come into the mount namespace of another user namespace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slinger.linux.flags import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_PRIVATE,
    MS_SLAVE,
)
from slinger.plan import ops
from slinger.plan.ops import JOINER, OUTER, Op
from tests.contract.covers import fails, works
from tests.contract.look import inside, mount_table, mounts
from tests.contract.walk import Walk, failure, look, write_maps
from tests.requires import requires

pytestmark = requires("root", "gcc")

FLAGS = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID


def tree(slot: int, path: Path) -> ops.OpenTree:
    """Something of the host's."""
    return ops.OpenTree("mounts[1]", by=OUTER, slot=slot, path=str(path), recursive=1)


def shelved(place: Path, *trees: ops.OpenTree, flags: int = CLONE_NEWNS) -> tuple[Op, ...]:
    """The joiner's part, and init."""
    return (
        *trees,
        ops.Fork("linux.namespaces", by=OUTER),
        ops.Unshare("linux.namespaces", by=JOINER, flags=CLONE_NEWNS),
        ops.Propagation("", by=JOINER, flags=MS_SLAVE),
        ops.Shelf("linux.namespaces", by=JOINER, path=str(place)),
        *(ops.Shelve("mounts[1]", by=JOINER, slot=each.slot, path=each.path) for each in trees),
        ops.Clone("linux.namespaces", by=JOINER, flags=flags),
    )


@works(ops.Shelf, ops.Shelve)
def test_trees_stand_on_the_shelf_by_their_numbers(rootfs: Path) -> None:
    """Files and directories; init stands there too, in its own copy; the host has none of it."""
    before = mount_table(os.getpid())
    plan = shelved(rootfs / "mnt", tree(1, rootfs / "data"), tree(7, rootfs / "secret"))
    with look(*plan).reach() as walk:
        shelf = f"{rootfs}/mnt"
        assert os.readlink(f"/proc/{walk.pid}/cwd") == shelf
        assert mounts(walk.pid)[shelf].type == "tmpfs"
        assert sorted(os.listdir(inside(walk.pid, shelf))) == ["1", "7"]
        assert inside(walk.pid, f"{shelf}/1/kept").read_text(encoding="utf-8") == "was here before\n"
        assert inside(walk.pid, f"{shelf}/7").read_text(encoding="utf-8") == "secret file\n"
        assert mount_table(os.getpid()) == before


@works(ops.Unshelve)
@pytest.mark.parametrize(("through", "kept"), [(True, {"ro", "nosuid"}), (False, {"rw"})])
def test_what_comes_from_the_shelf_keeps_its_flags(rootfs: Path, *, through: bool, kept: set[str]) -> None:
    """In a user namespace they can be added to and not taken away; without the shelf they could."""
    source = rootfs / "data"
    other = tree(1, source)
    marked = (
        ops.Unshare("", by=OUTER, flags=CLONE_NEWNS),
        ops.Propagation("", by=OUTER, flags=MS_PRIVATE),
        tree(2, source),
        ops.AttachRoot("", by=OUTER, slot=2, path=str(source)),
        ops.RootChange("", by=OUTER, attr_set=FLAGS),
        *(() if through else (other,)),
    )
    plan = (
        *marked,
        *shelved(rootfs, tree(0, rootfs), *((other,) if through else ()), flags=CLONE_NEWUSER),
        ops.Gate("", name=ops.GATE_IDS),
        ops.TakeRoot(""),
        ops.Unshare("", flags=CLONE_NEWNS),
        ops.Unshelve("root.path", slot=0, path=str(rootfs)),
        *([ops.Unshelve("mounts[1]", slot=1, path=str(source))] if through else []),
        ops.AttachRoot("root.path", slot=0, path=str(rootfs)),
        ops.MountBind("mounts[1]", slot=1, destination="/mnt"),
        ops.Gate("", name="before"),
        ops.MountChange("mounts[1]", destination="/mnt", attr_clr=FLAGS),
    )
    with look(*plan) as walk:
        walk.reach(ops.GATE_IDS)
        write_maps(walk.pid, first=0)
        walk.hands.go()
        walk.reach("before")
        assert {"ro", "nosuid"} <= mounts(walk.pid)[f"{rootfs}/mnt"].options
        walk.hands.go()
        if through:
            assert walk.error() == (
                "mounts[1] (/mnt): mount_setattr: operation not permitted (the mount has flags of the host's, which "
                "may not be cleared in a user namespace)"
            )
        else:
            walk.reach("look")
            assert kept <= mounts(walk.pid)[f"{rootfs}/mnt"].options


@works(ops.Unshelve)
def test_what_comes_from_the_shelf_is_no_peer_of_the_hosts(rootfs: Path) -> None:
    """The kernel makes it a slave where the user namespace is another."""
    peer = tree(1, rootfs / "data").replace(propagation=0)
    plan = (
        ops.Unshare("", by=OUTER, flags=CLONE_NEWNS),
        ops.Propagation("", by=OUTER, flags=1 << 20),
        *shelved(rootfs, tree(0, rootfs), peer, flags=CLONE_NEWUSER),
        ops.Gate("", name=ops.GATE_IDS),
        ops.TakeRoot(""),
        ops.Unshare("", flags=CLONE_NEWNS),
        *(ops.Unshelve("", slot=slot, path="x") for slot in (0, 1)),
        ops.AttachRoot("root.path", slot=0, path=str(rootfs)),
        ops.MountBind("mounts[1]", slot=1, destination="/mnt"),
    )
    with look(*plan) as walk:
        walk.reach(ops.GATE_IDS)
        write_maps(walk.pid, first=0)
        walk.hands.go()
        walk.reach("look")
        assert mounts(walk.pid)[f"{rootfs}/mnt"].propagation == {"master"}


@fails(ops.Shelf, ops.Shelve, ops.Unshelve)
@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (
            (ops.Shelf("linux.namespaces", by=JOINER, path="/nowhere"),),
            "linux.namespaces (/nowhere): move_mount: no such file or directory",
        ),
        (
            (
                ops.Shelf("", by=JOINER, path="/mnt"),
                ops.Shelve("mounts[1]", by=JOINER, slot=1, path="/data"),
                ops.Shelve("mounts[1]", by=JOINER, slot=1, path="/data"),
            ),
            "mounts[1] (/data): mknod: file exists",
        ),
        (
            (ops.Shelf("", by=JOINER, path="/mnt"), ops.Shelve("mounts[1]", by=JOINER, slot=5, path="/data")),
            "mounts[1] (/data): fstat: bad file descriptor",
        ),
        (
            (
                ops.Shelf("", by=JOINER, path="/mnt"),
                ops.Clone("", by=JOINER, flags=CLONE_NEWNS),
                ops.Unshelve("mounts[1]", slot=1, path="/data"),
            ),
            "mounts[1] (/data): open_tree: no such file or directory",
        ),
    ],
)
def test_a_failure_at_the_shelf_comes_home(rootfs: Path, steps: tuple[Op, ...], text: str) -> None:
    """All processes end."""
    begin = (tree(1, rootfs / "data"), *shelved(rootfs)[:3])
    with Walk(*begin, *steps) as walk:
        assert walk.error() == text
        assert walk.ended()


def test_the_shelf_needs_privilege_over_the_host(rootfs: Path) -> None:
    """The joiner has it, before it enters anything."""
    dropped = ops.Capabilities("", by=JOINER)
    plan = (*shelved(rootfs)[:3], dropped, ops.Shelf("linux.namespaces", by=JOINER, path=str(rootfs)))
    assert failure(*plan) == f"linux.namespaces ({rootfs}): fsopen tmpfs: operation not permitted"
