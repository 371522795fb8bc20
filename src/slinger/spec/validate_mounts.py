"""Checks of mounts[]: config.md, "Mounts", and what runc refuses for security's sake."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.linux.flags import parse_options
from slinger.spec.values import (
    demand_mappings,
    has_namespace,
    is_mapped,
    joins_namespace,
    quote,
    refuse_nul,
    refuse_nul_in,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.linux.flags import MountOptions
    from slinger.spec.config import Config, Mount

# What may be covered inside /proc: files that lxcfs and others provide. All else could hide from the
# runtime what it is about to write, such as attr/exec (CVE-2019-16884, CVE-2019-19921).
PROC_FILES = frozenset(
    {
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/loadavg",
        "/proc/meminfo",
        "/proc/slabinfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/sys/crypto/fips_enabled",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/uptime",
    }
)


def is_bind(mount: Mount, options: MountOptions) -> bool:
    """Whether an entry is a bind mount: by its options, or by a type of ``bind`` as runc has it."""
    return options.bind or mount.type == "bind"


def resolved(destination: str) -> str:
    """The destination without ``.``, ``..`` and doubled slashes, taken relative to the container's root."""
    parts: list[str] = []
    for part in destination.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


def check_mounts(config: Config) -> None:
    """Each entry by itself."""
    for index, mount in enumerate(config.mounts):
        at = f"mounts[{index}]"
        options = parse_options(mount.options)
        _check_strings(mount, at)
        _check_kind(mount, options, at)
        _check_destination(mount, options, at)
        _check_idmap(mount, options, config, at)


def warn_mounts(config: Config) -> tuple[str, ...]:
    """A relative destination is deprecated, and relative to / (config.md). A bind mount makes no file system that could
    take options: mount(2) ignores them, and so configurations have them.
    """
    warnings: list[str] = []
    for index, mount in enumerate(config.mounts):
        at = f"mounts[{index}]"
        if not mount.destination.startswith("/"):
            path = quote(mount.destination)
            warnings.append(f"{at}.destination: relative path {path}, taken relative to / (deprecated)")
        options = parse_options(mount.options)
        if is_bind(mount, options) and not options.remount and options.specific:
            given = quote(",".join(options.specific))
            warnings.append(f"{at}.options: a bind mount takes no options of a file system, ignored: {given}")
    return tuple(warnings)


def check_rootless_mounts(config: Config) -> None:
    """An unprivileged caller cannot id-map a mount, nor name an owner that its namespace does not have."""
    linux = config.linux
    for index, mount in enumerate(config.mounts):
        options = parse_options(mount.options)
        if mount.uid_mappings or options.idmap or options.rec_idmap:
            raise ConfigError(f"mounts[{index}]", "a rootless caller cannot make id-mapped mounts")
        if joins_namespace(linux, "user"):
            continue
        for item in options.specific:
            name, _, value = item.partition("=")
            mappings = {"uid": linux.uid_mappings, "gid": linux.gid_mappings}.get(name)
            if mappings and value.isascii() and value.isdigit() and not is_mapped(int(value[:20]), mappings):
                raise ConfigError(f"mounts[{index}].options", f"{item} is not mapped in linux.{name}Mappings")


def _check_strings(mount: Mount, at: str) -> None:
    refuse_nul_in(mount.destination, f"{at}.destination")
    refuse_nul_in(mount.type, f"{at}.type")
    refuse_nul_in(mount.source, f"{at}.source")
    refuse_nul(mount.options, f"{at}.options")


def _check_kind(mount: Mount, options: MountOptions, at: str) -> None:
    """A bind mount needs a source and knows all of its words; a new file system needs a type."""
    if is_bind(mount, options):
        if not mount.source and not options.remount:
            raise ConfigError(f"{at}.source", "must not be empty for a bind mount")
        # Values for a file system do no harm; but a word that is misspelt might have been "ro".
        words = [each for each in options.specific if "=" not in each]
        if words:
            given = quote(",".join(words))
            raise ConfigError(f"{at}.options", f"a bind mount takes no options of a file system, got {given}")
        if options.copy_symlink and (options.src_nofollow or options.dest_nofollow):
            raise ConfigError(f"{at}.options", "copy-symlink excludes src-nofollow and dest-nofollow")
    elif options.copy_symlink or options.src_nofollow or options.dest_nofollow:
        message = "copy-symlink, src-nofollow and dest-nofollow are options of a bind mount"
        raise ConfigError(f"{at}.options", message, hint='add "bind" or "rbind"')
    elif not mount.type and not options.remount:
        raise ConfigError(f"{at}.type", "must not be empty, except for a bind mount")


def _check_destination(mount: Mount, options: MountOptions, at: str) -> None:
    if not mount.destination:
        raise ConfigError(f"{at}.destination", "must not be empty")
    destination = resolved(mount.destination)
    if options.remount:
        return
    if destination == "/":
        raise ConfigError(f"{at}.destination", "cannot mount over the root of the container")
    if destination == "/proc" and mount.type != "proc" and not is_bind(mount, options):
        raise ConfigError(f"{at}.type", f"only proc may be mounted on /proc, got {quote(mount.type)}")
    if destination.startswith("/proc/") and destination not in PROC_FILES:
        raise ConfigError(f"{at}.destination", f"{quote(destination)} cannot be mounted because it is inside /proc")


def _check_idmap(mount: Mount, options: MountOptions, config: Config, at: str) -> None:
    """Each map must be accompanied by the other; without any, those of the container are meant."""
    for name, mappings, other in (
        ("uidMappings", mount.uid_mappings, mount.gid_mappings),
        ("gidMappings", mount.gid_mappings, mount.uid_mappings),
    ):
        if other and not mappings:
            raise ConfigError(f"{at}.{name}", "required, because the other mapping is given")
        demand_mappings(mappings, f"{at}.{name}")
    idmap = options.idmap or options.rec_idmap
    if (idmap or mount.uid_mappings) and (options.remount or not is_bind(mount, options)):
        where = f"{at}.options" if idmap else f"{at}.uidMappings"
        raise ConfigError(where, "only a bind mount can be id-mapped", hint='add "bind" or "rbind" to its options')
    if idmap and not mount.uid_mappings and not has_namespace(config.linux, "user"):
        raise ConfigError(f"{at}.uidMappings", "required, because there is no user namespace to take them from")
