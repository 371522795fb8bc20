"""Checks of user namespace mappings and of the ids that they must hold."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.spec.values import demand_mappings, has_namespace, is_mapped, joins_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Config


def check_mappings(config: Config) -> None:
    """A new user namespace needs both maps (create makes them if there is neither); without one there must be none.

    Maps beside the path of a namespace are allowed if they are that namespace's own, which the plan sees.
    """
    linux = config.linux
    for name, mappings in (("uidMappings", linux.uid_mappings), ("gidMappings", linux.gid_mappings)):
        at = f"linux.{name}"
        if mappings and not has_namespace(linux, "user"):
            raise ConfigError(at, "needs a user namespace in linux.namespaces")
        if not mappings and has_namespace(linux, "user") and not joins_namespace(linux, "user"):
            raise ConfigError(at, "required with a new user namespace")
        demand_mappings(mappings, at)


def check_user_is_mapped(config: Config) -> None:
    """The ids of the process must exist in a new user namespace, else setuid(2) fails with EINVAL."""
    linux = config.linux
    process = config.process
    if process is None or not linux.uid_mappings or joins_namespace(linux, "user"):
        return
    user = process.user
    if not is_mapped(user.uid, linux.uid_mappings):
        raise ConfigError("process.user.uid", f"{user.uid} is not mapped in linux.uidMappings")
    if not is_mapped(user.gid, linux.gid_mappings):
        raise ConfigError("process.user.gid", f"{user.gid} is not mapped in linux.gidMappings")
    for index, gid in enumerate(user.additional_gids):
        if not is_mapped(gid, linux.gid_mappings):
            raise ConfigError(f"process.user.additionalGids[{index}]", f"{gid} is not mapped in linux.gidMappings")


def check_rootless_mappings(config: Config) -> None:
    """Without privilege nothing can be made except in a user namespace."""
    if not has_namespace(config.linux, "user"):
        raise ConfigError(
            "linux.namespaces",
            "a rootless caller needs a user namespace",
            hint='add {"type": "user"} with linux.uidMappings and linux.gidMappings, or see slinger spec --rootless',
        )
