"""The configs of the differential test: a name, and what it changes in the base config.

`look` is what the payload is asked about beside its usual report; placeholders are those of tests.bundles, and
@NET@ @IPC@ @UTS@ @PID@ @CGROUP@ @USER@, the paths of namespaces that the test holds open (see anchors.py).
"""

from __future__ import annotations

from typing import Final

from tests.bundles import DROP, PATH, mount
from tests.peers.case import (
    BASE_NAMESPACES,
    MAPPED_OWNER,
    MAPS,
    THREE_SETS,
    TRY,
    USER,
    USER_NAMESPACE,
    Case,
    bind,
    capabilities,
    namespaces,
    rule,
    seccomp,
    tmpfs,
    without,
)

IDENTITY: Final = (
    Case(name="base", changes={}),
    Case(name="uid and gid", changes=USER),
    Case(
        name="additional groups",
        changes={"process.user": {"uid": 1000, "gid": 1000, "additionalGids": [5, 6, 1000]}},
    ),
    Case(name="umask", changes={"process.user": {"uid": 0, "gid": 0, "umask": 0o77}}),
    Case(name="cwd that is missing", changes={"process.cwd": "/work/deep"}, look=("--probe", "/work/deep")),
    Case(name="cwd of a user", changes={**USER, "process.cwd": "/home/user"}),
    Case(name="cwd closed to the user", changes={**USER, "process.cwd": "/closed/x", **tmpfs("/closed", "mode=700")}),
    Case(name="env with HOME of the user", changes={**USER, "process.env": [PATH]}),
    Case(name="env with a name twice", changes={"process.env": [PATH, "A=1", "B=2", "A=3"]}),
    Case(name="env with HOME empty", changes={"process.env": [PATH, "HOME="]}),
    Case(name="env with an empty value", changes={"process.env": [PATH, "EMPTY="]}),
    Case(name="env absent", changes={"process.env": DROP}),
    Case(
        name="args found by PATH",
        changes={"process.args": ["payload", "report"], "process.env": ["PATH=/nowhere:/bin"]},
    ),
    Case(name="args relative to cwd", changes={"process.args": ["./payload", "report"], "process.cwd": "/bin"}),
)

PRIVILEGES: Final = (
    Case(name="capabilities absent", changes={"process.capabilities": DROP}),
    Case(name="capabilities empty", changes=capabilities()),
    Case(name="capabilities of a user", changes={**USER}),
    Case(
        name="capabilities in five sets",
        changes=capabilities(
            bounding=["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYS_PTRACE"],
            permitted=["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
            effective=["CAP_CHOWN"],
            inheritable=["CAP_KILL", "CAP_NET_RAW"],
            ambient=["CAP_KILL"],
        ),
    ),
    Case(
        name="capabilities ambient of a user",
        changes={
            **USER,
            **capabilities(**{name: ["CAP_KILL"] for name in ("inheritable", "ambient", *THREE_SETS)}),
        },
    ),
    Case(
        name="capabilities inheritable only",
        changes=capabilities(inheritable=["CAP_KILL"], bounding=["CAP_KILL"], permitted=["CAP_KILL"]),
    ),
    Case(
        name="capabilities with an unknown name",
        changes=capabilities(**{name: ["CAP_KILL", "CAP_NOT_YET"] for name in THREE_SETS}),
    ),
    Case(name="new privileges allowed", changes={"process.noNewPrivileges": False}),
    Case(name="new privileges unset", changes={"process.noNewPrivileges": DROP, **USER}),
    Case(
        name="rlimits",
        changes={
            "process.rlimits": [
                {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                {"type": "RLIMIT_STACK", "soft": 4194304, "hard": 8388608},
                {"type": "RLIMIT_RTTIME", "soft": 10000000, "hard": 10000000},
                {"type": "RLIMIT_MSGQUEUE", "soft": 4096, "hard": 4096},
            ]
        },
    ),
    Case(name="rlimits absent", changes={"process.rlimits": DROP}),
    Case(name="oomScoreAdj", changes={"process.oomScoreAdj": 500}),
    Case(name="oomScoreAdj zero", changes={"process.oomScoreAdj": 0}),
    Case(name="personality", changes={"linux.personality": {"domain": "LINUX32"}}),
    Case(name="ioPriority", changes={"process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}}),
    Case(name="scheduler", changes={"process.scheduler": {"policy": "SCHED_BATCH", "nice": 5}}),
)

NAMESPACES: Final = (
    Case(name="network of the host", changes={"linux.namespaces": without("network")}),
    Case(name="ipc of the host", changes={"linux.namespaces": without("ipc")}),
    Case(name="uts of the host", changes={"linux.namespaces": without("uts"), "hostname": DROP}),
    Case(name="pid of the host", changes={"linux.namespaces": without("pid")}),
    Case(name="mount only", changes={"linux.namespaces": namespaces("mount"), "hostname": DROP}),
    Case(name="cgroup namespace", changes={"linux.namespaces": namespaces(*BASE_NAMESPACES, "cgroup")}),
    Case(name="time namespace", changes={"linux.namespaces": namespaces(*BASE_NAMESPACES, "time")}),
    Case(
        name="time namespace with offsets",
        changes={
            "linux.namespaces": namespaces(*BASE_NAMESPACES, "time"),
            "linux.timeOffsets": {"monotonic": {"secs": 1000}, "boottime": {"secs": 2000, "nanosecs": 5}},
        },
    ),
    Case(
        name="network joined",
        changes={"linux.namespaces": [*without("network"), *namespaces(network="@NET@")]},
    ),
    Case(name="ipc joined", changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="@IPC@")]}),
    Case(name="uts joined", changes={"linux.namespaces": [*without("uts"), *namespaces(uts="@UTS@")]}),
    Case(name="pid joined", changes={"linux.namespaces": [*without("pid"), *namespaces(pid="@PID@")]}),
    Case(
        name="all but mount joined",
        changes={
            "linux.namespaces": namespaces(
                "mount", network="@NET@", ipc="@IPC@", uts="@UTS@", pid="@PID@", cgroup="@CGROUP@"
            )
        },
    ),
    Case(name="user namespace", changes=USER_NAMESPACE, owner=MAPPED_OWNER),
    Case(
        name="user namespace of a user",
        changes={**USER_NAMESPACE, "process.user": {"uid": 1000, "gid": 1000, "additionalGids": [7]}},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace and network of the host",
        changes={
            "linux.namespaces": [*without("network"), {"type": "user"}],
            "linux.uidMappings": MAPS,
            "linux.gidMappings": MAPS,
            "mounts+": [mount("/sys2", "bind", "/sys", "rbind", "ro")],
        },
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace joined",
        changes={"linux.namespaces": [*without(), *namespaces(user="@USER@")]},
        owner=MAPPED_OWNER,
    ),
    Case(name="hostname", changes={"hostname": "a-longer.name"}),
    Case(name="domainname", changes={"domainname": "example.org"}),
)

MOUNTS: Final = (
    Case(name="root readonly", changes={"root.readonly": True}, look=("--probe", "/data/kept")),
    Case(name="bind a directory", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind"), look=("--probe", "/mnt")),
    Case(name="bind by rbind", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rw")),
    Case(
        name="bind read-only with flags",
        changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind", "ro", "nosuid", "nodev", "noexec"),
        look=("--probe", "/mnt/kept"),
    ),
    Case(
        name="bind a file",
        changes=bind("@BUNDLE@/rootfs/secret", "/etc/new", "bind", "ro"),
        look=("--probe", "/etc/new"),
    ),
    Case(name="bind by a relative source", changes=bind("rootfs/data", "/mnt", "bind")),
    Case(
        name="bind with type none",
        changes={"mounts+": [mount("/mnt", "none", "@BUNDLE@/rootfs/data", "bind")]},
    ),
    Case(name="bind with noatime", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind", "noatime", "nodiratime")),
    Case(name="bind rprivate", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rprivate")),
    Case(name="bind rslave", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rslave")),
    Case(name="bind rshared", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "rbind", "rshared")),
    Case(name="bind unbindable", changes=bind("@BUNDLE@/rootfs/data", "/mnt", "bind", "unbindable")),
    Case(
        name="bind recursively read-only", changes=bind("/sys", "/mnt", "rbind", "rro"), look=("--probe", "/mnt/kernel")
    ),
    Case(name="bind onto a link", changes=bind("@BUNDLE@/rootfs/data", "/link", "bind"), look=("--probe", "/secrets")),
    Case(name="bind below a link", changes=bind("@BUNDLE@/rootfs/data", "/link/new", "bind")),
    Case(name="bind of a missing source", changes=bind("@BUNDLE@/nothing", "/mnt", "bind")),
    Case(
        name="tmpfs with options",
        changes=tmpfs("/mnt", "ro", "nosuid", "noexec", "nodev", "size=1m", "mode=711", "nr_inodes=10", "uid=7"),
        look=("--probe", "/mnt"),
    ),
    Case(name="tmpfs with flags", changes=tmpfs("/mnt", "sync", "dirsync", "strictatime")),
    Case(name="tmpfs silent", changes=tmpfs("/mnt", "silent")),
    Case(name="tmpfs lazytime", changes=tmpfs("/mnt", "lazytime")),
    Case(name="tmpfs iversion", changes=tmpfs("/mnt", "iversion")),
    Case(name="tmpfs defaults", changes=tmpfs("/mnt", "defaults")),
    Case(name="tmpfs with flags undone", changes=tmpfs("/mnt", "ro", "rw", "nosuid", "suid", "noexec", "exec")),
    Case(name="tmpfs nosymfollow", changes=tmpfs("/mnt", "nosymfollow")),
    Case(name="tmpfs copy-up", changes=tmpfs("/data", "tmpcopyup"), look=("--probe", "/data")),
    Case(name="tmpfs keeps the mode of the mountpoint", changes=tmpfs("/tmp"), look=("--probe", "/tmp")),
    Case(
        name="tmpfs over tmpfs",
        changes={"mounts+": [mount("/mnt", "tmpfs", "one", "size=1m"), mount("/mnt", "tmpfs", "two", "size=2m")]},
    ),
    Case(name="mount of a relative destination", changes=tmpfs("mnt")),
    Case(
        name="overlay",
        changes={"mounts+": [mount("/mnt", "overlay", "overlay", "lowerdir=@BUNDLE@/rootfs/data:@BUNDLE@/rootfs/etc")]},
        look=("--probe", "/mnt"),
    ),
    Case(name="proc read-only", changes={"mounts+": [mount("/mnt", "proc", "proc", "ro", "nosuid")]}),
    Case(name="proc with hidepid", changes={"mounts+": [mount("/mnt", "proc", "proc", "hidepid=2")]}),
    Case(name="cgroup writable", changes={"mounts+": [mount("/mnt", "cgroup", "cgroup", "rw")]}),
    Case(name="mount of an unknown type", changes={"mounts+": [mount("/mnt", "nosuchfs", "x")]}),
    Case(name="no /dev", changes={"mounts": [mount("/proc", "proc", "proc")]}),
    *(
        Case(name=f"root propagation {kind}", changes={"linux.rootfsPropagation": kind})
        for kind in ("private", "slave", "shared", "unbindable")
    ),
    Case(name="no pivot", changes={}, options=("--no-pivot",)),
    Case(
        name="masked and read-only paths",
        changes={
            "linux.maskedPaths": ["/secret", "/secrets", "/missing"],
            "linux.readonlyPaths": ["/data", "/etc/hostname", "/missing"],
        },
        look=("--probe", "/secret", "--probe", "/secrets", "--probe", "/data", "--probe", "/data/kept"),
    ),
    Case(name="masked through a link", changes={"linux.maskedPaths": ["/link"]}, look=("--probe", "/secrets")),
    Case(name="nothing masked", changes={"linux.maskedPaths": DROP, "linux.readonlyPaths": DROP}),
)

DEVICES: Final = (
    Case(
        name="devices",
        changes={
            "linux.devices": [
                {"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11, "fileMode": 0o640, "uid": 1, "gid": 2},
                {"type": "b", "path": "/dev/deep/block", "major": 7, "minor": 200, "fileMode": 0o600},
                {"type": "p", "path": "/dev/pipe", "fileMode": 0o622},
                {"type": "u", "path": "/dev/unbuffered", "major": 1, "minor": 3},
            ]
        },
        look=("--list", "/dev/deep"),
    ),
    Case(
        name="device outside of /dev",
        changes={"linux.devices": [{"type": "c", "path": "/data/null", "major": 1, "minor": 3}]},
        look=("--list", "/data"),
    ),
    Case(
        name="default device named again",
        changes={"linux.devices": [{"type": "c", "path": "/dev/null", "major": 1, "minor": 3, "fileMode": 0o600}]},
    ),
)

KERNEL: Final = (
    Case(
        name="sysctl",
        changes={"linux.sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9000", "fs.mqueue.msg_max": "20"}},
        look=(
            *("--file", "/proc/sys/net/ipv4/ip_forward", "--file", "/proc/sys/kernel/msgmax"),
            *("--file", "/proc/sys/fs/mqueue/msg_max"),
        ),
    ),
    Case(
        name="sysctl with slashes",
        changes={"linux.sysctl": {"net/ipv4/conf/lo/forwarding": "1"}},
        look=("--file", "/proc/sys/net/ipv4/conf/lo/forwarding"),
    ),
    Case(name="sysctl of the host", changes={"linux.sysctl": {"vm.swappiness": "10"}}),
    Case(
        name="sysctl without the namespace",
        changes={"linux.namespaces": without("network"), "linux.sysctl": {"net.ipv4.ip_forward": "1"}},
    ),
    Case(
        name="memory and pids limits",
        changes={"linux.resources.memory": {"limit": 33554432}, "linux.resources.pids": {"limit": 20}},
        look=(
            *("--file", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "--file", "/sys/fs/cgroup/pids/pids.max"),
            *("--file", "/sys/fs/cgroup/memory.max", "--file", "/sys/fs/cgroup/pids.max"),
        ),
    ),
    Case(
        name="fork bomb within the pids limit",
        changes={"linux.resources.pids": {"limit": 10}},
        arguments=("/bin/payload", "forks", "50"),
    ),
    Case(name="cgroupsPath with two names", changes={"linux.cgroupsPath": "/@ID@/inner"}),
    Case(name="cgroupsPath absent", changes={"linux.cgroupsPath": DROP}),
    Case(name="descriptors not preserved", changes={}, fds=2),
    Case(name="descriptors preserved", changes={}, fds=2, options=("--preserve-fds", "2")),
    Case(name="no new keyring", changes={}, options=("--no-new-keyring",)),
)

SECCOMP: Final = (
    Case(
        name="seccomp report",
        changes=seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule("SCMP_ACT_ERRNO", "reboot")]),
    ),
    Case(
        name="seccomp report with new privileges",
        changes={
            **seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule("SCMP_ACT_ERRNO", "reboot")]),
            "process.noNewPrivileges": False,
        },
    ),
    Case(
        name="seccomp errno",
        changes=seccomp(
            defaultAction="SCMP_ACT_ALLOW",
            syscalls=[rule("SCMP_ACT_ERRNO", "mount", "no_such_call", errnoRet=42), rule("SCMP_ACT_ERRNO", "swapon")],
        ),
        arguments=TRY,
    ),
    Case(
        name="seccomp kill",
        changes=seccomp(
            defaultAction="SCMP_ACT_ALLOW",
            syscalls=[
                rule("SCMP_ACT_KILL", "reboot"),
                rule("SCMP_ACT_KILL_PROCESS", "bpf"),
                rule("SCMP_ACT_TRAP", "sync"),
            ],
        ),
        arguments=TRY,
    ),
    Case(
        name="seccomp by argument",
        changes=seccomp(
            defaultAction="SCMP_ACT_ALLOW",
            syscalls=[
                rule(
                    "SCMP_ACT_ERRNO",
                    "unshare",
                    args=[{"index": 0, "value": 0x10000000, "op": "SCMP_CMP_EQ"}],
                    errnoRet=13,
                ),
                rule(
                    "SCMP_ACT_ERRNO",
                    "personality",
                    args=[{"index": 0, "value": 0xFFFFFFFF, "valueTwo": 0xFFFFFFFF, "op": "SCMP_CMP_MASKED_EQ"}],
                ),
            ],
        ),
        arguments=TRY,
    ),
    Case(name="seccomp of podman", changes={}, podman=True, arguments=TRY),
    Case(name="seccomp of podman, reported", changes={}, podman=True),
    Case(
        name="seccomp of podman without a default errno",
        changes={"linux.seccomp.defaultErrnoRet": DROP},
        podman=True,
        arguments=TRY,
    ),
    Case(
        name="seccomp of podman with all capabilities",
        changes={"process.capabilities": DROP, "process.noNewPrivileges": False},
        podman=True,
        arguments=TRY,
    ),
)

REFUSALS: Final = (
    Case(name="args empty", changes={"process.args": []}),
    Case(name="args not found", changes={"process.args": ["no-such-program"]}),
    Case(name="args not executable", changes={"process.args": ["/etc/passwd"]}),
    Case(name="cwd not absolute", changes={"process.cwd": "tmp"}),
    Case(name="hostname without uts", changes={"linux.namespaces": without("uts")}),
    Case(name="unknown namespace", changes={"linux.namespaces+": [{"type": "galaxy"}]}),
    Case(name="namespace twice", changes={"linux.namespaces+": [{"type": "pid"}]}),
    Case(
        name="namespace path of another type", changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="@NET@")]}
    ),
    Case(name="rootfs missing", changes={"root.path": "nothing"}),
    Case(name="root missing", changes={"root": DROP}),
    Case(name="unknown rlimit", changes={"process.rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}),
    Case(
        name="rlimit twice",
        changes={"process.rlimits": [{"type": "RLIMIT_CORE", "soft": n, "hard": n} for n in (1, 0)]},
    ),
    Case(name="rlimit soft above hard", changes={"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]}),
    Case(
        name="user not mapped", changes={**USER_NAMESPACE, "process.user": {"uid": 70000, "gid": 0}}, owner=MAPPED_OWNER
    ),
    Case(
        name="hook with a relative path",
        changes={"hooks": {"createRuntime": [{"path": "rootfs/bin/payload", "args": ["p", "true"]}]}},
    ),
    Case(
        name="hook that fails",
        changes={"hooks": {"createRuntime": [{"path": "@PAYLOAD@", "args": ["p", "exit", "3"]}]}},
    ),
    Case(name="unknown property", changes={"unknown": {"x": 1}, "linux.unknown": [1]}),
)

CASES: Final = (
    *IDENTITY, *PRIVILEGES, *NAMESPACES, *MOUNTS, *DEVICES, *KERNEL, *SECCOMP, *REFUSALS,
)  # fmt: skip
