"""An injected configuration as a document again: what the verbs after create read, and what a reader finds there.

Rule of the file: of the document only what injecting may change is written anew, and only if it did change.
"""

from __future__ import annotations

from slinger.spec.jsontext import dump_pretty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias, cast

    from slinger.spec.config import Config, Device, DeviceRule, Hook, IntelRdt, Mount
    from slinger.spec.jsontext import Json

    Members: TypeAlias = "dict[str, object]"
else:

    def cast(_kind: str, value: object) -> object:
        """Nothing, at run time."""
        return value


def rewritten(document: Json, before: Config, after: Config) -> bytes:
    """The document of ``before`` with the changes that make it one of ``after``; it is not changed itself."""
    root: Members = dict(document) if isinstance(document, dict) else {}
    if after.process is not None and before.process is not None and after.process != before.process:
        process = _copy(root, "process")
        process["env"] = list(after.process.env)
        if after.process.user != before.process.user:
            user = _copy(process, "user")
            user.setdefault("uid", 0)
            user.setdefault("gid", 0)
            user["additionalGids"] = list(after.process.user.additional_gids)
    if after.mounts != before.mounts:
        root["mounts"] = [_mount(each) for each in after.mounts]
    if after.hooks != before.hooks:
        _copy(root, "hooks").update({stage: [_hook(each) for each in hooks] for stage, hooks in after.hooks.lists})
    if after.linux != before.linux:
        _rewrite_linux(_copy(root, "linux"), before, after)
    return dump_pretty(root, "\t").encode()


def _rewrite_linux(linux: Members, before: Config, after: Config) -> None:
    if after.linux.devices != before.linux.devices:
        linux["devices"] = [_device(each) for each in after.linux.devices]
    if after.linux.net_devices != before.linux.net_devices:
        linux["netDevices"] = {each.host_name: {"name": each.name} for each in after.linux.net_devices}
    if after.linux.intel_rdt is not None and after.linux.intel_rdt != before.linux.intel_rdt:
        linux["intelRdt"] = _intel_rdt(after.linux.intel_rdt)
    if after.linux.resources is not None and after.linux.resources != before.linux.resources:
        _copy(linux, "resources")["devices"] = [_rule(each) for each in after.linux.resources.devices]


def _copy(members: Members, name: str) -> Members:
    """The object of this name, made its own so that it may be changed."""
    value = members.get(name)
    copy: Members = dict(cast("Members", value)) if isinstance(value, dict) else {}
    members[name] = copy
    return copy


def _some(members: Members) -> Members:
    """Without what is absent."""
    return {name: value for name, value in members.items() if value is not None}


def _hook(hook: Hook) -> Members:
    return _some({"path": hook.path, "args": hook.args, "env": hook.env, "timeout": hook.timeout})


def _mount(mount: Mount) -> Members:
    mappings = {
        name: [{"containerID": each.container_id, "hostID": each.host_id, "size": each.size} for each in listed]
        for name, listed in (("uidMappings", mount.uid_mappings), ("gidMappings", mount.gid_mappings))
        if listed
    }
    return {
        "destination": mount.destination,
        "type": mount.type,
        "source": mount.source,
        "options": mount.options,
        **mappings,
    }


def _device(device: Device) -> Members:
    return _some(
        {
            "type": device.type,
            "path": device.path,
            "major": device.major,
            "minor": device.minor,
            "fileMode": device.file_mode,
            "uid": device.uid,
            "gid": device.gid,
        }
    )


def _rule(rule: DeviceRule) -> Members:
    return _some(
        {"allow": rule.allow, "type": rule.type, "major": rule.major, "minor": rule.minor, "access": rule.access}
    )


def _intel_rdt(rdt: IntelRdt) -> Members:
    return _some(
        {
            "closID": rdt.clos_id,
            "schemata": rdt.schemata or None,
            "l3CacheSchema": rdt.l3_cache_schema or None,
            "memBwSchema": rdt.mem_bw_schema or None,
            "enableMonitoring": rdt.enable_monitoring or None,
        }
    )
