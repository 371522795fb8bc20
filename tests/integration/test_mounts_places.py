"""mounts[] as the program sees them: what is mounted on what, in which order; file systems and their ways."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, base_config, mapping, mount, sequence
from tests.integration.box import INSIDE, Box
from tests.integration.mounting import probed, shown, with_mounts
from tests.requires import requires

pytestmark = requires("root", "gcc")

# ---- what is mounted on what


def a_socket(path: Path) -> None:
    """One that somebody has bound; its name is too long for bind(2) as it is."""
    with socket.socket(socket.AF_UNIX) as end:
        directory = os.open(path.parent, os.O_PATH)
        end.bind(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)


SOURCES: Final[dict[str, Callable[[Path], object]]] = {
    "file": lambda path: path.write_text("x"),
    "directory": lambda path: path.mkdir(),
    "fifo": os.mkfifo,
    "socket": a_socket,
    "character device": lambda path: os.mknod(path, 0o020666, os.makedev(1, 5)),
    "block device": lambda path: os.mknod(path, 0o060666, os.makedev(7, 0)),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("place", ["/made/here", "made/there", "/etc/passwd", "/data"])
def test_a_source_may_be_of_any_kind(box: Box, kind: str, place: str, *, link: bool) -> None:
    """By its path or by a symlink of the host's, relative to the bundle or not; on what is missing, or of its sort.

    A relative destination is one below /, with a warning.
    """
    if place in {"/etc/passwd", "/data"} and (kind == "directory") != (place == "/data"):
        place = "/made/too"
    SOURCES[kind](box.directory / "source")
    (box.directory / "link").symlink_to("source")
    source = "link" if link else str(box.directory / "source")
    with_mounts(box, mount(place, "bind", source, "bind"), process_args=[INSIDE, "probe", f"/{place.lstrip('/')}"])
    done = box.call(*box.running())
    warning = f'slinger: warning: mounts[7].destination: relative path "{place}", taken relative to / (deprecated)\n'
    assert (done.status, done.stderr) == (0, "" if place.startswith("/") else warning)
    assert json.loads(done.stdout)[f"/{place.lstrip('/')}"]["kind"] == kind


@pytest.mark.parametrize(
    ("kind", "place"), [("file", "/data"), ("directory", "/etc/passwd"), ("directory", "/bin/x/y")]
)
def test_a_source_on_what_is_of_another_sort_is_an_error(box: Box, kind: str, place: str) -> None:
    """The kernel's."""
    SOURCES[kind](box.directory / "source")
    (box.bundle.rootfs / "bin/x").touch()
    with_mounts(box, mount(place, "bind", "source", "bind"))
    said = box.fail(*box.creating())
    assert said in {
        f"mounts[7] ({place}): move_mount: not a directory",
        f"mounts[7] ({place}): move_mount: invalid argument",
        f"mounts[7] ({place}): openat2: not a directory",
    }


@pytest.mark.parametrize(
    ("link", "target", "place", "real"),
    [
        ("etc/resolv.conf", "../run/resolve/stub.conf", "/etc/resolv.conf", "/run/resolve/stub.conf"),
        ("etc/hosts", "/tmp/deep/hosts", "/etc/hosts", "/tmp/deep/hosts"),
        ("var", "/data", "/var/cache/x", "/data/cache/x"),
        ("var", "data/none", "/var/x", "/data/none/x"),
        ("up", "../../../../../tmp/up", "/up", "/tmp/up"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_mount_on_a_symlink_of_the_images_is_where_it_leads_to_inside(
    box: Box, kind: str, link: str, target: str, place: str, real: str
) -> None:
    """Whether that is there or not: as in images whose /etc/resolv.conf leads to a directory of the init system's."""
    SOURCES[kind](box.directory / "source")
    (box.bundle.rootfs / link).symlink_to(target)
    with_mounts(box, mount(place, "bind", "source", "bind"))
    assert shown(box, real)[0]["options"] == {"rw", "relatime"}
    assert probed(box, place, real)[1]["kind"] == kind


def test_mounts_are_made_in_their_order(box: Box, volume: Path) -> None:
    """A later one covers an earlier one, and is made in it."""
    with_mounts(
        box,
        mount("/mnt", "tmpfs", "tmpfs"),
        mount("/mnt/a/b", "bind", str(volume), "bind"),
        mount("/mnt/a/b", "tmpfs", "tmpfs", "mode=700"),
        mount("/data", "bind", str(volume), "bind"),
        mount("/mnt/a", "tmpfs", "tmpfs", "mode=711"),
    )
    above, data = probed(box, "/mnt/a", "/data")
    assert (above["mode"], above["entries"]) == ("0711", {})
    assert set(mapping(data["entries"])) == {"below", "kept"}


@pytest.mark.parametrize("mapped_too", [False, True])
def test_a_source_in_the_root_shows_what_was_mounted_there(request: pytest.FixtureRequest, *, mapped_too: bool) -> None:
    """A file system made by the list itself, and what is below it, in a user namespace as well."""
    box: Box = request.getfixturevalue("mapped" if mapped_too else "box")
    rootfs = box.bundle.rootfs
    with_mounts(
        box,
        mount("/mnt", "tmpfs", "tmpfs", "size=64k"),
        mount("/mnt/below", "tmpfs", "tmpfs", "size=128k"),
        mount("/one", "bind", f"{rootfs}/mnt", "bind", "ro"),
        mount("/both", "bind", "rootfs/mnt", "rbind"),
        mount("/plain", "bind", f"{rootfs}/secrets", "bind"),
        process_args=[INSIDE, "report"],
    )
    told = shown(box, "/one", "/both", "/both/below", "/plain")
    assert ["size=64k" in each["super"] for each in told] == [True, True, False, False]
    assert "size=128k" in told[2]["super"]
    assert told[0]["options"] == {"ro", "relatime"}


# ---- file systems


def test_a_tmpfs_takes_over_what_it_covers(box: Box) -> None:
    """tmpcopyup: files, links, owners, modes; the image stays as it is."""
    rootfs = box.bundle.rootfs
    (rootfs / "data").chmod(0o1750)
    os.chown(rootfs / "data/kept", 7, 8)
    (rootfs / "data/kept").chmod(0o4711)
    (rootfs / "data/deep/er").mkdir(parents=True)
    (rootfs / "data/link").symlink_to("../secret")
    with_mounts(box, mount("/data", "tmpfs", "tmpfs", "tmpcopyup", "size=64k"))
    (data,) = probed(box, "/data")
    entries = mapping(data["entries"])
    assert (data["mode"], set(entries)) == ("1750", {"deep", "kept", "link"})
    kept = mapping(entries["kept"])
    assert (kept["kind"], kept["mode"], kept["owner"]) == ("file", "4711", "7:8")
    assert mapping(entries["link"])["target"] == "../secret"
    box.configure(
        {
            "mounts+": [mount("/data", "tmpfs", "tmpfs", "tmpcopyup")],
            "process.args": [INSIDE, "write", "/data/kept", "changed"],
            "process.capabilities": dict.fromkeys(("bounding", "effective", "permitted"), ("CAP_DAC_OVERRIDE",)),
        }
    )
    box.succeed(*box.running())
    assert (rootfs / "data/kept").read_text() == "was here before\n"


@pytest.mark.parametrize(
    ("place", "options", "mode"),
    [("/data", (), "0751"), ("/data", ("mode=1700",), "1700"), ("/new/place", (), "1777"), ("/data", ("ro",), "0751")],
)
def test_the_mode_of_a_tmpfs(box: Box, place: str, options: tuple[str, ...], mode: str) -> None:
    """Its own, or that of what it covers, or the kernel's where it covers nothing; what it covers keeps its own."""
    (box.bundle.rootfs / "data").chmod(0o751)
    with_mounts(box, mount(place, "tmpfs", "tmpfs", *options))
    assert probed(box, place)[0]["mode"] == mode
    assert (box.bundle.rootfs / "data").stat().st_mode & 0o7777 == 0o751


def test_a_read_only_tmpfs_has_what_was_made_in_it(box: Box, volume: Path) -> None:
    """Mount points in it are made first; so it is with /dev."""
    with_mounts(box, mount("/ro", "tmpfs", "tmpfs", "ro"), mount("/ro/in", "bind", str(volume), "bind"))
    outer, inner = shown(box, "/ro", "/ro/in")
    assert (outer["options"], inner["options"]) == ({"ro", "relatime"}, {"rw", "relatime"})


@pytest.mark.parametrize(
    ("first", "then", "options", "words"),
    [
        (("size=64k",), ("remount", "size=128k"), {"rw", "relatime"}, {"rw", "size=128k"}),
        (("size=64k",), ("remount", "ro"), {"ro", "relatime"}, {"size=64k"}),
        (("nosuid",), ("remount", "nodev"), {"rw", "nosuid", "nodev", "relatime"}, {"rw"}),
        (("nosuid",), ("remount", "suid", "sync"), {"rw", "relatime"}, {"rw", "sync"}),
        (("sync",), ("remount", "bind", "noexec"), {"rw", "noexec", "relatime"}, {"rw", "sync"}),
    ],
)
def test_a_remount_changes_what_is_there(
    box: Box, first: tuple[str, ...], then: tuple[str, ...], options: set[str], words: set[str]
) -> None:
    """Flags of the mount, and options of the file system unless it is a bind's; what is not named stays."""
    with_mounts(box, mount("/mnt", "tmpfs", "tmpfs", *first), mount("/mnt", "none", "none", *then))
    (told,) = shown(box, "/mnt")
    assert told["options"] == options
    assert words <= told["super"]


def test_a_remount_makes_writable_again(box: Box) -> None:
    """Mount and super block."""
    entries = (mount("/mnt", "ramfs", "ramfs", "ro"), mount("/mnt", "ramfs", "ramfs", "remount", "rw"))
    with_mounts(box, *entries, process_args=[INSIDE, "write", "/mnt/file", "x"])
    box.succeed(*box.running())


def test_a_remount_of_nothing_is_an_error(box: Box) -> None:
    """With what is wrong."""
    with_mounts(box, mount("/data", "none", "none", "remount", "ro"))
    assert box.fail(*box.creating()) == "mounts[7] (/data): mount_setattr: invalid argument (nothing is mounted there)"


@requires("loop", "mkfs.ext4")
def test_a_file_system_on_a_device_is_mounted_with_its_options(box: Box) -> None:
    """The source is the device, all else is the file system's to understand."""
    image = box.directory / "image"
    with image.open("wb") as file:
        file.truncate(4 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    device = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True, text=True)
    loop = device.stdout.strip()
    try:
        options = ("noatime", "errors=remount-ro", "data=ordered", "sync")
        with_mounts(box, mount("/mnt", "ext4", loop, *options))
        (told,) = shown(box, "/mnt")
        assert told["options"] == {"rw", "noatime"}
        assert {"sync", "errors=remount-ro"} <= told["super"]
    finally:
        subprocess.run(["losetup", "--detach", loop], check=True)


def test_an_overlay_is_mounted_with_its_layers(box: Box) -> None:
    """Options with commas, colons and equal signs in them."""
    for name in ("lower", "low,er", "upper", "work"):
        (box.directory / name).mkdir()
    (box.directory / "lower/first").touch()
    (box.directory / "low,er/second").touch()
    layers = f"lowerdir={box.directory}/lower:{box.directory}/low\\,er"
    where = (f"upperdir={box.directory}/upper", f"workdir={box.directory}/work")
    with_mounts(box, mount("/mnt", "overlay", "overlay", layers, *where))
    assert set(mapping(probed(box, "/mnt")[0]["entries"])) == {"first", "second"}


# ---- cgroups


@requires("cgroup-v1")
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("option", ["ro", "rw"])
def test_the_hierarchies_of_cgroup_v1_show_the_containers_own_cgroup(box: Box, option: str, *, own: bool) -> None:
    """Each in a directory, with or without a cgroup namespace; a link for each of several controllers on one."""
    entries = [each for each in sequence(base_config()["mounts"]) if mapping(each)["destination"] != "/sys/fs/cgroup"]
    cgroup = mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", option)
    namespaces: dict[str, Json] = {"linux.namespaces+": [{"type": "cgroup"}]} if own else {}
    box.configure({"mounts": [*entries, cgroup], **namespaces})
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    names = [line.split(":")[1] for line in lines if line.split(":")[1]]
    together = [name for name in names if "," in name]
    paths = [f"/sys/fs/cgroup/{name.removeprefix('name=')}" for name in names]
    told = box.report("--list", "/sys/fs/cgroup", *(word for path in paths for word in ("--file", f"{path}/tasks")))
    links = {
        name: str(mapping(entry).get("target", ""))
        for name, entry in mapping(mapping(told["lists"])["/sys/fs/cgroup"]).items()
    }
    for name in together:
        assert {each: links[each] for each in name.split(",")} == dict.fromkeys(name.split(","), name)
    assert set(mapping(told["files"]).values()) == {"1"}
    table = {str(mapping(each)["point"]): mapping(each) for each in sequence(told["mounts"])}
    for path in paths:
        assert {option, "nosuid", "noexec", "nodev"} <= set(str(table[path]["options"]).split(","))
        assert str(table[path]["root"]).rpartition("/")[2] == (box.id if not own else "")
    assert option in str(table["/sys/fs/cgroup"]["options"]).split(",")


def test_what_hides_directories_is_one_file_system_mounted_several_times(box: Box) -> None:
    """Once where a path is there twice; read-only, and no peers of each other on a root that is shared."""
    hidden = ["/secrets", "/data", "/secrets", "/etc"]
    for path in hidden:
        (box.bundle.rootfs / path[1:]).mkdir(exist_ok=True)
    box.configure({"linux.maskedPaths": hidden, "linux.rootfsPropagation": "shared"})
    box.create()
    rows = [line.split() for line in Path(f"/proc/{box.pid()}/mountinfo").read_text("utf-8").splitlines()]
    masks = [row for row in rows if row[4] in hidden]
    assert sorted(row[4] for row in masks) == sorted(set(hidden))
    assert len({row[2] for row in masks}) == 1
    assert [row[5] for row in masks] == ["ro,relatime"] * 3
    assert len({tag for row in masks for tag in row if tag.startswith("shared:")}) == 3
