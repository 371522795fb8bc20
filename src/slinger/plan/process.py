"""process: environment, limits, working directory and program."""

from __future__ import annotations

from slinger.linux.rlimits import RLIMITS
from slinger.linux.scheduling import IO_CLASS_SHIFT, IO_CLASSES, SCHEDULER_FLAGS, SCHEDULER_POLICIES
from slinger.plan import ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.facts import Options
    from slinger.plan.ops import Op
    from slinger.spec.config import Process

DEFAULT_UMASK = 0o022  # where the spec says "unchanged", runc and crun say this, and engines rely on it


def environment(process: Process, options: Options) -> tuple[str, ...]:
    """process.env: the last of several entries of a name counts; an empty HOME is as good as none."""
    values: dict[str, str] = {}
    for entry in process.env:
        name = entry.split("=", 1)[0]
        values[name] = entry
    if values.get("HOME") == "HOME=":
        del values["HOME"]
    if options.listen_fds:
        values["LISTEN_FDS"] = f"LISTEN_FDS={options.listen_fds}"
        values["LISTEN_PID"] = "LISTEN_PID=1"
    if process.terminal and "TERM" not in values:
        values["TERM"] = "TERM=xterm"
    return tuple(values.values())


def search_path(env: tuple[str, ...]) -> str:
    """PATH of the program's environment, in which args[0] is looked up."""
    for entry in env:
        if entry.startswith("PATH="):
            return entry[5:]
    return ""


def early_ops(process: Process, by: str = ops.INIT) -> list[Op]:
    """While /proc/self still is the host's and ours to write; or by outer, which has the privilege to lower it."""
    if process.oom_score_adj is None:
        return []
    return [ops.OomScore("process.oomScoreAdj", by=by, value=process.oom_score_adj)]


def rlimit_ops(process: Process) -> list[Op]:
    """From outside, where the privilege to raise a hard limit is."""
    return [
        ops.Rlimit(f"process.rlimits[{at}]", by=ops.OUTER, resource=RLIMITS[each.type], soft=each.soft, hard=each.hard)
        for at, each in enumerate(process.rlimits)
    ]


def any_cpu_op() -> Op:
    """Undo what the caller is confined to (taskset, a unit's CPUAffinity=), as runc and crun do: the container's own
    cpuset is what holds.
    """
    return ops.Affinity("process")


def scheduling_ops(process: Process) -> list[Op]:
    """process.scheduler and process.ioPriority, while there still is the privilege for them."""
    plan: list[Op] = []
    scheduler = process.scheduler
    if scheduler is not None:
        flags = 0
        for name in scheduler.flags:
            flags |= SCHEDULER_FLAGS[name]
        plan.append(
            ops.Scheduler(
                "process.scheduler",
                policy=SCHEDULER_POLICIES[scheduler.policy],
                flags=flags,
                nice=scheduler.nice,
                priority=scheduler.priority,
                runtime=scheduler.runtime,
                deadline=scheduler.deadline,
                period=scheduler.period,
            )
        )
    if process.io_priority is not None:
        value = IO_CLASSES[process.io_priority.class_] << IO_CLASS_SHIFT | process.io_priority.priority
        plan.append(ops.IoPriority("process.ioPriority", value=value))
    return plan


def program_ops(process: Process, options: Options) -> list[Op]:
    """Find the program as the user that will run it."""
    env = environment(process, options)
    plan: list[Op] = []
    if not any(entry.startswith("HOME=") for entry in env):
        plan.append(ops.Home("process.user.uid", uid=process.user.uid))
    plan.append(ops.FindProgram("process.args[0]", name=process.args[0], path=search_path(env)))
    return plan


def keep_op(options: Options) -> Op:
    """What the program keeps of what the caller passed on."""
    return ops.CloseOnExec("process", keep_fds=options.preserve_fds + options.listen_fds)


def exec_op(process: Process, options: Options) -> Op:
    """The last op of all."""
    return ops.Exec("process.args", args=process.args, env=environment(process, options))
