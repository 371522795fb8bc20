"""What this machine offers: cgroup hierarchies, kernel, capabilities, user namespace, security modules.

``hierarchies`` is pure; the other functions read /proc and /sys, each exactly one file, and raise
HostError where it cannot be read.
"""

from __future__ import annotations

import fcntl
import os

from slinger.errors import HostError
from slinger.plan.facts import Hierarchy
from slinger.record import Record

READ_SIZE = 1 << 16
WHOLE_RANGE = ["0", "0", "4294967295"]  # uid_map of the initial user namespace, user_namespaces(7)
MOUNT_FIELDS, SOURCE_FIELDS = 5, 3
CGROUP_FIELDS = 3
NS_GET_USERNS = 0xB701  # _IO(0xb7, 0x1) of linux/nsfs.h


class _Mount(Record):
    """A line of /proc/self/mountinfo about a cgroup file system (proc_pid_mountinfo(5))."""

    root: str
    path: str
    version: int
    options: frozenset[str]


def hierarchies(mountinfo: str, self_cgroup: str) -> tuple[Hierarchy, ...]:
    """The hierarchies that are mounted, in the order of /proc/self/cgroup, v2 at the end.

    ``own`` is the reader's cgroup below ``path``. Where a hierarchy is mounted more than once, the mount
    that shows its root is taken, else the first that shows the reader's cgroup, else the first.
    """
    mounts = [_mount(line) for line in mountinfo.splitlines() if " - cgroup" in line]
    found: list[Hierarchy] = []
    for line in self_cgroup.splitlines():
        fields = line.split(":", CGROUP_FIELDS - 1)
        if len(fields) != CGROUP_FIELDS:
            continue
        controllers = tuple(fields[1].split(",")) if fields[1] else ()
        version = 1 if controllers else 2
        fitting = [each for each in mounts if each.version == version and each.options.issuperset(controllers)]
        if fitting:
            mount = min(fitting, key=lambda each: (each.root != "/", _below(each.root, fields[2]) is None))
            found.append(Hierarchy(mount.path, controllers, version, _below(mount.root, fields[2]) or "/"))
    return tuple(sorted(found, key=lambda each: each.version))


def _mount(line: str) -> _Mount:
    before, _, after = line.partition(" - ")
    mount, source = before.split(" "), after.split(" ")
    if len(mount) <= MOUNT_FIELDS or len(source) < SOURCE_FIELDS:
        raise HostError(f"/proc/self/mountinfo: cannot read the line {line!r}")
    version = 2 if source[0] == "cgroup2" else 1
    return _Mount(plain(mount[3]), plain(mount[4]), version, frozenset(source[2].split(",")))


def plain(text: str) -> str:
    """Without the octal escapes that seq_file makes of space, tab, newline, backslash and #."""
    head, *rest = text.split("\\")
    return head + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)


def _below(root: str, path: str) -> str | None:
    """``path`` as seen from ``root``; None if it is not below it."""
    if root == "/":
        return path if path.startswith("/") and not path.startswith("/..") else None
    if path == root:
        return "/"
    return path[len(root) :] if path.startswith(f"{root}/") else None


def probe_hierarchies() -> tuple[Hierarchy, ...]:
    """The cgroup hierarchies as this process sees them; () on a machine without."""
    return hierarchies(_read("/proc/self/mountinfo"), _read("/proc/self/cgroup", missing=""))


def kernel_version() -> tuple[int, int]:
    """Major and minor of the running kernel."""
    release = os.uname().release
    major, _, rest = release.partition(".")
    minor = rest.partition(".")[0].partition("-")[0].rstrip("+")
    if not (major.isdecimal() and minor.isdecimal()):
        raise HostError(f"the kernel's release {release!r}: no version number")
    return int(major), int(minor)


def last_capability() -> int:
    """The highest capability that the kernel knows."""
    return int(_read("/proc/sys/kernel/cap_last_cap"))


def permitted_capabilities() -> int:
    """Our permitted set as bits (capabilities(7))."""
    for line in _read("/proc/self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "CapPrm":
            return int(value, 16)
    raise HostError("/proc/self/status: no line CapPrm")


def in_user_namespace() -> bool:
    """Whether we are in another user namespace than the initial one. A kernel without has only that one."""
    lines = _read("/proc/self/uid_map", missing="0 0 4294967295").splitlines()
    return [line.split() for line in lines] != [WHOLE_RANGE]


def may_set_groups() -> bool:
    """Whether our user namespace allows setgroups(2): one that a plain user has mapped does not."""
    return _read("/proc/self/setgroups", missing="allow").strip() == "allow"


def owns_mounts() -> bool:
    """Whether our mount namespace belongs to our user namespace (ioctl_ns(2)): only then may we copy its mounts."""
    try:
        fd = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        try:
            owner = fcntl.ioctl(fd, NS_GET_USERNS)
        finally:
            os.close(fd)
    except PermissionError:
        return False  # the owner is an ancestor, which is not for us to see
    except OSError as error:
        raise HostError.of("the owner of our mount namespace", error) from error
    try:
        theirs, ours = os.fstat(owner), os.stat("/proc/self/ns/user")
    finally:
        os.close(owner)
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)


def apparmor_enabled() -> bool:
    """Whether the kernel enforces AppArmor profiles."""
    return _read("/sys/module/apparmor/parameters/enabled", missing="").strip() == "Y"


def selinux_enabled() -> bool:
    """Whether a SELinux policy is loaded: only then is its file system mounted there."""
    return os.path.exists("/sys/fs/selinux/enforce")


def bare_mounts() -> tuple[str, ...]:
    """Where procfs and sysfs are mounted from their root on, in the order of the mounts; those below first."""
    found: list[str] = []
    for line in _read("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if after.split(" ")[0] in {"proc", "sysfs"} and fields[3] == "/":
            found.append(plain(fields[4]))
    return tuple(reversed(found))


def _read(path: str, *, missing: str | None = None) -> str:
    """A whole file; ``missing``, if given, where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        if missing is not None:
            return missing
        raise HostError.of("reading", error) from error
    except OSError as error:
        raise HostError.of("reading", error) from error
    parts: list[bytes] = []
    try:
        while part := os.read(fd, READ_SIZE):
            parts.append(part)
    except OSError as error:
        raise HostError(f"reading {path}: {(error.strerror or '').lower()}") from error
    finally:
        os.close(fd)
    return b"".join(parts).decode("utf-8", "surrogateescape")
