"""The configs of the differential test about namespaces: new, joined, of the host, with mappings and offsets."""

from __future__ import annotations

from typing import Final

from tests.bundles import DROP, Json, mount
from tests.peers.case import (
    BASE_NAMESPACES,
    MAPPED_OWNER,
    MAPS,
    THREE_SETS,
    USER,
    USER_NAMESPACE,
    Case,
    Changes,
    capabilities,
    namespaces,
    rule,
    seccomp,
    without,
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


def mapped(*ranges: tuple[int, int, int]) -> Json:
    """Make mappings from (id in the container, id on the host, how many)."""
    return [{"containerID": inside, "hostID": outside, "size": size} for inside, outside, size in ranges]


RANGES: Final = mapped((0, MAPPED_OWNER, 1000), (1000, 300000, 1), (1001, MAPPED_OWNER + 1000, 60000))
USER_RANGES: Final[Changes] = {**USER_NAMESPACE, "linux.uidMappings": RANGES, "linux.gidMappings": RANGES}
TIME: Final[Changes] = {"linux.namespaces": namespaces(*BASE_NAMESPACES, "time")}

MORE_NAMESPACES: Final = (
    Case(name="namespaces all", changes={"linux.namespaces": namespaces(*BASE_NAMESPACES, "cgroup")}),
    Case(
        name="time namespace with negative offsets",
        changes={**TIME, "linux.timeOffsets": {"monotonic": {"secs": -10, "nanosecs": 9}, "boottime": {"secs": -1}}},
    ),
    Case(name="time namespace joined", changes={"linux.namespaces": [*without(), *namespaces(time="@TIME@")]}),
    Case(name="offsets without a time namespace", changes={"linux.timeOffsets": {"monotonic": {"secs": 5}}}),
    Case(name="cgroup joined", changes={"linux.namespaces": [*without(), *namespaces(cgroup="@CGROUP@")]}),
    Case(
        name="network, ipc and uts joined",
        changes={
            "linux.namespaces": namespaces("mount", "pid", network="@NET@", ipc="@IPC@", uts="@UTS@"),
            "hostname": DROP,
        },
    ),
    Case(
        name="namespace of the host joined",
        changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="/proc/1/ns/ipc")]},
    ),
    Case(
        name="namespace path that is missing",
        changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="/nowhere")]},
    ),
    Case(
        name="namespace path that is relative",
        changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="rootfs/secret")]},
    ),
    Case(
        name="namespace path that is a file",
        changes={"linux.namespaces": [*without("ipc"), *namespaces(ipc="/etc/passwd")]},
    ),
    Case(name="user namespace with ranges", changes=USER_RANGES, owner=MAPPED_OWNER),
    Case(name="user namespace with ranges, of a user", changes={**USER_RANGES, **USER}, owner=MAPPED_OWNER),
    Case(
        name="user namespace with a hole",
        changes={**USER_NAMESPACE, "linux.uidMappings": mapped((0, MAPPED_OWNER, 1), (1000, 200000, 1))},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with other groups",
        changes={**USER_NAMESPACE, "linux.gidMappings": mapped((0, 200000, 65536))},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace of the host's ids",
        changes={
            **USER_NAMESPACE,
            "linux.uidMappings": mapped((0, 0, 65536)),
            "linux.gidMappings": mapped((0, 0, 65536)),
        },
    ),
    Case(
        name="user namespace and cgroup namespace",
        changes={**USER_NAMESPACE, "linux.namespaces": namespaces(*BASE_NAMESPACES, "user", "cgroup")},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace and ipc of the host",
        changes={**USER_NAMESPACE, "linux.namespaces": [*without("ipc"), *namespaces("user")]},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace and pid of the host",
        changes={**USER_NAMESPACE, "linux.namespaces": [*without("pid"), *namespaces("user")]},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace and uts joined",
        changes={
            **USER_NAMESPACE,
            "linux.namespaces": [*without("uts"), *namespaces("user", uts="@UTS@")],
            "hostname": DROP,
        },
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with limits and groups",
        changes={
            **USER_NAMESPACE,
            "process.user": {"uid": 7, "gid": 8, "additionalGids": [9, 10], "umask": 0o27},
            "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128}],
            "process.oomScoreAdj": 300,
        },
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with sysctl",
        changes={**USER_NAMESPACE, "linux.sysctl": {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}},
        look=("--file", "/proc/sys/net/ipv4/ip_forward", "--file", "/proc/sys/kernel/shm_rmid_forced"),
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with mounts",
        changes={
            **USER_NAMESPACE,
            "mounts+": [
                mount("/mnt", "tmpfs", "tmpfs", "uid=5", "gid=6", "mode=750", "nosuid"),
                mount("/data", "bind", "@BUNDLE@/rootfs/secrets", "rbind", "ro"),
            ],
        },
        look=("--probe", "/mnt", "--probe", "/data"),
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with a device",
        changes={**USER_NAMESPACE, "linux.devices": [{"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}]},
        owner=MAPPED_OWNER,
    ),
    Case(name="user namespace, root read-only", changes={**USER_NAMESPACE, "root.readonly": True}, owner=MAPPED_OWNER),
    Case(
        name="user namespace with capabilities",
        changes={**USER_NAMESPACE, **capabilities(**{name: ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"] for name in THREE_SETS})},
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with seccomp",
        changes={
            **USER_NAMESPACE,
            **seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule("SCMP_ACT_ERRNO", "reboot")]),
            "process.noNewPrivileges": False,
        },
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with a sysctl of its own",
        changes={**USER_NAMESPACE, "linux.sysctl": {"user.max_user_namespaces": "3"}},
        look=("--file", "/proc/sys/user/max_user_namespaces"),
        owner=MAPPED_OWNER,
    ),
    Case(
        name="user namespace with a scheduler",
        changes={**USER_NAMESPACE, "process.scheduler": {"policy": "SCHED_OTHER", "nice": -3}},
        owner=MAPPED_OWNER,
    ),
    Case(name="user namespace without mappings", changes={"linux.namespaces+": [{"type": "user"}]}),
    Case(
        name="user namespace with mappings of users alone",
        changes={"linux.namespaces+": [{"type": "user"}], "linux.uidMappings": MAPS},
    ),
    Case(name="mappings without a user namespace", changes={"linux.uidMappings": MAPS, "linux.gidMappings": MAPS}),
    Case(
        name="mappings that overlap",
        changes={**USER_NAMESPACE, "linux.uidMappings": mapped((0, MAPPED_OWNER, 10), (5, 300000, 10))},
    ),
    Case(name="hostname and domainname", changes={"hostname": "h", "domainname": "d.example"}),
    Case(name="hostname absent", changes={"hostname": DROP}),
    Case(name="hostname empty", changes={"hostname": ""}),
    Case(name="hostname of 64 characters", changes={"hostname": "h" * 64}),
    Case(name="hostname too long", changes={"hostname": "h" * 65}),
    Case(
        name="hostname with uts joined",
        changes={"linux.namespaces": [*without("uts"), *namespaces(uts="@UTS2@")], "hostname": "set"},
    ),
    Case(
        name="domainname without uts", changes={"linux.namespaces": without("uts"), "hostname": DROP, "domainname": "d"}
    ),
)
