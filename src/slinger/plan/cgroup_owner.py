"""Who is to own the container's cgroup: config-linux.md, "Cgroup ownership"."""

from __future__ import annotations

from slinger.linux.flags import MOUNT_ATTR_RDONLY, parse_options
from slinger.plan.namespaces import is_new
from slinger.spec.validate_mounts import resolved
from slinger.spec.values import is_mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Config

WHERE = "/sys/fs/cgroup"


def cgroup_owner(config: Config) -> int | None:
    """The user on the host that the container's user is, where the container may write to its cgroup; else None.

    It may where it has a cgroup namespace of its own and the file system is mounted, and not read-only.
    """
    if config.process is None or not is_new(config, "cgroup"):
        return None
    shown = [mount for mount in config.mounts if mount.source == "cgroup" and resolved(mount.destination) == WHERE]
    options = [parse_options(mount.options) for mount in shown]
    if not options or (options[-1].attr_set | options[-1].rec_set) & MOUNT_ATTR_RDONLY:
        return None
    uid, maps = config.process.user.uid, config.linux.uid_mappings
    if not maps:  # without a user namespace a user is the same outside; whom another's has is not known
        return None if any(each.type == "user" for each in config.linux.namespaces) else uid
    row = next((each for each in maps if is_mapped(uid, (each,))), None)
    return None if row is None else row.host_id + uid - row.container_id
