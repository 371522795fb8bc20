"""What hides: the null device of an image that is none, labels and sysctls that are to land elsewhere, terminals."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from slinger.linux.flags import CLONE_NEWNET
from slinger.plan import ops
from tests.bundles import Json, mount
from tests.contract.walk import Walk, entered, failure, look, rooted
from tests.integration.box import INSIDE, Box
from tests.requires import requires
from tests.security.conftest import Swap

pytestmark = requires("root")

NULL: Final = os.makedev(1, 3)
MASK: Final = ops.Mask("linux.maskedPaths[0]", path="/secret")
ROUNDS: Final = 150
SYSCTL: Final = "net/ipv4/ip_forward"


def false_proc(rootfs: Path) -> ops.MountBind:
    """A directory of the image's mounted over /proc, with files for what is written there."""
    attributes = ("exec", "keycreate", "apparmor/exec")
    for name in (f"sys/{SYSCTL}", *(f"{who}/attr/{each}" for who in ("self", "thread-self") for each in attributes)):
        (rootfs / "false" / name).parent.mkdir(parents=True, exist_ok=True)
        (rootfs / "false" / name).write_text("untouched")
    return ops.MountBind("mounts[0]", slot=1, destination="/proc")


def with_false_proc(rootfs: Path) -> tuple[ops.Op, ...]:
    """Init in its root, where /proc is what the image wants it to be."""
    bind = false_proc(rootfs)
    source = ops.OpenTree("mounts[0]", by=ops.OUTER, slot=1, path=str(rootfs / "false"))
    return (source, *rooted(rootfs, CLONE_NEWNET), bind, ops.Pivot("root.path"))


def written(rootfs: Path) -> list[str]:
    """The files of the false /proc that were written to."""
    return [str(path) for path in (rootfs / "false").rglob("*") if path.is_file() and path.read_text() != "untouched"]


def a_symlink(path: Path) -> None:
    """To a file in the image, as good as any of the host's for an image that is not pivoted yet."""
    path.symlink_to("/data/kept")


def another_device(path: Path) -> None:
    """/dev/zero by the name of /dev/null."""
    os.mknod(path, 0o020666, os.makedev(1, 5))


def a_file(path: Path) -> None:
    """What is written to it stays."""
    path.write_text("no null device")


@pytest.mark.parametrize("make", [a_symlink, another_device, a_file, os.mkfifo])
def test_a_null_device_that_is_none_masks_nothing_and_fails(box: Box, make: Callable[[Path], None]) -> None:
    """CVE-2025-31133: what would be bound over the masked path is not the image's choice."""
    dev = box.calls / "dev"
    dev.mkdir()
    make(dev / "null")
    box.configure({"mounts+": [mount("/dev", "bind", str(dev), "bind")], "linux.maskedPaths": ["/secret"]})
    assert "linux.maskedPaths[0] (/secret)" in box.fail(*box.creating())


def test_a_null_device_that_is_swapped_while_it_is_looked_at_masks_nothing(rootfs: Path, swap: Swap) -> None:
    """CVE-2025-31133: what was found to be the null device is what is mounted, by the same descriptor."""
    (rootfs / "vol").mkdir()
    os.mknod(rootfs / "dev/null", 0o020666, NULL)
    (rootfs / "dev/link").symlink_to("/data/kept")
    masked = 0
    with swap(rootfs / "dev/null", rootfs / "dev/link"):
        for _ in range(ROUNDS):
            with Walk(*entered(rootfs), MASK, ops.Gate("", name="look")) as walk:
                while walk.failed is None and "look" not in walk.gates:
                    assert walk.receive() is not None
                if walk.failed is None:
                    masked += 1
                    assert "data/kept" not in Path(f"/proc/{walk.pid}/mountinfo").read_text()
                    assert Path(f"/proc/{walk.pid}/root/secret").is_char_device()
    assert 0 < masked < ROUNDS, "the race was not on"


def test_a_masked_path_that_is_a_symlink_hides_what_it_leads_to(box: Box) -> None:
    """By either name, and nothing outside the root is looked for."""
    (box.bundle.rootfs / "detour").symlink_to("/secret")
    (box.bundle.rootfs / "out").symlink_to(box.calls)
    box.configure({"process.args": [INSIDE, "cat", "/secret", "/detour"], "linux.maskedPaths": ["/detour", "/out"]})
    assert box.succeed(*box.running()) == ""


def test_a_sysctl_lands_in_the_kernel_and_not_in_what_the_image_calls_so(rootfs: Path) -> None:
    """CVE-2025-52881: it is written through a procfs of our own."""
    own = Path("/proc/sys", SYSCTL).read_text()
    value = "0" if own.strip() == "1" else "1"
    sysctl = ops.Sysctl("linux.sysctl", path=f"sys/{SYSCTL}", value=value)
    with look(*with_false_proc(rootfs), sysctl) as walk:
        walk.reach()
        assert written(rootfs) == []
    assert Path("/proc/sys", SYSCTL).read_text() == own, "the host's was changed"


@pytest.mark.parametrize(
    "op",
    [
        ops.AppArmor("process", profile="no-such-profile-of-slinger"),
        ops.ProcessLabel("process", label="no-such-label-of-slinger"),
        ops.Keyring("process", name="x", label="no-such-label-of-slinger"),
    ],
    ids=["AppArmor", "SELinux", "keyring"],
)
def test_a_label_is_never_written_to_what_the_image_calls_proc(rootfs: Path, op: ops.Op) -> None:
    """CVE-2019-16884, CVE-2023-28642, CVE-2025-52881: without the module it fails, with it the label is unknown."""
    assert failure(*with_false_proc(rootfs), op).startswith("process")
    assert written(rootfs) == []


@pytest.mark.parametrize("name", ["oom_score_adj", "timens_offsets"])
def test_a_file_of_ours_in_proc_is_one_of_procfs(rootfs: Path, name: str) -> None:
    """CVE-2019-16884: a mount namespace that is joined may show something else at /proc/self."""
    false_proc(rootfs)
    (rootfs / "false/self" / name).write_text("untouched")
    op = (
        ops.OomScore("process.oomScoreAdj", value=500)
        if name == "oom_score_adj"
        else ops.TimeOffsets("linux.timeOffsets", text="monotonic 1 0\n")
    )
    said = failure(*with_false_proc(rootfs), op)
    assert "operation not supported" in said or "no such file" in said
    assert written(rootfs) == []


def test_a_terminal_is_not_taken_from_a_directory_of_the_images(rootfs: Path) -> None:
    """CVE-2025-52565: /dev/pts that is no devpts is refused before anything in it is opened."""
    (rootfs / "dev/pts").mkdir()
    os.mkfifo(rootfs / "dev/pts/ptmx")
    said = failure(*rooted(rootfs), ops.Session("process"), ops.Console("process.terminal", bind=1))
    assert said == "process.terminal: fstatfs /dev/pts/ptmx: not on a devpts: inappropriate ioctl for device"


def test_a_console_that_is_a_symlink_is_refused(rootfs: Path) -> None:
    """CVE-2025-52565: nothing is mounted where the image points to."""
    (rootfs / "dev/console").symlink_to("/etc/passwd")
    devpts = ops.MountNew("mounts[0]", type="devpts", source="devpts", destination="/dev/pts", options=("newinstance",))
    said = failure(*rooted(rootfs), devpts, ops.Session("process"), ops.Console("process.terminal", bind=1))
    assert said == "process.terminal: openat2 /dev/console: too many levels of symbolic links"


def test_the_terminal_is_the_one_that_was_made_whatever_has_its_name(rootfs: Path, swap: Swap) -> None:
    """CVE-2025-52565: the other end is asked of the master, not looked up as /dev/pts/N, which may be swapped."""
    (rootfs / "dev/pts").mkdir()
    (rootfs / "dev/false").mkdir()
    for number in range(4):
        (rootfs / f"dev/false/{number}").write_text("no terminal")
    devpts = ops.MountNew("mounts[0]", type="devpts", source="devpts", destination="/dev/pts", options=("newinstance",))
    plan = (*rooted(rootfs), devpts, ops.Session("process"), ops.Console("process.terminal"), ops.Gate("", name="look"))
    made = 0
    with swap(rootfs / "dev/pts", rootfs / "dev/false"):
        for _ in range(ROUNDS):
            with Walk(*plan) as walk:
                while walk.failed is None and "look" not in walk.gates:
                    assert walk.receive() is not None
                if walk.failed is None:
                    made += 1
                    assert os.readlink(f"/proc/{walk.pid}/fd/0").rpartition("/")[2] == "0"
                else:
                    assert walk.failed.syscall in {"fstatfs", "openat2"}
    assert 0 < made < ROUNDS, "the race was not on"


@requires("unshare")
@pytest.mark.parametrize("option", [(), ("--no-pivot",)])
def test_without_pivot_root_no_procfs_can_be_mounted_that_shows_what_is_masked(box: Box, option: tuple[str]) -> None:
    """Nor with it. The program makes itself root of a user namespace, where the kernel lets it mount a procfs only if
    one that shows all is there already: the host's, which stays below the root.
    """
    system: list[Json] = [mount(f"/{name}", "bind", f"/{name}", "rbind") for name in ("usr", "lib", "lib64")]
    box.configure(
        {
            "mounts+": system,
            "linux.maskedPaths": ["/proc/keys"],
            "process.args": ["/usr/bin/unshare", "-mrpf", "/usr/bin/mount", "-t", "proc", "none", "/proc"],
            "process.capabilities": {name: ["CAP_SETFCAP"] for name in ("bounding", "permitted", "effective")},
        }
    )
    done = box.call(*box.running(*option))
    assert (done.status, done.stderr.splitlines()[:1]) == (32, ["mount: /proc: permission denied."])
