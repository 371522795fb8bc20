"""Ops that fail below a root file system, with the text that a person reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from slinger.plan import ops
from slinger.plan.ops import Op
from tests.contract.failing import DEVPTS, TMPFS
from tests.contract.walk import (
    entered,
    rooted,
)

Build = Callable[[Path], tuple[Op, ...]]


def in_root(*steps: Op) -> Build:
    """Steps below the root handle, before the pivot."""
    return lambda rootfs: (*rooted(rootfs), *steps)


def after_pivot(*steps: Op) -> Build:
    """Steps inside."""
    return lambda rootfs: (*entered(rootfs), *steps)


# Plan below a root file system, whose last op fails; the text.
ROOTED: Final[tuple[tuple[Build, str], ...]] = (
    (
        lambda rootfs: (*rooted(rootfs)[:-1], ops.AttachRoot("root.path", slot=0, path="/nowhere")),
        "root.path (/nowhere): move_mount: no such file or directory",
    ),
    (
        in_root(TMPFS.replace(type="nofs")),
        "mounts[1] (/mnt): fsopen nofs: no such device (the kernel does not know this file system)",
    ),
    (
        in_root(TMPFS.replace(options=("size=lots",))),
        "mounts[1] (/mnt): fsconfig size=lots: invalid argument",
    ),
    (
        in_root(TMPFS.replace(options=("x" * 300,))),
        f"mounts[1] (/mnt): fsconfig {'x' * 300}: file name too long",
    ),
    (
        in_root(TMPFS.replace(type="proc", destination="/link", real_directory=1)),
        (
            "mounts[1] (/link): openat2: too many levels of symbolic links "
            "(there is a symlink in the path, which is refused for proc and sysfs)"
        ),
    ),
    (
        in_root(TMPFS.replace(destination="/secret/below")),
        "mounts[1] (/secret/below): openat2: not a directory",
    ),
    (
        in_root(ops.OpenTree("", slot=1, path="/etc"), ops.MountBind("mounts[2]", slot=1, destination="/secret/x")),
        "mounts[2] (/secret/x): openat2: not a directory",
    ),
    (
        in_root(ops.OpenTree("", slot=1, path="/etc"), ops.MountBind("mounts[2]", slot=1, destination="/secret")),
        "mounts[2] (/secret): move_mount: invalid argument",
    ),
    (
        in_root(ops.MountBind("mounts[2]", slot=3, destination="/mnt")),
        "mounts[2] (/mnt): fstat: bad file descriptor",
    ),
    (
        in_root(ops.MountChange("mounts[3]", destination="/none", attr_set=1)),
        "mounts[3] (/none): openat2: no such file or directory",
    ),
    (
        in_root(ops.MountChange("mounts[3]", destination="/data", attr_set=1)),
        "mounts[3] (/data): mount_setattr: invalid argument (nothing is mounted there)",
    ),
    (
        in_root(ops.Reconfigure("mounts[3]", destination="/none", options=("rw",))),
        "mounts[3] (/none): openat2: no such file or directory",
    ),
    (
        in_root(ops.Reconfigure("mounts[3]", destination="/data", options=("rw",))),
        (
            "mounts[3] (/data): fspick: invalid argument (nothing is mounted there, or the file system does not take "
            "the option)"
        ),
    ),
    (
        in_root(TMPFS, ops.Reconfigure("mounts[3]", destination="/mnt", options=("size=64k", "nonsense"))),
        (
            "mounts[3] (/mnt): fsconfig nonsense: invalid argument (nothing is mounted there, or the file system does "
            "not take the option)"
        ),
    ),
    (
        in_root(
            ops.OpenTree("", slot=1, path="/etc"), ops.MountBind("mounts[2]", slot=1, destination="/proc", procfs=1)
        ),
        "mounts[2] (/proc): fstatfs the source is no procfs: invalid argument",
    ),
    (
        in_root(ops.MakeNode("linux.devices[0]", path="/secret", kind=0o020000, major=1, minor=3)),
        "linux.devices[0] (/secret): mknodat: file exists (the image has a file there that is not this device)",
    ),
    (
        in_root(ops.MakeNode("linux.devices[0]", path="/dev/..", kind=0o020000, major=1, minor=3)),
        "linux.devices[0] (/dev/..): openat2: invalid argument",
    ),
    (
        in_root(ops.MakeLink("", path="/secret/link", target="x")),
        "make_link (/secret/link): openat2: not a directory",
    ),
    (
        in_root(ops.Console("process.terminal")),
        "process.terminal: openat2 /dev/pts/ptmx: no such file or directory",
    ),
    (
        in_root(
            ops.MakeNode("", path="/dev/pts/ptmx", kind=0o020000, major=5, minor=2), ops.Console("process.terminal")
        ),
        "process.terminal: fstatfs /dev/pts/ptmx: not on a devpts: inappropriate ioctl for device",
    ),
    (
        in_root(
            ops.MakeNode("", path="/dev/pts/ptmx", kind=0o020000, major=1, minor=3), ops.Console("process.terminal")
        ),
        "process.terminal: fstatfs /dev/pts/ptmx: not on a devpts: inappropriate ioctl for device",
    ),
    (
        in_root(DEVPTS, ops.Console("process.terminal")),
        "process.terminal: ioctl TIOCSCTTY: operation not permitted",
    ),
    (
        after_pivot(ops.Mask("linux.maskedPaths[0]", path="/secret")),
        "linux.maskedPaths[0] (/secret): openat2 /dev/null: no such file or directory",
    ),
    (
        after_pivot(
            ops.MakeNode("", path="/dev/null", kind=0o020000, major=1, minor=5),
            ops.Mask("linux.maskedPaths[0]", path="/secret"),
        ),
        "linux.maskedPaths[0] (/secret): fstat /dev/null: not the null device: invalid argument",
    ),
    (
        after_pivot(
            ops.MakeLink("", path="/loop", target="loop"), ops.ReadonlyPath("linux.readonlyPaths[0]", path="/loop")
        ),
        "linux.readonlyPaths[0] (/loop): openat2: too many levels of symbolic links",
    ),
    (
        after_pivot(ops.Chdir("process.cwd", path="/nowhere")),
        "process.cwd (/nowhere): chdir: no such file or directory",
    ),
    (
        after_pivot(ops.Chdir("process.cwd", path="/secret", may_fail=1)),
        "process.cwd (/secret): chdir: not a directory",
    ),
    (
        after_pivot(ops.Chdir("process.cwd", path="/secret/below", create=1)),
        "process.cwd (/secret/below): mkdir: not a directory",
    ),
    (
        after_pivot(ops.Exec("process.args", args=("x",))),
        'process.args: exec: "": bad address',
    ),
)
