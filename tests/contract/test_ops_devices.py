"""Device nodes, links and the terminal."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import termios
from pathlib import Path

import pytest

from slinger.plan import ops
from slinger.plan.ops import Op
from tests.contract.covers import works
from tests.contract.look import inside, mounts, stat_field
from tests.contract.walk import entered, look, rooted
from tests.requires import requires

pytestmark = requires("root", "gcc")

S_IFIFO, S_IFCHR, S_IFBLK = 0o010000, 0o020000, 0o060000


@works(ops.MakeNode)
@pytest.mark.parametrize(
    ("kind", "number", "mode"),
    [(S_IFCHR, (1, 3), 0o666), (S_IFBLK, (7, 200), 0o600), (S_IFIFO, (0, 0), 0o1622)],
)
def test_a_node_is_made_as_it_is_asked_for(rootfs: Path, kind: int, number: tuple[int, int], mode: int) -> None:
    """Kind, number, mode whatever the umask, owner; in a directory that is made if missing."""
    major, minor = number
    node = ops.MakeNode(
        "linux.devices[0]", path="/dev/deep/x", kind=kind, major=major, minor=minor, mode=mode, uid=5, gid=6
    )
    with look(*rooted(rootfs), node, node.replace(uid=7)).reach():
        made = (rootfs / "dev/deep/x").lstat()
    assert stat.S_IFMT(made.st_mode) == kind
    assert stat.S_IMODE(made.st_mode) == mode
    assert (made.st_uid, made.st_gid) == (7, 6), "the second op found the node, and gave it its owner"
    assert made.st_rdev == os.makedev(major, minor)


@works(ops.MakeLink)
def test_a_link_is_made_unless_something_is_there(rootfs: Path) -> None:
    """An existing path stays; ``needs`` asks for a path of ours; a dangling link is one."""
    (rootfs / "dev/core").write_text("the image's", encoding="ascii")
    links = (
        ops.MakeLink("", path="/dev/fd", target="/proc/self/fd"),
        ops.MakeLink("", path="/dev/core", target="/proc/kcore"),
        ops.MakeLink("", path="/dev/yes", target="x", needs="/proc/self"),
        ops.MakeLink("", path="/dev/no", target="x", needs="/nowhere"),
    )
    with look(*rooted(rootfs), *links).reach():
        assert os.readlink(rootfs / "dev/fd") == "/proc/self/fd"
        assert (rootfs / "dev/core").read_text(encoding="ascii") == "the image's"
        assert os.readlink(rootfs / "dev/yes") == "x"
        assert not (rootfs / "dev/no").is_symlink()


@works(ops.MakeLink)
def test_a_dev_that_is_a_symlink_leads_nowhere_but_inside(rootfs: Path) -> None:
    """An image's /dev -> /../../etc is the root's /etc (CVE-2026-41579)."""
    (rootfs / "dev").rmdir()
    (rootfs / "dev").symlink_to("/../../../../../../../../etc")
    with look(*rooted(rootfs), ops.MakeLink("", path="/dev/slinger-was-here", target="x")).reach():
        assert (rootfs / "etc/slinger-was-here").is_symlink()
    assert not os.path.lexists("/etc/slinger-was-here")


def terminal(rootfs: Path, **fields: int) -> tuple[Op, ...]:
    """A devpts and the console, as the compiler has them."""
    devpts = ops.MountNew(
        "mounts[2]", type="devpts", source="devpts", destination="/dev/pts", options=("newinstance", "ptmxmode=0666")
    )
    return (*rooted(rootfs), ops.Session("process"), devpts, ops.Console("process.terminal").replace(**fields))


@pytest.mark.spec("config-linux.md#default-devices/console")
@works(ops.Console)
@pytest.mark.parametrize(("bind", "bound"), [(0, False), (1, True)])
def test_the_console_is_a_terminal_of_the_container(rootfs: Path, bind: int, *, bound: bool) -> None:
    """Its stdio and controlling terminal, of the size asked for; the brain has the other end."""
    with look(*terminal(rootfs, rows=33, columns=44, bind=bind)).reach() as walk:
        size = fcntl.ioctl(walk.master, termios.TIOCGWINSZ, bytes(8))
        assert struct.unpack("HHHH", size)[:2] == (33, 44)
        assert stat_field(walk.pid, 7) == os.makedev(136, 0), "pts/0 is the controlling terminal"
        stdio = [os.stat(f"/proc/{walk.pid}/fd/{fd}").st_rdev for fd in (0, 1, 2)]
        assert stdio == [os.makedev(136, 0)] * 3
        assert (f"{rootfs}/dev/console" in mounts(walk.pid)) is bound
        assert (rootfs / "dev/console").exists() is bound


@works(ops.Console)
def test_what_is_typed_into_the_master_arrives_at_the_container(rootfs: Path) -> None:
    """Through the very device that is bound over /dev/console."""
    with look(*terminal(rootfs, bind=1), ops.Pivot("root.path")).reach() as walk:
        slave = os.open(inside(walk.pid, "/dev/console"), os.O_RDWR | os.O_NOCTTY)
        os.write(walk.master, b"hello\n")
        assert os.read(slave, 100) == b"hello\n"
        os.close(slave)


@works(ops.MakeNode)
def test_a_node_works_in_the_container(rootfs: Path) -> None:
    """Not only in its number: /dev/zero gives zeros."""
    node = ops.MakeNode("", path="/dev/zero", kind=S_IFCHR, major=1, minor=5, mode=0o666)
    dev = ops.MountNew("mounts[1]", type="tmpfs", source="tmpfs", destination="/dev")
    with look(*entered(rootfs), dev, node).reach() as walk, inside(walk.pid, "/dev/zero").open("rb") as file:
        assert file.read(4) == bytes(4)
