"""compile(config, options, facts, hooks) -> Plan: the table of contents of a container.

Pure: same inputs, same bytes. Each topic has its own file beside this one.
"""

from __future__ import annotations

from slinger.lifecycle import POINT_BEFORE_EXEC, POINT_BEFORE_PIVOT, POINT_RUNTIME_READY
from slinger.linux.scheduling import MEMORY_POLICIES, MEMORY_POLICY_FLAGS, number_mask
from slinger.linux.sysctl import path_of
from slinger.plan import namespaces, ops
from slinger.plan.devices import dev_is_hosts, device_ops
from slinger.plan.labels import exec_label_ops, keyring_op
from slinger.plan.masks import mask_ops
from slinger.plan.mounts import mount_ops
from slinger.plan.plan import Placed, Plan
from slinger.plan.privileges import no_new_privileges_ops, privilege_ops, seccomp_ops, stdio_ops
from slinger.plan.process import any_cpu_op, early_ops, exec_op, keep_op, program_ops, rlimit_ops, scheduling_ops
from slinger.plan.rootfs import (
    attach_ops,
    closing_ops,
    enter_ops,
    has_mounts,
    open_ops,
    opener,
    propagation_ops,
)
from slinger.plan.shelf import shelve_ops, unshelve_ops
from slinger.plan.unsupported import check_supported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts, Options
    from slinger.plan.ops import Op
    from slinger.spec.config import Config


# PER_LINUX and PER_LINUX32 of personality(2).
PERSONALITIES = {"LINUX": 0, "LINUX32": 8}


def compile_plan(config: Config, options: Options, facts: Facts, hooks: Placed) -> Plan:
    """The plan of a container, from the first open on the host to the exec of its program.

    ConfigError for what cannot be done: a property is applied or refused, never left out.
    """
    check_supported(config, facts)
    mounts = mount_ops(config, facts, options.bundle)
    node_sources, nodes, slots = device_ops(config, facts, mounts.slots)
    sources = [*open_ops(config, facts), *mounts.sources, *node_sources]
    shelved = shelve_ops(config, facts, sources)
    plan = [
        *([ops.KeepTimes("", by=ops.OUTER)] if options.times else []),
        *(op for op in sources if op.by == ops.OUTER),
        *_before_clone_ops(config, facts),
        *namespaces.clone_ops(config, facts, shelved),
        ops.Session("process"),
        *_own_ops(config, options, facts),
        *namespaces.time_ops(config, opener(facts)),
        ops.Conceal("process"),
        *propagation_ops(config),
        *unshelve_ops(shelved),
        *(op for op in sources if op.by == ops.INIT),
        *attach_ops(config, facts),
        *mounts.mounts,
        *nodes,
        *_console_ops(config, options, facts),
        *namespaces.network_ops(config),
        ops.Gate("hooks", name=ops.GATE_HOOKS),
        *hooks.at(POINT_RUNTIME_READY),
        *hooks.at(POINT_BEFORE_PIVOT),
        *enter_ops(config, options, facts),
        *_cwd_ops(config),
        *mounts.late,
        *_identity_ops(config),
        *mask_ops(config),
        *closing_ops(config),
        *_process_ops(config, options, facts, hooks),
    ]
    return Plan(tuple(plan), slots)


def _before_clone_ops(config: Config, facts: Facts) -> list[Op]:
    """Nobody in a namespace that init shares may look into it from its first moment on (CVE-2016-9962).

    Without privilege this must wait: the maps of a new user namespace are ours to write only while it is dumpable.
    Where that namespace is joined, the joiner conceals itself and the score is inherited.
    """
    if not facts.rootless:
        return [ops.Conceal("process", by=ops.OUTER)]
    if config.process is None or namespaces.is_new(config, "user"):
        return []
    return early_ops(config.process, ops.OUTER)


def _own_ops(config: Config, options: Options, facts: Facts) -> list[Op]:
    plan: list[Op] = []
    if config.process is not None and facts.rootless and namespaces.is_new(config, "user"):
        plan += early_ops(config.process)
    if not options.no_new_keyring:
        plan.append(keyring_op(config.process, options.container_id))
    return plan


def _console_ops(config: Config, options: Options, facts: Facts) -> list[Op]:
    if config.process is None or not config.process.terminal or not options.console:
        return []
    size = config.process.console_size
    rows, columns = (size.height, size.width) if size else (facts.terminal_size or (0, 0))
    return [
        ops.Console(
            "process.terminal", rows=rows, columns=columns, bind=int(has_mounts(config) and not dev_is_hosts(config))
        )
    ]


def _cwd_ops(config: Config) -> list[Op]:
    """The working directory is made, where it is missing, while the root and all mounts are still writable."""
    process = config.process
    return [ops.Chdir("process.cwd", path=process.cwd, create=1, may_fail=1)] if process is not None else []


def _identity_ops(config: Config) -> list[Op]:
    """What the container's namespaces are called, and what the kernel is told in them."""
    plan: list[Op] = []
    if config.hostname:
        plan.append(ops.Hostname("hostname", name=config.hostname))
    if config.domainname:
        plan.append(ops.Domainname("domainname", name=config.domainname))
    for key, value in config.linux.sysctl:
        # The same reading of the name as the one by which it was found to be a namespace's own.
        plan.append(ops.Sysctl(f'linux.sysctl["{key}"]', path=f"sys/{path_of(key)}", value=value))
    return plan


def domain_ops(config: Config) -> list[Op]:
    """linux.personality and linux.memoryPolicy."""
    plan: list[Op] = []
    personality, policy = config.linux.personality, config.linux.memory_policy
    if personality is not None:
        plan.append(ops.Personality("linux.personality.domain", domain=PERSONALITIES[personality.domain]))
    if policy is not None:
        mode = MEMORY_POLICIES[policy.mode]
        for name in policy.flags:
            mode |= MEMORY_POLICY_FLAGS[name]
        plan.append(ops.MemoryPolicy("linux.memoryPolicy", mode=mode, nodes=number_mask(policy.nodes)))
    return plan


def _process_ops(config: Config, options: Options, facts: Facts, hooks: Placed) -> list[Op]:
    """From the limits to the exec. Without ``process`` there is nothing to start, and start says so."""
    told: list[Op] = [ops.TellTimes("")] if options.times else []
    created: list[Op] = [*told, ops.Gate("", name=ops.GATE_CREATED), ops.WaitStart("")]
    process = config.process
    if process is None:
        return created
    return [
        *([] if facts.rootless else early_ops(process, ops.OUTER)),
        *stdio_ops(config, process, facts),
        *rlimit_ops(process),
        any_cpu_op(),
        *scheduling_ops(process),
        *domain_ops(config),
        *exec_label_ops(process),
        *no_new_privileges_ops(process),
        *privilege_ops(config, process, facts),
        ops.Chdir("process.cwd", path=process.cwd),
        *program_ops(process, options),
        *created,
        *hooks.at(POINT_BEFORE_EXEC),
        keep_op(options),
        *told,
        ops.Announce("process.args"),
        *seccomp_ops(facts),
        exec_op(process, options),
    ]
