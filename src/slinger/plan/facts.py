"""What a plan rests on besides config.json: the caller's options and the machine's facts.

Both are gathered by host/ before compile runs, so that compile stays pure: same inputs, same bytes.
"""

from __future__ import annotations

from slinger.record import Record


class Options(Record):
    """What the caller asked for, beside config.json. Paths are absolute."""

    container_id: str
    bundle: str
    no_pivot: bool = False
    no_new_keyring: bool = False
    preserve_fds: int = 0  # fds 3 .. 3+N-1 stay open in the program
    listen_fds: int = 0  # how many of them are systemd's; LISTEN_PID=1 is set for the program
    supervise: bool = False  # the outer process stays, waits for init and reports its end
    console: bool = False  # somebody takes the terminal's other end
    times: bool = False  # somebody wants to know how long each op takes
    environment: tuple[str, ...] = ()  # the caller's, for hooks without env of their own


class Hierarchy(Record):
    """One mounted cgroup hierarchy: ``path`` is where the host has it mounted."""

    path: str
    controllers: tuple[str, ...]  # () on cgroup v2; ("name=systemd",) for a named one
    version: int
    own: str = "/"  # the container's cgroup below ``path``, absolute within the hierarchy


class SeccompProgram(Record):
    """A compiled filter: struct sock_filter[] as bytes, and SECCOMP_FILTER_FLAG_* bits."""

    program: bytes
    flags: int = 0


class Facts(Record):
    """What the machine offers and how the brain stands on it."""

    rootfs: str  # absolute, symlinks resolved
    euid: int = 0
    egid: int = 0
    in_user_namespace: bool = False  # the brain itself is in one (not the initial)
    may_set_groups: bool = True  # else its user namespace denies setgroups(2), and every one below it does
    owns_mounts: bool = True  # else the brain's mount namespace belongs to another user namespace
    capabilities: int = (1 << 41) - 1  # the brain's permitted set; what it lacks it cannot grant
    last_capability: int = 40
    kernel: tuple[int, int] = (5, 14)
    hierarchies: tuple[Hierarchy, ...] = ()
    apparmor: bool = False
    selinux: bool = False
    seccomp: SeccompProgram | None = None  # linux.seccomp, compiled
    joined: tuple[str, ...] = ()  # types whose namespace path is the brain's own namespace
    links: tuple[tuple[str, str], ...] = ()  # sources of mounts with copy-symlink that are symlinks, and their text
    terminal_size: tuple[int, int] | None = None  # rows, columns of the caller's terminal
    bare: tuple[str, ...] = ()  # where the host has procfs and sysfs mounted in full; only asked for without pivot_root

    @property
    def rootless(self) -> bool:
        """No privilege over the host's mounts: the hands must do all inside a user namespace."""
        return self.euid != 0
