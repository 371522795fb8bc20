"""Paths: whatever an image or a neighbour on a volume puts in the way, nothing is made or mounted outside the root."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Final

import pytest

from slinger.plan import ops
from tests.bundles import Json, mapping, mount, sequence
from tests.contract.walk import Walk, rooted
from tests.integration.box import INSIDE, Box
from tests.requires import requires
from tests.security.conftest import Swap

pytestmark = requires("root")

SLEEPING: Final = (INSIDE, "sleep", "60")
CHANCES: Final = 150  # mounts or nodes a create: each is a chance for the attacker
CREATES: Final = 3  # at least; on a busy machine more, until the attacker has had a turn in a create
MOST_CREATES: Final = 40
DEV: Final = "/dev"


def mounts_but(box: Box, *left_out: str) -> list[Json]:
    """The common mounts without those on these destinations and below."""
    box.configure({})
    config = mapping(json.loads((box.directory / "config.json").read_text()))
    kept: list[Json] = []
    for each in sequence(config["mounts"]):
        destination = str(mapping(each)["destination"])
        if not any(destination == name or destination.startswith(f"{name}/") for name in left_out):
            kept.append(each)
    return kept


def inside(rootfs: Path, path: Path) -> Path:
    """Where an absolute symlink to a path of the host leads when the root is the root."""
    return rootfs / path.relative_to("/")


def race_was_on(rootfs: Path, canary: Path) -> bool:
    """Whether some were made in the directory, and some where the symlink leads inside.

    The names may be exchanged while we look, so the one that is the directory is opened and looked into.
    """
    for name in ("real", "link", "real"):
        try:
            fd = os.open(rootfs / "vol" / name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except NotADirectoryError:
            continue
        try:
            return bool(os.listdir(fd)) and any(inside(rootfs, canary).iterdir())
        finally:
            os.close(fd)
    return False


@pytest.mark.usefixtures("host_mounts")
def test_mounts_in_a_directory_that_is_swapped_for_a_symlink_stay_inside(box: Box, canary: Path, swap: Swap) -> None:
    """CVE-2021-30465, CVE-2024-45310, CVE-2019-18837: targets are found and made below the root, once."""
    rootfs = box.bundle.rootfs
    (rootfs / "vol/real").mkdir(parents=True)
    (rootfs / "vol/link").symlink_to(canary)
    inside(rootfs, canary).mkdir(parents=True)
    raced = [mount(f"/vol/real/{at}", "tmpfs", "raced", "size=4k") for at in range(CHANCES)]
    box.configure({"process.args": SLEEPING, "mounts+": raced})
    with swap(rootfs / "vol/real", rootfs / "vol/link"):
        for at in range(MOST_CREATES):
            if at >= CREATES and race_was_on(rootfs, canary):
                break
            box.create()
            table = Path(f"/proc/{box.pid()}/mountinfo").read_text()
            assert table.count(" - tmpfs raced ") == CHANCES
            box.succeed("delete", "--force", box.id)
    assert race_was_on(rootfs, canary)


def test_nodes_in_a_directory_that_is_swapped_for_a_symlink_stay_inside(box: Box, canary: Path, swap: Swap) -> None:
    """CVE-2026-41579, CVE-2026-47766: nodes and links are made in a directory that was found below the root."""
    rootfs = box.bundle.rootfs
    (rootfs / "vol/real").mkdir(parents=True)
    (rootfs / "vol/link").symlink_to(canary)
    inside(rootfs, canary).mkdir(parents=True)
    raced: list[Json] = [{"path": f"/vol/real/{at}", "type": "p"} for at in range(CHANCES)]
    box.configure({"process.args": SLEEPING, "linux.devices": raced})
    with swap(rootfs / "vol/real", rootfs / "vol/link"):
        for at in range(MOST_CREATES):
            if at >= CREATES and race_was_on(rootfs, canary):
                break
            box.create()
            box.succeed("delete", "--force", box.id)
    assert race_was_on(rootfs, canary)


def test_a_node_that_is_swapped_for_a_file_does_not_give_the_file_away(
    rootfs: Path, tmp_path: Path, canary: Path, swap: Swap
) -> None:
    """The owner is set through the descriptor that was found to be the node."""
    (rootfs / "vol").mkdir()
    os.mknod(rootfs / "vol/null", 0o020666, os.makedev(1, 3))
    os.link(canary / "precious", rootfs / "vol/file")
    node = ops.MakeNode("linux.devices[0]", kind=0o020000, major=1, minor=3, mode=0o666, uid=4321, gid=4321)
    # One node by many spellings of its path: each is a chance, until the file is met and refused.
    many = tuple(node.replace(path=f"/vol{'/' * at}null") for at in range(1, 9))
    with swap(rootfs / "vol/null", rootfs / "vol/file"):
        for _ in range(120):
            with Walk(*rooted(rootfs), *many) as walk:
                walk.finish()
    assert tmp_path == canary.parent


@pytest.mark.parametrize("destination", ["/proc", "/sys"])
def test_kernel_file_systems_are_not_mounted_through_a_symlink(box: Box, canary: Path, destination: str) -> None:
    """CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: an image's /proc or /sys that is a symlink is refused."""
    rootfs = box.bundle.rootfs
    (rootfs / destination[1:]).rmdir()
    (rootfs / destination[1:]).symlink_to("/tmp/x")
    (rootfs / "tmp/x").mkdir()
    box.fail(*box.creating())
    assert list((rootfs / "tmp/x").iterdir()) == []
    assert canary.exists()


@pytest.mark.parametrize("dangling", [False, True])
def test_a_dev_that_is_a_symlink_to_the_host_changes_nothing_there(box: Box, canary: Path, *, dangling: bool) -> None:
    """CVE-2026-41579, CVE-2026-47766: without a file system on /dev, nodes are made inside; so is what it leads to."""
    rootfs = box.bundle.rootfs
    (rootfs / "dev").rmdir()
    (rootfs / "dev").symlink_to(canary)
    if not dangling:
        inside(rootfs, canary).mkdir(parents=True)
    box.configure({"mounts": mounts_but(box, DEV), "linux.maskedPaths": []})
    box.succeed(*box.running())
    assert (inside(rootfs, canary) / "null").is_char_device()


@pytest.mark.parametrize("source", ["secret", "data"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_bind_mount_on_a_symlink_to_the_host_stays_inside(
    box: Box, canary: Path, source: str, *, dangling: bool
) -> None:
    """CVE-2021-30465, CVE-2024-45310 without a race: file and directory."""
    rootfs = box.bundle.rootfs
    (rootfs / "detour").symlink_to(canary)
    if not dangling:
        inside(rootfs, canary).mkdir(parents=True)
    box.configure(
        {
            "process.args": [INSIDE, "probe", "/detour/new"],
            "mounts+": [mount("/detour/new", "bind", f"{rootfs}/{source}", "bind")],
        }
    )
    box.succeed(*box.running())
    assert [path.name for path in inside(rootfs, canary).iterdir()] == ["new"]


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
@pytest.mark.parametrize("target", ["/proc/self/attr", "/proc/sys", "/proc"])
def test_nothing_is_mounted_into_proc_by_the_detour_of_a_symlink(box: Box, kind: str, target: str) -> None:
    """CVE-2019-16884, CVE-2025-52881: a volume on /data, and in the image /data leads to what is written or masked."""
    (box.bundle.rootfs / "detour").symlink_to(target)
    options = ("bind",) if kind == "bind" else ()
    box.configure({"mounts+": [mount("/detour", kind, str(box.bundle.rootfs / "data"), *options)]})
    assert box.fail(*box.creating()).startswith("mounts[7] (/detour): openat2 a symlink leads into /proc: too many")


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        ("/proc", 'mounts[7].type: only proc may be mounted on /proc, got "tmpfs"'),
        (
            "/proc/self/attr",
            'mounts[7].destination: "/proc/self/attr" cannot be mounted because it is inside /proc',
        ),
        (
            "/sys/../proc//self/./attr",
            'mounts[7].destination: "/proc/self/attr" cannot be mounted because it is inside /proc',
        ),
    ],
)
def test_nothing_is_mounted_over_proc(box: Box, destination: str, message: str) -> None:
    """CVE-2019-16884: what labels are written to cannot be covered."""
    box.configure({"mounts+": [mount(destination, "tmpfs", "tmpfs")]})
    assert message in box.fail(*box.creating())


@pytest.mark.parametrize("options", [("bind",), ("rbind", "ro")])
def test_only_a_procfs_is_bound_on_proc(box: Box, options: tuple[str, ...]) -> None:
    """CVE-2019-16884: a volume with a false /proc/self/attr; the host's own procfs, or a part of one, is none."""
    (box.bundle.rootfs / "data/self").mkdir()
    box.configure({"mounts+": [mount("/proc", "bind", str(box.bundle.rootfs / "data"), *options)]})
    assert box.fail(*box.creating()) == "mounts[7] (/proc): fstatfs the source is no procfs: invalid argument"
    box.configure({"mounts+": [mount("/proc", "bind", "/proc", *options)], "process.args": [INSIDE, "true"]})
    box.succeed(*box.running())


def make_fifo(path: Path) -> None:
    """A fifo, on which an open would wait for ever."""
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """A socket that nobody listens on."""
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(f"/proc/self/fd/{os.open(path.parent, os.O_PATH)}/{path.name}")


@pytest.mark.parametrize("make", [make_fifo, make_socket])
def test_a_fifo_or_socket_in_the_image_stops_nothing(box: Box, make: object) -> None:
    """Opened by nobody: not as /etc/passwd, not as a mount's target, not as what is masked."""
    assert callable(make)
    for name in ("etc/passwd", "masked", "target"):
        (box.bundle.rootfs / name).unlink(missing_ok=True)
        make(box.bundle.rootfs / name)
    box.configure(
        {
            "process.args": [INSIDE, "cat", "/target", "/masked"],
            "process.user.uid": 1000,
            "mounts+": [mount("/target", "bind", str(box.bundle.rootfs / "secret"), "bind")],
            "linux.maskedPaths+": ["/masked"],
        }
    )
    assert box.succeed(*box.running()) == "secret file\n"


@pytest.mark.parametrize("make", [make_fifo, make_socket])
def test_a_fifo_or_socket_is_no_program(box: Box, make: object) -> None:
    """It is refused before anything is opened."""
    assert callable(make)
    make(box.bundle.rootfs / "bin/program")
    box.configure({"process.args": ["/bin/program"]})
    assert "permission denied" in box.fail(*box.creating())


def test_what_a_tmpfs_takes_over_is_copied_without_following_links(box: Box, canary: Path) -> None:
    """tmpcopyup reads the image before the pivot, when the links of the image still would lead to the host."""
    data = box.bundle.rootfs / "data"
    (data / "link").symlink_to(canary / "precious")
    (data / "folder").symlink_to(canary)
    box.configure(
        {
            "process.args": [INSIDE, "probe", "/data/link", "/data/folder"],
            "mounts+": [mount("/data", "tmpfs", "tmpfs", "tmpcopyup")],
        }
    )
    told = mapping(json.loads(box.succeed(*box.running())))
    assert [mapping(each)["kind"] for each in told.values()] == ["link", "link"]
    assert "text" not in mapping(told["/data/link"])
