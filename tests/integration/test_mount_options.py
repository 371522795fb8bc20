"""Every option of the specification's table of mount options, as the program finds its mount.

One container has all the mounts, each on a directory by the option's name. A row of TABLE says what is mounted there,
with which options, and what mountinfo shows of it; where something can be tried, it is. What is shared is also a slave
of what it was copied from: nothing that is mounted in the container reaches the host unless rootfsPropagation says so.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, base_config, make_bundle, mapping, mount, sequence, text
from tests.integration.box import Box
from tests.requires import requires
from tools.gen_conformance import rules

pytestmark = requires("root", "gcc", "idmap")

OPTIONS: Final = {rule.name.removeprefix("option:") for rule in rules() if rule.name.startswith("option:")}
ELSEWHERE: Final = {"idmap", "ridmap"}  # test_mounts_idmap.py
FLAGS: Final = frozenset(
    {"ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "strictatime", "nosymfollow"}
)
PLAIN: Final = frozenset({"relatime"})
# Sources on the host, each with another mount on `below`; the last three have these attributes, above and below.
LOOSE, SHARED, TIGHT, NOATIME, STRICT = "loose", "shared", "tight", "noatime", "strict"
TIGHTENED: Final = ("ro", "nosuid", "nodev", "noexec", "nodiratime", "nosymfollow")
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    LOOSE: (),
    SHARED: (),
    TIGHT: TIGHTENED,
    NOATIME: ("noatime",),
    STRICT: ("strictatime",),
}


@dataclass(frozen=True)
class Row:
    """A new tmpfs, or a bind of a source, with these options; what is shown of it, and of what is mounted below."""

    options: tuple[str, ...]
    shows: frozenset[str] = PLAIN
    source: str = ""
    below: frozenset[str] | None = None
    super: frozenset[str] = frozenset()
    propagation: frozenset[str] = field(default=frozenset())


def new(*options: str, shows: frozenset[str] = PLAIN, super: frozenset[str] = frozenset()) -> Row:  # noqa: A002
    """A new tmpfs."""
    return Row(options, shows, super=super)


def bound(source: str, *options: str, shows: frozenset[str], propagation: str = "") -> Row:
    """A recursive bind mount: what is below is the same."""
    kinds = frozenset(propagation.split())
    return Row(("rbind", *options), shows, source, shows, propagation=kinds)


def flags(*names: str) -> frozenset[str]:
    """With the kernel's default for access times, where none is named."""
    return frozenset(names) if {"noatime", "strictatime"} & set(names) else PLAIN.union(names)


def loosened(name: str) -> Row:
    """A source with everything forbidden, of which one thing is allowed again."""
    return bound(TIGHT, f"r{name}", shows=flags(*(set(TIGHTENED) - {f"no{name}"})))


TABLE: Final[Mapping[str, Row]] = {
    "async": new("sync", "async"),
    "atime": new("noatime", "atime"),
    "bind": Row(("bind",), source=LOOSE),
    "defaults": new("defaults"),
    "dev": new("nodev", "dev"),
    "diratime": new("nodiratime", "diratime"),
    "dirsync": new("dirsync", super=frozenset({"dirsync"})),
    "exec": new("noexec", "exec"),
    "iversion": new("iversion"),
    "lazytime": new("lazytime", super=frozenset({"lazytime"})),
    "loud": new("silent", "loud"),
    "noatime": new("noatime", shows=flags("noatime")),
    "nodev": new("nodev", shows=flags("nodev")),
    "nodiratime": new("nodiratime", shows=flags("nodiratime")),
    "noexec": new("noexec", shows=flags("noexec")),
    "noiversion": new("noiversion"),
    "nolazytime": new("lazytime", "nolazytime"),
    "norelatime": new("norelatime"),
    "nostrictatime": new("strictatime", "nostrictatime"),
    "nosuid": new("nosuid", shows=flags("nosuid")),
    "nosymfollow": new("nosymfollow", shows=flags("nosymfollow")),
    "private": Row(("bind", "private"), source=SHARED),
    "ratime": bound(NOATIME, "ratime", shows=PLAIN),
    "rbind": bound(LOOSE, shows=PLAIN),
    "rdev": loosened("dev"),
    "rdiratime": loosened("diratime"),
    "relatime": new("strictatime", "relatime"),
    "remount": new("remount", "ro", "nosuid", shows=flags("ro", "nosuid")),
    "rexec": loosened("exec"),
    "rnoatime": bound(LOOSE, "rnoatime", shows=flags("noatime")),
    "rnodiratime": bound(LOOSE, "rnodiratime", shows=flags("nodiratime")),
    "rnoexec": bound(LOOSE, "rnoexec", shows=flags("noexec")),
    "rnorelatime": bound(LOOSE, "rnorelatime", shows=PLAIN),
    "rnostrictatime": bound(STRICT, "rnostrictatime", shows=PLAIN),
    "rnosuid": bound(LOOSE, "rnosuid", shows=flags("nosuid")),
    "rnosymfollow": bound(LOOSE, "rnosymfollow", shows=flags("nosymfollow")),
    "ro": new("ro", shows=flags("ro")),
    "rprivate": bound(SHARED, "rprivate", shows=PLAIN),
    "rrelatime": bound(NOATIME, "rrelatime", shows=PLAIN),
    "rro": bound(LOOSE, "rro", shows=flags("ro")),
    "rrw": bound(TIGHT, "rrw", shows=flags(*(set(TIGHTENED) - {"ro"}))),
    "rshared": bound(SHARED, "rshared", shows=PLAIN, propagation="shared master"),
    "rslave": bound(SHARED, "rslave", shows=PLAIN, propagation="master"),
    "rstrictatime": bound(LOOSE, "rstrictatime", shows=flags("strictatime")),
    "rsuid": loosened("suid"),
    "rsymfollow": loosened("symfollow"),
    "runbindable": bound(SHARED, "runbindable", shows=PLAIN, propagation="unbindable"),
    "rw": new("ro", "rw"),
    "shared": Row(("bind", "shared"), source=SHARED, propagation=frozenset({"shared", "master"})),
    "silent": new("silent"),
    "slave": Row(("bind", "slave"), source=SHARED, propagation=frozenset({"master"})),
    "strictatime": new("strictatime", shows=flags("strictatime")),
    "suid": new("nosuid", "suid"),
    "symfollow": new("nosymfollow", "symfollow"),
    "sync": new("sync", super=frozenset({"sync"})),
    "unbindable": Row(("bind", "unbindable"), source=SHARED, propagation=frozenset({"unbindable"})),
}


def prepare(volumes: Path) -> list[Path]:
    """Mount the sources; where, in the order in which they have to be taken away."""
    made: list[Path] = []
    for name, attributes in SOURCES.items():
        for point in (volumes / name, volumes / name / "below"):
            point.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "volume", point], check=True)
            made.insert(0, point)
        (volumes / name / "file").write_text("")
        for point in (volumes / name / "below", volumes / name):
            kind = "--make-shared" if name == SHARED else "--make-private"
            subprocess.run(["mount", kind, point], check=True)
            if attributes:
                subprocess.run(["mount", "-o", f"remount,bind,{','.join(attributes)}", point], check=True)
    return made


@pytest.fixture(scope="module")
def told(slinger: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Json]]:
    """What the program tells of all the mounts."""
    bundle = make_bundle(tmp_path_factory.mktemp("options") / "bundle", base_config())
    volumes = bundle.directory / "volumes"
    volumes.mkdir()
    made = prepare(volumes)
    entries: list[Json] = [mount("/options/remount", "tmpfs", "tmpfs")]
    probes: list[str] = []
    for name, row in TABLE.items():
        kind, source = ("bind", f"volumes/{row.source}") if row.source else ("tmpfs", "tmpfs")
        entries.append(mount(f"/options/{name}", kind, source, *row.options))
        probes += ["--probe", f"/options/{name}", "--probe", f"/options/{name}/below"]
    box = Box(slinger, tmp_path_factory.mktemp("root"), bundle)
    try:
        box.configure({"mounts+": entries})
        yield box.report(*probes)
    finally:
        subprocess.run(["umount", *made], check=True)
    assert box.left() == []


def shown(told: Mapping[str, Json], point: str) -> Mapping[str, Json] | None:
    """The line of mountinfo of a mount point, the uppermost."""
    lines = [mapping(line) for line in sequence(told["mounts"])]
    return next((line for line in reversed(lines) if line["point"] == point), None)


def shown_flags(line: Mapping[str, Json]) -> frozenset[str]:
    """The attributes of a mount; neither relatime nor noatime is strictatime."""
    words = frozenset(text(line["options"]).split(",")) & FLAGS
    return words if words & {"noatime", "relatime"} else words | {"strictatime"}


def test_the_table_has_every_option_of_the_specification() -> None:
    """But for those that have a file of their own."""
    assert set(TABLE) | ELSEWHERE == OPTIONS


@pytest.mark.spec("config.md#linux-mount-options/option:*")
@pytest.mark.parametrize("name", TABLE)
def test_a_mount_is_as_its_option_says(told: Mapping[str, Json], name: str) -> None:
    """Attributes and propagation of it and of what is below it, and flags of its superblock."""
    row = TABLE[name]
    line = shown(told, f"/options/{name}")
    assert line is not None
    assert shown_flags(line) == row.shows
    assert {text(tag).partition(":")[0] for tag in sequence(line["propagation"])} == row.propagation
    if not row.source:
        words = set(text(line["super"]).split(",")) & {"ro", "sync", "dirsync", "lazytime", "mand", "silent"}
        assert words == row.super
    below = shown(told, f"/options/{name}/below")
    assert (None if below is None else shown_flags(below)) == row.below
    if below is not None:
        assert {text(tag).partition(":")[0] for tag in sequence(below["propagation"])} == row.propagation


@pytest.mark.parametrize("name", ["ro", "rro", "remount", "rw", "rrw", "rbind", "bind"])
def test_what_is_read_only_cannot_be_written(told: Mapping[str, Json], name: str) -> None:
    """The rest can, above and below."""
    expected = "EROFS" if "ro" in TABLE[name].shows else None
    for path in (f"/options/{name}", f"/options/{name}/below")[: 1 if TABLE[name].below is None else 2]:
        assert mapping(mapping(told["probes"])[path])["write"] == expected


@pytest.mark.spec("config.md#linux-mount-options/unknown")
def test_an_option_that_nobody_knows_goes_to_the_file_system(box: Box) -> None:
    """Which may know it, or refuses it."""
    box.configure({"mounts+": [mount("/mnt", "tmpfs", "tmpfs", "size=12k", "mode=700")]})
    line = shown(box.report(), "/mnt")
    assert line is not None
    assert {"size=12k", "mode=700"} <= set(text(line["super"]).split(","))
    box.configure({"mounts+": [mount("/mnt", "tmpfs", "tmpfs", "size=12k", "colour=red")]})
    message = box.fail(*box.creating())
    assert message.startswith("mounts[7]")
    assert "colour" in message
    assert box.left() == []


def test_words_for_readers_of_fstab_do_no_harm(box: Box) -> None:
    """Neither where the file system would not know them nor on a bind mount."""
    words = ("nofail", "_netdev", "auto", "user", "comment=mine", "x-systemd.automount")
    mounts = [mount("/mnt", "tmpfs", "tmpfs", *words), mount("/data", "none", "@BUNDLE@", "bind", "ro", *words)]
    box.configure({"mounts+": mounts})
    told = box.report()
    assert shown(told, "/mnt") is not None
    assert shown(told, "/data") is not None
