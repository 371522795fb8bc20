"""The configuration that ``slinger spec`` writes, for a person to start from: that of ``runc spec``."""

from __future__ import annotations

from slinger.spec.jsontext import dump_pretty
from slinger.version import SPEC_VERSION

_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
# What tells about, or changes, the host: there is no namespace for it.
_MASKED = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/sys/firmware",
    "/proc/scsi",
]
_READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def default_config(*, rootless: tuple[int, int] | None = None, cgroup_v2: bool = True) -> str:
    """The text of a config.json, ending in a newline.

    ``rootless`` is the uid and gid of a caller who is not root: a user namespace that maps them to root, no
    network namespace of its own, no resources. ``cgroup_v2``: the host has the unified hierarchy.
    """
    config: dict[str, object] = {
        "ociVersion": SPEC_VERSION,
        "process": _process(),
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "slinger",
        "mounts": _mounts(rootless=rootless is not None),
        "linux": _linux(rootless, cgroup_v2=cgroup_v2),
    }
    return dump_pretty(config, "\t") + "\n"


def _process() -> dict[str, object]:
    return {
        "terminal": True,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {"bounding": _CAPABILITIES, "effective": _CAPABILITIES, "permitted": _CAPABILITIES},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    }


def _mounts(*, rootless: bool) -> list[dict[str, object]]:
    terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    mounts: list[dict[str, object]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        # gid 5 is the group tty by custom; a user namespace with one id has no such group.
        _mount("/dev/pts", "devpts", "devpts", *terminals, *(() if rootless else ("gid=5",))),
        _mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),  # noqa: S108  the container's
        _mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    ]
    if rootless:  # a new sysfs needs a network namespace of one's own
        mounts.append(_mount("/sys", "none", "/sys", "rbind", "nosuid", "noexec", "nodev", "ro"))
    else:
        mounts.append(_mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"))
    mounts.append(_mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"))
    return mounts


def _mount(destination: str, kind: str, source: str, *options: str) -> dict[str, object]:
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def _linux(rootless: tuple[int, int] | None, *, cgroup_v2: bool) -> dict[str, object]:
    kinds = ["pid", "network", "ipc", "uts", "mount"]
    if cgroup_v2:
        kinds.append("cgroup")
    linux: dict[str, object] = {}
    if rootless is None:
        linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    else:
        uid, gid = rootless
        linux["uidMappings"] = [{"containerID": 0, "hostID": uid, "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": gid, "size": 1}]
        kinds.remove("network")
        kinds.append("user")
    linux["namespaces"] = [{"type": kind} for kind in kinds]
    linux["maskedPaths"] = _MASKED
    linux["readonlyPaths"] = _READONLY
    return linux
