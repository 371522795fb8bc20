"""Facts for compile: what this machine offers and who we are on it."""

from __future__ import annotations

import os

from slinger.errors import ConfigError, HostError
from slinger.host import probe
from slinger.plan.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Hierarchy, SeccompProgram
    from slinger.spec.config import Config

NAMESPACE_FILES = {"network": "net", "mount": "mnt"}
WATCHED = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time")


def find_rootfs(config: Config, bundle: str) -> str:
    """root.path, absolute and resolved. ConfigError if it is no directory, HostError if the path is no text."""
    path = os.path.realpath(os.path.join(bundle, config.root.path))
    if not os.path.isdir(path):
        why = "not a directory" if os.path.exists(path) else "no such file or directory"
        raise ConfigError("root.path", f"{path}: {why}", hint="the bundle needs its root file system there")
    for place in (bundle, path):
        try:
            place.encode()
        except UnicodeEncodeError:
            # The state that hooks and engines read is JSON, and so is our own record.
            raise HostError(f"the bundle {place!r}: its path is not UTF-8", hint="rename it") from None
    return path


def joined_types(config: Config) -> tuple[str, ...]:
    """Types whose path is a namespace that we are in already: nothing to enter, and EINVAL for a user namespace."""
    same: list[str] = []
    for index, namespace in enumerate(config.linux.namespaces):
        if not namespace.path:
            continue
        try:
            theirs = os.stat(namespace.path)
        except OSError as error:
            path = f"linux.namespaces[{index}].path"
            raise ConfigError(path, f"{namespace.path}: {(error.strerror or '').lower()}") from error
        ours = os.stat(f"/proc/self/ns/{NAMESPACE_FILES.get(namespace.type, namespace.type)}")
        if (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino):
            same.append(namespace.type)
    return tuple(same)


def differing_types(pid: int) -> tuple[str, ...]:
    """The types of a process's namespaces that are not ours. HostError if they cannot be read."""
    different: list[str] = []
    types = {file: kind for kind, file in NAMESPACE_FILES.items()}
    for name in WATCHED:
        try:
            if os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}"):
                different.append(types.get(name, name))
        except FileNotFoundError:
            continue  # a kernel without this type
        except OSError as error:
            raise HostError.of("the container's namespaces", error) from error
    return tuple(different)


def container_namespaces(config: Config) -> tuple[str, ...]:
    """Which of a container's namespaces are not ours, by the names of /proc/PID/ns.

    From the configuration: init does not let us look at it while it is not dumpable, unless we are root.
    """
    joined = joined_types(config)
    types = {each.type for each in config.linux.namespaces if each.type not in joined}
    names = {NAMESPACE_FILES.get(kind, kind) for kind in types}
    return tuple(name for name in WATCHED if name in names)


def gather(
    config: Config,
    rootfs: str,
    hierarchies: tuple[Hierarchy, ...],
    seccomp: SeccompProgram | None,
    terminal_size: tuple[int, int] | None = None,
    *,
    bundle: str = "",
) -> Facts:
    """Facts for this config on this machine; ``bundle``: where sources of mounts begin that are relative, if any."""
    return Facts(
        rootfs=rootfs,
        euid=os.geteuid(),
        egid=os.getegid(),
        in_user_namespace=probe.in_user_namespace(),
        may_set_groups=probe.may_set_groups(),
        owns_mounts=not probe.in_user_namespace() or probe.owns_mounts(),
        capabilities=probe.permitted_capabilities(),
        last_capability=probe.last_capability(),
        hierarchies=hierarchies,
        apparmor=probe.apparmor_enabled(),
        selinux=probe.selinux_enabled(),
        seccomp=seccomp,
        joined=joined_types(config),
        terminal_size=terminal_size,
        links=_links(config, bundle) if bundle else (),
    )


def _links(config: Config, bundle: str) -> tuple[tuple[str, str], ...]:
    """The sources of mounts with copy-symlink that are symlinks, and what they say."""
    found: list[tuple[str, str]] = []
    for mount in config.mounts:
        if "copy-symlink" in mount.options:
            source = mount.source if mount.source.startswith("/") else f"{bundle}/{mount.source}"
            if os.path.islink(source):
                found.append((source, os.readlink(source)))
    return tuple(found)


def inside_pid(pid: int) -> int | None:
    """The pid that a process has in its own pid namespace (NSpid of proc_pid_status(5)); None if it is gone."""
    try:
        fd = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(fd, 8192).decode("utf-8", "replace")
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)
    for line in text.splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    return pid


def ends_its_namespace(pid: int) -> bool:
    """Whether a process is PID 1 of a pid namespace, so that with its end all the others end too."""
    return inside_pid(pid) == 1


def unprivileged() -> bool:
    """Whether the host's devices and limits are out of reach: by user id, or inside a user namespace."""
    return os.geteuid() != 0 or probe.in_user_namespace()
