"""mounts[] as the program sees them: every option of the spec's table, and what is mounted on what (config.md).

An option is looked at in the program's own mount table (proc_pid_mountinfo(5)); a bind mount is one of a volume that
has another mount below it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, mount
from tests.integration.box import INSIDE, Box
from tests.integration.mounting import shown, with_mounts
from tests.requires import requires

pytestmark = requires("root", "gcc")

ALL: Final = "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow"
EVERY: Final = frozenset(ALL.split(","))
TIMES: Final = frozenset({"noatime", "nodiratime"})
# Options in their order, and the flags of the mount that they lead to on a fresh file system.
FLAGS: Final[tuple[tuple[tuple[str, ...], set[str]], ...]] = (
    ((), {"rw", "relatime"}),
    (("defaults",), {"rw", "relatime"}),
    (("ro",), {"ro", "relatime"}),
    (("ro", "rw"), {"rw", "relatime"}),
    (("rw", "ro"), {"ro", "relatime"}),
    (("nosuid",), {"rw", "nosuid", "relatime"}),
    (("nosuid", "suid"), {"rw", "relatime"}),
    (("nodev",), {"rw", "nodev", "relatime"}),
    (("nodev", "dev"), {"rw", "relatime"}),
    (("noexec",), {"rw", "noexec", "relatime"}),
    (("noexec", "exec"), {"rw", "relatime"}),
    (("noatime",), {"rw", "noatime"}),
    (("noatime", "atime"), {"rw", "relatime"}),
    (("relatime",), {"rw", "relatime"}),
    (("noatime", "relatime"), {"rw", "relatime"}),
    (("relatime", "norelatime"), {"rw", "relatime"}),
    (("strictatime",), {"rw"}),
    (("strictatime", "nostrictatime"), {"rw", "relatime"}),
    (("nodiratime",), {"rw", "relatime", "nodiratime"}),
    (("nodiratime", "diratime"), {"rw", "relatime"}),
    (("nosymfollow",), {"rw", "relatime", "nosymfollow"}),
    (("nosymfollow", "symfollow"), {"rw", "relatime"}),
    (("silent", "loud", "iversion", "noiversion"), {"rw", "relatime"}),
    (("nosuid,nodev", "noexec"), {"rw", "relatime", "noexec"}),
    (tuple(ALL.split(",")), {*EVERY}),
)
# Options of the file system, and what of them its super block shows.
SUPER: Final[tuple[tuple[tuple[str, ...], set[str]], ...]] = (
    (("sync",), {"sync"}),
    (("sync", "async"), set[str]()),
    (("dirsync",), {"dirsync"}),
    (("lazytime",), {"lazytime"}),
    (("lazytime", "nolazytime"), set[str]()),
    (("size=64k", "mode=711"), {"size=64k", "mode=711"}),
    (("size=64k,mode=711",), {"size=64k", "mode=711"}),
    (("mand", "nomand"), set[str]()),
)
PROPAGATION: Final = {
    "private": set[str](),
    "slave": {"master"},
    "shared": {"shared", "master"},
    "unbindable": {"unbindable"},
}


def name_of(words: Collection[str]) -> str:
    """The id of a row: the same in every process that collects it."""
    return ",".join(words if isinstance(words, tuple) else sorted(words)) or "none"


# ---- options


@pytest.mark.parametrize(("options", "expected"), FLAGS, ids=name_of)
def test_flags_of_a_new_file_system(box: Box, options: tuple[str, ...], expected: set[str]) -> None:
    """What is not named has the kernel's default; of two that contradict each other the later counts."""
    known = tuple(each for each in options if each != "nosuid,nodev")
    with_mounts(box, mount("/mnt", "tmpfs", "tmpfs", *known))
    assert shown(box, "/mnt")[0]["options"] == expected


@pytest.mark.parametrize(("options", "expected"), SUPER, ids=name_of)
def test_options_of_a_new_file_system(box: Box, options: tuple[str, ...], expected: set[str]) -> None:
    """Flags of the super block, and the file system's own as data."""
    with_mounts(box, mount("/mnt", "tmpfs", "tmpfs", *options))
    told = shown(box, "/mnt")[0]["super"]
    words = {"sync", "dirsync", "lazytime", "mand", "size=64k", "mode=711"}
    assert told & words == expected


@pytest.mark.parametrize(("options", "expected"), [row for row in FLAGS if "nosuid,nodev" not in row[0]], ids=name_of)
@pytest.mark.parametrize("kind", ["bind", "rbind"])
def test_flags_of_a_bind_mount_are_for_it_alone(
    box: Box, volume: Path, kind: str, options: tuple[str, ...], expected: set[str]
) -> None:
    """Neither for what is below it, nor for the host's mount, nor for the file system."""
    with_mounts(box, mount("/mnt", "bind", str(volume), kind, *options))
    points = ("/mnt", "/mnt/below") if kind == "rbind" else ("/mnt",)
    told = shown(box, *points)
    assert told[0]["options"] == expected
    assert "rw" in told[0]["super"]
    assert [each["options"] for each in told[1:]] == [{"rw", "relatime"}] * (len(points) - 1)
    (volume / "still").write_text("writable")


@pytest.mark.parametrize(
    ("option", "flags"),
    [
        ("rro", {"ro", "relatime"}),
        ("rnosuid", {"rw", "nosuid", "relatime"}),
        ("rnodev", {"rw", "nodev", "relatime"}),
        ("rnoexec", {"rw", "noexec", "relatime"}),
        ("rnoatime", {"rw", "noatime"}),
        ("rstrictatime", {"rw"}),
        ("rrelatime", {"rw", "relatime"}),
        ("rnodiratime", {"rw", "relatime", "nodiratime"}),
        ("rnosymfollow", {"rw", "relatime", "nosymfollow"}),
    ],
)
def test_recursive_options_set_flags_of_all_below(box: Box, volume: Path, option: str, flags: set[str]) -> None:
    """mount_setattr(2) with AT_RECURSIVE."""
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind", option))
    assert [each["options"] for each in shown(box, "/mnt", "/mnt/below")] == [flags, flags]


@pytest.mark.parametrize(
    ("option", "taken", "given"),
    [
        ("rrw", {"ro"}, {"rw"}),
        ("rsuid", {"nosuid"}, set[str]()),
        ("rdev", {"nodev"}, set[str]()),
        ("rexec", {"noexec"}, set[str]()),
        ("ratime", {"noatime"}, {"relatime"}),
        ("rrelatime", {"noatime"}, {"relatime"}),
        ("rnostrictatime", {"noatime"}, {"relatime"}),
        ("rdiratime", {"nodiratime"}, set[str]()),
        ("rsymfollow", {"nosymfollow"}, set[str]()),
    ],
)
@pytest.mark.parametrize("recursive", [False, True])
def test_options_clear_what_the_hosts_mounts_have(
    box: Box, volume: Path, option: str, taken: set[str], given: set[str], *, recursive: bool
) -> None:
    """All else stays as it is on the host. Without the r of the mount alone, which then has none of the host's flags:
    only its way with access times.
    """
    for path in (volume, volume / "below"):
        subprocess.run(["mount", "-o", f"remount,bind,{ALL}", path], check=True)
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind", option if recursive else option[1:]))
    top, below = (each["options"] for each in shown(box, "/mnt", "/mnt/below"))
    if recursive:
        cleared = {*(EVERY - taken), *given}
        assert (top, below) == (cleared, cleared)
    else:
        assert (top, below) == ({"rw", *((EVERY & TIMES) - taken), *given}, {*EVERY})


def test_what_is_said_of_the_mount_itself_wins_on_it(box: Box, volume: Path) -> None:
    """``rro`` with ``rw``: read-only but for the top."""
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind", "rro", "rw", "rnoexec", "exec"))
    top, below = (each["options"] for each in shown(box, "/mnt", "/mnt/below"))
    assert (top, below) == ({"rw", "relatime"}, {"ro", "noexec", "relatime"})


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize(("option", "expected"), PROPAGATION.items())
def test_propagation_of_a_bind_mount(
    box: Box, volume: Path, option: str, expected: set[str], *, recursive: bool
) -> None:
    """Of it alone, or with an r of all below; unasked mounts are slaves of the host's."""
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind", f"r{option}" if recursive else option))
    top, below = (each["propagation"] for each in shown(box, "/mnt", "/mnt/below"))
    assert (top, below) == (expected, expected if recursive else {"master"})


def test_several_changes_of_propagation_are_made_in_their_order(box: Box, volume: Path) -> None:
    """A private mount that becomes shared is nobody's slave."""
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind", "rprivate", "shared"))
    top, below = (each["propagation"] for each in shown(box, "/mnt", "/mnt/below"))
    assert (top, below) == ({"shared"}, set[str]())


@pytest.mark.parametrize(
    ("propagation", "options", "arrives"),
    [("", (), True), ("rslave", (), True), ("", ("rprivate",), False), ("rprivate", (), False)],
)
def test_what_the_host_mounts_later_arrives_unless_the_mount_is_private(
    box: Box, volume: Path, propagation: str, options: tuple[str, ...], *, arrives: bool
) -> None:
    """Made after create, seen by the program."""
    changes: dict[str, Json] = {"linux_rootfsPropagation": propagation} if propagation else {}
    words: Json = [INSIDE, "probe", "/mnt/below/late"]
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind", *options), process_args=words, **changes)
    process, name = box.launch(*box.creating())
    assert process.wait() == 0
    (volume / "below/late").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "late", volume / "below/late"], check=True)
    (volume / "below/late/file").touch()
    box.start()
    box.wait_status("stopped")
    assert ('"file"' in Path(f"{name}.out").read_text()) is arrives


@pytest.mark.parametrize(
    ("value", "root", "below"),
    [
        ("", set[str](), {"master"}),
        ("slave", set[str](), {"master"}),
        ("rslave", set[str](), {"master"}),
        ("private", set[str](), set[str]()),
        ("rprivate", set[str](), set[str]()),
        ("shared", {"shared"}, {"shared"}),
        ("rshared", {"shared"}, {"shared"}),
        ("unbindable", {"unbindable"}, {"master"}),
        ("runbindable", {"unbindable"}, {"unbindable"}),
    ],
)
def test_propagation_of_the_root(box: Box, volume: Path, value: str, root: set[str], below: set[str]) -> None:
    """linux.rootfsPropagation, with and without its r, shown on / and on a mount of the host's. It is a mount of its
    own, so there is no master to be a slave of; where it is to be shared the host's mounts are peers.
    """
    changes: dict[str, Json] = {"linux_rootfsPropagation": value} if value else {}
    with_mounts(box, mount("/mnt", "bind", str(volume), "rbind"), **changes)
    assert [each["propagation"] for each in shown(box, "/", "/mnt")] == [root, below]


@pytest.mark.parametrize("value", ["private", "rprivate"])
def test_a_private_root_needs_a_pivot(box: Box, value: str) -> None:
    """As runc has it."""
    with_mounts(box, linux_rootfsPropagation=value)
    assert box.fail(*box.creating("--no-pivot")) == (
        "linux.rootfsPropagation: a private root is not safe without pivot_root (leave out --no-pivot)"
    )


@pytest.mark.parametrize(("value", "reaches"), [("shared", True), ("", False), ("slave", False)])
def test_what_the_program_mounts_reaches_the_host_only_where_the_root_is_shared(
    box: Box, volume: Path, value: str, *, reaches: bool
) -> None:
    """And the volume: for engines whose volumes are made by containers."""
    changes: dict[str, Json] = {"linux_rootfsPropagation": value} if value else {}
    with_mounts(
        box,
        mount("/mnt", "bind", str(volume), "rbind", "rshared"),
        process_args=[INSIDE, "mount", "made", "/mnt/below", "tmpfs", "0"],
        process_capabilities=dict.fromkeys(("bounding", "effective", "permitted"), ("CAP_SYS_ADMIN",)),
        **changes,
    )
    box.succeed(*box.running())
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    assert any(f" {volume}/below " in line and " made " in line for line in table) is reaches
