"""linux.namespaces, the id mappings and time offsets: which process enters or makes what, in which order."""

from __future__ import annotations

from slinger.linux.flags import NAMESPACES
from slinger.plan import ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from slinger.plan.facts import Facts
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, IdMapping, Namespace

ORIGIN = "linux.namespaces"

# Made by init itself, once it is where the namespace is to be rooted, or because a clone cannot.
LATE = frozenset({"cgroup", "time"})


def find(config: Config, kind: str) -> Namespace | None:
    """The entry of this type, or None where the container shares the runtime's namespace."""
    for namespace in config.linux.namespaces:
        if namespace.type == kind:
            return namespace
    return None


def is_new(config: Config, kind: str) -> bool:
    """Whether the container gets a namespace of this type of its own."""
    namespace = find(config, kind)
    return namespace is not None and not namespace.path


def has_own(config: Config, facts: Facts, kind: str) -> bool:
    """Whether the container has another namespace of this type than the brain, new or joined."""
    return find(config, kind) is not None and kind not in facts.joined


def in_user_namespace(config: Config, facts: Facts) -> bool:
    """Whether the container has another user namespace than the brain."""
    return has_own(config, facts, "user")


def join_ops(config: Config, facts: Facts, first: Sequence[Op] = ()) -> list[Op]:
    """The joiner's ops: what it has to do ``first``, where it still is in our namespaces, then enter what has a path.

    With privilege over the host the user namespace comes last, since entering it gives up that privilege;
    without, it comes first, since it is what gives the privilege over the others.
    """
    asked = [
        (f"{ORIGIN}[{index}]", namespace)
        for index, namespace in enumerate(config.linux.namespaces)
        if namespace.path and namespace.type not in facts.joined
    ]
    opens = [
        ops.OpenNamespace(origin, by=ops.OUTER, path=each.path, flag=NAMESPACES[each.type]) for origin, each in asked
    ]
    joins = [ops.Join(origin, by=ops.JOINER, flag=NAMESPACES[each.type]) for origin, each in asked]
    joins.sort(key=lambda op: (op.flag == NAMESPACES["user"]) != facts.rootless)
    if not joins and not first:
        return []
    plan: list[Op] = [*opens, ops.Fork(ORIGIN, by=ops.OUTER), *first]
    for join in joins:
        plan.append(join)
        if config.linux.net_devices and join.flag == NAMESPACES["network"]:
            # While the privilege over it is there: a new user namespace has none.
            plan.append(ops.NetworkSocket("linux.netDevices", by=ops.JOINER))
    if not is_new(config, "user") and in_user_namespace(config, facts):
        # Concealed before it clones init into the reach of who lives there; but see TimeOffsets.
        offsets = facts.rootless and is_new(config, "time") and bool(config.linux.time_offsets)
        plan.append(ops.TakeRoot(ORIGIN, by=ops.JOINER, visible=int(offsets)))
    return plan


def clone_ops(config: Config, facts: Facts, first: Sequence[Op] = ()) -> list[Op]:
    """Create init in its new namespaces, after what the joiner has to do ``first``.

    With a new user namespace init makes all but the pid namespace itself, once it is root there: so they are
    the container's, and what the kernel makes in them (the root of mqueue, say) has an owner that is mapped.
    """
    joins = join_ops(config, facts, first)
    flags = 0
    for namespace in config.linux.namespaces:
        if not namespace.path and namespace.type not in LATE:
            flags |= NAMESPACES[namespace.type]
    at_once = flags & (NAMESPACES["user"] | NAMESPACES["pid"]) if flags & NAMESPACES["user"] else flags
    clone = ops.Clone(ORIGIN, by=ops.JOINER if joins else ops.OUTER, flags=at_once)
    plan: list[Op] = [*joins, clone]
    if is_new(config, "user"):
        plan.append(ops.Gate("linux.uidMappings", name=ops.GATE_IDS))
        plan.append(ops.TakeRoot("linux.uidMappings", visible=int(facts.rootless)))
    if flags != at_once:
        plan.append(ops.Unshare(ORIGIN, flags=flags & ~at_once))
    return plan


def network_ops(config: Config) -> list[Op]:
    """In a new network namespace: lo is up, as programs expect (runc and crun do it), and where the brain is to move
    devices, the socket through which it does; see join_ops for a joined one.
    """
    if not is_new(config, "network"):
        return []
    plan: list[Op] = [ops.Loopback(ORIGIN)]
    if config.linux.net_devices:
        plan.append(ops.NetworkSocket("linux.netDevices"))
    return plan


def time_ops(config: Config, writer: str = ops.INIT) -> list[Op]:
    """A new time namespace with its offsets, entered by init itself (time_namespaces(7))."""
    if not is_new(config, "time"):
        return []
    flag = NAMESPACES["time"]
    plan: list[Op] = [ops.Unshare(ORIGIN, flags=flag)]
    lines = [f"{each.clock} {each.secs} {each.nanosecs}\n" for each in config.linux.time_offsets]
    if lines:
        plan.append(ops.TimeOffsets("linux.timeOffsets", by=writer, text="".join(lines)))
    plan.append(ops.Join(ORIGIN, path="/proc/self/ns/time_for_children", flag=flag))
    return plan


def map_text(mappings: tuple[IdMapping, ...]) -> str:
    """uid_map or gid_map (user_namespaces(7)): a line a range, with the first id inside, that outside, how many."""
    return "".join(f"{each.container_id} {each.host_id} {each.size}\n" for each in mappings)


def cgroup_ops(config: Config) -> list[Op]:
    """Be in the cgroup, then make the cgroup namespace that is rooted there."""
    plan: list[Op] = [ops.Gate("linux.cgroupsPath", name=ops.GATE_CGROUP)]
    if is_new(config, "cgroup"):
        plan.append(ops.Unshare(ORIGIN, flags=NAMESPACES["cgroup"]))
    return plan
