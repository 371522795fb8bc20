"""root and linux.rootfsPropagation: the container's root from its first mount to the pivot."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.linux.flags import MOUNT_ATTR_RDONLY, MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE
from slinger.plan import namespaces, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts, Options
    from slinger.plan.ops import Op
    from slinger.spec.config import Config

SLOT = 0
PROPAGATION = "linux.rootfsPropagation"
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
    origin = PROPAGATION if private else ""
    return [ops.Propagation(origin, flags=MS_PRIVATE if private else MS_SLAVE)]


def attach_ops(config: Config, facts: Facts) -> list[Op]:
    """Put the root in its place, where the hooks before the pivot find it."""
    if not has_mounts(config):
        return [ops.OpenRoot("root.path", path=facts.rootfs)]
    return [ops.AttachRoot("root.path", slot=SLOT, path=facts.rootfs)]


def enter_ops(config: Config, options: Options, facts: Facts) -> list[Op]:
    """The pivot, and the propagation that only holds for what is then /.

    ConfigError for a private root without a pivot: what is under it could be uncovered, and seen by the host.
    """
    if not has_mounts(config):
        return [ops.Pivot("root.path", how=CHROOT)]
    kind, _ = _asked(config)
    if options.no_pivot and kind == "private":
        raise ConfigError(PROPAGATION, "a private root is not safe without pivot_root", hint="leave out --no-pivot")
    pivot = ops.Pivot("root.path", how=MOVE if options.no_pivot else PIVOT)
    return [*_bare_ops(config, options, facts), pivot, *([] if kind == "unbindable" else _propagation_ops(config))]


def _bare_ops(config: Config, options: Options, facts: Facts) -> list[Op]:
    """Without pivot_root the host's mounts stay below the root. A procfs or sysfs that shows all would let the program
    mount another one, without masked paths, in a user namespace of its own (mount_namespaces(7)).
    """
    if not options.no_pivot or not namespaces.is_new(config, "mount"):
        return []
    own = f"{facts.rootfs.rstrip('/')}/"  # where the container's are by now
    return [ops.Detach("root.path", path=each) for each in facts.bare if not each.startswith(own)]


def closing_ops(config: Config) -> list[Op]:
    """What must wait until all has been made in the root: root.readonly, and that nothing can be bound any more."""
    if not has_mounts(config):
        return []
    kind, _ = _asked(config)
    plan = _propagation_ops(config) if kind == "unbindable" else []
    if config.root.readonly:
        plan.append(ops.RootChange("root.readonly", attr_set=MOUNT_ATTR_RDONLY))
    return plan


def _asked(config: Config) -> tuple[str, int]:
    """linux.rootfsPropagation without its r, and whether it had one."""
    asked = config.linux.rootfs_propagation
    return asked.removeprefix("r"), int(asked.startswith("r"))


def _propagation_ops(config: Config) -> list[Op]:
    kind, recursive = _asked(config)
    if kind not in AFTER_PIVOT:
        return []
    return [ops.RootChange(PROPAGATION, propagation=AFTER_PIVOT[kind], recursive=recursive)]
