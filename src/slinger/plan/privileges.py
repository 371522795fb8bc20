"""process.user, process.capabilities, process.noNewPrivileges and linux.seccomp: what the program may."""

from __future__ import annotations

from slinger.linux.capabilities import CAPABILITIES, mask
from slinger.plan import ops
from slinger.plan.namespaces import in_user_namespace
from slinger.plan.process import DEFAULT_UMASK
from slinger.spec.config import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, IdMapping, Process

NO_CAPABILITIES = Capabilities()
# crun's annotation, which podman's `--group-add keep-groups` sends: the program keeps the caller's groups.
KEEP_GROUPS = ("run.oci.keep_original_groups", "1")
SYS_ADMIN = 1 << CAPABILITIES["CAP_SYS_ADMIN"]


def _grantable(config: Config, facts: Facts) -> int:
    known = (1 << (facts.last_capability + 1)) - 1
    # A new user namespace gives the full set; else nobody can give what it does not have.
    return known if in_user_namespace(config, facts) else known & facts.capabilities


def refused_capabilities(config: Config, process: Process, facts: Facts) -> tuple[str, ...]:
    """The warning about known capabilities that cannot be granted, if there are any (config.md, "Linux Process").

    Whoever runs us has not got them, the kernel does not know them, or another set lacks what capset(2) wants there.
    """
    caps = process.capabilities or NO_CAPABILITIES
    grantable = _grantable(config, facts)
    permitted = mask(caps.permitted)[0] & grantable
    bounding = mask(caps.bounding)[0] & grantable
    inheritable = mask(caps.inheritable)[0] & bounding
    lost = (mask((*caps.bounding, *caps.permitted, *caps.inheritable))[0]) & ~grantable
    lost |= mask(caps.effective)[0] & ~permitted
    lost |= mask(caps.inheritable)[0] & ~inheritable
    lost |= mask(caps.ambient)[0] & ~(permitted & inheritable)
    names = [name for name, number in CAPABILITIES.items() if lost >> number & 1]
    return (f"process.capabilities: cannot be granted, ignored: {', '.join(names)}",) if names else ()


def held(process: Process, facts: Facts) -> int:
    """What stays permitted until the filter is loaded: without no_new_privs that takes CAP_SYS_ADMIN (seccomp(2)).

    The filter is loaded last, so a profile need not allow what the runtime itself does.
    """
    return SYS_ADMIN if facts.seccomp is not None and not process.no_new_privileges else 0


def privilege_ops(config: Config, process: Process, facts: Facts) -> list[Op]:
    """Bounding set, user, and the other four sets, in the order in which each still may be changed.

    ``capabilities`` absent: the spec is silent; runc 1.1 and crun give none at all, and so do we.
    """
    caps = process.capabilities or NO_CAPABILITIES
    grantable = _grantable(config, facts)
    permitted = mask(caps.permitted)[0] & grantable
    # The kernel takes no more than the bounding set (capset(2)).
    bounding = mask(caps.bounding)[0] & grantable
    inheritable = mask(caps.inheritable)[0] & bounding
    return [
        ops.Bounding("process.capabilities.bounding", mask=bounding),
        _user_op(config, process, facts),
        ops.Capabilities(
            "process.capabilities",
            effective=mask(caps.effective)[0] & permitted,
            permitted=permitted,
            inheritable=inheritable,
            ambient=mask(caps.ambient)[0] & permitted & inheritable,
            hold=held(process, facts) & grantable,
        ),
    ]


def _user_op(config: Config, process: Process, facts: Facts) -> Op:
    user = process.user
    # A rootless mapping of one id denies setgroups (user_namespaces(7)); validation refuses groups there.
    denied = (facts.rootless and in_user_namespace(config, facts)) or not facts.may_set_groups
    return ops.SetUser(
        "process.user",
        uid=user.uid,
        gid=user.gid,
        groups=tuple(str(gid) for gid in user.additional_gids),
        set_groups=int((not denied or bool(user.additional_gids)) and KEEP_GROUPS not in config.annotations),
        umask=DEFAULT_UMASK if user.umask is None else user.umask,
    )


def stdio_ops(config: Config, process: Process, facts: Facts) -> list[Op]:
    """Stdio for the user of the process, who could not open /dev/stdout again; runc and crun do it too.

    What came from the host has ids that a user namespace of its own does not know: outer gives it, by the ids outside.
    """
    plan: list[Op] = []
    uid = _outside(config.linux.uid_mappings, process.user.uid)
    gid = _outside(config.linux.gid_mappings, process.user.gid)
    if uid >= 0 and not facts.rootless:
        plan.append(ops.StdioOwner("process.user", by=ops.OUTER, uid=uid, gid=gid))
    return [*plan, ops.StdioOwner("process.user", uid=process.user.uid)]


def _outside(mappings: tuple[IdMapping, ...], inside: int) -> int:
    """The host's id, -1 where none is mapped to it."""
    for each in mappings:
        if each.container_id <= inside < each.container_id + each.size:
            return each.host_id + inside - each.container_id
    return -1


def no_new_privileges_ops(process: Process) -> list[Op]:
    """process.noNewPrivileges."""
    return [ops.NoNewPrivileges("process.noNewPrivileges")] if process.no_new_privileges else []


def seccomp_ops(facts: Facts) -> list[Op]:
    """The compiled filter; last of all but the exec."""
    if facts.seccomp is None:
        return []
    return [ops.Seccomp("linux.seccomp", program=facts.seccomp.program, flags=facts.seccomp.flags)]
