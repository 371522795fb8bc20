"""Configurations whose plans are kept as text in plans/, each with the machine and the caller that it is for.

To add one: a row in SAMPLES, then `pytest tests/golden --golden-update`, then read the new file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from slinger.hooks.placing import place
from slinger.hooks.recording import Setting
from slinger.plan.compile import compile_plan
from slinger.plan.enter import Target, enter_plan
from slinger.plan.facts import Facts, Hierarchy, Options, SeccompProgram
from slinger.plan.plan import Plan
from slinger.spec.default import default_config
from slinger.spec.parse import parse_config
from slinger.spec.validate import validate
from tests.bundles import DROP, Drop, Json, changed, mount

V2: Final = (Hierarchy("/sys/fs/cgroup", (), 2, "/box"),)
V1: Final = (
    Hierarchy("/sys/fs/cgroup/cpu,cpuacct", ("cpu", "cpuacct"), 1, "/box"),
    Hierarchy("/sys/fs/cgroup/memory", ("memory",), 1, "/deep/box"),
    Hierarchy("/sys/fs/cgroup/systemd", ("name=systemd",), 1, "/box"),
)
HYBRID: Final = (*V1, Hierarchy("/sys/fs/cgroup/unified", (), 2, "/box"))
CALLER: Final = ("PATH=/usr/bin", "LANG=C")
FACTS: Final = Facts(rootfs="/bundle/rootfs", hierarchies=V2)
ROOTLESS: Final = FACTS.replace(euid=1000, egid=1000, capabilities=0)
OPTIONS: Final = Options(container_id="box", bundle="/bundle", console=True, environment=CALLER)
MAPPED: Final = [{"containerID": 0, "hostID": 100_000, "size": 65536}]
IDS: Final = [{"containerID": 0, "hostID": 7, "size": 1}, {"containerID": 1, "hostID": 100_001, "size": 9}]
BASE: Final[dict[str, Json]] = {
    "ociVersion": "1.3.0",
    "process": {
        "user": {"uid": 0, "gid": 0},
        "args": ["/bin/program", "argument"],
        "env": ["PATH=/bin:/usr/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), ("CAP_CHOWN", "CAP_KILL")),
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs"},
    "hostname": "box",
    "mounts": [
        mount("/proc", "proc", "proc"),
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
    ],
    "linux": {
        "cgroupsPath": "/box",
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": ["/proc/kcore", "/sys/firmware"],
        "readonlyPaths": ["/proc/sys"],
    },
}
SECCOMP: Final = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"]}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A document, and what else a plan rests on."""

    document: dict[str, Json]
    facts: Facts = FACTS
    options: Options = field(default=OPTIONS)

    def compile(self) -> Plan:
        """The plan, as create would make it; the document must be valid without a warning."""
        config, warnings = parse_config(json.dumps(self.document).encode())
        assert (*warnings, *validate(config, rootless=self.facts.rootless)) == ()
        return compile_plan(config, self.options, self.facts, place(config, Setting(self.options, self.facts.rootfs)))


@dataclass(frozen=True, kw_only=True)
class Entered:
    """One more process, that of the document, in the container of the document."""

    inside: Sample
    target: Target

    def compile(self) -> Plan:
        """The plan, as exec would make it."""
        config, _ = parse_config(json.dumps(self.inside.document).encode())
        assert config.process is not None
        return enter_plan(config, config.process, self.inside.options, self.inside.facts, self.target)


def based(changes: dict[str, Json | Drop], facts: Facts = FACTS, **options: str | int | bool) -> Sample:
    """BASE, changed."""
    return Sample(document=changed(BASE, changes), facts=facts, options=OPTIONS.replace(**options))


def default(*, rootless: tuple[int, int] | None = None, cgroup_v2: bool = True) -> dict[str, Json]:
    """What `slinger spec` writes."""
    document: dict[str, Json] = json.loads(default_config(rootless=rootless, cgroup_v2=cgroup_v2))
    return document


def namespaces(*kinds: str, **paths: str) -> list[Json]:
    """New namespaces, and those with a path."""
    return [*({"type": kind} for kind in kinds), *({"type": kind, "path": path} for kind, path in paths.items())]


HOOKS: Final[dict[str, Json]] = {
    "prestart": [{"path": "/opt/prestart"}],
    "createRuntime": [{"path": "/opt/a", "args": ["a", "1"], "timeout": 5}, {"path": "/opt/b", "env": []}],
    "createContainer": [{"path": "/opt/c", "env": ["A=1"]}, {"path": "/opt/d"}],
    "startContainer": [{"path": "/sbin/ldconfig"}, {"path": "/sbin/e", "env": []}],
    "poststart": [{"path": "/opt/f"}],
    "poststop": [{"path": "/opt/g", "timeout": 9}],
}

PODMAN: Final[dict[str, Json | Drop]] = {
    "annotations": {"io.container.manager": "libpod", "org.opencontainers.image.stopSignal": "15"},
    "hostname": "0123456789ab",
    "process.user": {"uid": 1000, "gid": 1000, "umask": 18, "additionalGids": [10, 1000]},
    "process.oomScoreAdj": 0,
    "process.cwd": "/home/user",
    "process.env+": ["HOME=", "container=podman", "TERM=dumb"],
    "process.rlimits+": [{"type": "RLIMIT_NPROC", "soft": 4096, "hard": 2**64 - 1}],
    "process.noNewPrivileges": False,
    "process.capabilities.ambient": ["CAP_KILL"],
    "process.capabilities.inheritable": ["CAP_KILL"],
    "mounts+": [
        mount("/etc/resolv.conf", "bind", "/run/box/resolv.conf", "bind", "rprivate"),
        mount("/etc/hosts", "bind", "/run/box/hosts", "bind", "rprivate"),
        mount("/run/.containerenv", "bind", "/run/box/.containerenv", "bind", "rprivate", "noexec"),
        mount("/data", "bind", "data", "rbind", "rslave", "rro"),
        mount("/var/cache", "tmpfs", "tmpfs", "rw", "nosuid", "tmpcopyup", "size=1m"),
    ],
    "linux.devices": [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666, "uid": 0, "gid": 0},
        {"path": "/dev/loop7", "type": "b", "major": 7, "minor": 7},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o600, "uid": 7, "gid": 8},
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600},
    ],
    "linux.sysctl": {"net.ipv4.ping_group_range": "0 0", "kernel/msgmax": "65536"},
    "linux.namespaces": namespaces("pid", "ipc", "uts", "mount", "cgroup", network="/run/netns/box"),
    "linux.seccomp": SECCOMP,
}

EVERYTHING: Final[dict[str, Json | Drop]] = {
    "root.readonly": True,
    "domainname": "example.org",
    "process.apparmorProfile": "box-default",
    "process.scheduler": {"policy": "SCHED_RR", "priority": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
    "process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "process.args": ["sh", "-c", "echo one\necho two"],
    "linux.namespaces+": [{"type": "time"}, {"type": "cgroup"}],
    "linux.timeOffsets": {"monotonic": {"secs": 7, "nanosecs": 5}, "boottime": {"secs": -1}},
    "linux.personality": {"domain": "LINUX32"},
    "linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]},
    "linux.rootfsPropagation": "rshared",
    "mounts+": [
        mount("/proc/scsi", "none", "none", "remount", "ro", "nosuid"),
        mount("/ro", "tmpfs", "tmpfs", "ro", "mode=700"),
        mount("/slave", "tmpfs", "tmpfs", "shared", "rslave"),
        mount("/rec", "tmpfs", "tmpfs", "rnoexec", "noatime"),
    ],
}

SAMPLES: Final[dict[str, Sample]] = {
    "default": Sample(document=default()),
    "default-rootless": Sample(document=default(rootless=(1000, 1000)), facts=ROOTLESS),
    "podman": based(
        PODMAN, FACTS.replace(seccomp=SeccompProgram(b"\6\0\0\0\0\0\xff\x7f", 1)), preserve_fds=1, listen_fds=2
    ),
    "user-namespace": based(
        {
            "linux.namespaces+": [{"type": "user"}],
            "linux.uidMappings": MAPPED,
            "linux.gidMappings": MAPPED,
            "process.capabilities.permitted": ["CAP_SYS_ADMIN", "CAP_KILL"],
        }
    ),
    "joined": based(
        {
            "linux.namespaces": namespaces(
                "mount", "uts", network="/run/netns/a", pid="/proc/7/ns/pid", ipc="/proc/7/ns/ipc"
            )
        },
    ),
    "joined-user": based(
        {"linux.namespaces": namespaces("mount", "pid", "uts", user="/proc/7/ns/user", network="/proc/7/ns/net")},
    ),
    "joined-user-rootless": based(
        {
            "linux.namespaces": namespaces("mount", "pid", "uts", network="/proc/7/ns/net", user="/proc/7/ns/user"),
            "linux.resources": DROP,
        },
        ROOTLESS,
    ),
    "joined-own": based(
        {"linux.namespaces": namespaces("mount", "pid", network="/proc/self/ns/net", uts="/proc/7/ns/uts")},
        FACTS.replace(joined=("network",)),
    ),
    "no-mount-namespace": based(
        {
            "linux.namespaces": namespaces("pid", "uts"),
            "mounts": [],
            "linux.maskedPaths": [],
            "linux.readonlyPaths": [],
        },
    ),
    "net-devices": based({"linux.netDevices": {"eth7": {"name": "eth0"}}, "hooks": HOOKS}),
    "net-devices-joined": based(
        {
            "linux.netDevices": {"eth7": {}},
            "linux.namespaces": namespaces("mount", "pid", "uts", "user", network="/run/netns/a"),
            "linux.uidMappings": MAPPED,
            "linux.gidMappings": MAPPED,
        }
    ),
    "hooks": based({"hooks": HOOKS, "annotations": {"a": "b"}}),
    "cgroup-v1": based({}, FACTS.replace(hierarchies=V1)),
    "cgroup-v1-namespace": based({"linux.namespaces+": [{"type": "cgroup"}]}, FACTS.replace(hierarchies=V1)),
    "cgroup-hybrid": based({}, FACTS.replace(hierarchies=HYBRID)),
    "terminal": based(
        {"process.terminal": True, "process.env": [], "process.consoleSize": {"height": 40, "width": 100}}
    ),
    "terminal-of-the-caller": based(
        {"process.terminal": True}, FACTS.replace(terminal_size=(24, 80)), no_pivot=True, no_new_keyring=True
    ),
    "host-dev": based({"mounts+": [mount("/dev", "none", "/dev", "rbind", "rslave")], "process.terminal": True}),
    "everything": based(EVERYTHING, FACTS.replace(apparmor=True)),
    "idmap": based(
        {
            "linux.namespaces+": [{"type": "user"}],
            "linux.uidMappings": MAPPED,
            "linux.gidMappings": MAPPED,
            "mounts+": [
                mount("/volume", "bind", "/srv/volume", "rbind", "ridmap"),
                mount("/again", "bind", "again", "bind", "idmap", "ro"),
                {**mount("/own", "bind", "/srv/own", "bind"), "uidMappings": IDS, "gidMappings": IDS},
            ],
        }
    ),
    "selinux": based(
        {
            "process.selinuxLabel": "system_u:system_r:container_t:s0:c4,c5",
            "linux.mountLabel": "system_u:object_r:container_file_t:s0:c4,c5",
            "linux.namespaces+": [{"type": "cgroup"}],
            "mounts+": [
                mount("/dev/mqueue", "mqueue", "mqueue", "nosuid"),
                mount("/own", "tmpfs", "tmpfs", 'context="system_u:object_r:tmp_t:s0:c1,c2"', "size=1m"),
                mount("/data", "bind", "/srv/data", "rbind"),
            ],
        },
        FACTS.replace(selinux=True, hierarchies=V1),
    ),
    "no-process": based({"process": DROP}),
}

ENTERED: Final[dict[str, Entered]] = {
    "exec": Entered(inside=SAMPLES["everything"], target=Target(7, ("pid", "network", "ipc", "uts", "mount"))),
    "exec-selinux": Entered(inside=SAMPLES["selinux"], target=Target(7, ("pid", "mount"))),
    "exec-user": Entered(inside=SAMPLES["podman"], target=Target(7, ("user", "pid", "mount"))),
    "exec-user-rootless": Entered(inside=SAMPLES["default-rootless"], target=Target(7, ("pid", "mount", "user"))),
    "exec-no-mount-namespace": Entered(inside=SAMPLES["no-mount-namespace"], target=Target(7, ("pid",))),
    "exec-no-namespace": Entered(inside=SAMPLES["no-mount-namespace"], target=Target(7, ())),
}
