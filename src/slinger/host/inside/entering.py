"""Into the namespaces of a container, and to be there who its hooks are."""

from __future__ import annotations

import ctypes
import os
import resource

from slinger.linux.flags import NAMESPACES
from slinger.plan import ops
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.ops import Op

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 4, 8, 23, 24
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 47, 2, 4
CAPABILITY_VERSION_3 = 0x2008_0522
SIGKILL = 9
TYPES = {"mnt": "mount", "net": "network"}

_libc: ctypes.CDLL | None = None


class Entry(Record):
    """Where a function is called, and as whom."""

    handles: tuple[tuple[str, int], ...]  # what op Handles gave: namespaces, root, cwd
    entered: bool  # init is in its root
    rootless: bool  # the user namespace is what gives us privilege over the others
    privileges: tuple[Op, ...] = ()  # () for root of the namespaces
    limits: tuple[Op, ...] = ()
    filter: bytes = b""


def prepare() -> None:
    """Load the C library before a process enters: nothing may be loaded from then on."""
    global _libc  # noqa: PLW0603 - loaded once, by whoever calls a function inside
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)


def call_libc(name: str, *args: object) -> int:
    """A function of the C library; OSError with its name where it fails."""
    assert _libc is not None  # noqa: S101 - prepare() comes first
    result = int(getattr(_libc, name)(*args))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error).lower()}")
    return result


def prctl(option: int, second: int = 0, third: int = 0) -> int:
    """Set something of this process. OSError."""
    word = ctypes.c_ulong
    return call_libc("prctl", ctypes.c_int(option), word(second), word(third), word(0), word(0))


def conceal() -> None:
    """Not dumpable, so nobody inside looks into the program's memory; and ended with the parent."""
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_PDEATHSIG, SIGKILL)


def enter(entry: Entry) -> None:
    """Enter what is the container's own; the pid namespace is that of children from then on."""
    handles = dict(entry.handles)
    root, cwd = handles.pop("root"), handles.pop("cwd", -1)
    strange = {name: fd for name, fd in handles.items() if not _is_ours(name, fd)}
    # As root the user namespace comes last, since it takes the privilege away; else first: it gives it.
    for name in sorted(strange, key=lambda each: (each == "user") != entry.rootless):
        flag = NAMESPACES[TYPES.get(name, name)]
        call_libc("setns", ctypes.c_int(strange[name]), ctypes.c_int(flag))
    if "user" in strange:
        conceal()  # fs.suid_dumpable may have another opinion of a process whose capabilities change
        _take_root()
    os.fchdir(root)
    if entry.entered:
        if "mnt" not in strange:
            os.chroot(".")  # init was put there by chroot alone
        os.fchdir(cwd)


def _is_ours(name: str, fd: int) -> bool:
    return os.path.samestat(os.fstat(fd), os.stat(f"/proc/self/ns/{name}"))


def _take_root() -> None:
    try:
        os.setgroups(())
    except PermissionError:
        pass  # denied in this namespace, so there is nothing to drop (user_namespaces(7))
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def become(entry: Entry) -> None:
    """The user, capabilities and limits of the process, in the order in which init took them."""
    for op in entry.limits:
        if isinstance(op, ops.Rlimit):
            resource.setrlimit(op.resource, (_limit(op.soft), _limit(op.hard)))
    for op in entry.privileges:
        if isinstance(op, ops.Bounding):
            _bound(op.mask)
        elif isinstance(op, ops.SetUser):
            _set_user(op)
        elif isinstance(op, ops.Capabilities):
            _set_capabilities(op)


def _limit(value: int) -> int:
    return resource.RLIM_INFINITY if value >= 1 << 63 else value


def _bound(mask: int) -> None:
    for number in range(64):
        try:
            held = prctl(PR_CAPBSET_READ, number)
        except OSError:
            return  # past the last one that the kernel knows
        if held and not mask >> number & 1:
            prctl(PR_CAPBSET_DROP, number)


def _set_user(op: ops.SetUser) -> None:
    prctl(PR_SET_KEEPCAPS, 1)
    if op.set_groups:
        os.setgroups(tuple(map(int, op.groups)))
    os.setresgid(op.gid, op.gid, op.gid)
    os.setresuid(op.uid, op.uid, op.uid)
    os.umask(op.umask)


def _set_capabilities(op: ops.Capabilities) -> None:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (op.effective, op.permitted, op.inheritable)
    words = [each >> shift & 0xFFFF_FFFF for shift in (0, 32) for each in sets]
    call_libc("capset", header, (ctypes.c_uint32 * 6)(*words))
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(64):
        if op.ambient >> number & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)
