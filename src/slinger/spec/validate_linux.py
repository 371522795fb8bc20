"""Checks of the linux object: config-linux.md, without resources, seccomp and id mappings."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.linux.flags import NAMESPACES
from slinger.linux.sysctl import path_of
from slinger.spec.reader import key_path
from slinger.spec.validate_intel import check_intel_rdt, check_memory_policy
from slinger.spec.values import (
    demand_absolute,
    demand_namespace,
    demand_one_of,
    demand_within,
    has_namespace,
    joins_namespace,
    quote,
    refuse_nul_in,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import Config

CLOCKS = ("monotonic", "boottime")
DEVICE_TYPES = ("b", "c", "p", "u")
PROPAGATIONS = ("shared", "slave", "private", "unbindable")
PERSONALITIES = ("LINUX", "LINUX32")

_LARGEST_NANOSECONDS = 999_999_999
_LARGEST_NUMBER = 2**32 - 1  # of a device; the kernel has 12 and 20 bits
_LONGEST_INTERFACE = 15  # IFNAMSIZ counts the terminating NUL
_FILE_TYPE = 0o170000  # S_IFMT
_LARGEST_MODE = 0o777

# Parameters that a namespace has of its own, by what their name begins with or is (ipc_namespaces(7),
# network_namespaces(7), uts_namespaces(7), user_namespaces(7)). All others are the host's.
_SYSCTL_NAMESPACES = (
    ("net/", "network"),
    ("fs/mqueue/", "ipc"),
    ("kernel/msgmax", "ipc"),
    ("kernel/msgmnb", "ipc"),
    ("kernel/msgmni", "ipc"),
    ("kernel/sem", "ipc"),
    ("kernel/shmall", "ipc"),
    ("kernel/shmmax", "ipc"),
    ("kernel/shmmni", "ipc"),
    ("kernel/shm_rmid_forced", "ipc"),
    ("kernel/domainname", "uts"),
    ("user/", "user"),
)


def check_namespaces(config: Config) -> None:
    """Unknown and duplicate types MUST be errors, and paths MUST be absolute (config-linux.md, "Namespaces")."""
    seen: set[str] = set()
    for index, namespace in enumerate(config.linux.namespaces):
        at = f"linux.namespaces[{index}]"
        if namespace.type not in NAMESPACES:
            raise ConfigError(f"{at}.type", f"unknown namespace {quote(namespace.type)}")
        if namespace.type in seen:
            raise ConfigError(f"{at}.type", f"duplicate namespace {quote(namespace.type)}")
        if namespace.path:
            demand_absolute(namespace.path, f"{at}.path")
        seen.add(namespace.type)


def check_time_offsets(config: Config) -> None:
    """Offsets can be set only before the first process enters a new time namespace (time_namespaces(7))."""
    linux = config.linux
    if not linux.time_offsets:
        return
    demand_namespace(config, "time", "linux.timeOffsets")
    if joins_namespace(linux, "time"):
        raise ConfigError("linux.timeOffsets", "cannot be set in a time namespace that is joined")
    for offset in linux.time_offsets:
        at = key_path("linux.timeOffsets", offset.clock)
        if offset.clock not in CLOCKS:
            raise ConfigError(at, f"unknown clock, expected one of {', '.join(CLOCKS)}")
        demand_within(offset.nanosecs, 0, _LARGEST_NANOSECONDS, f"{at}.nanosecs")


def check_devices(config: Config) -> None:
    """By config-linux.md, "Devices"."""
    for index, device in enumerate(config.linux.devices):
        at = f"linux.devices[{index}]"
        demand_one_of(device.type, DEVICE_TYPES, f"{at}.type")
        demand_absolute(device.path, f"{at}.path")
        if not device.path.strip("/"):
            raise ConfigError(f"{at}.path", "must not be the root of the container")
        demand_within(device.major, 0, _LARGEST_NUMBER, f"{at}.major")
        demand_within(device.minor, 0, _LARGEST_NUMBER, f"{at}.minor")


def warn_devices(config: Config) -> tuple[str, ...]:
    """Numbers "SHOULD NOT" repeat. Engines write the whole st_mode as the mode, so that is no error."""
    warnings: list[str] = []
    seen: dict[tuple[str, int, int], int] = {}
    for index, device in enumerate(config.linux.devices):
        at = f"linux.devices[{index}]"
        mode = device.file_mode or 0
        if mode & ~_FILE_TYPE > _LARGEST_MODE:  # podman gives what stat(2) gave, its file type too
            warnings.append(f"{at}.fileMode: {mode} has bits beyond 0777 (511), ignored")
        number = (device.type, device.major, device.minor)
        if device.type != "p" and number in seen:
            warnings.append(f"{at}: the same device as linux.devices[{seen[number]}]")
        seen.setdefault(number, index)
    return tuple(warnings)


def check_net_devices(config: Config) -> None:
    """A device moves into a namespace of the container, under a name that is valid and free there."""
    linux = config.linux
    if linux.net_devices:
        demand_namespace(config, "network", "linux.netDevices")
    names: set[str] = set()
    for device in linux.net_devices:
        at = key_path("linux.netDevices", device.host_name)
        for name in (device.host_name, device.name):
            if not _is_interface(name):
                raise ConfigError(at, f"invalid name of an interface {quote(name)}")
        if "%" in device.name and (device.name.count("%") > 1 or not device.name.endswith("%d")):
            raise ConfigError(at, f"invalid template for a name {quote(device.name)}, expected %d at the end")
        if device.name in names:
            raise ConfigError(at, f"duplicate name in the container {quote(device.name)}")
        if "%d" not in device.name:
            names.add(device.name)


def check_rootless_devices(config: Config) -> None:
    """Moving an interface needs privilege in the namespace that it leaves."""
    if config.linux.net_devices:
        raise ConfigError("linux.netDevices", "a rootless caller cannot move network devices")


def check_paths(config: Config) -> None:
    """Masks are mounts, so without a mount namespace they would hit the host."""
    linux = config.linux
    for name, paths in (("maskedPaths", linux.masked_paths), ("readonlyPaths", linux.readonly_paths)):
        if paths:
            demand_namespace(config, "mount", f"linux.{name}")
        for index, path in enumerate(paths):
            demand_absolute(path, f"linux.{name}[{index}]")


def check_propagation(config: Config) -> None:
    """The recursive forms are not in the spec, but runc takes them, and engines write them."""
    propagation = config.linux.rootfs_propagation
    if propagation.removeprefix("r") not in {"", *PROPAGATIONS} or propagation == "r":
        demand_one_of(propagation, PROPAGATIONS, "linux.rootfsPropagation")


def check_cgroups_path(config: Config) -> None:
    """A path that climbs out of the container's place could reach any cgroup of the host."""
    path = config.linux.cgroups_path
    refuse_nul_in(path, "linux.cgroupsPath")
    if ".." in path.split("/"):
        raise ConfigError("linux.cgroupsPath", f'must not have a ".." part, got {quote(path)}')


def check_sysctl(config: Config) -> None:
    """Only what belongs to a namespace of the container may be set; all else is the host's."""
    for name, value in config.linux.sysctl:
        at = key_path("linux.sysctl", name)
        refuse_nul_in(name, "linux.sysctl")
        refuse_nul_in(value, at)
        path = path_of(name)
        if path == "kernel/hostname":
            raise ConfigError(at, "conflicts with hostname", hint="set the property hostname instead")
        if path == "kernel/domainname" and config.domainname not in {"", value}:
            raise ConfigError(at, f"conflicts with domainname {quote(config.domainname)}")
        for begin, kind in _SYSCTL_NAMESPACES:
            if path.startswith(begin) if begin.endswith("/") else path == begin:
                if not has_namespace(config.linux, kind):
                    raise ConfigError(at, f"needs a {kind} namespace (new or joined) in linux.namespaces")
                break
        else:
            raise ConfigError(at, "not a parameter of a namespace, so it cannot be set for one container")


def check_personality(config: Config) -> None:
    """The two domains of config-linux.md, "Personality"."""
    personality = config.linux.personality
    if personality is not None:
        demand_one_of(personality.domain, PERSONALITIES, "linux.personality.domain")


def warn_personality(config: Config) -> tuple[str, ...]:
    """The spec defines no flag, and says that there may be some one day."""
    personality = config.linux.personality
    flags = () if personality is None else personality.flags
    return tuple(
        f"linux.personality.flags[{index}]: unknown flag {quote(flag)}, ignored" for index, flag in enumerate(flags)
    )


def check_mount_label(config: Config) -> None:
    """The label becomes a mount option."""
    refuse_nul_in(config.linux.mount_label, "linux.mountLabel")


LINUX_CHECKS: tuple[Callable[[Config], None], ...] = (
    check_namespaces,
    check_time_offsets,
    check_devices,
    check_net_devices,
    check_paths,
    check_propagation,
    check_cgroups_path,
    check_sysctl,
    check_personality,
    check_mount_label,
    check_intel_rdt,
    check_memory_policy,
)
LINUX_WARNINGS: tuple[Callable[[Config], tuple[str, ...]], ...] = (warn_devices, warn_personality)


def _is_interface(name: str) -> bool:
    """dev_valid_name() of the kernel: 1 to 15 bytes without a slash, a colon or white space."""
    size = len(name.encode(errors="surrogatepass"))
    forbidden = any(character in "/:\0" or character.isspace() for character in name)
    return 0 < size <= _LONGEST_INTERFACE and name not in {".", ".."} and not forbidden
