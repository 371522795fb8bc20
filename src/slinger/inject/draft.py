"""A configuration while things are added to it, each with where it came from.

Rule of the file: what was there keeps its order, and in the end every addition is named by its JSON path in the
configuration that comes out.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.record import Record
from slinger.spec.config import Hooks, Resources
from slinger.spec.reader import key_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias, TypeVar

    from slinger.spec.config import Config, Device, DeviceRule, Hook, IntelRdt, Mount, NetDevice

    Item = TypeVar("Item")
    Row: TypeAlias = "tuple[Item, Source | None]"


class Injection(Record):
    """What is to be applied to a configuration before it is used; nothing unless it says so.

    ``hooks_dirs``: directories of hooks.d files, a later one's file replacing an earlier one's of the same name.
    ``cdi_devices``: qualified names such as ``vendor.com/gpu=0``. ``cdi_annotations``: also those that annotations
    ``cdi.k8s.io/*`` ask for. ``cdi_spec_dirs``: where their specifications are; a later directory has precedence.
    """

    hooks_dirs: tuple[str, ...] = ()
    cdi_devices: tuple[str, ...] = ()
    cdi_annotations: bool = False
    cdi_spec_dirs: tuple[str, ...] = ("/etc/cdi", "/var/run/cdi")


class Source(Record):
    """Where an addition comes from: a file, the JSON path in it, and why it was applied."""

    file: str
    at: str
    why: str


class Addition(Record):
    """``target``: the JSON path in the configuration of what ``source`` has put there; ``shown``: what that is."""

    target: str
    shown: str
    source: Source


class LeftOut(Record):
    """A hooks.d file that does not apply, and why."""

    file: str
    why: str


class Injected(Record):
    """A configuration with what was added to it."""

    config: Config
    added: tuple[Addition, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def source_of(self, path: str) -> Source | None:
        """Where what a JSON path is about, or lies in, was added from; None if it was there before."""
        for each in self.added:
            if path == each.target or path.startswith((f"{each.target}.", f"{each.target}[")):
                return each.source
        return None

    def hook_files(self) -> tuple[tuple[str, str], ...]:
        """The hooks that were added, by JSON path, with the file of each."""
        return tuple((each.target, each.source.file) for each in self.added if each.target.startswith("hooks."))


class Draft:
    """The sections that something can be added to."""

    def __init__(self, config: Config) -> None:
        self.config = config
        process, resources = config.process, config.linux.resources
        self.env = _rows(process.env if process is not None else ())
        self.groups = _rows(process.user.additional_gids if process is not None else ())
        self.mounts = _rows(config.mounts)
        self.devices = _rows(config.linux.devices)
        self.rules = _rows(resources.devices if resources is not None else ())
        self.net_devices = _rows(config.linux.net_devices)
        self.hooks = {stage: _rows(hooks) for stage, hooks in config.hooks.lists}
        self.intel_rdt: Row[IntelRdt | None] = (config.linux.intel_rdt, None)

    def add_hook(self, stage: str, hook: Hook, source: Source) -> None:
        """Behind those of its stage that are there."""
        self.hooks.setdefault(stage, []).append((hook, source))

    def set_variable(self, entry: str, source: Source) -> None:
        """``NAME=value`` in the place of what NAME was, else at the end."""
        self._demand_process(source)
        name = entry.partition("=")[0]
        for index, (each, _) in enumerate(self.env):
            if each.partition("=")[0] == name:
                self.env[index] = (entry, source)
                return
        self.env.append((entry, source))

    def add_group(self, group: int, source: Source) -> None:
        """A supplementary group, once."""
        self._demand_process(source)
        if all(each != group for each, _ in self.groups):
            self.groups.append((group, source))

    def _demand_process(self, source: Source) -> None:
        if self.config.process is None:
            raise ConfigError("process", f"missing, and {source.file} changes it ({source.at})")

    def add_mount(self, mount: Mount, source: Source) -> None:
        """In the place that it needs: above what it lies in, below what lies in it. One of its destination goes.

        Engines sort all mounts by depth here; that would also turn around what the configuration orders on purpose.
        """
        here = _parts(mount.destination)
        self.mounts = [row for row in self.mounts if _parts(row[0].destination) != here]
        paths = [_parts(each.destination) for each, _ in self.mounts]
        below = [index for index, path in enumerate(paths) if path[: len(here)] == here]
        above = [index + 1 for index, path in enumerate(paths) if here[: len(path)] == path]
        self.mounts.insert(max([min(below, default=len(paths)), *above]), (mount, source))

    def add_device(self, device: Device, source: Source) -> None:
        """Instead of one at the same path."""
        self.devices = [row for row in self.devices if row[0].path != device.path]
        self.devices.append((device, source))

    def add_rule(self, rule: DeviceRule, source: Source) -> None:
        """Behind the others: a later rule counts."""
        self.rules.append((rule, source))

    def add_net_device(self, device: NetDevice, source: Source) -> None:
        """Instead of one of the same name on the host."""
        self.net_devices = [row for row in self.net_devices if row[0].host_name != device.host_name]
        self.net_devices.append((device, source))

    def set_intel_rdt(self, rdt: IntelRdt, source: Source) -> None:
        """Instead of the whole object that is there."""
        self.intel_rdt = (rdt, source)

    def finish(self, left_out: tuple[LeftOut, ...] = ()) -> Injected:
        """The configuration, and where each addition is in it."""
        return Injected(self._config(), tuple(self._added()), left_out)

    def _config(self) -> Config:
        config, linux = self.config, self.config.linux
        process = config.process
        if process is not None:
            user = process.user.replace(additional_gids=_values(self.groups))
            process = process.replace(env=_values(self.env), user=user)
        resources = linux.resources
        if resources is not None or self.rules:
            resources = (resources or Resources()).replace(devices=_values(self.rules))
        return config.replace(
            process=process,
            mounts=_values(self.mounts),
            hooks=Hooks(tuple((stage, _values(rows)) for stage, rows in self.hooks.items() if rows)),
            linux=linux.replace(
                devices=_values(self.devices),
                net_devices=_values(self.net_devices),
                intel_rdt=self.intel_rdt[0],
                resources=resources,
            ),
        )

    def _added(self) -> list[Addition]:
        found: list[tuple[str, str, Source | None]] = []
        for stage, hooks in self.hooks.items():
            found += [(f"hooks.{stage}[{at}]", hook.path, by) for at, (hook, by) in enumerate(hooks)]
        found += [(f"process.env[{at}]", entry, by) for at, (entry, by) in enumerate(self.env)]
        found += [(f"process.user.additionalGids[{at}]", str(gid), by) for at, (gid, by) in enumerate(self.groups)]
        found += [(f"mounts[{at}]", mount.destination, by) for at, (mount, by) in enumerate(self.mounts)]
        found += [(f"linux.devices[{at}]", device.path, by) for at, (device, by) in enumerate(self.devices)]
        found += [(f"linux.resources.devices[{at}]", _rule(rule), by) for at, (rule, by) in enumerate(self.rules)]
        found += [(key_path("linux.netDevices", each.host_name), each.name, by) for each, by in self.net_devices]
        found += [("linux.intelRdt", (self.intel_rdt[0] and self.intel_rdt[0].clos_id) or "", self.intel_rdt[1])]
        return [Addition(target, shown, source) for target, shown, source in found if source is not None]


def _rows(items: tuple[Item, ...]) -> list[Row[Item]]:
    return [(item, None) for item in items]


def _values(rows: list[Row[Item]]) -> tuple[Item, ...]:
    return tuple(item for item, _ in rows)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _rule(rule: DeviceRule) -> str:
    return f"{'allow' if rule.allow else 'deny'} {rule.type} {rule.major}:{rule.minor} {rule.access}"
