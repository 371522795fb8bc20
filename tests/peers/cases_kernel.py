"""The configs of the differential test about devices, sysctl, resources, descriptors and hooks."""

from __future__ import annotations

from typing import Final

from tests.bundles import DROP, Json
from tests.peers.case import (
    Case,
    Changes,
    namespaces,
    without,
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


def device(kind: str, path: str, **more: Json) -> Json:
    """Make one entry of linux.devices."""
    return {"type": kind, "path": path, **more}


def one_device(kind: str, path: str, **more: Json) -> Changes:
    """Set linux.devices to one device."""
    return {"linux.devices": [device(kind, path, **more)]}


def rules(*entries: Json) -> Changes:
    """Set linux.resources.devices."""
    return {"linux.resources.devices": list(entries)}


LOCAL: Final = {"major": 241, "minor": 5}  # no such device: opening it is ENXIO, or EPERM where a rule forbids it
SEE: Final = ("--probe", "/dev/x")
DENY: Final[Json] = {"allow": False, "access": "rwm"}

MORE_DEVICES: Final = (
    Case(
        name="devices of every kind",
        changes={
            "linux.devices": [
                device("c", "/dev/c", major=1, minor=3),
                device("u", "/dev/u", major=1, minor=5),
                device("b", "/dev/b", **LOCAL),
                device("p", "/dev/p"),
                device("c", "/dev/zero mode", major=1, minor=3, fileMode=0),
                device("c", "/dev/sticky", major=1, minor=3, fileMode=0o1666),
                device("c", "/dev/typed", major=1, minor=3, fileMode=0o20640),
                device("p", "/dev/owned", fileMode=0o666, uid=1000, gid=5),
            ]
        },
    ),
    Case(name="device of an unknown type", changes=one_device("x", "/dev/x", major=1, minor=3)),
    Case(name="device of type a", changes=one_device("a", "/dev/x", major=1, minor=3)),
    Case(name="device without numbers", changes=one_device("c", "/dev/x")),
    Case(
        name="device path with dots",
        changes=one_device("c", "/dev/../data/x", major=1, minor=3),
        look=("--list", "/data"),
    ),
    Case(
        name="device path that is relative",
        changes=one_device("c", "data/x", major=1, minor=3),
        look=("--list", "/data"),
    ),
    Case(name="device below a link", changes=one_device("c", "/link/x", major=1, minor=3), look=("--list", "/secrets")),
    Case(
        name="device where a file is", changes=one_device("c", "/secret", major=1, minor=3), look=("--probe", "/secret")
    ),
    Case(
        name="device twice",
        changes={"linux.devices": [device("p", "/dev/x", fileMode=0o600), device("p", "/dev/x", fileMode=0o644)]},
        look=SEE,
    ),
    Case(
        name="device and umask",
        changes={**one_device("c", "/dev/x", major=1, minor=3, fileMode=0o666), "process.user.umask": 0o77},
        look=SEE,
    ),
    Case(
        name="default device with another number",
        changes=one_device("c", "/dev/full", major=1, minor=5),
        look=("--probe", "/dev/full"),
    ),
    Case(name="devices empty", changes={"linux.devices": []}),
    Case(name="device forbidden", changes=one_device("b", "/dev/x", **LOCAL), look=SEE),
    Case(
        name="device allowed",
        changes={
            **one_device("b", "/dev/x", **LOCAL),
            **rules(DENY, {"allow": True, "type": "b", "major": 241, "minor": 5, "access": "rwm"}),
        },
        look=SEE,
    ),
    Case(
        name="device allowed by major",
        changes={
            **one_device("b", "/dev/x", **LOCAL),
            **rules(DENY, {"allow": True, "type": "b", "major": 241, "access": "rw"}),
        },
        look=SEE,
    ),
    Case(
        name="device allowed to read",
        changes={
            **one_device("b", "/dev/x", **LOCAL),
            **rules(DENY, {"allow": True, "type": "b", "major": 241, "minor": 5, "access": "r"}),
        },
        look=SEE,
    ),
    Case(
        name="device allowed by type",
        changes={**one_device("b", "/dev/x", **LOCAL), **rules(DENY, {"allow": True, "type": "b", "access": "rwm"})},
        look=SEE,
    ),
    Case(
        name="devices all allowed",
        changes={**one_device("b", "/dev/x", **LOCAL), **rules({"allow": True, "access": "rwm"})},
        look=SEE,
    ),
    Case(
        name="device allowed, then denied",
        changes={
            **one_device("b", "/dev/x", **LOCAL),
            **rules(
                DENY,
                {"allow": True, "type": "b", "major": 241, "minor": 5, "access": "rwm"},
                {"allow": False, "type": "b", "major": 241, "minor": 5, "access": "rw"},
            ),
        },
        look=SEE,
    ),
    Case(name="device rules absent", changes={**one_device("b", "/dev/x", **LOCAL), "linux.resources": DROP}, look=SEE),
)


def sysctl(name: str, value: str) -> Case:
    """Make a case of one setting, looked at afterwards."""
    return Case(
        name=f"sysctl {name}={value}",
        changes={"linux.sysctl": {name: value}},
        look=("--file", f"/proc/sys/{name.replace('.', '/')}"),
    )


# A hook has to read its stdin: crun 1.8 fails when it cannot write the state.
def hook(stage: str, *words: str, **more: Json) -> Changes:
    """Set hooks to one hook, the payload."""
    path = "/bin/payload" if stage == "startContainer" else "@PAYLOAD@"
    return {f"hooks.{stage}": [{"path": path, "args": ["payload", *words], **more}]}


END: Final = ("/bin/payload", "true")
STAGES: Final = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")

SETTINGS: Final = {
    "kernel.shm_rmid_forced": "1",
    "kernel.sem": "250 32000 32 100",
    "kernel.shmmax": "1048576",
    "fs.mqueue.queues_max": "7",
    "net.core.somaxconn": "77",
    "net.ipv4.ping_group_range": "0 5",
}

MORE_KERNEL: Final = (
    Case(
        name="sysctl of many",
        changes={"linux.sysctl": SETTINGS},
        look=tuple(word for name in SETTINGS for word in ("--file", f"/proc/sys/{name.replace('.', '/')}")),
    ),
    *(
        sysctl(name, value)
        for name, value in (
            *(("kernel.domainname", "of.sysctl"), ("kernel.hostname", "of-sysctl"), ("net.ipv4.no_such_setting", "1")),
            *(("kernel.shmmax", "a lot"), ("kernel.panic", "7"), ("user.max_user_namespaces", "3"), ("", "1")),
        )
    ),
    Case(
        name="sysctl of ipc of the host",
        changes={"linux.namespaces": without("ipc"), "linux.sysctl": {"kernel.shmmax": "1048576"}},
    ),
    Case(
        name="sysctl of a joined network",
        changes={
            "linux.namespaces": [*without("network"), *namespaces(network="@NET@")],
            "linux.sysctl": {"net.ipv4.conf.lo.forwarding": "0"},
        },
    ),
    Case(
        name="sysctl domainname without uts",
        changes={"linux.namespaces": without("uts"), "hostname": DROP, "linux.sysctl": {"kernel.domainname": "x"}},
    ),
    Case(
        name="cpu limits",
        changes={"linux.resources.cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"}},
        look=("--file", "/sys/fs/cgroup/cpu/cpu.shares", "--file", "/sys/fs/cgroup/cpuset/cpuset.cpus"),
    ),
    Case(name="cpu bad cpuset", changes={"linux.resources.cpu": {"cpus": "none"}}),
    Case(name="memory below what is needed", changes={"linux.resources.memory": {"limit": 4096}}),
    Case(name="block weight", changes={"linux.resources.blockIO": {"weight": 100}}),
    Case(name="network class", changes={"linux.resources.network": {"classID": 1048577}}),
    Case(name="unified resources", changes={"linux.resources.unified": {"memory.high": "1000000"}}),
    Case(
        name="resources of an absent controller",
        changes={"linux.resources.hugepageLimits": [{"pageSize": "2MB", "limit": 0}]},
    ),
    Case(name="annotations", changes={"annotations": {"org.example.key": "value", "empty": ""}}),
    Case(name="intelRdt", changes={"linux.intelRdt": {"closID": "guaranteed"}}),
    Case(name="descriptors preserved that are not there", changes={}, options=("--preserve-fds", "3"), arguments=END),
    Case(name="descriptors preserved, not all", changes={}, fds=3, options=("--preserve-fds", "1")),
    Case(
        name="hooks of all stages",
        changes={key: value for stage in STAGES for key, value in hook(stage, "hook-report", "/dev/null").items()},
    ),
    *(Case(name=f"hook that fails in {stage}", changes=hook(stage, "exit", "3"), arguments=END) for stage in STAGES),
    *(
        Case(name=f"hook that is too slow in {stage}", changes=hook(stage, "sleep", "30", timeout=1))
        for stage in ("startContainer",)
    ),
    *(
        Case(
            name=f"hook missing in {stage}",
            changes={f"hooks.{stage}": [{"path": "/no/such/hook"}]},
            arguments=END,
        )
        for stage in STAGES
    ),
    Case(
        name="hook that writes before the pivot",
        changes=hook("createContainer", "hook-report", "@BUNDLE@/rootfs/data/by-hook"),
        look=("--list", "/data"),
    ),
    Case(
        name="hook that writes at start",
        changes=hook("startContainer", "hook-report", "/data/by-hook"),
        look=("--list", "/data"),
    ),
    Case(
        name="hook that writes at start as the user",
        changes={
            **hook("startContainer", "hook-report", "/tmp/by-hook"),
            "process.user": {"uid": 1000, "gid": 1000, "umask": 0o77},
        },
        look=("--list", "/tmp"),
    ),
)
