"""Ops that fail in a container without a root of its own, with the text that a person reads."""

from __future__ import annotations

import errno
from typing import Final

from slinger.linux.flags import CLONE_NEWNS, CLONE_NEWTIME, CLONE_NEWUTS, MS_SHARED, MS_SLAVE
from slinger.plan import ops
from slinger.plan.ops import OUTER, Op
from tests.contract.filters import answering
from tests.contract.walk import (
    cloned,
)

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
