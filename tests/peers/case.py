"""One config of the differential test, and short ways to write what it changes in the base config."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.bundles import Drop, Json, mapping, mount, sequence

Changes: TypeAlias = "Mapping[str, Json | Drop]"

BASE_NAMESPACES: Final = ("pid", "network", "ipc", "uts", "mount")
BASE_LOOK: Final = (
    *("--list", "/dev", "--list", "/dev/pts", "--probe", "/dev/shm", "--probe", "/proc/kcore", "--probe", "/proc/keys"),
    *("--probe", "/proc/sysrq-trigger", "--probe", "/proc/sys/kernel/hostname", "--probe", "/sys/firmware"),
    *("--probe", "/etc/hostname", "--probe", "/"),
)
FIVE_SETS: Final = ("bounding", "permitted", "effective", "inheritable", "ambient")
THREE_SETS: Final = ("bounding", "permitted", "effective")
MAPPED_OWNER: Final = 100000
PODMAN_PROFILE: Final = "/usr/share/containers/seccomp.json"
ARCHITECTURES: Final[Mapping[str, tuple[str, Sequence[str]]]] = {  # the profile's name, and what a config says
    "x86_64": ("amd64", ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32")),
    "aarch64": ("arm64", ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM")),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One config.

    owner: who owns the root file system. fds: how many descriptors to hand over from 3 on.
    terminal: it gets one, whose master side is read.
    podman: linux.seccomp is podman's default profile. arguments: the program, instead of `payload report`.
    """

    name: str
    changes: Changes
    look: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    owner: int = 0
    fds: int = 0
    podman: bool = False
    terminal: bool = False
    arguments: tuple[str, ...] | None = None

    def all_changes(self) -> dict[str, Json | Drop]:
        """Return the changes with the process's arguments among them, unless they set these themselves."""
        arguments = self.arguments or ("/bin/payload", "report", *BASE_LOOK, *self.look)
        profile: Changes = {"linux.seccomp": podman_profile()} if self.podman else {}
        return {"process.args": arguments, **profile, **self.changes}


def namespaces(*kinds: str, **joined: str) -> list[Json]:
    """Make linux.namespaces: new ones by kind, joined ones by kind and path."""
    return [*({"type": kind} for kind in kinds), *({"type": kind, "path": path} for kind, path in joined.items())]


def without(*kinds: str) -> list[Json]:
    """Make linux.namespaces: those of the base config without some."""
    return namespaces(*(kind for kind in BASE_NAMESPACES if kind not in kinds))


def capabilities(**sets: Sequence[str]) -> Changes:
    """Set process.capabilities."""
    return {"process.capabilities": {name: list(members) for name, members in sets.items()}}


def seccomp(**members: Json) -> Changes:
    """Set linux.seccomp."""
    return {"linux.seccomp": members}


def rule(action: str, *names: str, **more: Json) -> Json:
    """Make one entry of linux.seccomp.syscalls."""
    return {"names": names, "action": action, **more}


def podman_profile() -> Json:
    """Make linux.seccomp as podman does from its default profile, for this machine and no added capability.

    FileNotFoundError when podman's files are not installed.
    """
    with open(PODMAN_PROFILE, encoding="utf-8") as file:
        profile: Mapping[str, Json] = json.load(file)
    name, architectures = ARCHITECTURES[platform.machine()]
    chosen: list[Json] = []
    for entry in map(mapping, sequence(profile["syscalls"])):
        include = mapping(entry.get("includes") or {})
        exclude = mapping(entry.get("excludes") or {})
        wanted = name in sequence(include.get("arches") or [name]) and name not in sequence(exclude.get("arches") or [])
        if wanted and not include.get("caps"):
            kept = ("names", "action", "args", "errnoRet")
            chosen.append({key: entry[key] for key in kept if entry.get(key) is not None})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        "architectures": architectures,
        "syscalls": chosen,
    }


SECCOMP_TRIALS: Final = (
    *("mount", "unshare", "unshare_user", "keyctl", "bpf", "clone3", "ptrace", "reboot", "swapon", "setns"),
    *("settimeofday", "unknown", "getpid", "personality", "open_by_handle_at", "userfaultfd", "socket_vsock"),
    *("io_uring_setup", "fsopen", "openat2", "pivot_root", "sync"),
)
TRY: Final = ("/bin/payload", "try-syscall", *SECCOMP_TRIALS)
USER: Final[Changes] = {"process.user": {"uid": 1000, "gid": 1000}}
MAPS: Final[Json] = [{"containerID": 0, "hostID": MAPPED_OWNER, "size": 65536}]
USER_NAMESPACE: Final[Changes] = {
    "linux.namespaces+": [{"type": "user"}],
    "linux.uidMappings": MAPS,
    "linux.gidMappings": MAPS,
}


def bind(source: str, destination: str, *options: str) -> Changes:
    """Add a bind mount of something in the bundle."""
    return {"mounts+": [mount(destination, "bind", source, *options)]}


def tmpfs(destination: str, *options: str) -> Changes:
    """Add a tmpfs."""
    return {"mounts+": [mount(destination, "tmpfs", "tmpfs", *options)]}
