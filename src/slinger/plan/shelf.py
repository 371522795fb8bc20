"""How what outer opened on the host comes into the mount namespace of another user namespace (mount_namespaces(7)).

What is attached there as it is would be root's of that namespace to change: it could make writable what the host has
mounted read-only, and what it mounts would reach the host's peers. The kernel locks the flags of mounts, and makes
slaves of peers, where a mount namespace is copied for another user namespace. So the joiner attaches the trees in a
mount namespace of its own, on a *shelf*, and init takes them from its copy of that.
"""

from __future__ import annotations

from slinger.linux.flags import CLONE_NEWNS, MS_SLAVE
from slinger.plan import namespaces, ops
from slinger.plan.rootfs import opener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from slinger.plan.facts import Facts
    from slinger.plan.ops import Op
    from slinger.spec.config import Config


def shelve_ops(config: Config, facts: Facts, sources: Sequence[Op]) -> list[Op]:
    """The joiner's part; [] where init is in our user namespace, or opens the sources itself, or joins its mounts."""
    trees = [op for op in sources if isinstance(op, ops.OpenTree)]
    crosses = namespaces.in_user_namespace(config, facts) and namespaces.is_new(config, "mount")
    if not crosses or opener(facts) != ops.OUTER or not trees:
        return []
    return [
        ops.Unshare(namespaces.ORIGIN, by=ops.JOINER, flags=CLONE_NEWNS),
        ops.Propagation(namespaces.ORIGIN, by=ops.JOINER, flags=MS_SLAVE),
        ops.Shelf(namespaces.ORIGIN, by=ops.JOINER, path=facts.rootfs),
        *(ops.Shelve(tree.origin, by=ops.JOINER, slot=tree.slot, path=tree.path) for tree in trees),
    ]


def unshelve_ops(shelved: Sequence[Op]) -> list[Op]:
    """Init's part, once it has its mount namespace."""
    return [ops.Unshelve(op.origin, slot=op.slot, path=op.path) for op in shelved if isinstance(op, ops.Shelve)]
