"""Ops that build the container's view of the file system, looked at from outside through /proc/PID."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slinger.linux.flags import (
    CLONE_NEWNS,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
)
from slinger.plan import ops
from slinger.plan.ops import OUTER, Op
from tests.contract.covers import works
from tests.contract.look import inside, mount_table, mounts, namespace
from tests.contract.walk import PRIVATE, cloned, entered, look, rooted
from tests.requires import requires

pytestmark = requires("root", "gcc")


def tmpfs(destination: str, *options: str, **more: int) -> ops.MountNew:
    """A tmpfs."""
    return ops.MountNew("mounts[1]", type="tmpfs", source="tmpfs", destination=destination, options=options).replace(
        **more
    )


@works(ops.Propagation)
@pytest.mark.parametrize(
    ("flags", "expected"), [(MS_SHARED, {"shared"}), (MS_SLAVE, {"master"}), (MS_PRIVATE, set[str]())]
)
def test_the_propagation_of_every_mount_is_set(flags: int, expected: set[str]) -> None:
    """Of the namespace's root and all that is mounted below, where the outer namespace shares all of its own."""
    plan = (
        ops.Unshare("", by=OUTER, flags=CLONE_NEWNS),
        *(ops.Propagation("", by=OUTER, flags=each) for each in (MS_PRIVATE, MS_SHARED)),
        *cloned(CLONE_NEWNS),
        ops.Propagation("linux.rootfsPropagation", flags=flags),
    )
    with look(*plan).reach() as walk:
        table = mount_table(walk.pid)
        assert [mount.propagation for mount in table] == [expected] * len(table)


@works(ops.OpenTree, ops.AttachRoot)
def test_the_root_is_attached_in_its_own_place(rootfs: Path) -> None:
    """A mount of its own on its own path, private; the host's namespace has none of it."""
    with look(*rooted(rootfs)).reach() as walk:
        attached = mounts(walk.pid)[str(rootfs)]
        assert attached.propagation == set()
        assert str(rootfs) not in mounts(os.getpid())


@works(ops.OpenTree)
@pytest.mark.parametrize(("recursive", "kept"), [(0, False), (1, True)])
def test_a_tree_is_copied_with_what_is_mounted_below_if_asked(rootfs: Path, recursive: int, *, kept: bool) -> None:
    """AT_RECURSIVE of open_tree(2)."""
    plan = (
        *rooted(rootfs),
        tmpfs("/data/below"),
        ops.OpenTree("mounts[2]", slot=1, path=f"{rootfs}/data", recursive=recursive),
        ops.MountBind("mounts[2]", slot=1, destination="/mnt"),
    )
    with look(*plan).reach() as walk:
        assert (f"{rootfs}/mnt/below" in mounts(walk.pid)) is kept
        assert inside(walk.pid, f"{rootfs}/mnt/kept").read_text(encoding="utf-8") == "was here before\n"


@works(ops.OpenTree)
def test_links_of_a_source_are_followed(rootfs: Path, tmp_path: Path) -> None:
    """A source is the host's path, and means what it means there."""
    (tmp_path / "link").symlink_to(rootfs / "data")
    source = ops.OpenTree("mounts[1]", by=OUTER, slot=1, path=str(tmp_path / "link"))
    plan = (source, *rooted(rootfs), ops.MountBind("mounts[1]", slot=1, destination="/mnt"))
    with look(*plan).reach() as walk:
        assert inside(walk.pid, f"{rootfs}/mnt/kept").exists()


@works(ops.OpenRoot)
@pytest.mark.parametrize("missing", ["", "/a/b"])
def test_a_root_without_mount_namespace_is_a_handle_and_no_mount(rootfs: Path, missing: str) -> None:
    """What follows is looked up below the handle; the host's mount table is as it was."""
    link = ops.MakeLink("", path=f"{missing}/made", target="x")
    with look(*cloned(), ops.OpenRoot("root.path", path=str(rootfs)), link).reach() as walk:
        assert namespace(walk.pid, "mnt") == namespace("self", "mnt")
        assert str(rootfs) not in mounts(os.getpid())
    assert (rootfs / f"{missing}/made".lstrip("/")).is_symlink()


@works(ops.MountNew)
def test_a_new_file_system_is_mounted_with_its_options_and_attributes(rootfs: Path) -> None:
    """At a path that is made if missing."""
    attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
    with look(*rooted(rootfs), tmpfs("/new/place", "size=64k", "mode=750", attr_set=attributes)).reach() as walk:
        mount = mounts(walk.pid)[f"{rootfs}/new/place"]
        assert (mount.type, mount.source) == ("tmpfs", "tmpfs")
        assert mount.options == {"rw", "nosuid", "noexec", "relatime"}
        assert {"size=64k", "mode=750"} <= mount.super_options


@works(ops.MountNew)
def test_a_tmpfs_takes_after_what_it_covers(rootfs: Path) -> None:
    """``copy_mode``: the mode of the directory; ``copy_up``: what is in it, links and modes as they are."""
    (rootfs / "data").chmod(0o1751)
    (rootfs / "data/link").symlink_to("/etc/passwd")
    (rootfs / "data/deep/er").mkdir(parents=True)
    (rootfs / "data/deep/er/file").write_text("text", encoding="ascii")
    (rootfs / "data/deep/er/file").chmod(0o640)
    with look(*rooted(rootfs), tmpfs("/data", copy_mode=1, copy_up=1)).reach() as walk:
        data = inside(walk.pid, f"{rootfs}/data")
        assert mounts(walk.pid)[f"{rootfs}/data"].type == "tmpfs"
        assert data.stat().st_mode & 0o7777 == 0o1751
        assert os.readlink(data / "link") == "/etc/passwd"
        assert (data / "deep/er/file").read_text(encoding="ascii") == "text"
        assert (data / "deep/er/file").stat().st_mode & 0o7777 == 0o640


@works(ops.MountNew)
@pytest.mark.parametrize("destination", ["/link/new", "/../secrets/new"])
def test_a_path_is_looked_up_as_if_the_root_was_the_root(rootfs: Path, destination: str) -> None:
    """An absolute symlink (/link -> /secrets) and ``..`` stay inside (CVE-2021-30465)."""
    with look(*rooted(rootfs), tmpfs(destination)).reach() as walk:
        assert mounts(walk.pid)[f"{rootfs}/secrets/new"].type == "tmpfs"


@works(ops.MountBind)
@pytest.mark.parametrize(("source", "kind"), [("etc/passwd", "file"), ("secrets", "directory")])
def test_a_bind_mount_makes_a_target_of_the_kind_of_its_source(rootfs: Path, source: str, kind: str) -> None:
    """A missing target, and what leads to it."""
    plan = (
        ops.OpenTree("mounts[1]", by=OUTER, slot=1, path=f"{rootfs}/{source}"),
        *rooted(rootfs),
        ops.MountBind("mounts[1]", slot=1, destination="/made/here"),
    )
    with look(*plan).reach() as walk:
        assert mounts(walk.pid)[f"{rootfs}/made/here"].root.endswith(source)
        made = rootfs / "made/here"
        assert (made.is_file() if kind == "file" else made.is_dir()) is True


@works(ops.MountBind)
@pytest.mark.parametrize(
    ("attributes", "top", "below"),
    [
        ({}, "rw", "rw"),
        ({"attr_set": MOUNT_ATTR_RDONLY}, "ro", "rw"),
        ({"rec_set": MOUNT_ATTR_RDONLY}, "ro", "ro"),
        ({"rec_set": MOUNT_ATTR_RDONLY, "attr_clr": MOUNT_ATTR_RDONLY}, "rw", "ro"),
    ],
)
def test_attributes_of_a_bind_mount_are_for_it_or_for_all_below(
    rootfs: Path, attributes: dict[str, int], top: str, below: str
) -> None:
    """``rro`` reaches the mounts below; what is said of the mount itself wins on it."""
    plan = (
        *rooted(rootfs),
        tmpfs("/data/below"),
        ops.OpenTree("mounts[2]", slot=1, path=f"{rootfs}/data", recursive=1),
        ops.MountBind("mounts[2]", slot=1, destination="/mnt").replace(**attributes),
    )
    with look(*plan).reach() as walk:
        table = mounts(walk.pid)
        assert top in table[f"{rootfs}/mnt"].options
        assert below in table[f"{rootfs}/mnt/below"].options
        assert "rw" in table[f"{rootfs}/data/below"].options


@works(ops.MountChange)
@pytest.mark.parametrize(
    ("change", "top", "below"),
    [
        ({"attr_set": MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY}, {"ro", "nosuid"}, {"rw"}),
        ({"rec_set": MOUNT_ATTR_NOEXEC}, {"rw", "noexec"}, {"rw", "noexec"}),
    ],
)
def test_attributes_of_a_mount_are_changed(
    rootfs: Path, change: dict[str, int], top: set[str], below: set[str]
) -> None:
    """Of it alone, or of all below."""
    plan = (
        *rooted(rootfs),
        tmpfs("/mnt"),
        tmpfs("/mnt/below"),
        ops.MountChange("mounts[2]", destination="/mnt").replace(**change),
    )
    with look(*plan).reach() as walk:
        table = mounts(walk.pid)
        assert table[f"{rootfs}/mnt"].options == top | {"relatime"}
        assert table[f"{rootfs}/mnt/below"].options == below | {"relatime"}


@works(ops.Reconfigure)
def test_the_super_block_of_a_mount_is_changed(rootfs: Path) -> None:
    """Its options, and whether it is read-only, which the mount may be as well."""
    plan = (
        *rooted(rootfs),
        tmpfs("/mnt", "size=64k", "ro"),
        ops.Reconfigure("mounts[2]", destination="/mnt", options=("size=128k", "rw", "sync")),
    )
    with look(*plan).reach() as walk:
        changed = mounts(walk.pid)[f"{rootfs}/mnt"].super_options
        assert {"rw", "sync", "size=128k"} <= changed


@works(ops.MountNew)
def test_a_tmpfs_on_nothing_has_the_mode_of_a_tmpfs(rootfs: Path) -> None:
    """The directory that is made for it is not what it takes after."""
    with look(*rooted(rootfs), tmpfs("/made/here", copy_mode=1)).reach() as walk:
        assert inside(walk.pid, f"{rootfs}/made/here").stat().st_mode & 0o7777 == 0o1777
        assert (rootfs / "made/here").stat().st_mode & 0o7777 == 0o755


@works(ops.MountBind)
@pytest.mark.parametrize(("target", "made"), [("/tmp/a/b", "tmp/a/b"), ("../tmp/./c//", "tmp/c"), ("d", "etc/d")])
@pytest.mark.parametrize("source", ["data", "secret"])
def test_what_a_dangling_symlink_leads_to_is_made_inside(rootfs: Path, target: str, made: str, source: str) -> None:
    """As a process in the container would make it: images have /etc/resolv.conf lead to what is not there yet."""
    (rootfs / "etc/name").symlink_to("/hop/name")
    (rootfs / "hop").symlink_to("etc/hops")
    (rootfs / "etc/hops").mkdir()
    (rootfs / "etc/hops/name").symlink_to(target if target.startswith("/") else f"../{target}")
    bind = ops.MountBind("mounts[1]", slot=1, destination="/etc/name")
    plan = (ops.OpenTree("", by=OUTER, slot=1, path=f"{rootfs}/{source}"), *rooted(rootfs), bind)
    with look(*plan).reach() as walk:
        assert mounts(walk.pid)[f"{rootfs}/{made}"].root.endswith(source)
    assert (rootfs / made).is_dir() is (source == "data")


@works(ops.MountChange)
@pytest.mark.parametrize(("recursive", "below"), [(0, set[str]()), (1, {"shared"})])
def test_the_propagation_of_a_mount_is_changed(rootfs: Path, recursive: int, below: set[str]) -> None:
    """``shared`` and ``rshared``."""
    change = ops.MountChange("mounts[2]", destination="/mnt", propagation=MS_SHARED, propagation_recursive=recursive)
    with look(*rooted(rootfs), tmpfs("/mnt"), tmpfs("/mnt/below"), change).reach() as walk:
        table = mounts(walk.pid)
        assert table[f"{rootfs}/mnt"].propagation == {"shared"}
        assert table[f"{rootfs}/mnt/below"].propagation == below


@works(ops.Detach)
def test_a_mount_is_taken_away_or_covered(rootfs: Path) -> None:
    """One that can be unmounted is; what the kernel does not let go, or is no mount, is covered; nothing is nothing."""
    gone, kept, missing = (ops.Detach("root.path", path=f"{rootfs}/{name}") for name in ("mnt", "data", "missing"))
    with look(*rooted(rootfs), tmpfs("/mnt"), gone, kept, missing).reach() as walk:
        table = mounts(walk.pid)
        assert f"{rootfs}/mnt" not in table
        assert (table[f"{rootfs}/data"].type, "ro" in table[f"{rootfs}/data"].options) == ("tmpfs", True)


@works(ops.Pivot)
@pytest.mark.parametrize("how", [0, 1])
def test_the_root_handle_becomes_the_root(rootfs: Path, how: int) -> None:
    """By pivot_root, or moved over / (--no-pivot); init stands in it, and the host's tree is out of reach."""
    with look(*rooted(rootfs), tmpfs("/mnt"), ops.Pivot("root.path", how=how)).reach() as walk:
        assert os.readlink(f"/proc/{walk.pid}/cwd") == "/"
        assert inside(walk.pid, "/etc/hostname").read_text(encoding="utf-8") == "from-rootfs\n"
        assert {"/", "/mnt"} == set(mounts(walk.pid))
        assert not inside(walk.pid, str(rootfs)).exists()


@works(ops.Pivot)
def test_pivot_root_leaves_no_mount_of_the_host_behind(rootfs: Path) -> None:
    """The old root is detached: there are two mounts and no more."""
    with look(*rooted(rootfs), tmpfs("/mnt"), ops.Pivot("root.path")).reach() as walk:
        assert [mount.point for mount in mount_table(walk.pid)] == ["/", "/mnt"]


@works(ops.Pivot, ops.OpenRoot)
def test_without_mount_namespace_the_root_is_entered_by_chroot(rootfs: Path) -> None:
    """chroot(2) alone; the process is at / of it."""
    plan = (*cloned(), ops.OpenRoot("root.path", path=str(rootfs)), ops.Pivot("root.path", how=2))
    with look(*plan).reach() as walk:
        assert os.readlink(f"/proc/{walk.pid}/root") == str(rootfs)
        assert os.readlink(f"/proc/{walk.pid}/cwd") == str(rootfs)


@works(ops.RootChange)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"attr_set": MOUNT_ATTR_RDONLY}, ("ro", set[str](), set[str]())),
        ({"propagation": MS_SHARED}, ("rw", {"shared"}, set[str]())),
        ({"propagation": MS_SHARED, "recursive": 1}, ("rw", {"shared"}, {"shared"})),
    ],
)
def test_the_root_mount_is_changed(
    rootfs: Path, change: dict[str, int], expected: tuple[str, frozenset[str], frozenset[str]]
) -> None:
    """Read-only is for the root alone; propagation may be recursive."""
    plan = (*rooted(rootfs), tmpfs("/mnt"), ops.Pivot("root.path"), ops.RootChange("root.readonly").replace(**change))
    with look(*plan).reach() as walk:
        table = mounts(walk.pid)
        root, below = table["/"], table["/mnt"]
        assert expected[0] in root.options
        assert "rw" in below.options
        assert (root.propagation, below.propagation) == expected[1:]


def null() -> Op:
    """What files are hidden under."""
    return ops.MakeNode("", path="/dev/null", kind=0o020000, major=1, minor=3, mode=0o666)


@works(ops.Mask)
def test_a_file_is_hidden_under_the_null_device_and_a_directory_under_nothing(rootfs: Path) -> None:
    """A file reads as empty; a directory is empty and read-only; what does not exist needs no mask."""
    masks = [ops.Mask("linux.maskedPaths[0]", path=path) for path in ("/secret", "/secrets", "/none", "/secret/none")]
    with look(*entered(rootfs), null(), *masks).reach() as walk:
        assert inside(walk.pid, "/secret").read_bytes() == b""
        assert os.listdir(inside(walk.pid, "/secrets")) == []
        assert "ro" in mounts(walk.pid)["/secrets"].options
        assert {"/secret", "/secrets"} == {each.point for each in mount_table(walk.pid)} - {"/", "/proc"}


@works(ops.ReadonlyPath)
def test_a_path_is_read_only_and_what_is_beside_it_is_not(rootfs: Path) -> None:
    """Files and directories; the mounts below stay visible; what does not exist is passed over."""
    paths = [
        ops.ReadonlyPath("linux.readonlyPaths[0]", path=path) for path in ("/data", "/secret", "/none", "/secret/none")
    ]
    with look(*entered(rootfs), tmpfs("/data/below"), *paths).reach() as walk:
        table = mounts(walk.pid)
        assert "ro" in table["/data"].options
        assert "ro" in table["/secret"].options
        assert table["/data/below"].type == "tmpfs"
        assert "rw" in table["/"].options
        assert inside(walk.pid, "/data/kept").read_text(encoding="utf-8") == "was here before\n"


@works(ops.Propagation)
def test_what_is_mounted_in_the_container_does_not_reach_the_host(rootfs: Path) -> None:
    """A slave or private namespace: the test's own mount table is the same before and after."""
    before = mount_table(os.getpid())
    with look(*rooted(rootfs), PRIVATE, tmpfs("/mnt")).reach():
        assert mount_table(os.getpid()) == before
