"""mounts[].uidMappings and gidMappings, idmap and ridmap: whose a file is in a mount (config.md, "Mounts")."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan import namespaces, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.linux.flags import MountOptions
    from slinger.plan.facts import Facts
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, IdMapping, Mount


class IdMaps:
    """The user namespaces that a container's mounts are mapped by: one for all mounts with the same maps."""

    def __init__(self, config: Config, facts: Facts, take_slot: Callable[[], int]) -> None:
        self.config = config
        self.facts = facts
        self.take_slot = take_slot
        self.made: dict[tuple[str, str, str], int] = {}

    def tree_ops(self, origin: str, mount: Mount, options: MountOptions, tree: ops.OpenTree) -> list[Op]:
        """What maps a tree that has been opened, as the mount asks; [] if it does not.

        ConfigError where the container's own maps are asked for, and it has none.
        """
        if not (options.idmap or options.rec_idmap or mount.uid_mappings):
            return []
        namespace = self._namespace(origin, mount)
        key = (namespace.path, namespace.uids, namespace.gids)
        plan: list[Op] = []
        if key not in self.made:
            self.made[key] = self.take_slot()
            plan.append(namespace.replace(slot=self.made[key]))
        recursive = int(options.rec_idmap)
        map_tree = ops.MapTree(
            origin, by=tree.by, slot=tree.slot, map_slot=self.made[key], path=tree.path, recursive=recursive
        )
        return [*plan, map_tree]

    def _namespace(self, origin: str, mount: Mount) -> ops.IdMap:
        """The mount's own maps, or those of the user namespace that the container makes or joins."""
        if mount.uid_mappings:
            return _new(f"{origin}.uidMappings", mount.uid_mappings, mount.gid_mappings)
        linux = self.config.linux
        if not namespaces.in_user_namespace(self.config, self.facts):
            raise ConfigError(f"{origin}.uidMappings", "required, because there is no user namespace to take them from")
        if namespaces.is_new(self.config, "user"):
            return _new("linux.uidMappings", linux.uid_mappings, linux.gid_mappings)
        index, path = next((at, each.path) for at, each in enumerate(linux.namespaces) if each.type == "user")
        return ops.IdMap(f"{namespaces.ORIGIN}[{index}]", by=ops.OUTER, path=path)


def _new(origin: str, uids: tuple[IdMapping, ...], gids: tuple[IdMapping, ...]) -> ops.IdMap:
    """By outer, in whose user namespace the ids outside are meant, and who may map any of them."""
    return ops.IdMap(origin, by=ops.OUTER, uids=namespaces.map_text(uids), gids=namespaces.map_text(gids))
