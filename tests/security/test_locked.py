"""Mounts of the host in a user namespace, whose root may mount: the host's flags and the host's peers are safe."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, mapping, mount, sequence
from tests.integration.box import INSIDE, OWNER, USER_NAMESPACE, Box, user_namespace
from tests.requires import requires

pytestmark = requires("root", "gcc", "unshare")

# MS_REMOUNT and MS_BIND, so that all flags are off; access times stay as they are unless MS_STRICTATIME is among them.
REMOUNT_BIND: Final = str(32 | 4096)
STRICT_ATIME: Final = str(32 | 4096 | 1 << 24)
MAY_MOUNT: Final[Json] = dict.fromkeys(("bounding", "effective", "permitted"), ("CAP_SYS_ADMIN",))
KINDS: Final = ("pid", "network", "ipc", "uts", "mount")
DENIED: Final = "Operation not permitted"


@pytest.fixture
def mapped(box: Box) -> Box:
    """The box with a user namespace, whose root the program is, with the privilege to mount there."""
    for path in (box.bundle.rootfs, *box.bundle.rootfs.rglob("*")):
        os.chown(path, OWNER, OWNER, follow_symlinks=False)
    for folder in (box.directory, *box.directory.parents):
        if folder.stat().st_mode & 0o011 == 0:
            folder.chmod(0o711)
    box.common = {**USER_NAMESPACE, "process.capabilities": MAY_MOUNT}
    return box


@pytest.fixture
def volume(box: Box) -> Iterator[Path]:
    """A mount of the host's; what came onto it goes with it."""
    path = box.directory.parent / "volume"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "volume", path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    yield path
    subprocess.run(["umount", "--recursive", path], check=True)


def said(box: Box, *words: str, entry: Json) -> str:
    """What the program says that fails, with this mount; words of the payload."""
    box.configure({"mounts+": [entry], "process.args": [INSIDE, *words]})
    done = box.call(*box.running())
    assert (done.status, done.stdout) == (1, "")
    return done.stderr.removesuffix("\n")


@pytest.mark.parametrize("flag", ["ro", "nosuid", "nodev", "noexec", "noatime"])
@pytest.mark.parametrize("options", [("bind",), ("rbind", "nosuid"), ("bind", "idmap")])
def test_flags_of_the_hosts_mounts_cannot_be_cleared(
    mapped: Box, volume: Path, flag: str, options: tuple[str, ...]
) -> None:
    """What the host has mounted read-only stays so, whatever root of the namespace asks for (mount_namespaces(7))."""
    subprocess.run(["mount", "-o", f"remount,bind,{flag}", volume], check=True)
    entry = mount("/mnt", "bind", str(volume), *options)
    change = STRICT_ATIME if flag == "noatime" else REMOUNT_BIND
    assert said(mapped, "mount", "none", "/mnt", "none", change, entry=entry) == f"payload: /mnt: {DENIED}"


def test_a_user_namespace_that_is_joined_keeps_the_flags_of_the_hosts_mounts(mapped: Box, volume: Path) -> None:
    """Whose root made it and may do more there than ours."""
    subprocess.run(["mount", "-o", "remount,bind,ro", volume], check=True)
    entry = mount("/mnt", "bind", str(volume), "bind")
    with user_namespace() as path:
        joined: Json = [*({"type": kind} for kind in KINDS), {"type": "user", "path": path}]
        mapped.common = {"process.capabilities": MAY_MOUNT, "linux.namespaces": joined}
        assert said(mapped, "mount", "none", "/mnt", "none", REMOUNT_BIND, entry=entry) == f"payload: /mnt: {DENIED}"


def test_flags_of_the_hosts_mount_of_the_root_cannot_be_cleared(mapped: Box) -> None:
    """The root file system is a copy of a mount of the host's too."""
    rootfs = mapped.bundle.rootfs
    subprocess.run(["mount", "--bind", rootfs, rootfs], check=True)
    subprocess.run(["mount", "-o", "remount,bind,nosuid,nodev", rootfs], check=True)
    try:
        entry = mount("/mnt", "tmpfs", "tmpfs")
        assert said(mapped, "mount", "none", "/", "none", REMOUNT_BIND, entry=entry) == f"payload: /: {DENIED}"
    finally:
        subprocess.run(["umount", rootfs], check=True)


def test_a_configuration_that_clears_a_flag_of_the_hosts_is_an_error(mapped: Box, volume: Path) -> None:
    """In so many words; without a word the flag is kept, as the others are that were not named."""
    subprocess.run(["mount", "-o", "remount,bind,ro,nodev", volume], check=True)
    mapped.configure({"mounts+": [mount("/mnt", "bind", str(volume), "bind", "rw")]})
    assert mapped.fail(*mapped.running()) == (
        "mounts[7] (/mnt): mount_setattr: operation not permitted (the source is mounted with flags that may not be "
        "cleared in a user namespace)"
    )
    mapped.configure({"mounts+": [mount("/mnt", "bind", str(volume), "bind", "noexec")]})
    (entry,) = (each for each in map(mapping, sequence(mapped.report()["mounts"])) if each["point"] == "/mnt")
    assert {"ro", "nodev", "noexec"} <= set(str(entry["options"]).split(","))


@pytest.mark.parametrize("propagation", ["", "shared", "rshared", "slave"])
def test_nothing_that_is_mounted_in_a_user_namespace_reaches_the_host(
    mapped: Box, volume: Path, propagation: str
) -> None:
    """Not even where the root is to be shared, and the volume is: peers end at the border of a user namespace."""
    (volume / "below").mkdir()
    entry = mount("/mnt", "bind", str(volume), "rbind", "rshared")
    mapped.common = {**mapped.common, **({"linux.rootfsPropagation": propagation} if propagation else {})}
    mapped.configure({"mounts+": [entry], "process.args": [INSIDE, "mount", "t", "/mnt/below", "tmpfs", "0"]})
    mapped.succeed(*mapped.running())
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    assert f" {volume} " in table
    assert f" {volume}/below " not in table
