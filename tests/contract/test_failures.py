"""A failure of each op comes home with its origin, its object, the system call and the cause: the whole text."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from slinger.linux.flags import CLONE_NEWNS, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS, MS_SHARED, MS_SLAVE
from slinger.plan import ops
from slinger.plan.ops import OUTER, Op
from tests.contract.covers import fails
from tests.contract.filters import answering
from tests.contract.walk import (
    NOTHING,
    Walk,
    cloned,
    entered,
    failure,
    joined,
    mapped,
    payload_hook,
    rooted,
    write_maps,
)
from tests.requires import requires

pytestmark = requires("root", "gcc")

CLONE_FS: Final = 0x200  # with CLONE_NEWNS it contradicts itself (clone(2))
RLIMIT_NPROC: Final = 6
TIME: Final = ops.Unshare("", flags=CLONE_NEWTIME)
NO_PRCTL: Final = answering("prctl", errno.EPERM)
TMPFS: Final = ops.MountNew("mounts[1]", type="tmpfs", source="tmpfs", destination="/mnt")
DEVPTS: Final = ops.MountNew("mounts[2]", type="devpts", source="devpts", destination="/dev/pts")
NO_FORK: Final = (
    ops.Rlimit("", by=OUTER, resource=RLIMIT_NPROC, soft=0, hard=0),
    ops.SetUser("", by=OUTER, uid=424_242, gid=424_242),
)

# Op that fails, what goes before it in init's life, the text.
ROOTLESS: Final[tuple[tuple[Op, tuple[Op, ...], str], ...]] = (
    (
        ops.Fork("linux.namespaces", by=OUTER),
        NO_FORK,
        "linux.namespaces: fork: resource temporarily unavailable",
    ),
    (
        ops.KeepTimes("", by=OUTER),
        (ops.KeepTimes("", by=OUTER),),
        "keep_times: mmap times are kept already: file exists",
    ),
    (
        ops.TellTimes(""),
        cloned(),
        "tell_times: sendmsg no times are kept: no data available",
    ),
    (
        ops.Clone("linux.namespaces", by=OUTER, flags=CLONE_NEWNS | CLONE_FS),
        (),
        "linux.namespaces: clone3: invalid argument",
    ),
    (
        ops.Clone("linux.namespaces", by=OUTER, flags=CLONE_NEWUTS),
        NO_FORK,
        "linux.namespaces: clone3: resource temporarily unavailable",
    ),
    (
        ops.Clone("linux.namespaces", by=OUTER, flags=CLONE_NEWUTS),
        NO_FORK[1:],
        (
            "linux.namespaces: clone3: operation not permitted (user namespaces may be switched off: see kernel."
            "unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces)"
        ),
    ),
    (
        ops.Unshare("linux.namespaces", flags=1),
        cloned(),
        "linux.namespaces: unshare: invalid argument",
    ),
    (
        ops.TimeOffsets("linux.timeOffsets", text="monotonic 1 0\nnonsense 1 0\n"),
        (*cloned(), TIME),
        "linux.timeOffsets (monotonic 1 0; nonsense 1 0): write /proc/self/timens_offsets: invalid argument",
    ),
    (
        ops.Session("process"),
        (*cloned(), ops.Session("")),
        "process: setsid: operation not permitted",
    ),
    (
        ops.OomScore("process.oomScoreAdj", value=-1001),
        cloned(),
        "process.oomScoreAdj: write /proc/self/oom_score_adj: invalid argument",
    ),
    (
        ops.Conceal("process"),
        (*cloned(), NO_PRCTL),
        "process: prctl PR_SET_DUMPABLE: operation not permitted",
    ),
    (
        ops.Keyring("process", name="_ses.x"),
        (*cloned(), answering("keyctl", errno.EDQUOT)),
        "process (_ses.x): keyctl KEYCTL_JOIN_SESSION_KEYRING: disk quota exceeded",
    ),
    (
        ops.Propagation("linux.rootfsPropagation", flags=MS_SHARED | MS_SLAVE),
        cloned(CLONE_NEWNS),
        "linux.rootfsPropagation: mount_setattr /: invalid argument",
    ),
    (
        ops.OpenTree("mounts[0]", by=OUTER, slot=1, path="/nowhere"),
        (),
        "mounts[0] (/nowhere): open_tree: no such file or directory",
    ),
    (
        ops.OpenRoot("root.path", path="/etc/passwd"),
        cloned(),
        "root.path (/etc/passwd): open: not a directory",
    ),
    (
        ops.Pivot("root.path"),
        cloned(CLONE_NEWNS),
        "root.path: fchdir: bad file descriptor",
    ),
    (
        ops.Handles("hooks.createContainer[0]"),
        cloned(),
        "hooks.createContainer[0]: open root: bad file descriptor",
    ),
    (
        ops.Pivot("root.path"),
        (*cloned(CLONE_NEWNS), ops.OpenRoot("", path="/proc/sys")),
        "root.path: pivot_root: invalid argument (the host's root may be an initramfs: use --no-pivot)",
    ),
    (
        ops.Detach("root.path", path=f"/{'x' * 256}"),
        cloned(CLONE_NEWNS),
        f"root.path (/{'x' * 256}): umount2: file name too long",
    ),
    (
        ops.RootChange("root.readonly", attr_set=1),
        (*cloned(CLONE_NEWNS), ops.OpenRoot("", path="/etc")),
        "root.readonly: mount_setattr /: invalid argument",
    ),
    (
        ops.Hostname("hostname", name="x" * 65),
        cloned(CLONE_NEWUTS),
        f"hostname ({'x' * 65}): sethostname: invalid argument",
    ),
    (
        ops.Domainname("domainname", name="y" * 65),
        cloned(CLONE_NEWUTS),
        f"domainname ({'y' * 65}): setdomainname: invalid argument",
    ),
    (
        ops.Sysctl('linux.sysctl["a.b"]', path="sys/a/b", value="1"),
        cloned(),
        'linux.sysctl["a.b"] (sys/a/b): openat2: no such file or directory',
    ),
    (
        ops.Sysctl('linux.sysctl["x"]', path="sys/../self/comm", value="1"),
        cloned(),
        'linux.sysctl["x"] (sys/../self/comm): openat2: too many levels of symbolic links',
    ),
    (
        ops.Sysctl('linux.sysctl["kernel.ns_last_pid"]', path="sys/kernel/ns_last_pid", value="nonsense"),
        cloned(0x20000000),
        'linux.sysctl["kernel.ns_last_pid"] (sys/kernel/ns_last_pid): write: invalid argument',
    ),
    (
        ops.Rlimit("process.rlimits[0]", by=OUTER, resource=7, soft=20, hard=10),
        cloned(),
        "process.rlimits[0]: prlimit64: invalid argument",
    ),
    (
        ops.Personality("linux.personality.domain", domain=8),
        (*cloned(), answering("personality", errno.EPERM)),
        "linux.personality.domain: personality: operation not permitted",
    ),
    (
        ops.CloseOnExec("process"),
        (*cloned(), answering("close_range", errno.EPERM)),
        "process: close_range: operation not permitted",
    ),
    (
        ops.Scheduler("process.scheduler", policy=99),
        cloned(),
        "process.scheduler: sched_setattr: invalid argument",
    ),
    (
        ops.IoPriority("process.ioPriority", value=5 << 13),
        cloned(),
        "process.ioPriority: ioprio_set: invalid argument",
    ),
    (
        ops.MemoryPolicy("linux.memoryPolicy", mode=2),
        cloned(),
        "linux.memoryPolicy: set_mempolicy: invalid argument",
    ),
    (
        ops.MemoryPolicy("linux.memoryPolicy", mode=2, nodes=b"\1" + bytes(135)),
        cloned(),
        "linux.memoryPolicy: set_mempolicy: invalid argument",
    ),
    (
        ops.Affinity("process.execCPUAffinity.initial", cpus=bytes(8)),
        cloned(),
        (
            "process.execCPUAffinity.initial: sched_setaffinity: invalid argument "
            "(none of these CPUs is on line and in the cgroup's cpuset)"
        ),
    ),
    (
        ops.AppArmor("process.apparmorProfile", profile="x" * 257),
        cloned(),
        f"process.apparmorProfile ({'x' * 257}): write: file name too long",
    ),
    (
        ops.NetworkSocket("linux.netDevices"),
        (*cloned(), answering("socket", errno.EACCES)),
        "linux.netDevices: socket NETLINK_ROUTE: permission denied",
    ),
    (
        ops.Loopback("linux.namespaces"),
        (*cloned(), answering("socket", errno.EACCES)),
        "linux.namespaces: socket AF_UNIX: permission denied",
    ),
    (
        ops.NoNewPrivileges("process.noNewPrivileges"),
        (*cloned(), NO_PRCTL),
        "process.noNewPrivileges: prctl PR_SET_NO_NEW_PRIVS: operation not permitted",
    ),
    (
        ops.Bounding("process.capabilities.bounding"),
        (*cloned(), ops.Capabilities("")),
        "process.capabilities.bounding: prctl PR_CAPBSET_DROP: operation not permitted",
    ),
    (
        ops.SetUser("process.user", uid=1, gid=2),
        (*cloned(), ops.Capabilities("")),
        "process.user: setgroups: operation not permitted",
    ),
    (
        ops.Capabilities("process.capabilities", permitted=1),
        (*cloned(), ops.Capabilities("")),
        "process.capabilities: capset: operation not permitted",
    ),
    (
        ops.FindProgram("process.args[0]", name="nothing", path="/bin:/usr/bin"),
        cloned(),
        'process.args[0]: exec: "nothing": executable file not found in $PATH',
    ),
    (
        ops.FindProgram("process.args[0]", name="passwd", path="/etc"),
        cloned(),
        'process.args[0]: exec: "passwd": permission denied',
    ),
    (
        ops.FindProgram("process.args[0]", name="/etc"),
        cloned(),
        'process.args[0]: exec: "/etc": permission denied',
    ),
    (
        ops.FindProgram("process.args[0]", name="./nothing"),
        cloned(),
        'process.args[0]: exec: "./nothing": no such file or directory',
    ),
    (
        ops.Seccomp("linux.seccomp", program=b"\xff" * 8),
        cloned(),
        "linux.seccomp: seccomp: invalid argument (the kernel refuses the filter or one of its flags)",
    ),
    (
        ops.OpenNamespace("linux.namespaces[2]", by=OUTER, path="/nowhere", flag=CLONE_NEWUTS),
        (),
        (
            "linux.namespaces[2] (/nowhere): open: no such file or directory "
            "(the process whose namespace it was may have ended)"
        ),
    ),
    (
        ops.OpenNamespace("linux.namespaces[2]", by=OUTER, path="/proc/self/ns/uts", flag=CLONE_NEWUTS | CLONE_NEWNS),
        (),
        "linux.namespaces[2] (/proc/self/ns/uts): open: invalid argument",
    ),
    (
        ops.Join("linux.namespaces[2]", flag=CLONE_NEWUTS),
        cloned(),
        "linux.namespaces[2]: open: bad file descriptor",
    ),
    (
        ops.Release(""),
        (*cloned(), NO_PRCTL),
        "release: prctl PR_SET_PDEATHSIG: operation not permitted",
    ),
    (
        ops.Join("linux.namespaces[2]", path="/nowhere", flag=CLONE_NEWUTS),
        cloned(),
        "linux.namespaces[2] (/nowhere): open: no such file or directory",
    ),
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


def label(row: tuple[Op, tuple[Op, ...], str]) -> str:
    """The name of the op that fails, for the name of the test."""
    return ops.op_name(type(row[0]))


@pytest.mark.parametrize("row", ROOTLESS, ids=label)
def test_a_failure_comes_home_with_its_origin(row: tuple[Op, tuple[Op, ...], str]) -> None:
    """The text that a person reads, as a whole; and all processes end."""
    op, before, text = row
    with Walk(*before, op) as walk:
        assert walk.error() == text
        assert walk.ended()


@pytest.mark.parametrize("row", ROOTED, ids=lambda row: row[1].partition(" ")[0])
def test_a_failure_below_the_root_comes_home_with_its_origin(row: tuple[Build, str], rootfs: Path) -> None:
    """The text that a person reads, as a whole; and all processes end."""
    build, text = row
    with Walk(*build(rootfs)) as walk:
        assert walk.error() == text
        assert walk.ended()


@fails(ops.Join)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/nowhere", "linux.namespaces[2] (/nowhere): open: no such file or directory"),
        (
            "/proc/self/ns/net",
            (
                "linux.namespaces[2] (/proc/self/ns/net): setns: invalid argument "
                "(the file is not a namespace of that type)"
            ),
        ),
        (
            "/etc/passwd",
            "linux.namespaces[2] (/etc/passwd): setns: invalid argument (the file is not a namespace of that type)",
        ),
    ],
)
def test_a_failure_of_the_joiner_comes_home(path: str, text: str) -> None:
    """Outer ends with it."""
    with Walk(*joined(path, CLONE_NEWUTS)) as walk:
        assert walk.error() == text
        assert walk.ended()


@fails(ops.TakeRoot)
def test_a_user_namespace_without_root_has_no_root_to_become() -> None:
    """The ids were not mapped."""
    assert failure(*mapped(), ops.TakeRoot("linux.uidMappings")) == ("linux.uidMappings: setresgid 0: invalid argument")


@fails(ops.StdioOwner)
def test_stdio_that_cannot_be_given_says_so(tmp_path: Path) -> None:
    """Not a matter of rights, which is no error: a descriptor that only names a file."""
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", os.O_PATH)
    try:
        with Walk(*cloned(), ops.StdioOwner("process.user", uid=1), stdio=(fd, fd, fd)) as walk:
            assert walk.error() == "process.user: fchown stdio: bad file descriptor"
    finally:
        os.close(fd)


@fails(ops.SetUser)
def test_an_id_that_is_not_mapped_cannot_be_become() -> None:
    """With what to do about it."""
    with Walk(*cloned(CLONE_NEWUSER), ops.Gate("", name="ids"), ops.SetUser("process.user", uid=10)) as walk:
        walk.reach("ids")
        write_maps(walk.pid, size=10)
        walk.hands.go()
        assert walk.error() == (
            "process.user: setresuid: invalid argument (the id is not mapped in the container's user namespace)"
        )


@fails(ops.Hook)
def test_a_failed_hook_names_its_origin_and_program(payload: Path) -> None:
    """What its run left is told by its record (hooks/records.py), which comes first."""
    with Walk(*cloned(), payload_hook(payload, "exit", "3")) as walk:
        assert walk.error() == f"hooks.createContainer[0] ({payload}): hook: failed"
        assert [ran.value for ran in walk.hooks] == [3]


@fails(ops.Chdir)
def test_a_working_directory_outside_the_root_is_refused(rootfs: Path) -> None:
    """Reached through a descriptor of the host's that leaked (CVE-2024-21626)."""
    outside = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        plan = (*entered(rootfs), ops.Chdir("process.cwd", path="/proc/self/fd/0"))
        with Walk(*plan, stdio=(outside, NOTHING, NOTHING)) as walk:
            assert walk.error() == (
                "process.cwd (/proc/self/fd/0): chdir: too many levels of symbolic links "
                "(a link such as /proc/self/fd/N leads out of the container and is not followed)"
            )
    finally:
        os.close(outside)


@fails(ops.Exec)
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("#!/none\n", 'process.args: exec: "/bin/script": its interpreter or loader: no such file or directory'),
        ("neither\n", 'process.args: exec: "/bin/script": exec format error'),
    ],
)
def test_a_program_that_cannot_be_run_is_named(rootfs: Path, content: str, text: str) -> None:
    """The file was found and may be executed; the kernel says what is wrong."""
    (rootfs / "bin/script").write_text(content, encoding="ascii")
    (rootfs / "bin/script").chmod(0o755)
    find = ops.FindProgram("process.args[0]", name="script", path="/bin")
    assert failure(*entered(rootfs), find, ops.Exec("process.args", args=("script",))) == text
