"""Id-mapped mounts: whose the files are for the program, and whose the files are that it makes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, mapping, mount
from tests.integration.box import INSIDE, OWNER, Box, user_namespace
from tests.integration.plain import PlainBox
from tests.requires import requires

pytestmark = requires("root", "gcc", "idmap")

NOBODY: Final = "65534:65534"
# The owners on disk of what is in a volume; below is another mount.
OWNERS: Final = {"root": (0, 0), "user": (7, 8), "far": (500, 500)}
UIDS: Final[Json] = [{"containerID": 0, "hostID": 2000, "size": 10}]
GIDS: Final[Json] = [{"containerID": 0, "hostID": 3000, "size": 10}]
NONE: Final[Mapping[str, Json]] = {}
OWN: Final[Mapping[str, Json]] = {"uidMappings": UIDS, "gidMappings": GIDS}


def fill(folder: Path) -> None:
    """A file of each owner."""
    folder.mkdir()
    folder.chmod(0o777)
    for name, owner in OWNERS.items():
        (folder / name).touch()
        os.chown(folder / name, *owner)


def add_volume(box: Box) -> Iterator[None]:
    """`volume` in the bundle, with another directory mounted on `volume/below`."""
    volume, other = box.directory / "volume", box.directory / "other"
    fill(volume)
    fill(other)
    (volume / "below").mkdir()
    subprocess.run(["mount", "--bind", other, volume / "below"], check=True)
    yield
    subprocess.run(["umount", volume / "below"], check=True)


@pytest.fixture(name="box")
def box_with_volume(box: Box) -> Iterator[Box]:
    """A box with a volume, whose containers share the host's user namespace."""
    yield from (box for _ in add_volume(box))


@pytest.fixture(name="mapped")
def mapped_with_volume(mapped: Box) -> Iterator[Box]:
    """The same with a user namespace for each container."""
    yield from (mapped for _ in add_volume(mapped))


def bound(*options: str, source: str = "volume", maps: Mapping[str, Json] = NONE) -> dict[str, Json]:
    """The volume on /mnt."""
    return {**mount("/mnt", "bind", source, *options), **maps}


def owners(box: Box, *entries: Json) -> dict[str, str]:
    """The owners of the files on /mnt and below it, as the program sees them."""
    box.configure({"mounts+": entries})
    lists = mapping(box.report("--list", "/mnt", "--list", "/mnt/below")["lists"])
    found: dict[str, str] = {}
    for name in OWNERS:
        found[name] = str(mapping(mapping(lists["/mnt"])[name])["owner"])
        if below := mapping(lists["/mnt/below"]).get(name):
            found[f"below/{name}"] = str(mapping(below)["owner"])
    return found


PLAIN: Final = {"root": "0:0", "user": "7:8", "far": "500:500"}
MOVED: Final = {"root": "2000:3000", "user": "2007:3008", "far": NOBODY}
LOST: Final = dict.fromkeys(OWNERS, NOBODY)


def with_below(top: dict[str, str], below: dict[str, str]) -> dict[str, str]:
    """Both, as owners() has them."""
    return {**top, **{f"below/{name}": owner for name, owner in below.items()}}


@pytest.mark.spec(
    "config.md#linux-mount-options/option:idmap",
    "config.md#linux-mount-options/option:ridmap",
    "config.md#linux-mount-options/idmap-applied",
    "config.md#linux-mount-options/ridmap-applied",
    "config.md#linux-mount-options/idmap-own",
    "config.md#linux-mount-options/ridmap-own",
)
@pytest.mark.parametrize(
    ("options", "top", "below"),
    [
        (("rbind",), MOVED, PLAIN),
        (("rbind", "idmap"), MOVED, PLAIN),
        (("rbind", "ridmap"), MOVED, MOVED),
        (("rbind", "idmap", "ridmap"), MOVED, MOVED),
        (("rbind", "ridmap", "ro", "rslave", "rnosuid"), MOVED, MOVED),
    ],
)
def test_maps_of_the_mount_say_whose_its_files_are(
    box: Box, options: tuple[str, ...], top: dict[str, str], below: dict[str, str]
) -> None:
    """Ids of the file system, then ids of the runtime. Below only with ridmap; without either option idmap is meant."""
    assert owners(box, bound(*options, maps=OWN)) == with_below(top, below)


def test_a_bind_that_is_not_recursive_has_nothing_below(box: Box) -> None:
    """ridmap is no rbind."""
    box.configure({"mounts+": [bound("bind", "ridmap", maps=OWN)]})
    probes = mapping(box.report("--probe", "/mnt", "--probe", "/mnt/below")["probes"])
    assert mapping(mapping(probes["/mnt/below"])["entries"]) == {}
    assert mapping(mapping(mapping(probes["/mnt"])["entries"])["user"])["owner"] == MOVED["user"]


def test_the_source_may_be_a_file(box: Box) -> None:
    """As for any bind mount."""
    box.configure({"mounts+": [{**mount("/mnt/one", "bind", "volume/user", "bind", "idmap"), **OWN}]})
    probes = mapping(box.report("--probe", "/mnt/one")["probes"])
    assert mapping(probes["/mnt/one"])["owner"] == MOVED["user"]


def test_what_the_program_makes_is_mapped_back(box: Box) -> None:
    """User 2007 of the container is 7 on disk; whom the maps do not have can make nothing."""
    changes: dict[str, Json] = {
        "mounts+": [bound("bind", "idmap", maps=OWN)],
        "process.args": [INSIDE, "write", "/mnt/made", ""],
    }
    box.configure({**changes, "process.user": {"uid": 2007, "gid": 3008}})
    box.succeed(*box.running())
    made = (box.directory / "volume/made").stat()
    assert (made.st_uid, made.st_gid) == (7, 8)
    (box.directory / "volume/made").unlink()
    box.configure(changes)
    done = box.call(*box.running())
    assert (done.status, done.stderr) == (1, "payload: /mnt/made: Value too large for defined data type\n")


def test_each_mount_has_its_own_maps(box: Box) -> None:
    """The same source twice; the host's own view of it is as ever."""
    other: Json = [{"containerID": 7, "hostID": 70, "size": 2}]
    box.configure(
        {
            "mounts+": [
                bound("bind", maps=OWN),
                {**bound("bind"), "destination": "/plain"},
                {**bound("bind", maps={"uidMappings": other, "gidMappings": other}), "destination": "/other"},
            ]
        }
    )
    words = [word for name in ("mnt", "plain", "other") for word in ("--list", f"/{name}")]
    lists = mapping(box.report(*words)["lists"])
    found = {name: mapping(mapping(lists[name])["user"])["owner"] for name in lists}
    assert found == {"/mnt": "2007:3008", "/plain": "7:8", "/other": "70:71"}
    assert (box.directory / "volume/user").stat().st_uid == OWNERS["user"][0]


@pytest.mark.spec("config.md#linux-mount-options/idmap-own", "config.md#linux-mount-options/ridmap-own")
@pytest.mark.parametrize(
    ("entry", "top", "below"),
    [
        (bound("rbind"), LOST, LOST),
        (bound("rbind", "idmap"), PLAIN, LOST),
        (bound("rbind", "ridmap"), PLAIN, PLAIN),
        (
            bound(
                *("rbind", "ridmap"),
                maps={
                    "uidMappings": [{"containerID": 7, "hostID": OWNER + 1, "size": 1}],
                    "gidMappings": [{"containerID": 8, "hostID": OWNER + 2, "size": 1}],
                },
            ),
            {**LOST, "user": "1:2"},
            {**LOST, "user": "1:2"},
        ),
    ],
    ids=["plain", "idmap", "ridmap", "own maps"],
)
def test_a_user_namespace_lends_its_maps(
    mapped: Box, entry: dict[str, Json], top: dict[str, str], below: dict[str, str]
) -> None:
    """So that ids on disk are ids of the container. Maps of the mount's own lead to the runtime's ids all the same."""
    assert owners(mapped, entry) == with_below(top, below)


def test_root_of_a_user_namespace_writes_as_root(mapped: Box) -> None:
    """On disk, which root of the container is not."""
    mapped.configure({"mounts+": [bound("bind", "idmap")], "process.args": [INSIDE, "write", "/mnt/made", ""]})
    mapped.succeed(*mapped.running())
    made = (mapped.directory / "volume/made").stat()
    assert (made.st_uid, made.st_gid) == (0, 0)


def test_a_user_namespace_that_is_joined_lends_its_maps(mapped: Box) -> None:
    """By the path of the namespace: the configuration need not have the maps."""
    kinds = ("pid", "network", "ipc", "uts", "mount")
    with user_namespace() as path:
        joined: Json = [*({"type": kind} for kind in kinds), {"type": "user", "path": path}]
        mapped.common = {"linux.namespaces": joined}
        assert owners(mapped, bound("rbind", "ridmap")) == with_below(PLAIN, PLAIN)


@pytest.mark.spec(
    "config.md#linux-mount-options/idmap-applied",
    "config.md#linux-mount-options/ridmap-applied",
    "config.md#linux-mount-options/idmap-none",
    "config.md#linux-mount-options/ridmap-none",
)
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            bound("bind", "idmap"),
            "mounts[7].uidMappings: required, because there is no user namespace to take them from",
        ),
        (
            {**mount("/mnt", "tmpfs", "tmpfs", "idmap"), **OWN},
            'mounts[7].options: only a bind mount can be id-mapped (add "bind" or "rbind" to its options)',
        ),
        (
            {**mount("/mnt", "tmpfs", "tmpfs"), **OWN},
            'mounts[7].uidMappings: only a bind mount can be id-mapped (add "bind" or "rbind" to its options)',
        ),
        (
            {**bound("bind"), "uidMappings": UIDS},
            "mounts[7].gidMappings: required, because the other mapping is given",
        ),
        (
            bound("bind", "idmap", source="/sys/kernel", maps=OWN),
            (
                "mounts[7] (/sys/kernel): mount_setattr: invalid argument (the file system does not support id-mapped "
                "mounts)"
            ),
        ),
        (
            bound("bind", "idmap", source="missing", maps=OWN),
            "mounts[7] (@BUNDLE@/missing): open_tree: no such file or directory",
        ),
    ],
)
def test_what_cannot_be_mapped_is_an_error_and_leaves_nothing(box: Box, entry: Json, message: str) -> None:
    """That names the entry."""
    box.configure({"mounts+": [entry]})
    assert box.fail(*box.creating()) == message.replace("@BUNDLE@", str(box.directory))
    assert [line for line in box.left() if "volume/below" not in line] == []


def test_a_user_namespace_that_is_the_runtimes_own_lends_nothing(box: Box) -> None:
    """There is nothing to map by in the namespace that all owners are of anyway."""
    user: Json = [{"type": "user", "path": "/proc/self/ns/user"}]
    box.configure({"mounts+": [bound("bind", "idmap")], "linux.namespaces+": user})
    message = "mounts[7].uidMappings: required, because there is no user namespace to take them from"
    assert box.fail(*box.creating()) == message


@requires("setpriv", "unshare", "plain-userns", "common-python")
@pytest.mark.parametrize("entry", [bound("bind", "idmap", source="/"), bound("bind", source="/", maps=OWN)])
def test_a_plain_user_cannot_map_the_ids_of_a_mount(plain: PlainBox, entry: Json) -> None:
    """The kernel wants privilege over the file system, which a user namespace does not give."""
    plain.configure({"mounts+": [entry]})
    assert plain.fail(*plain.creating()) == "mounts[7]: a rootless caller cannot make id-mapped mounts"


@pytest.mark.spec("features-linux.md#mountextensions/idmap")
def test_features_tell_of_it(box: Box) -> None:
    """features.md: linux.mountExtensions.idmap."""
    assert json.loads(box.succeed("features"))["linux"]["mountExtensions"] == {"idmap": {"enabled": True}}
