"""Ops that say whose the files of a mount are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from slinger.linux.flags import CLONE_NEWUSER
from slinger.plan import ops
from slinger.plan.ops import OUTER, Op
from tests.contract.covers import fails, works
from tests.contract.filters import answering
from tests.contract.look import inside, namespace
from tests.contract.walk import Walk, cloned, failure, look, mapped, rooted, write_maps
from tests.requires import requires

pytestmark = requires("root", "gcc", "idmap")

MAPS: Final = ops.IdMap("mounts[1].uidMappings", by=OUTER, slot=2, uids="0 2000 10\n", gids="0 3000 5\n5 4000 5\n")


def tree(source: Path, **more: int) -> ops.OpenTree:
    """What is mapped."""
    return ops.OpenTree("mounts[1]", by=OUTER, slot=1, path=str(source), **more)


def map_tree(**more: int) -> ops.MapTree:
    """The mapping, by outer."""
    return ops.MapTree("mounts[1]", by=OUTER, slot=1, map_slot=2, path="/source").replace(**more)


def bound(rootfs: Path, *before: Op) -> tuple[Op, ...]:
    """The tree of slot 1 on /mnt."""
    return (*before, *rooted(rootfs), ops.MountBind("mounts[1]", slot=1, destination="/mnt"))


@pytest.mark.spec(
    "config.md#linux-mount-options/idmap-mount-setattr",
    "config.md#linux-mount-options/ridmap-mount-setattr",
    "config.md#posix-platform-mounts/mount-setattr",
)
@works(ops.IdMap, ops.MapTree)
def test_owners_are_those_of_the_maps(rootfs: Path) -> None:
    """Uids and gids by maps of their own, of several ranges; what no range has is nobody's."""
    for name, owner in (("a", (1, 2)), ("b", (3, 7)), ("c", (10, 10))):
        (rootfs / "data" / name).touch()
        os.chown(rootfs / "data" / name, *owner)
    with look(*bound(rootfs, tree(rootfs / "data"), MAPS, map_tree())).reach() as walk:
        found = {path.name: path.stat() for path in inside(walk.pid, f"{rootfs}/mnt").iterdir()}
        owners = {name: (found[name].st_uid, found[name].st_gid) for name in "abc"}
        assert owners == {"a": (2001, 3002), "b": (2003, 4002), "c": (65534, 65534)}


@works(ops.MapTree)
@pytest.mark.parametrize("recursive", [0, 1])
def test_what_is_mounted_below_is_mapped_if_asked(rootfs: Path, recursive: int) -> None:
    """AT_RECURSIVE."""
    below = ops.MountNew("", type="tmpfs", source="t", destination="/data/below", options=("mode=755",))
    again = ops.OpenTree("mounts[1]", slot=1, path=f"{rootfs}/data", recursive=1)
    by_init = map_tree(recursive=recursive).replace(by=ops.INIT)
    plan = (MAPS, *rooted(rootfs), below, again, by_init, ops.MountBind("", slot=1, destination="/mnt"))
    with look(*plan).reach() as walk:
        top, mounted = inside(walk.pid, f"{rootfs}/mnt"), inside(walk.pid, f"{rootfs}/mnt/below")
        assert (top.stat().st_uid, mounted.stat().st_uid) == (2000, 2000 if recursive else 0)


@works(ops.IdMap)
def test_a_namespace_that_has_a_path_is_taken_as_it_is() -> None:
    """Its maps are what its maker wrote."""
    with look(*mapped()) as other:
        other.reach("ids")
        write_maps(other.pid)
        path = f"/proc/{other.pid}/ns/user"
        shared = ops.IdMap("linux.namespaces[0]", by=OUTER, slot=2, path=path)
        with look(shared, *cloned()).reach() as walk:
            held = [os.readlink(f"/proc/{walk.hands.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{walk.hands.pid}/fd")]
            assert namespace(other.pid, "user") in held


@works(ops.IdMap)
def test_nobody_lives_in_a_namespace_that_was_made() -> None:
    """Its one process has ended and was collected; only its descriptor is left."""
    with look(MAPS, *cloned()).reach() as walk:
        children = Path(f"/proc/{walk.hands.pid}/task/{walk.hands.pid}/children").read_text(encoding="ascii")
        assert children.split() == [str(walk.pid)]
        held = [os.readlink(f"/proc/{walk.hands.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{walk.hands.pid}/fd")]
        spaces = {link for link in held if link.startswith("user:")}
        assert len(spaces) == 1
        assert spaces != {namespace("self", "user")}
        inhabited = {namespace(pid, "user") for pid in os.listdir("/proc") if pid.isdecimal() and alive(pid)}
        assert not spaces & inhabited


def alive(pid: str) -> bool:
    """Whether there is still something to look at."""
    try:
        return bool(namespace(pid, "user"))
    except OSError:
        return False


@fails(ops.IdMap)
@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (
            (MAPS.replace(uids="0 1 1\n0 2 1\n"),),
            (
                "mounts[1].uidMappings: write uid_map: invalid argument (ranges must not overlap and "
                "must lie within those of the runtime's own user namespace)"
            ),
        ),
        (
            (MAPS.replace(origin="linux.namespaces[0]", path="/nowhere"),),
            "linux.namespaces[0] (/nowhere): open: no such file or directory",
        ),
        (
            (answering("clone3", 1).replace(by=OUTER), MAPS),
            "mounts[1].uidMappings: clone3: operation not permitted",
        ),
    ],
)
def test_a_namespace_that_cannot_be_made_is_an_error(plan: tuple[Op, ...], text: str) -> None:
    """With what to do about it, and all processes end."""
    with Walk(*plan) as walk:
        assert walk.error() == text
        assert walk.ended()


@fails(ops.MapTree)
def test_what_cannot_be_mapped_is_an_error(tmp_path: Path) -> None:
    """A file system that has no support; a tree that is mapped already."""
    assert failure(tree(Path("/sys/kernel")), MAPS, map_tree()) == (
        "mounts[1] (/source): mount_setattr: invalid argument (the file system does not support id-mapped mounts)"
    )
    assert failure(tree(tmp_path), MAPS, map_tree(), map_tree()) == (
        "mounts[1] (/source): mount_setattr: operation not permitted (the source is id-mapped already, or mapping it "
        "takes privilege that we do not have over its file system)"
    )


@fails(ops.MapTree)
def test_an_init_without_privilege_over_the_file_system_cannot_map_it(rootfs: Path) -> None:
    """In a user namespace of its own, where a tmpfs of its own can be mapped, but nothing of the host's."""
    plan = (MAPS, tree(rootfs), *cloned(CLONE_NEWUSER), map_tree().replace(by=ops.INIT))
    assert "mount_setattr: operation not permitted" in failure(*plan)
