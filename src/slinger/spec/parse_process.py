"""The process object: config.md, "Process". Also what ``exec --process FILE`` is given."""

from __future__ import annotations

from slinger.spec.config import (
    Capabilities,
    ConsoleSize,
    CpuAffinity,
    IoPriority,
    Process,
    Rlimit,
    Scheduler,
    User,
)
from slinger.spec.jsontext import load
from slinger.spec.reader import INT32, INT64, UINT32, UINT64, Reader


def parse_process(text: bytes, what: str = "process.json") -> Process:
    """A document that is one process object. Paths in errors begin with ``process``. Raises ConfigError."""
    return read_process(Reader(load(text, what), "process", what))


def read_process(process: Reader) -> Process:
    """The process that an object describes. Raises ConfigError."""
    return Process(
        cwd=process.demanded_text("cwd"),
        args=process.texts("args"),
        env=process.texts("env"),
        terminal=process.flag("terminal"),
        console_size=_read_console_size(process.object("consoleSize")),
        user=_read_user(process.object("user")),
        capabilities=_read_capabilities(process.object("capabilities")),
        rlimits=tuple(
            Rlimit(
                type=limit.demanded_text("type"),
                soft=limit.demanded_number("soft", UINT64),
                hard=limit.demanded_number("hard", UINT64),
            )
            for limit in process.objects("rlimits")
        ),
        no_new_privileges=process.flag("noNewPrivileges"),
        apparmor_profile=process.text("apparmorProfile"),
        selinux_label=process.text("selinuxLabel"),
        oom_score_adj=process.number_or_none("oomScoreAdj", INT64),
        scheduler=_read_scheduler(process.object("scheduler")),
        io_priority=_read_io_priority(process.object("ioPriority")),
        exec_cpu_affinity=_read_affinity(process.object("execCPUAffinity")),
    )


def _read_console_size(size: Reader | None) -> ConsoleSize | None:
    if size is None:
        return None
    return ConsoleSize(height=size.demanded_number("height", UINT64), width=size.demanded_number("width", UINT64))


def _read_user(user: Reader | None) -> User:
    if user is None:
        return User()
    return User(
        uid=user.demanded_number("uid", UINT32),
        gid=user.demanded_number("gid", UINT32),
        umask=user.number_or_none("umask", UINT32),
        additional_gids=user.numbers("additionalGids", UINT32),
    )


def _read_capabilities(sets: Reader | None) -> Capabilities | None:
    if sets is None:
        return None
    return Capabilities(
        bounding=sets.texts("bounding"),
        effective=sets.texts("effective"),
        inheritable=sets.texts("inheritable"),
        permitted=sets.texts("permitted"),
        ambient=sets.texts("ambient"),
    )


def _read_scheduler(scheduler: Reader | None) -> Scheduler | None:
    if scheduler is None:
        return None
    return Scheduler(
        policy=scheduler.demanded_text("policy"),
        nice=scheduler.number("nice", INT32),
        priority=scheduler.number("priority", INT32),
        flags=scheduler.texts("flags"),
        runtime=scheduler.number("runtime", UINT64),
        deadline=scheduler.number("deadline", UINT64),
        period=scheduler.number("period", UINT64),
    )


def _read_io_priority(priority: Reader | None) -> IoPriority | None:
    if priority is None:
        return None
    return IoPriority(class_=priority.demanded_text("class"), priority=priority.number("priority", INT64))


def _read_affinity(affinity: Reader | None) -> CpuAffinity | None:
    if affinity is None:
        return None
    return CpuAffinity(initial=affinity.text_or_none("initial"), final=affinity.text_or_none("final"))
