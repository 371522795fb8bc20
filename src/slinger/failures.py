"""What the hands report as failed, as an error that a person can use: origin, object, system call, cause, hint."""

from __future__ import annotations

import errno
import os

from slinger.errors import OpError
from slinger.plan import ops
from slinger.plan.explain import printable, subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.ops import Op
    from slinger.plan.wire import Failed

# (op, errno) -> what to do about it. Only where the errno alone misleads.
HINTS: dict[tuple[type[Op], int], str] = {
    (ops.Clone, errno.ENOSPC): "a limit in /proc/sys/user/max_*_namespaces, or namespaces nested too deeply",
    (ops.Clone, errno.EPERM): "user namespaces may be switched off: see kernel.unprivileged_userns_clone, "
    "kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces",
    (ops.Clone, errno.ENOMEM): "the memory limit may be too low",
    (ops.OpenNamespace, errno.ENOENT): "the process whose namespace it was may have ended",
    (ops.Join, errno.EINVAL): "the file is not a namespace of that type",
    (ops.Join, errno.EPERM): "entering it takes privilege in the user namespace that owns it",
    (ops.MountNew, errno.EPERM): "in a user namespace this takes an own namespace of the kind that is shown "
    "(network for sysfs, pid for proc), and nothing may cover the host's own mount of it",
    (ops.MountNew, errno.ENODEV): "the kernel does not know this file system",
    (ops.MountNew, errno.ELOOP): "there is a symlink in the path, which is refused for proc and sysfs",
    (ops.MountBind, errno.EPERM): "the source is mounted with flags that may not be cleared in a user namespace",
    (ops.MountChange, errno.EINVAL): "nothing is mounted there",
    (ops.Reconfigure, errno.EINVAL): "nothing is mounted there, or the file system does not take the option",
    (ops.Reconfigure, errno.EPERM): "the file system belongs to another user namespace",
    (ops.MountChange, errno.EPERM): "the mount has flags of the host's, which may not be cleared in a user namespace",
    (ops.Pivot, errno.EINVAL): "the host's root may be an initramfs: use --no-pivot",
    (ops.MakeLink, errno.EEXIST): "the image has another file there than the symlink to be copied",
    (ops.MakeNode, errno.EEXIST): "the image has a file there that is not this device",
    (ops.MakeNode, errno.EPERM): "making device nodes takes privilege outside a user namespace",
    (ops.OpenTree, errno.EINVAL): "a mount below it is unbindable or locked; rbind may be needed",
    (ops.IdMap, errno.EINVAL): "ranges must not overlap and must lie within those of the runtime's own user namespace",
    (ops.MapTree, errno.EINVAL): "the file system does not support id-mapped mounts",
    (ops.MapTree, errno.EPERM): "the source is id-mapped already, or mapping it takes privilege that we do not have "
    "over its file system",
    (ops.Rlimit, errno.EPERM): "raising a hard limit takes CAP_SYS_RESOURCE",
    (ops.SetUser, errno.EINVAL): "the id is not mapped in the container's user namespace",
    (ops.Seccomp, errno.EINVAL): "the kernel refuses the filter or one of its flags",
    (ops.AppArmor, errno.ENOENT): "no such profile is loaded: apparmor_parser --replace FILE",
    (ops.Chdir, errno.ENOENT): "possible attempt to leave the container",
    (ops.Chdir, errno.ELOOP): "a link such as /proc/self/fd/N leads out of the container and is not followed",
    (ops.Affinity, errno.EINVAL): "none of these CPUs is on line and in the cgroup's cpuset",
    (ops.OomScore, errno.EACCES): "lowering the score takes CAP_SYS_RESOURCE",
}


def explain(plan: dict[int, Op], failed: Failed) -> OpError:
    """The error for a report of the hands."""
    op = plan.get(failed.op) or ops.Gate("plan")
    cause = (os.strerror(failed.errno) if failed.errno else "failed").lower()
    program = _program_error(op, failed, cause)
    if program:
        return OpError(program, origin=op.origin, syscall=failed.syscall, errno=failed.errno)
    about = subject(op)
    where = f"{op.origin or ops.op_name(type(op))}" + (f" ({about})" if about else "")
    said = printable(failed.detail)
    detail = f" {said}" if said and said != about else ""
    hint = HINTS.get((type(op), failed.errno), "")
    if isinstance(op, ops.Chdir) and failed.errno == errno.ENOENT and "outside" not in failed.detail:
        hint = ""
    return OpError(
        f"{where}: {failed.syscall}{detail}: {cause}",
        origin=op.origin,
        syscall=failed.syscall,
        errno=failed.errno,
        hint=hint,
    )


def _program_error(op: Op, failed: Failed, cause: str) -> str:
    """The texts that engines turn into exit codes 126 and 127 are runc's (facts 3.4, 3.6)."""
    if isinstance(op, ops.FindProgram):
        if failed.syscall == "lookup" and failed.errno == errno.ENOENT:
            return f'{op.origin}: exec: "{op.name}": executable file not found in $PATH'
        return f'{op.origin}: exec: "{op.name}": {cause}'
    if isinstance(op, ops.Exec) and failed.syscall == "execve":
        if failed.errno == errno.ENOENT:
            # It was found a moment ago, so it is its interpreter that is missing.
            return f'{op.origin}: exec: "{failed.detail}": its interpreter or loader: no such file or directory'
        return f'{op.origin}: exec: "{failed.detail}": {cause}'
    return ""
