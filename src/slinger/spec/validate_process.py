"""Checks of a process: config.md, "Process"; getrlimit(2), sched_setattr(2), ioprio_set(2)."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.linux.capabilities import CAPABILITIES
from slinger.linux.rlimits import RLIMITS
from slinger.spec.values import (
    demand_absolute,
    demand_environment,
    demand_number_list,
    demand_one_of,
    demand_within,
    quote,
    refuse_nul,
    refuse_nul_in,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.spec.config import Process, Scheduler

SCHEDULER_POLICIES = ("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_IDLE", "SCHED_DEADLINE")
SCHEDULER_FLAGS = (
    "SCHED_FLAG_RESET_ON_FORK",
    "SCHED_FLAG_RECLAIM",
    "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_KEEP_PARAMS",
    "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX",
)
IO_PRIORITY_CLASSES = ("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE")

_REALTIME = frozenset({"SCHED_FIFO", "SCHED_RR"})
_LARGEST_UINT16 = 2**16 - 1  # struct winsize
_LARGEST_MODE = 0o777
_LARGEST_CPU = 2**16 - 1  # eight times what Linux can be made for

LARGEST_ID = 2**32 - 2  # of users and groups


def check_process(process: Process, at: str) -> None:
    """Run all checks of a process. Raises ConfigError."""
    for check in CHECKS:
        check(process, at)


def warn_process(process: Process, at: str) -> tuple[str, ...]:
    """Capabilities that cannot be granted "SHOULD NOT" be an error, but must be warned of (config.md)."""
    sets = process.capabilities
    if sets is None:
        return ()
    return tuple(
        f"{at}.capabilities.{name}[{index}]: unknown capability {quote(capability)}, ignored"
        for name, capabilities in (
            ("bounding", sets.bounding),
            ("effective", sets.effective),
            ("inheritable", sets.inheritable),
            ("permitted", sets.permitted),
            ("ambient", sets.ambient),
        )
        for index, capability in enumerate(capabilities)
        if capability not in CAPABILITIES
    )


def check_program(process: Process, at: str) -> None:
    """What execve(2) is given."""
    demand_absolute(process.cwd, f"{at}.cwd")
    if not process.args:
        raise ConfigError(f"{at}.args", "must have at least one entry")
    refuse_nul(process.args, f"{at}.args")
    demand_environment(process.env, f"{at}.env")


def check_terminal(process: Process, at: str) -> None:
    """The size is ignored without a terminal, as config.md wants, and so is its value then."""
    size = process.console_size
    if size is not None and process.terminal:
        demand_within(size.height, 0, _LARGEST_UINT16, f"{at}.consoleSize.height")
        demand_within(size.width, 0, _LARGEST_UINT16, f"{at}.consoleSize.width")


def check_user(process: Process, at: str) -> None:
    """The umask has permission bits only (umask(2)); the largest number is no id, but "leave it" (setresuid(2))."""
    user = process.user
    demand_within(user.umask, 0, _LARGEST_MODE, f"{at}.user.umask")
    demand_within(user.uid, 0, LARGEST_ID, f"{at}.user.uid")
    demand_within(user.gid, 0, LARGEST_ID, f"{at}.user.gid")
    for index, gid in enumerate(user.additional_gids):
        demand_within(gid, 0, LARGEST_ID, f"{at}.user.additionalGids[{index}]")


def check_labels(process: Process, at: str) -> None:
    """Labels are written to /proc/self/attr."""
    refuse_nul_in(process.apparmor_profile, f"{at}.apparmorProfile")
    refuse_nul_in(process.selinux_label, f"{at}.selinuxLabel")


def check_rlimits(process: Process, at: str) -> None:
    """config.md: duplicate types MUST be an error; soft above hard is EINVAL (getrlimit(2))."""
    seen: set[str] = set()
    for index, limit in enumerate(process.rlimits):
        here = f"{at}.rlimits[{index}]"
        if limit.type not in RLIMITS:
            raise ConfigError(f"{here}.type", f"unknown limit {quote(limit.type)}")
        if limit.type in seen:
            raise ConfigError(f"{here}.type", f"duplicate limit {quote(limit.type)}")
        if limit.soft > limit.hard:
            raise ConfigError(f"{here}.soft", f"{limit.soft} is above the hard limit {limit.hard}")
        seen.add(limit.type)


def check_oom_score(process: Process, at: str) -> None:
    """The limits of proc_pid_oom_score_adj(5)."""
    demand_within(process.oom_score_adj, -1000, 1000, f"{at}.oomScoreAdj")


def check_scheduler(process: Process, at: str) -> None:
    """sched_setattr(2). SCHED_ISO is a word of the spec that Linux has never had."""
    scheduler = process.scheduler
    if scheduler is None:
        return
    at = f"{at}.scheduler"
    demand_one_of(scheduler.policy, SCHEDULER_POLICIES, f"{at}.policy")
    demand_within(scheduler.nice, -20, 19, f"{at}.nice")
    for index, flag in enumerate(scheduler.flags):
        demand_one_of(flag, SCHEDULER_FLAGS, f"{at}.flags[{index}]")
    if scheduler.policy in _REALTIME:
        demand_within(scheduler.priority, 1, 99, f"{at}.priority")
    elif scheduler.priority:
        raise ConfigError(f"{at}.priority", f"only SCHED_FIFO and SCHED_RR take one, got {scheduler.priority}")
    _check_deadline(scheduler, at)


def _check_deadline(scheduler: Scheduler, at: str) -> None:
    """The kernel wants runtime <= deadline <= period, where a period of 0 stands for the deadline."""
    if scheduler.policy != "SCHED_DEADLINE":
        times = (("runtime", scheduler.runtime), ("deadline", scheduler.deadline), ("period", scheduler.period))
        for name, value in times:
            if value:
                raise ConfigError(f"{at}.{name}", f"only SCHED_DEADLINE takes one, got {value}")
        return
    if not 0 < scheduler.runtime <= scheduler.deadline <= (scheduler.period or scheduler.deadline):
        raise ConfigError(at, "SCHED_DEADLINE needs 0 < runtime <= deadline <= period")


def check_io_priority(process: Process, at: str) -> None:
    """The classes and levels of ioprio_set(2)."""
    priority = process.io_priority
    if priority is not None:
        demand_one_of(priority.class_, IO_PRIORITY_CLASSES, f"{at}.ioPriority.class")
        demand_within(priority.priority, 0, 7, f"{at}.ioPriority.priority")


def check_affinity(process: Process, at: str) -> None:
    """Lists of CPUs, as cpuset(7) has them."""
    affinity = process.exec_cpu_affinity
    if affinity is None:
        return
    for name, cpus in (("initial", affinity.initial or ""), ("final", affinity.final or "")):
        here = f"{at}.execCPUAffinity.{name}"
        demand_number_list(cpus, here)
        for number in cpus.replace("-", ",").split(","):
            demand_within(int(number) if number.strip(" ") else None, 0, _LARGEST_CPU, here)


CHECKS: tuple[Callable[[Process, str], None], ...] = (
    check_program,
    check_terminal,
    check_user,
    check_labels,
    check_rlimits,
    check_oom_score,
    check_scheduler,
    check_io_priority,
    check_affinity,
)
