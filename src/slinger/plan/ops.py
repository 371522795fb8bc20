"""The op vocabulary: every step that the hands can do, once, here.

``tools/gen_ops.py`` turns these classes into init/ops.gen.h and docs/protocol.md; a stale file fails
``make check``. The order of the classes is the order of the numbers on the wire.

A field is an int (64 bits), a str (no NUL), bytes, or a tuple of str. ``origin`` and ``by`` are in every
op: the JSON path that caused it, which stays in the brain, and which process of the hands executes it:

    OUTER   in the runtime's namespaces, the parent of init
    JOINER  a short-lived child of OUTER that enters the namespaces to be joined, holds what mounts enter a user
            namespace (plan/shelf.py), and clones init there
    INIT    PID 1 of the container, or its only process where the pid namespace is shared

Slots are numbered places in which the hands keep file descriptors between ops.
"""

from __future__ import annotations

from slinger.linux.flags import MS_SLAVE
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

OUTER = "outer"
JOINER = "joiner"
INIT = "init"
ACTORS = (OUTER, JOINER, INIT)

# Gates: where the hands stop until the brain has acted.
GATE_IDS = "ids"  # uid_map and gid_map
GATE_CGROUP = "cgroup"  # init is in its cgroup, so that a new cgroup namespace is rooted there
GATE_HOOKS = "hooks"  # init is in its cgroup and the limits are set
GATE_CALL = "call"  # a hook that is a Python function has returned
GATE_CREATED = "created"  # the state is saved; create may return


class Op(Record):
    """One independent step."""

    WHAT: ClassVar[str] = ""
    origin: str
    by: str = INIT


# ---- processes and namespaces


class Fork(Op):
    """Start the joiner, which carries on until it has cloned init."""


class KeepTimes(Op):
    """From here on note when each op begins and ends (CLOCK_MONOTONIC of outer), for TellTimes or a failure."""


class OpenNamespace(Op):
    """Keep the namespace of type ``flag`` (CLONE_NEW*) that is bound at ``path``, before joining hides the path."""

    path: str = ""
    flag: int = 0


class Join(Op):
    """Enter the namespace of type ``flag`` (CLONE_NEW*) at ``path``, or for "" the one that was kept of the type."""

    path: str = ""
    flag: int = 0


class Clone(Op):
    """Create init in new namespaces (CLONE_NEW* bits) and tell the brain its pid."""

    flags: int = 0


class Gate(Op):
    """Stop until the brain has done its part."""

    name: str = ""


class Handles(Op):
    """Give the brain descriptors of one's namespaces and root, for a Python hook; when ``entered`` also of the cwd."""

    entered: int = 0


class TakeRoot(Op):
    """Become uid 0 and gid 0 of the new user namespace, without supplementary groups where allowed.

    Concealed afterwards, whatever the sysctl fs.suid_dumpable says; ``visible`` where /proc/self has still
    to be written to, which without privilege takes being its owner.
    """

    drop_groups: int = 1
    visible: int = 0


class Unshare(Op):
    """Leave namespaces (CLONE_NEW* bits) for new ones."""

    flags: int = 0


class TimeOffsets(Op):
    """Write timens_offsets, by outer those of init: lines of clock, seconds, nanoseconds (time_namespaces(7))."""

    text: str = ""


class Session(Op):
    """Lead a new session, so that no signal of the caller's terminal arrives."""


class OomScore(Op):
    """Write oom_score_adj (proc_pid_oom_score_adj(5)): one's own, or by outer that of init, once there is one."""

    value: int = 0


class Conceal(Op):
    """Be non-dumpable until the exec: no ptrace, no /proc/PID/fd for the container (CVE-2016-9962)."""


class Keyring(Op):
    """Join a session keyring of the container's own (keyctl(2), KEYCTL_JOIN_SESSION_KEYRING).

    ``label``: the SELinux label that it is made with (attr/keycreate, proc_pid_attr(5)).
    """

    name: str = ""
    label: str = ""


class Loopback(Op):
    """Bring up lo in the network namespace that one is in: the kernel makes it down (netdevice(7))."""


class NetworkSocket(Op):
    """Open a socket of rtnetlink(7) in the network namespace that one is in, and send it to the brain."""


# ---- the file system


class OpenTree(Op):
    """Keep a detached copy of the mount at a path of the runtime's (open_tree(2)), whose links are followed.

    A copy of a shared mount is its peer, and what is mounted on it in the container would be mounted on the host
    as well: so ``propagation`` is set on the copy at once, on all of it. 0 leaves it a peer.
    """

    slot: int = 0
    path: str = ""
    recursive: int = 0
    propagation: int = MS_SLAVE


class IdMap(Op):
    """Keep a user namespace whose maps are for mounts: the one at ``path``, or for "" a new one that nobody lives in.

    ``uids`` and ``gids`` are lines as in uid_map (user_namespaces(7)): the id that files have in their file system,
    the id of the runtime's that they get in the mount, and for how many.
    """

    slot: int = 0
    path: str = ""
    uids: str = ""
    gids: str = ""


class MapTree(Op):
    """Map the owners of the files in the tree of a slot by the user namespace of ``map_slot`` (MOUNT_ATTR_IDMAP).

    ``path`` is what the tree was copied from. ``recursive``: also in what is mounted below it.
    """

    slot: int = 0
    map_slot: int = 0
    path: str = ""
    recursive: int = 0


class Shelf(Op):
    """Cover ``path`` with an empty tmpfs and stand in it."""

    path: str = ""


class Shelve(Op):
    """Attach the tree of a slot in the working directory, by the number of the slot; ``path`` is where it is from."""

    slot: int = 0
    path: str = ""


class Unshelve(Op):
    """Keep a copy of what was attached so, made where its flags are locked; ``path`` is where it is from."""

    slot: int = 0
    path: str = ""


class Propagation(Op):
    """Set the propagation of every mount of the namespace, or of one (MS_SHARED, MS_SLAVE, MS_PRIVATE)."""

    flags: int = 0
    recursive: int = 1


class AttachRoot(Op):
    """Put the root's tree on its own path and keep the handle under which all that follows is looked up."""

    slot: int = 0
    path: str = ""


class OpenRoot(Op):
    """Keep the handle of a root that is entered by chroot(2), where there is no mount namespace of its own."""

    path: str = ""


class MountNew(Op):
    """Mount a new file system (fsopen(2) ... move_mount(2)) at a path inside the root, made if missing.

    ``options`` go to fsconfig one by one; ``attributes`` are MOUNT_ATTR_*. ``real_directory``: refuse a
    destination with a symlink in it, as proc and sysfs must (CVE-2019-19921, CVE-2023-27561). ``instead``: the
    host's mount of the same file system, which is bound with all below it where the kernel refuses a new one (EPERM,
    EBUSY), with ``instead_set`` besides.
    """

    type: str = ""
    source: str = ""
    destination: str = ""
    options: tuple[str, ...] = ()
    attr_set: int = 0
    attr_clr: int = 0
    real_directory: int = 0
    copy_mode: int = 0  # take the mode of the directory that is covered (tmpfs)
    copy_up: int = 0  # and its content (tmpcopyup)
    instead: str = ""
    instead_set: int = 0
    label: str = ""  # the SELinux label of its root directory


class MountBind(Op):
    """Attach the tree of a slot at a path inside the root; a missing target is made a file or a directory.

    ``procfs``: refuse what is of no procfs, as for /proc (CVE-2019-16884).
    """

    slot: int = 0
    destination: str = ""
    attr_set: int = 0
    attr_clr: int = 0
    rec_set: int = 0
    rec_clr: int = 0
    procfs: int = 0


class Reconfigure(Op):
    """Change the super block of what is mounted at a path inside the root (fspick(2)): what it is all mounts show."""

    destination: str = ""
    options: tuple[str, ...] = ()


class MountChange(Op):
    """Change attributes and propagation of the mount at a path inside the root ("remount", "rshared" ...)."""

    destination: str = ""
    attr_set: int = 0
    attr_clr: int = 0
    rec_set: int = 0
    rec_clr: int = 0
    propagation: int = 0
    propagation_recursive: int = 0


class MakeNode(Op):
    """Make a device node or fifo; an existing file of another kind or number is an error (config-linux.md)."""

    path: str = ""
    kind: int = 0  # S_IFCHR, S_IFBLK, S_IFIFO
    major: int = 0
    minor: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0


class MakeLink(Op):
    """Make a symlink inside the root unless the path exists. ``needs``: only if this path of ours exists."""

    path: str = ""
    target: str = ""
    needs: str = ""


class Console(Op):
    """Open a pseudo-terminal of the container's devpts, send its master to the brain, be its session leader."""

    rows: int = 0
    columns: int = 0
    bind: int = 1  # bind the slave over /dev/console


class Pivot(Op):
    """Make the root handle the root.

    ``how``: 0 pivot_root(2); 1 move the mount over / and chroot(2) (--no-pivot); 2 chroot(2) alone.
    """

    how: int = 0


class RootChange(Op):
    """Attributes and propagation of the container's root mount."""

    attr_set: int = 0
    propagation: int = 0
    recursive: int = 0


class Mask(Op):
    """Hide a path: a file under the real null device, a directory under an empty read-only tmpfs (CVE-2025-31133).

    ``options`` are the tmpfs's, beside ``ro``.
    """

    path: str = ""
    options: tuple[str, ...] = ()


class ReadonlyPath(Op):
    """Make a path and what is mounted below it read-only."""

    path: str = ""


class Hostname(Op):
    """Set the UTS host name (sethostname(2))."""

    name: str = ""


class Domainname(Op):
    """Set the NIS domain name (setdomainname(2))."""

    name: str = ""


class Sysctl(Op):
    """Write a file below /proc/sys through a handle checked to be procfs (CVE-2025-52881)."""

    path: str = ""
    value: str = ""


# ---- hooks


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


# ---- the process


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
    """Run on these CPUs alone (sched_setaffinity(2)); ``cpus`` is a bit mask in 64-bit words."""

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


OPS: tuple[type[Op], ...] = (
    Fork, OpenNamespace, Join, Clone, Gate, Handles, TakeRoot, Unshare, TimeOffsets, Session, OomScore, Conceal,
    Keyring, Loopback, NetworkSocket, OpenTree, IdMap, MapTree, Shelf, Shelve, Unshelve, Propagation, AttachRoot,
    OpenRoot, MountNew, MountBind, Reconfigure, MountChange, MakeNode, MakeLink, Console, Pivot, RootChange, Mask,
    ReadonlyPath, Hostname, Domainname, Sysctl, Hook, Rlimit, Personality, Scheduler, IoPriority, MemoryPolicy,
    Affinity, ProcessLabel, AppArmor, NoNewPrivileges, Bounding, StdioOwner, SetUser, Capabilities, Chdir, Home,
    FindProgram, WaitStart, Release, CloseOnExec, Announce, Seccomp, Exec, KeepTimes, TellTimes,
)  # fmt: skip


def op_name(kind: type[Record]) -> str:
    """``MountNew`` -> ``mount_new``: the name in the plan's text, the C enum and the handlers."""
    name = kind.__name__
    return "".join(f"_{char.lower()}" if char.isupper() and at else char.lower() for at, char in enumerate(name))
