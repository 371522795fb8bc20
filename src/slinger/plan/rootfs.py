"""root and linux.rootfsPropagation: the container's root from its first mount to the pivot."""

from __future__ import annotations

from slinger.linux.flags import MOUNT_ATTR_RDONLY, MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE
from slinger.plan import namespaces, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts, Options
    from slinger.plan.ops import Op
    from slinger.spec.config import Config

SLOT = 0
# What only holds for the container's root once it is /.
AFTER_PIVOT = {"shared": MS_SHARED, "slave": MS_SLAVE, "unbindable": MS_UNBINDABLE}
PIVOT, MOVE, CHROOT = range(3)


def has_mounts(config: Config) -> bool:
    """Whether there is a mount namespace to mount in; else the root is entered by chroot alone."""
    return namespaces.find(config, "mount") is not None


def opener(facts: Facts) -> str:
    """Who opens what lies on the host: outer in the host's mount namespace, where it may."""
    return ops.INIT if facts.rootless or not facts.owns_mounts else ops.OUTER


def open_ops(config: Config, facts: Facts) -> list[Op]:
    """The root's tree as a detached copy."""
    if not has_mounts(config):
        return []
    propagation = tree_propagation(config)
    return [
        ops.OpenTree("root.path", by=opener(facts), slot=SLOT, path=facts.rootfs, recursive=1, propagation=propagation)
    ]


def tree_propagation(config: Config) -> int:
    """What becomes of the propagation of mounts that are copied from the host. They stay its peers, 0, where the
    root is to be shared: engines ask for that with a volume whose mounts shall reach the host.
    """
    asked = config.linux.rootfs_propagation.removeprefix("r")
    return {"shared": 0, "private": MS_PRIVATE}.get(asked, MS_SLAVE)


def propagation_ops(config: Config) -> list[Op]:
    """Nothing that is mounted in the container reaches the host. The host's mounts arrive unless private is asked."""
    if not has_mounts(config):
        return []
    private = config.linux.rootfs_propagation in {"private", "rprivate"}
    origin = "linux.rootfsPropagation" if private else ""
    return [ops.Propagation(origin, flags=MS_PRIVATE if private else MS_SLAVE)]


def attach_ops(config: Config, facts: Facts) -> list[Op]:
    """Put the root in its place, where the hooks before the pivot find it."""
    if not has_mounts(config):
        return [ops.OpenRoot("root.path", path=facts.rootfs)]
    return [ops.AttachRoot("root.path", slot=SLOT, path=facts.rootfs)]


def enter_ops(config: Config, options: Options) -> list[Op]:
    """The pivot, and the propagation that only holds for what is then /."""
    if not has_mounts(config):
        return [ops.Pivot("root.path", how=CHROOT)]
    plan: list[Op] = [ops.Pivot("root.path", how=MOVE if options.no_pivot else PIVOT)]
    asked = config.linux.rootfs_propagation
    kind = asked.removeprefix("r")
    if kind in AFTER_PIVOT:
        change = ops.RootChange("linux.rootfsPropagation", propagation=AFTER_PIVOT[kind], recursive=int(asked != kind))
        plan.append(change)
    return plan


def readonly_ops(config: Config) -> list[Op]:
    """root.readonly, once all that is made in the root has been made."""
    if not config.root.readonly or not has_mounts(config):
        return []
    return [ops.RootChange("root.readonly", attr_set=MOUNT_ATTR_RDONLY)]
