"""process.apparmorProfile, process.selinuxLabel and linux.mountLabel: what security modules are told."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.plan import ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, Process

# The options of mount(8) by which SELinux labels a file system; a mount that has one says itself what it wants.
CONTEXTS = ("context", "fscontext", "defcontext", "rootcontext")
# crun's annotation, which podman sends: which of them mountLabel is to be.
CONTEXT_TYPE = "run.oci.mount_context_type"
# Labelled by the policy alone; each has one super block for many mounts, of which one label would be the label of all.
BY_POLICY = frozenset({"proc", "sysfs", "cgroup", "cgroup2"})
# Labelled as a directory is, since it takes no option.
AS_A_DIRECTORY = frozenset({"mqueue"})


def exec_label_ops(process: Process) -> list[Op]:
    """The labels that the program gets by its exec, and a startContainer hook by its own."""
    plan: list[Op] = []
    if process.selinux_label:
        plan.append(ops.ProcessLabel("process.selinuxLabel", label=process.selinux_label))
    if process.apparmor_profile:
        plan.append(ops.AppArmor("process.apparmorProfile", profile=process.apparmor_profile))
    return plan


def keyring_op(process: Process | None, container_id: str) -> Op:
    """The session keyring, with the label of the process that is to use it."""
    return ops.Keyring("process", name=f"_ses.{container_id}", label=process.selinux_label if process else "")


def context_options(config: Config, kind: str, data: tuple[str, ...] = ()) -> tuple[str, ...]:
    """linux.mountLabel as an option for a new file system of this type with these options; () where it takes none."""
    label = config.linux.mount_label
    own = any(option.partition("=")[0] in CONTEXTS for option in data)
    if not label or own or kind in BY_POLICY or kind in AS_A_DIRECTORY:
        return ()
    name = dict(config.annotations).get(CONTEXT_TYPE, CONTEXTS[0])
    if name not in CONTEXTS:
        raise ConfigError(f'annotations["{CONTEXT_TYPE}"]', f'expected one of {", ".join(CONTEXTS)}, got "{name}"')
    return (f"{name}={label}",)


def root_label(config: Config, kind: str) -> str:
    """linux.mountLabel for the root directory of a new file system of this type; "" where an option says it."""
    return config.linux.mount_label if kind in AS_A_DIRECTORY else ""
