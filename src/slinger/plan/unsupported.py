"""What config.json asks for and this machine has not got: refused by name, never silently left out."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan import namespaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts
    from slinger.spec.config import Config, Process

NO_SELINUX = "SELinux is not enabled on this machine"


def check_supported(config: Config, facts: Facts) -> None:
    """ConfigError for the first property that cannot be applied."""
    if config.linux.net_devices and not namespaces.has_own(config, facts, "network"):
        raise ConfigError("linux.netDevices", "the network namespace that is joined is the runtime's own")
    if config.process is not None:
        check_process_supported(config.process, facts)
    if config.linux.mount_label and not facts.selinux:
        raise ConfigError("linux.mountLabel", NO_SELINUX)


def check_process_supported(process: Process, facts: Facts) -> None:
    """The same for a process, the container's own or that of exec."""
    if process.apparmor_profile and not facts.apparmor:
        raise ConfigError("process.apparmorProfile", "AppArmor is not enabled on this machine")
    if process.selinux_label and not facts.selinux:
        raise ConfigError("process.selinuxLabel", NO_SELINUX)
