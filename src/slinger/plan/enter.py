"""exec: the plan of one more process in a container that runs already. The same ops, another order."""

from __future__ import annotations

from slinger.linux.flags import NAMESPACES
from slinger.linux.scheduling import number_mask
from slinger.plan import ops
from slinger.plan.compile import domain_ops
from slinger.plan.labels import exec_label_ops, keyring_op
from slinger.plan.plan import Plan
from slinger.plan.privileges import no_new_privileges_ops, privilege_ops, seccomp_ops, stdio_ops
from slinger.plan.process import any_cpu_op, early_ops, exec_op, keep_op, program_ops, rlimit_ops, scheduling_ops
from slinger.plan.rootfs import CHROOT
from slinger.plan.unsupported import check_process_supported
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Facts, Options
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, Process

# The names of /proc/PID/ns for the types of config.json.
FILES = {"network": "net", "mount": "mnt"}


class Target(Record):
    """The container's init: its pid, and the types of its namespaces that are not ours."""

    pid: int
    types: tuple[str, ...]


def _joins(target: Target, facts: Facts) -> list[Op]:
    """Into init's namespaces. As root the user namespace comes last, else first: see plan/namespaces.py."""
    opens = [
        ops.OpenNamespace(
            "linux.namespaces",
            by=ops.OUTER,
            path=f"/proc/{target.pid}/ns/{FILES.get(kind, kind)}",
            flag=NAMESPACES[kind],
        )
        for kind in target.types
    ]
    joins = [ops.Join("linux.namespaces", by=ops.JOINER, flag=NAMESPACES[kind]) for kind in target.types]
    joins.sort(key=lambda op: (op.flag == NAMESPACES["user"]) != facts.rootless)
    if not joins:
        return [ops.Clone("process", by=ops.OUTER)]
    root: list[Op] = [ops.TakeRoot("process", by=ops.JOINER)] if "user" in target.types else []
    return [*opens, ops.Fork("process", by=ops.OUTER), *joins, *root, ops.Clone("process", by=ops.JOINER)]


def _root(target: Target) -> list[Op]:
    """The container's root: that of its mount namespace, or where init was put by chroot alone."""
    if "mount" in target.types:
        return [ops.OpenRoot("root.path", path="/")]
    return [ops.OpenRoot("root.path", path=f"/proc/{target.pid}/root"), ops.Pivot("root.path", how=CHROOT)]


def _affinity(name: str, cpus: str | None) -> list[Op]:
    """process.execCPUAffinity: joining a cgroup with a cpuset sets another, so one is for before and one for after."""
    mask = number_mask(cpus or "")
    return [ops.Affinity(f"process.execCPUAffinity.{name}", cpus=mask)] if mask else []


def enter_plan(config: Config, process: Process, options: Options, facts: Facts, target: Target) -> Plan:
    """The plan of ``exec``. ``config`` is the container's own: its seccomp filter holds for all its processes.

    ConfigError for what the machine has not got.
    """
    check_process_supported(process, facts)
    affinity = process.exec_cpu_affinity
    initial, final = (affinity.initial, affinity.final) if affinity else (None, None)
    console: list[Op] = []
    if process.terminal:
        size = process.console_size
        rows, columns = (size.height, size.width) if size else (facts.terminal_size or (0, 0))
        console.append(ops.Console("process.terminal", rows=rows, columns=columns, bind=0))
    plan = [
        *(op.replace(by=ops.OUTER) for op in early_ops(process)),
        # Before anything of ours is in reach of the container's processes (CVE-2016-9962).
        ops.Conceal("process", by=ops.OUTER),
        *_joins(target, facts),
        ops.Conceal("process"),
        ops.Session("process"),
        *_affinity("initial", initial),
        ops.Gate("linux.cgroupsPath", name=ops.GATE_CGROUP),
        *(_affinity("final", final) if affinity else [any_cpu_op()]),
        keyring_op(process, options.container_id),
        *_root(target),
        *console,
        *rlimit_ops(process),
        *scheduling_ops(process),
        *domain_ops(config),
        *exec_label_ops(process),
        *no_new_privileges_ops(process),
        *stdio_ops(config, process, facts),
        ops.Chdir("process.cwd", path=process.cwd, may_fail=1),
        *privilege_ops(config, process, facts),
        ops.Chdir("process.cwd", path=process.cwd),
        *program_ops(process, options),
        ops.Gate("", name=ops.GATE_CREATED),
        ops.Release("process"),
        keep_op(options),
        ops.Announce("process.args"),
        *seccomp_ops(facts),
        exec_op(process, options),
    ]
    return Plan(tuple(plan))
