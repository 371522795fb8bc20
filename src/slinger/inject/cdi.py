"""CDI devices: which are asked for, which specification has them, and their edits applied to a configuration.

Source: the Container Device Interface, SPEC.md 1.1.0, and what its reference does where that is silent. What differs is
in docs/decisions/0014-injecting.md.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.inject.cdi_spec import NO_ACCESS, CdiSpec, DeviceNode, Edits, check_name
from slinger.inject.draft import Draft, Injected, Source
from slinger.record import Record
from slinger.spec.config import Device, DeviceRule, Mount, User
from slinger.spec.features import DEVICES
from slinger.spec.reader import key_path
from slinger.spec.values import has_namespace, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slinger.spec.config import Config

OPTION = "--cdi-device"
ALL_ACCESS = "rwm"


class Request(Record):
    """A device that is asked for, and by what: an option, or an annotation."""

    name: str
    by: str


class Found(Record):
    """A device that is asked for, in the specification that counts."""

    request: Request
    spec: CdiSpec
    edits: Edits


class HostNode(Record):
    """A device node of the host: its type (b, c or p), numbers and permissions."""

    type: str
    major: int
    minor: int
    mode: int


def asked_for(names: Iterable[str], annotations: tuple[tuple[str, str], ...]) -> tuple[Request, ...]:
    """The devices of options, then those of annotations; each once. ConfigError for what is no qualified name."""
    wanted: dict[str, Request] = {}
    for name in names:
        check_qualified(name, OPTION)
        wanted.setdefault(name, Request(name, OPTION))
    for key, value in sorted(annotations):
        if key.startswith(DEVICES):
            at = key_path("annotations", key)
            for name in value.split(","):
                check_qualified(name, at)
                wanted.setdefault(name, Request(name, at))
    return tuple(wanted.values())


def check_qualified(name: str, at: str) -> None:
    """ConfigError unless it is ``vendor.com/class=device``."""
    kind, equals, device = name.partition("=")
    vendor, slash, device_class = kind.partition("/")
    if not (equals and slash):
        raise ConfigError(at, f"expected vendor.com/class=device, got {quote(name)}")
    check_name(vendor, "vendor", at)
    check_name(device_class, "class", at)
    check_name(device, "device name", at, digit_first=True, also="_-.:")


def find_devices(
    requests: tuple[Request, ...], specs: tuple[CdiSpec, ...], faults: tuple[str, ...]
) -> tuple[Found, ...]:
    """Each device in the specification of the highest priority that has it.

    ``faults``: what is wrong with the files that could not be read. ConfigError where none has the device, or two of
    the same priority.
    """
    return tuple(_find(request, specs, faults) for request in requests)


def _find(request: Request, specs: tuple[CdiSpec, ...], faults: tuple[str, ...]) -> Found:
    kind, _, name = request.name.partition("=")
    having = [spec for spec in specs if spec.kind == kind and any(each == name for each, _ in spec.devices)]
    highest = max((spec.priority for spec in having), default=0)
    best = [spec for spec in having if spec.priority == highest]
    if not best:
        raise ConfigError(request.by, f"no CDI device {request.name}", hint=_instead(kind, specs, faults))
    if len(best) > 1:
        files = " and ".join(spec.file for spec in best)
        raise ConfigError(
            request.by, f"the CDI device {request.name} is in {files}", hint="only one of them may have it"
        )
    return Found(request, best[0], dict(best[0].devices)[name])


def _instead(kind: str, specs: tuple[CdiSpec, ...], faults: tuple[str, ...]) -> str:
    if faults:
        return f"not read: {'; '.join(faults)}"
    known = sorted({f"{spec.kind}={name}" for spec in specs for name, _ in spec.devices})
    near = [name for name in known if name.startswith(f"{kind}=")]
    return f"there are {', '.join(near or known)}" if known else "there is no CDI specification"


def host_paths(found: tuple[Found, ...]) -> tuple[str, ...]:
    """The nodes of the host that must be looked at before the edits can be applied."""
    nodes = [node for _, edits in _in_order(found) for node in edits.device_nodes]
    return tuple(dict.fromkeys(node.host_path for node in nodes))


def _in_order(found: tuple[Found, ...]) -> list[tuple[Found, Edits]]:
    """The edits as they are applied: those of a file before those of the first of its devices."""
    ordered: list[tuple[Found, Edits]] = []
    seen: set[str] = set()
    for each in found:
        if each.spec.file not in seen:
            seen.add(each.spec.file)
            ordered.append((each, each.spec.edits))
        ordered.append((each, each.edits))
    return ordered


def add_devices(draft: Draft, found: tuple[Found, ...], nodes: Mapping[str, HostNode]) -> None:
    """Apply the edits of the devices. ``nodes``: those of ``host_paths`` that the host has.

    ConfigError where a node is not described and the host does not have it either.
    """
    for each, edits in _in_order(found):
        _apply(draft, each, edits, nodes)


def inject_devices(config: Config, found: tuple[Found, ...], nodes: Mapping[str, HostNode]) -> Injected:
    """The configuration with the edits of all devices."""
    draft = Draft(config)
    add_devices(draft, found, nodes)
    return draft.finish()


def _apply(draft: Draft, found: Found, edits: Edits, nodes: Mapping[str, HostNode]) -> None:
    def source(member: str) -> Source:
        return Source(found.spec.file, f"{edits.at}.{member}", f"{found.request.by}: {found.request.name}")

    for index, entry in enumerate(edits.env):
        draft.set_variable(entry, source(f"env[{index}]"))
    for index, node in enumerate(edits.device_nodes):
        _add_node(draft, node, nodes.get(node.host_path), source(f"deviceNodes[{index}]"))
    for index, net_device in enumerate(edits.net_devices):
        draft.add_net_device(net_device, source(f"netDevices[{index}]"))
    for index, mount in enumerate(edits.mounts):
        draft.add_mount(mount, source(f"mounts[{index}]"))
    for index, (stage, hook) in enumerate(edits.hooks):
        draft.add_hook(stage, hook, source(f"hooks[{index}]"))
    if edits.intel_rdt is not None:
        draft.set_intel_rdt(edits.intel_rdt, source("intelRdt"))
    for index, group in enumerate(edits.additional_gids):
        if group:  # as in the reference, 0 is none to be added
            draft.add_group(group, source(f"additionalGids[{index}]"))


def _add_node(draft: Draft, node: DeviceNode, host: HostNode | None, source: Source) -> None:
    described = bool(node.type) and (node.major != 0 or node.type == "p")
    if host is None and not described:
        why = f"{node.host_path}: no such device node on the host"
        raise ConfigError("", f"{source.file}: {source.at}: {why}", hint="or give its type, major and minor")
    kind = node.type or (host.type if host is not None else "")
    if not described and host is not None and kind.replace("u", "c") != host.type:
        why = f"{node.host_path} is of type {host.type}, not {kind}"
        raise ConfigError("", f"{source.file}: {source.at}.type: {why}")
    major, minor = node.major, node.minor
    if host is not None and not major and kind != "p":
        major, minor = host.major, host.minor
    if node.host_path != node.path and kind != "p" and has_namespace(draft.config.linux, "user"):
        # Nodes cannot be made there and are bound, which linux.devices can say only of the same path.
        draft.add_mount(Mount(node.path, "bind", node.host_path, ("bind", "nosuid", "noexec")), source)
    else:
        mode = host.mode if node.file_mode is None and host is not None else node.file_mode
        draft.add_device(_device(draft.config, node, Device(kind, node.path, major, minor, mode)), source)
    if kind in {"b", "c"} and node.permissions != NO_ACCESS:
        draft.add_rule(
            DeviceRule(allow=True, type=kind, major=major, minor=minor, access=node.permissions or ALL_ACCESS), source
        )


def _device(config: Config, node: DeviceNode, device: Device) -> Device:
    """The device with its owner: the program's user, unless the specification names one."""
    user = config.process.user if config.process is not None else User()
    return device.replace(
        uid=(user.uid or None) if node.uid is None else node.uid,
        gid=(user.gid or None) if node.gid is None else node.gid,
    )
