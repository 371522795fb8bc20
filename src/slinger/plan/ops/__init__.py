"""The op vocabulary: every step that the hands can do, once, in the files of this folder.

``tools/gen_ops.py`` turns these classes into init/ops.gen.h and docs/protocol.md; a stale file fails
``make check``. The order of ``OPS`` is the order of the numbers on the wire.

A field is an int (64 bits), a str (no NUL), bytes, or a tuple of str. ``origin`` and ``by`` are in every
op: the JSON path that caused it, which stays in the brain, and which process of the hands executes it:

    OUTER   in the runtime's namespaces, the parent of init
    JOINER  a short-lived child of OUTER that enters the namespaces to be joined, holds what mounts enter a user
            namespace (plan/shelf.py), and clones init there
    INIT    PID 1 of the container, or its only process where the pid namespace is shared

Slots are numbered places in which the hands keep file descriptors between ops.
"""

from __future__ import annotations

from slinger.plan.ops.base import *
from slinger.plan.ops.filesystem import *
from slinger.plan.ops.namespaces import *
from slinger.plan.ops.process import *

if TYPE_CHECKING:
    from slinger.record import Record

OPS: tuple[type[Op], ...] = (
    Fork, OpenNamespace, Join, Clone, Gate, Handles, TakeRoot, Unshare, TimeOffsets, Session, OomScore, Conceal,
    Keyring, Loopback, NetworkSocket, OpenTree, IdMap, MapTree, Shelf, Shelve, Unshelve, Propagation, AttachRoot,
    OpenRoot, MountNew, MountBind, Reconfigure, MountChange, MakeNode, MakeLink, Console, Detach, Pivot, RootChange,
    Mask, ReadonlyPath, Hostname, Domainname, Sysctl, Hook, Rlimit, Personality, Scheduler, IoPriority, MemoryPolicy,
    Affinity, ProcessLabel, AppArmor, NoNewPrivileges, Bounding, StdioOwner, SetUser, Capabilities, Chdir, Home,
    FindProgram, WaitStart, Release, CloseOnExec, Announce, Seccomp, Exec, KeepTimes, TellTimes,
)  # fmt: skip


def op_name(kind: type[Record]) -> str:
    """``MountNew`` -> ``mount_new``: the name in the plan's text, the C enum and the handlers."""
    name = kind.__name__
    return "".join(f"_{char.lower()}" if char.isupper() and at else char.lower() for at, char in enumerate(name))
