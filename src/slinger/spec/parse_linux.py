"""The linux object of config.json: config-linux.md, without its resources."""

from __future__ import annotations

from slinger.spec.config import (
    Device,
    IntelRdt,
    Linux,
    MemoryPolicy,
    Namespace,
    NetDevice,
    Personality,
    Seccomp,
    SeccompArg,
    SeccompRule,
    TimeOffset,
)
from slinger.spec.parse_mappings import read_mappings
from slinger.spec.parse_resources import read_resources
from slinger.spec.reader import INT64, UINT32, UINT64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.reader import Reader

_NUMBERED_TYPES = frozenset({"c", "b", "u"})


def read_linux(linux: Reader) -> Linux:
    """The Linux part that an object describes. Raises ConfigError."""
    resources = linux.object("resources")
    return Linux(
        namespaces=tuple(
            Namespace(type=entry.demanded_text("type"), path=entry.text("path"))
            for entry in linux.objects("namespaces")
        ),
        uid_mappings=read_mappings(linux, "uidMappings"),
        gid_mappings=read_mappings(linux, "gidMappings"),
        time_offsets=tuple(
            TimeOffset(clock=clock, secs=offset.number("secs", INT64), nanosecs=offset.number("nanosecs", UINT32))
            for clock, offset in linux.entries("timeOffsets")
        ),
        devices=tuple(_read_device(entry) for entry in linux.objects("devices")),
        net_devices=tuple(
            NetDevice(host_name=host_name, name=entry.text("name") or host_name)
            for host_name, entry in linux.entries("netDevices")
        ),
        cgroups_path=linux.text("cgroupsPath"),
        resources=None if resources is None else read_resources(resources),
        intel_rdt=_read_intel_rdt(linux.object("intelRdt")),
        memory_policy=_read_memory_policy(linux.object("memoryPolicy")),
        sysctl=linux.map("sysctl"),
        seccomp=_read_seccomp(linux.object("seccomp")),
        rootfs_propagation=linux.text("rootfsPropagation"),
        masked_paths=linux.texts("maskedPaths"),
        readonly_paths=linux.texts("readonlyPaths"),
        mount_label=linux.text("mountLabel"),
        personality=_read_personality(linux.object("personality")),
    )


def _read_device(device: Reader) -> Device:
    kind = device.demanded_text("type")
    if kind in _NUMBERED_TYPES:
        device.demand("major")
        device.demand("minor")
    return Device(
        type=kind,
        path=device.demanded_text("path"),
        major=device.number("major", INT64),
        minor=device.number("minor", INT64),
        file_mode=device.number_or_none("fileMode", UINT32),
        uid=device.number_or_none("uid", UINT32),
        gid=device.number_or_none("gid", UINT32),
    )


def _read_intel_rdt(rdt: Reader | None) -> IntelRdt | None:
    if rdt is None:
        return None
    return IntelRdt(
        clos_id=rdt.text_or_none("closID"),
        schemata=rdt.texts("schemata"),
        l3_cache_schema=rdt.text("l3CacheSchema"),
        mem_bw_schema=rdt.text("memBwSchema"),
        enable_monitoring=rdt.flag("enableMonitoring"),
    )


def _read_memory_policy(policy: Reader | None) -> MemoryPolicy | None:
    if policy is None:
        return None
    return MemoryPolicy(mode=policy.demanded_text("mode"), nodes=policy.text("nodes"), flags=policy.texts("flags"))


def _read_personality(personality: Reader | None) -> Personality | None:
    if personality is None:
        return None
    return Personality(domain=personality.demanded_text("domain"), flags=personality.texts("flags"))


def _read_seccomp(seccomp: Reader | None) -> Seccomp | None:
    if seccomp is None:
        return None
    return Seccomp(
        default_action=seccomp.demanded_text("defaultAction"),
        default_errno_ret=seccomp.number_or_none("defaultErrnoRet", UINT32),
        architectures=seccomp.texts("architectures"),
        flags=seccomp.texts_or_none("flags"),
        listener_path=seccomp.text("listenerPath"),
        listener_metadata=seccomp.text("listenerMetadata"),
        syscalls=tuple(_read_rule(rule) for rule in seccomp.objects("syscalls")),
    )


def _read_rule(rule: Reader) -> SeccompRule:
    rule.demand("names")
    return SeccompRule(
        names=rule.texts("names"),
        action=rule.demanded_text("action"),
        errno_ret=rule.number_or_none("errnoRet", UINT32),
        args=tuple(
            SeccompArg(
                index=arg.demanded_number("index", UINT32),
                value=arg.demanded_number("value", UINT64),
                op=arg.demanded_text("op"),
                value_two=arg.number("valueTwo", UINT64),
            )
            for arg in rule.objects("args")
        ),
    )
