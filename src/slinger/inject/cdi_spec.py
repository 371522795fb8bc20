"""A Container Device Interface specification, versions 0.1.0 to 1.1.0: a document read into records.

As the reference's parser a property that the specification does not know is an error, and so is one that came with a
later version than the file says it is of. Errors name the JSON path, in YAML as well.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.inject.files import in_file, unknown_names
from slinger.lifecycle import STAGE_NAMES
from slinger.record import Record
from slinger.spec.config import Hook, IntelRdt, Mount, NetDevice
from slinger.spec.parse_hooks import read_hook, similar_name
from slinger.spec.reader import INT64, UINT32, Reader
from slinger.spec.validate import check_hook
from slinger.spec.values import demand_environment, demand_one_of, quote, refuse_nul, refuse_nul_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from slinger.spec.jsontext import Json

VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0")
LATEST = VERSIONS[-1]
_LONGEST_GROUP = 4095
DEVICE_TYPES = ("b", "c", "u", "p")
NO_ACCESS = "none"  # a node that the device cgroup gives no access to
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
DIGITS = frozenset("0123456789")

TOP = ("cdiVersion", "kind", "annotations", "devices", "containerEdits")
DEVICE = ("name", "annotations", "containerEdits")
# additionalGIDs is how the specification's text spells it, additionalGids how its schema does.
EDITS = ("env", "deviceNodes", "netDevices", "hooks", "mounts", "intelRdt", "additionalGids", "additionalGIDs")
NODE = ("path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid")
MOUNT = ("hostPath", "containerPath", "options", "type")
HOOK = ("hookName", "path", "args", "env", "timeout")
# The last two: up to 1.0.0, before enableMonitoring came in their place.
RDT = ("closID", "l3CacheSchema", "memBwSchema", "schemata", "enableMonitoring", "enableCMT", "enableMBM")
NET_DEVICE = ("hostInterfaceName", "name")


class DeviceNode(Record):
    """``major`` 0 or ``type`` "": as the node of the host has it, which is ``host_path``, or ``path``."""

    path: str
    host_path: str
    type: str
    major: int
    minor: int
    file_mode: int | None
    permissions: str
    uid: int | None
    gid: int | None


class Edits(Record):
    """What is to be changed in a configuration; ``at`` is its JSON path in the file."""

    at: str
    env: tuple[str, ...] = ()
    device_nodes: tuple[DeviceNode, ...] = ()
    net_devices: tuple[NetDevice, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hooks: tuple[tuple[str, Hook], ...] = ()
    intel_rdt: IntelRdt | None = None
    additional_gids: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is changed."""
        return self == Edits(self.at)


class CdiSpec(Record):
    """A file. ``edits`` go with the first of its ``devices`` that is used; ``priority`` is its directory's."""

    file: str
    priority: int
    kind: str
    edits: Edits
    devices: tuple[tuple[str, Edits], ...]


def parse_spec(file: str, priority: int, document: Json) -> CdiSpec:
    """The specification that a document holds. ConfigError that names file and JSON path."""
    try:
        return _Parser(file, Reader(document, "", file)).spec(priority)
    except ConfigError as error:
        raise in_file(file, error) from None


def check_name(name: str, what: str, at: str, *, digit_first: bool = False, also: str = "_-.") -> None:
    """The alphabet of vendors, classes and devices. Raises ConfigError."""
    inner = LETTERS | DIGITS | set(also)
    first = LETTERS | DIGITS if digit_first else LETTERS
    if not (name and name[0] in first and name[-1] in LETTERS | DIGITS and inner.issuperset(name)):
        begins = "a letter or digit" if digit_first else "a letter"
        raise ConfigError(
            at, f"{quote(name)} is no {what}: letters, digits and {also}, from {begins} to a letter or digit"
        )


class _Parser:
    """Reads one file, and notes which version it needs."""

    def __init__(self, file: str, top: Reader) -> None:
        self.file = file
        self.top = top
        self.needs: list[tuple[str, str]] = []

    def need(self, version: str, path: str) -> None:
        """The property at this path came with this version."""
        self.needs.append((version, path))

    def spec(self, priority: int) -> CdiSpec:
        """The whole file."""
        top = self.top
        version = top.demanded_text("cdiVersion").removeprefix("v")
        demand_one_of(version, VERSIONS, "cdiVersion")
        self.refuse_unknown(top, TOP)
        kind = top.demanded_text("kind")
        vendor, slash, name = kind.partition("/")
        if not slash:
            raise ConfigError("kind", f"expected vendor.com/class, got {quote(kind)}")
        check_name(vendor, "vendor", "kind")
        check_name(name, "class", "kind")
        if "." in name:
            self.need("0.6.0", "kind")
        self.annotations(top)
        edits = self.edits(top)
        top.demand("devices")
        devices = tuple(self.device(entry) for entry in top.objects("devices"))
        if not devices:
            raise ConfigError("devices", "must have at least one entry")
        names = [each for each, _ in devices]
        for index, each in enumerate(names):
            if each in names[:index]:
                raise ConfigError(
                    f"devices[{index}].name", f"{quote(each)} is the name of devices[{names.index(each)}]"
                )
        self.check_version(version)
        return CdiSpec(self.file, priority, kind, edits, devices)

    def check_version(self, version: str) -> None:
        """Whether the file says that it is of a version that has all that it uses."""
        for needed, path in self.needs:
            if VERSIONS.index(needed) > VERSIONS.index(version):
                raise ConfigError(path, f"needs cdiVersion {needed} or later, the file says {version}")

    def annotations(self, reader: Reader) -> None:
        """Of a file or a device: they say something of it, and change nothing."""
        if reader.map("annotations"):
            self.need("0.6.0", reader.path("annotations"))

    def device(self, entry: Reader) -> tuple[str, Edits]:
        """One of the devices."""
        self.refuse_unknown(entry, DEVICE)
        name = entry.demanded_text("name")
        check_name(name, "device name", entry.path("name"), digit_first=True, also="_-.:")
        if name[0] in DIGITS:
            self.need("0.5.0", entry.path("name"))
        self.annotations(entry)
        entry.demand("containerEdits")
        edits = self.edits(entry)
        if edits.empty:
            raise ConfigError(edits.at, "must not be empty")
        return name, edits

    def edits(self, owner: Reader) -> Edits:
        """The containerEdits of a file or a device."""
        reader = owner.object("containerEdits")
        if reader is None:
            return Edits(owner.path("containerEdits"))
        self.refuse_unknown(reader, EDITS)
        env = reader.texts("env")
        demand_environment(env, reader.path("env"))
        return Edits(
            at=reader.at,
            env=env,
            device_nodes=tuple(self.node(entry) for entry in reader.objects("deviceNodes")),
            net_devices=tuple(self.net_devices(reader)),
            mounts=tuple(self.mount(entry) for entry in reader.objects("mounts")),
            hooks=tuple(self.hook(entry) for entry in reader.objects("hooks")),
            intel_rdt=self.intel_rdt(reader.object("intelRdt")),
            additional_gids=tuple(self.groups(reader)),
        )

    def node(self, entry: Reader) -> DeviceNode:
        """One of deviceNodes."""
        self.refuse_unknown(entry, NODE)
        path, kind, permissions = entry.demanded_text("path"), entry.text("type"), entry.text("permissions")
        if not path.startswith("/"):
            raise ConfigError(entry.path("path"), f"must be an absolute path, got {quote(path)}")
        refuse_nul_in(path, entry.path("path"))
        if entry.text("hostPath"):
            self.need("0.5.0", entry.path("hostPath"))
            refuse_nul_in(entry.text("hostPath"), entry.path("hostPath"))
        if kind:
            demand_one_of(kind, DEVICE_TYPES, entry.path("type"))
        if permissions != NO_ACCESS and not set("rwm").issuperset(permissions):
            raise ConfigError(entry.path("permissions"), f"expected letters of rwm, got {quote(permissions)}")
        return DeviceNode(
            path=path,
            host_path=entry.text("hostPath") or path,
            type=kind,
            major=entry.number("major", INT64),
            minor=entry.number("minor", INT64),
            file_mode=entry.number_or_none("fileMode", UINT32),
            permissions=permissions,
            uid=entry.number_or_none("uid", UINT32),
            gid=entry.number_or_none("gid", UINT32),
        )

    def net_devices(self, edits: Reader) -> Iterator[NetDevice]:
        """All of netDevices: neither name may come twice."""
        seen: set[tuple[str, str]] = set()
        for entry in edits.objects("netDevices"):
            self.need("1.1.0", entry.at)
            self.refuse_unknown(entry, NET_DEVICE)
            for member in NET_DEVICE:
                name = entry.demanded_text(member)
                if not name:
                    raise ConfigError(entry.path(member), "must not be empty")
                if (member, name) in seen:
                    raise ConfigError(entry.path(member), f"{quote(name)} is there twice")
                seen.add((member, name))
            yield NetDevice(host_name=entry.text("hostInterfaceName"), name=entry.text("name"))

    def mount(self, entry: Reader) -> Mount:
        """One of mounts."""
        self.refuse_unknown(entry, MOUNT)
        for member in ("hostPath", "containerPath"):
            if not entry.demanded_text(member):
                raise ConfigError(entry.path(member), "must not be empty")
            refuse_nul_in(entry.text(member), entry.path(member))
        if entry.text("type"):
            self.need("0.4.0", entry.path("type"))
        options = entry.texts("options")
        refuse_nul(options, entry.path("options"))
        return Mount(entry.text("containerPath"), entry.text("type"), entry.text("hostPath"), options)

    def hook(self, entry: Reader) -> tuple[str, Hook]:
        """One of hooks, with its stage."""
        self.refuse_unknown(entry, HOOK)
        stage, at = entry.demanded_text("hookName"), entry.path("hookName")
        if stage not in STAGE_NAMES:
            meant = similar_name(stage, STAGE_NAMES)
            hint = f'did you mean "{meant}"?' if meant else f"the stages are {', '.join(STAGE_NAMES)}"
            raise ConfigError(at, f"no such stage: {quote(stage)}", hint=hint)
        hook = read_hook(entry)
        check_hook(hook, entry.at)
        return stage, hook

    def intel_rdt(self, rdt: Reader | None) -> IntelRdt | None:
        """The intelRdt object."""
        if rdt is None:
            return None
        self.need("0.7.0", rdt.at)
        self.refuse_unknown(rdt, RDT)
        for member in ("schemata", "enableMonitoring"):
            if rdt.members.get(member):
                self.need("1.1.0", rdt.path(member))
        group = rdt.text("closID")
        # The file name of a group of resctrl; / is its root.
        if group != "/" and (len(group) > _LONGEST_GROUP or group in {".", ".."} or not {"/", "\n"}.isdisjoint(group)):
            raise ConfigError(rdt.path("closID"), f"must be the name of a directory, got {quote(group)}")
        return IntelRdt(
            clos_id=group or None,
            schemata=rdt.texts("schemata"),
            l3_cache_schema=rdt.text("l3CacheSchema"),
            mem_bw_schema=rdt.text("memBwSchema"),
            enable_monitoring=rdt.flag("enableMonitoring") or rdt.flag("enableCMT") or rdt.flag("enableMBM"),
        )

    def groups(self, edits: Reader) -> Iterator[int]:
        """The additional groups, under either spelling."""
        for member in ("additionalGids", "additionalGIDs"):
            for group in edits.numbers(member, UINT32):
                self.need("0.7.0", edits.path(member))
                yield group

    @staticmethod
    def refuse_unknown(reader: Reader, known: tuple[str, ...]) -> None:
        """An error for the first property that the specification does not know."""
        for path, why in unknown_names(reader, known):
            raise ConfigError(path, why)
