"""What a configuration may say, as far as the configuration alone decides it.

A list of small named checks: the strict ones raise ConfigError with the JSON path, the others return
warnings. "The runtime MUST generate an error when invalid or unsupported values are encountered"
(config.md, "Valid values"). What depends on the machine is decided by the plan and by the kernel.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.lifecycle import STAGE_NAMES
from slinger.spec.validate_ids import check_mappings, check_rootless_mappings, check_user_is_mapped
from slinger.spec.validate_linux import LINUX_CHECKS, LINUX_WARNINGS, check_rootless_devices
from slinger.spec.validate_mounts import check_mounts, check_rootless_mounts, warn_mounts
from slinger.spec.validate_process import check_process, warn_process
from slinger.spec.validate_resources import check_resources, warn_resources
from slinger.spec.validate_seccomp import check_seccomp
from slinger.spec.values import demand_absolute, demand_environment, demand_namespace, quote, refuse_nul, refuse_nul_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import Config, Hook, Process, Resources

_LONGEST_NAME = 64  # uname(2): __NEW_UTS_LEN


def validate(config: Config, *, rootless: bool = False) -> tuple[str, ...]:
    """Check a whole configuration and return the warnings. ``rootless``: the caller is not root.

    Raises ConfigError, which names the JSON path.
    """
    for check in (*CHECKS, *(ROOTLESS_CHECKS if rootless else ())):
        check(config)
    return tuple(warning for warn in WARNINGS for warning in warn(config))


def validate_process(process: Process, *, rootless: bool = False, at: str = "process") -> tuple[str, ...]:
    """Check a process, such as that of ``exec``, and return the warnings. Raises ConfigError."""
    check_process(process, at)
    if rootless:
        _refuse_groups(process, at)
    return warn_process(process, at)


def validate_resources(resources: Resources, *, at: str = "resources") -> tuple[str, ...]:
    """Check resources, such as those of ``update``, and return the warnings. Raises ConfigError."""
    check_resources(resources, at)
    return warn_resources(resources, at)


# ---- strict checks


def check_version(config: Config) -> None:
    """SemVer 2.0 (config.md, "Specification version") of a version with the rules that we follow: 1.x."""
    version = config.oci_version
    core = version.partition("+")[0].partition("-")[0]
    suffix = version[len(core) :]
    numbers = core.split(".")
    good = len(numbers) == len(("major", "minor", "patch")) and all(_is_plain_number(number) for number in numbers)
    if not good or not _is_suffix(suffix):
        raise ConfigError("ociVersion", f"expected a version such as 1.3.0 (SemVer 2.0), got {quote(version)}")
    if numbers[0] != "1":
        raise ConfigError("ociVersion", f"unsupported version {quote(version)}, expected 1.x")


def check_root(config: Config) -> None:
    """Whether the directory exists is the machine's to say (config.md, "Root")."""
    if not config.root.path:
        raise ConfigError("root.path", "must not be empty")
    refuse_nul_in(config.root.path, "root.path")


def check_names(config: Config) -> None:
    """Hostname and domainname belong to a uts namespace; without one they would be the host's."""
    for name, value in (("hostname", config.hostname), ("domainname", config.domainname)):
        if value:
            demand_namespace(config, "uts", name)
            refuse_nul_in(value, name)
            size = len(value.encode(errors="surrogatepass"))
            if size > _LONGEST_NAME:
                raise ConfigError(name, f"must be at most {_LONGEST_NAME} bytes, got {size}")


def check_annotations(config: Config) -> None:
    """By config.md: keys MUST NOT be empty."""
    if any(not key for key, _ in config.annotations):
        raise ConfigError("annotations", "keys must not be empty")


def check_config_process(config: Config) -> None:
    """The process may be absent; it is ``start`` that needs one (runtime.md, "Start")."""
    if config.process is not None:
        check_process(config.process, "process")


def check_hooks(config: Config) -> None:
    """config.md, "POSIX-platform Hooks": an absolute path, and a timeout greater than zero."""
    for stage, hooks in config.hooks.lists:
        if stage not in STAGE_NAMES:
            raise ConfigError(f"hooks.{stage}", "not a hook stage")
        for index, hook in enumerate(hooks):
            check_hook(hook, f"hooks.{stage}[{index}]")


def check_hook(hook: Hook, at: str) -> None:
    """One hook, whatever its stage. Raises ConfigError."""
    demand_absolute(hook.path, f"{at}.path")
    refuse_nul(hook.args or (), f"{at}.args")
    demand_environment(hook.env or (), f"{at}.env")
    if hook.timeout is not None and hook.timeout < 1:
        raise ConfigError(f"{at}.timeout", f"must be at least 1 second, got {hook.timeout}")


def check_config_resources(config: Config) -> None:
    """The same rules that hold for ``update``."""
    if config.linux.resources is not None:
        check_resources(config.linux.resources, "linux.resources")


def check_rootless_groups(config: Config) -> None:
    """The same rule that holds for ``exec``."""
    if config.process is not None:
        _refuse_groups(config.process, "process")


def _refuse_groups(process: Process, at: str) -> None:
    """setgroups(2) is denied before gid_map can be written without privilege (CVE-2014-8989)."""
    if process.user.additional_gids:
        raise ConfigError(f"{at}.user.additionalGids", "cannot be set by a rootless caller")


# ---- warnings


def warn_config_process(config: Config) -> tuple[str, ...]:
    """The warnings about the process."""
    return () if config.process is None else warn_process(config.process, "process")


def warn_config_resources(config: Config) -> tuple[str, ...]:
    """The warnings about the resources."""
    resources = config.linux.resources
    return () if resources is None else warn_resources(resources, "linux.resources")


CHECKS: tuple[Callable[[Config], None], ...] = (
    check_version,
    check_root,
    check_annotations,
    check_config_process,
    check_hooks,
    check_mounts,
    *LINUX_CHECKS,
    check_mappings,
    check_user_is_mapped,
    check_names,
    check_config_resources,
    check_seccomp,
)
ROOTLESS_CHECKS: tuple[Callable[[Config], None], ...] = (
    check_rootless_mappings,
    check_rootless_groups,
    check_rootless_mounts,
    check_rootless_devices,
)
WARNINGS: tuple[Callable[[Config], tuple[str, ...]], ...] = (
    warn_config_process,
    warn_mounts,
    *LINUX_WARNINGS,
    warn_config_resources,
)


def _is_plain_number(text: str) -> bool:
    """Digits without a leading zero."""
    return text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0"))


def _is_suffix(text: str) -> bool:
    """SemVer 2.0 items 9 and 10: ``-pre.1``, ``+build.7``, both, or nothing."""
    release, plus, build = text.partition("+")
    if plus and not all(_is_identifier(part) for part in build.split(".")):
        return False
    if not release:
        return True
    return all(
        _is_identifier(part) and not (part.isdigit() and not _is_plain_number(part)) for part in release[1:].split(".")
    )


def _is_identifier(text: str) -> bool:
    return text.isascii() and text.replace("-", "0").isalnum()
