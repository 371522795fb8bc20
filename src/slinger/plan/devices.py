"""linux.devices, the default devices and links (config-linux.md, "Default Devices", "Dev symbolic links")."""

from __future__ import annotations

from slinger.linux.flags import parse_options
from slinger.plan import ops
from slinger.plan.namespaces import in_user_namespace
from slinger.plan.rootfs import has_mounts, opener
from slinger.spec.config import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts
    from slinger.plan.ops import Op
    from slinger.spec.config import Config

S_IFIFO, S_IFCHR, S_IFBLK = 0o010000, 0o020000, 0o060000
KINDS = {"c": S_IFCHR, "u": S_IFCHR, "b": S_IFBLK, "p": S_IFIFO}
DEFAULT_MODE = 0o666

DEFAULTS = (
    Device("c", "/dev/null", 1, 3),
    Device("c", "/dev/zero", 1, 5),
    Device("c", "/dev/full", 1, 7),
    Device("c", "/dev/random", 1, 8),
    Device("c", "/dev/urandom", 1, 9),
    Device("c", "/dev/tty", 5, 0),
)
LINKS = (  # path, target, only if this exists
    ("/dev/fd", "/proc/self/fd", ""),
    ("/dev/stdin", "/proc/self/fd/0", ""),
    ("/dev/stdout", "/proc/self/fd/1", ""),
    ("/dev/stderr", "/proc/self/fd/2", ""),
    ("/dev/core", "/proc/kcore", "/proc/kcore"),
)


def dev_is_hosts(config: Config) -> bool:
    """Whether what is mounted on /dev last is a bind mount: what it holds is somebody else's and stays as it is."""
    hosts = False
    for mount in config.mounts:
        if [part for part in mount.destination.split("/") if part not in {"", "."}] == ["dev"]:
            options = parse_options(mount.options)
            hosts = hosts if options.remount else options.bind or mount.type == "bind"
    return hosts


def _wanted(config: Config) -> list[tuple[str, Device]]:
    """(origin, device): those of the config, and the default ones that it does not name itself.

    A slash at the end of a path would ask for a directory.
    """
    own = [
        (f"linux.devices[{index}]", device.replace(path=device.path.rstrip("/")) if device.path[-1:] == "/" else device)
        for index, device in enumerate(config.linux.devices)
    ]
    named = {device.path for _, device in own}
    return [("", device) for device in DEFAULTS if device.path not in named] + own


def device_ops(config: Config, facts: Facts, first_slot: int) -> tuple[list[Op], list[Op], int]:
    """(what opens host nodes, what makes nodes and links, slots): nodes are bound where mknod is forbidden."""
    if not has_mounts(config) or dev_is_hosts(config):
        return [], [], first_slot
    sources: list[Op] = []
    nodes: list[Op] = []
    bind = in_user_namespace(config, facts) or facts.in_user_namespace
    for origin, device in _wanted(config):
        if bind and device.type != "p":
            sources.append(ops.OpenTree(origin, by=opener(facts), slot=first_slot, path=device.path))
            nodes.append(ops.MountBind(origin, slot=first_slot, destination=device.path))
            first_slot += 1
        else:
            nodes.append(_node(origin, device))
    nodes.extend(ops.MakeLink("", path=path, target=target, needs=needs) for path, target, needs in LINKS)
    nodes.append(ops.MakeLink("", path="/dev/ptmx", target="pts/ptmx"))
    return sources, nodes, first_slot


def _node(origin: str, device: Device) -> Op:
    mode = DEFAULT_MODE if device.file_mode is None else device.file_mode
    return ops.MakeNode(
        origin,
        path=device.path,
        kind=KINDS[device.type],
        major=device.major,
        minor=device.minor,
        mode=mode & 0o7777,
        uid=device.uid or 0,
        gid=device.gid or 0,
    )
