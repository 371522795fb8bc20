"""uid_map and gid_map of a new user namespace (user_namespaces(7)), at the gate *ids*."""

from __future__ import annotations

import errno
import os

from slinger.errors import HostError
from slinger.plan.namespaces import map_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Config, IdMapping

NEWUIDMAP, NEWGIDMAP = "newuidmap", "newgidmap"
FAILED = 1 << 8  # as waitpid has exit status 1
TRUSTED_PATH = ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin")


def write_maps(config: Config, pid: int) -> None:
    """Map the ids of process ``pid``. HostError with what the kernel refused and what to do about it."""
    linux = config.linux
    if os.geteuid() == 0:
        _write(pid, "uid_map", map_text(linux.uid_mappings), "linux.uidMappings")
        _write(pid, "gid_map", map_text(linux.gid_mappings), "linux.gidMappings")
        return
    if _is_own_id(linux.uid_mappings, os.geteuid()) and _is_own_id(linux.gid_mappings, os.getegid()):
        # Without privilege the kernel takes a map of groups only from who cannot drop any (CVE-2014-8989).
        _write(pid, "setgroups", "deny", "linux.gidMappings")
        _write(pid, "uid_map", map_text(linux.uid_mappings), "linux.uidMappings")
        _write(pid, "gid_map", map_text(linux.gid_mappings), "linux.gidMappings")
        return
    _helper(NEWUIDMAP, pid, linux.uid_mappings, "linux.uidMappings")
    _helper(NEWGIDMAP, pid, linux.gid_mappings, "linux.gidMappings")


def _is_own_id(mappings: tuple[IdMapping, ...], own: int) -> bool:
    return len(mappings) == 1 and mappings[0].size == 1 and mappings[0].host_id == own


def _write(pid: int, name: str, text: str, origin: str) -> None:
    path = f"/proc/{pid}/{name}"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    except OSError as error:
        hint = ""
        if error.errno == errno.EPERM:
            hint = "user namespaces may be restricted here: sysctl kernel.apparmor_restrict_unprivileged_userns"
        elif error.errno == errno.EINVAL:
            hint = "ranges must not overlap and must lie within those of the host"
        message = f"{origin}: writing {path}: {(error.strerror or '').lower()}"
        raise HostError(message, hint=hint) from error


def finds_helpers() -> bool:
    """Whether the set-uid programs are there with which a plain user maps subordinate ids."""
    return _find(NEWUIDMAP) is not None and _find(NEWGIDMAP) is not None


def _find(name: str) -> str | None:
    return next((f"{place}/{name}" for place in TRUSTED_PATH if os.access(f"{place}/{name}", os.X_OK)), None)


def _helper(name: str, pid: int, mappings: tuple[IdMapping, ...], origin: str) -> None:
    """Have the set-uid helper write a map that takes more than one's own id (newuidmap(1), subuid(5))."""
    path = _find(name)
    if path is None:
        message = f"{origin}: mapping other ids than one's own takes {name}, which is not installed"
        raise HostError(message, hint="apt-get install uidmap")
    numbers = [str(n) for each in mappings for n in (each.container_id, each.host_id, each.size)]
    reader, writer = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, writer, 2)]
        helper = os.posix_spawn(path, (name, str(pid), *numbers), {}, file_actions=actions)
        os.close(writer)
        writer = -1
        said = os.read(reader, 4096).decode("utf-8", "replace").strip()
        status = _status_of(helper, said)
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)
    if status != 0:
        message = f"{origin}: {name}: {said or f'exit status {os.waitstatus_to_exitcode(status)}'}"
        raise HostError(message, hint="the ranges of this user are in /etc/subuid and /etc/subgid")


def _status_of(helper: int, said: str) -> int:
    """How it ended. If another thread's wait(-1) took that, or SIGCHLD is ignored: it only speaks to complain."""
    try:
        return os.waitpid(helper, 0)[1]
    except ChildProcessError:
        return FAILED if said else 0
