"""Ops of what runs: hooks, the properties of the process, the wait for start, the exec."""

from __future__ import annotations

from slinger.plan.ops.base import Op


class Hook(Op):
    """Run a program with the container's state on its stdin.

    State is ``state_head``, and unless ``state_tail`` is empty the pid in decimal and ``state_tail``.
    ``cwd`` "" stays where the actor is; ``fallback_cwd`` is for a directory that is gone. ``go_on``: a
    failure is recorded and the plan goes on. ``timeout`` in seconds, 0 for none.
    """

    path: str = ""
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    with_home: int = 0
    cwd: str = ""
    fallback_cwd: str = ""
    in_root: int = 0  # start in the root handle (not yet pivoted into)
    timeout: int = 0
    go_on: int = 0
    state_head: str = ""
    state_tail: str = ""


class Rlimit(Op):
    """Set a limit of init from outside (prlimit(2)), where the privilege to raise it is."""

    resource: int = 0
    soft: int = 0  # RLIM_INFINITY is 2**64-1, as in the kernel
    hard: int = 0


class Personality(Op):
    """Set the execution domain (personality(2))."""

    domain: int = 0


class Scheduler(Op):
    """Set scheduling policy and attributes (sched_setattr(2)); times in nanoseconds."""

    policy: int = 0
    flags: int = 0
    nice: int = 0
    priority: int = 0
    runtime: int = 0
    deadline: int = 0
    period: int = 0


class IoPriority(Op):
    """Set class and level of I/O priority, packed as ioprio_set(2) takes them."""

    value: int = 0


class MemoryPolicy(Op):
    """Set the NUMA policy (set_mempolicy(2)); ``nodes`` is a bit mask in 64-bit words."""

    mode: int = 0
    nodes: bytes = b""


class Affinity(Op):
    """Run on these CPUs alone (sched_setaffinity(2)); ``cpus`` is a bit mask in 64-bit words, empty for all that the
    cgroup's cpuset has.
    """

    cpus: bytes = b""


class ProcessLabel(Op):
    """Have the exec get this SELinux label (attr/exec, through a handle checked to be procfs: CVE-2019-16884)."""

    label: str = ""


class AppArmor(Op):
    """Have the exec enter this profile (attr/apparmor/exec, through the same handle)."""

    profile: str = ""


class NoNewPrivileges(Op):
    """PR_SET_NO_NEW_PRIVS."""


class Bounding(Op):
    """Drop from the bounding set every capability that ``mask`` lacks."""

    mask: int = 0


class StdioOwner(Op):
    """Give a user the pipes, files and terminals among stdio, so that it can open /dev/stdout again; never a device.

    By init as the container counts ids; before that by outer, as the host does, for what init's namespace has no id.
    A group of -1 stays as it is, which may be one that the file system wants (tty).
    """

    uid: int = 0
    gid: int = -1


class SetUser(Op):
    """Become the user of the process: groups, gid, uid, umask. The permitted set is kept for the next op."""

    uid: int = 0
    gid: int = 0
    groups: tuple[str, ...] = ()  # decimal
    set_groups: int = 1
    umask: int = 0o22


class Capabilities(Op):
    """Set four sets; ``hold`` stays permitted until the exec, which drops it (the seccomp op needs it)."""

    effective: int = 0
    permitted: int = 0
    inheritable: int = 0
    ambient: int = 0
    hold: int = 0


class Chdir(Op):
    """Enter the working directory; ``create`` it if missing. It must lie inside the root (CVE-2024-21626)."""

    path: str = ""
    create: int = 0
    may_fail: int = 0  # EACCES is left to the second attempt, as the user


class Home(Op):
    """Look up HOME of ``uid`` in the container's /etc/passwd, for the program and its startContainer hooks."""

    uid: int = 0


class FindProgram(Op):
    """Look up ``name`` as execvp(3) does, in ``path`` (PATH of process.env), and keep the answer for Exec."""

    name: str = ""
    path: str = ""


class TellTimes(Op):
    """Tell the brain the times that were noted."""


class WaitStart(Op):
    """Let go of the brain, wait for ``start`` on the listening socket."""


class Release(Op):
    """No longer end with the outer process: what follows is the program's own life."""


class CloseOnExec(Op):
    """Have the exec close the descriptors from 3+``keep_fds`` on; asked for before a filter could refuse it."""

    keep_fds: int = 0


class Announce(Op):
    """Tell who called ``start`` that but the filter and the exec remain, so that a silent end is an exec."""


class Seccomp(Op):
    """Load a filter (struct sock_filter[]); CAP_SYS_ADMIN is raised for it if no_new_privs is not set.

    With SECCOMP_FILTER_FLAG_NEW_LISTENER among ``flags`` the descriptor of its notifications goes to the brain first.
    """

    program: bytes = b""
    flags: int = 0


class Exec(Op):
    """Execute the program that FindProgram found."""

    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
