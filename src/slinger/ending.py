"""kill, pause, resume and delete: stop a container, for a while or for good, and take back what create made."""

from __future__ import annotations

from slinger import lifecycle
from slinger.errors import ContainerError, HostError, SlingerError
from slinger.host import cgroup, machine
from slinger.host.process import wait_gone
from slinger.lifecycle import POINT_AFTER_DESTROY
from slinger.undo import Undo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.existing import Existing
    from slinger.hooks.tracing import Tracer

SIGKILL = 9


def kill(existing: Existing, signal: int) -> None:
    """Send a signal to init; SIGKILL reaches every process where the container has no pid namespace of its own,
    also those that have outlived init.

    ContainerError "container not running" if it is stopped and, with SIGKILL, nobody is left in its cgroup.
    """
    existing.refresh()
    status = existing.status()
    if status == lifecycle.STOPPED and signal == SIGKILL and cgroup.pids(existing.cgroup()):
        cgroup.kill(existing.cgroup(), SIGKILL)
        return
    lifecycle.check("kill", existing.saved.container_id, status)
    init = existing.init()
    if init is None:
        raise ContainerError("container not running")
    others = signal == SIGKILL and not machine.ends_its_namespace(init.pid)
    init.send(signal)  # first: once the others are told it may be gone, which would look like a refusal
    if others:
        cgroup.kill(existing.cgroup(), SIGKILL)
    if signal == SIGKILL:
        cgroup.thaw(existing.cgroup(), below=True)


def freeze(existing: Existing) -> None:
    """Freeze a container, which is locked. ContainerError unless it is created or running."""
    existing.refresh()
    lifecycle.check("pause", existing.saved.container_id, existing.status())
    cgroup.freeze(existing.cgroup())


def thaw(existing: Existing) -> None:
    """Thaw a container, which is locked. ContainerError unless it is paused."""
    existing.refresh()
    lifecycle.check("resume", existing.saved.container_id, existing.status())
    cgroup.thaw(existing.cgroup())


def delete(existing: Existing, environment: tuple[str, ...], warn: Callable[[str], None], *, force: bool) -> None:
    """Remove a container, which is locked. ContainerError unless it is stopped or created, or ``force`` is set.

    Failing poststop hooks are warned of; HostError names what could not be removed.
    """
    existing.refresh()
    if not force:
        lifecycle.check("delete", existing.saved.container_id, existing.status())
    failures = destroy(existing, environment, warn)
    if failures:
        raise HostError("; ".join(failures), hint="slinger delete --force tries again")


def destroy(existing: Existing, environment: tuple[str, ...], warn: Callable[[str], None]) -> list[str]:
    """Stop it, remove cgroup, run poststop hooks, remove the directory. What could not be removed, a line each.

    Where processes or groups stay, the directory does too, since without its record nobody could remove them later;
    and its hooks run when the container is gone, once.
    """
    tracer = _tracer(existing)
    tell = tracer.begin if tracer is not None else None
    undo = Undo()
    groups = existing.groups()
    if groups is not None:
        undo.push("the groups in resctrl", groups.remove)
    undo.push("the cgroup", lambda: cgroup.remove(existing.cgroup(), kill=True))
    undo.push("the container's processes", lambda: _stop(existing))
    failures = undo.run(tell)
    if failures:
        return failures
    undo.push("the container's directory", existing.home.remove)
    if tracer is not None:
        undo.push("the records", lambda: _keep_records(existing, tracer, warn))
    undo.push("poststop hooks", lambda: _poststop(existing, environment, warn))
    return undo.run(tell)


def _tracer(existing: Existing) -> Tracer | None:
    """Where nobody wants to know, the records go with the container."""
    if not existing.saved.trace_dir and existing.observe is None:
        return None
    from slinger.hooks.tracing import Tracer  # noqa: PLC0415

    return Tracer("delete")


def _keep_records(existing: Existing, tracer: Tracer, warn: Callable[[str], None]) -> None:
    """It is for nobody's records that a container stays: what fails here is a warning."""
    from slinger.hooks.keeping import keep  # noqa: PLC0415

    saved = existing.saved
    try:
        tracer.finish(existing.home, saved.bundle, existing.observe)
        if saved.trace_dir:
            keep(existing.home, saved.bundle, saved.trace_dir)
    except SlingerError as error:
        warn(str(error))


def _stop(existing: Existing) -> None:
    init = existing.init()
    if init is None or not init.alive():
        return
    try:
        init.send(SIGKILL)
    except ContainerError:
        return  # it ended in this moment
    # Afterwards, so that nobody of them goes on; and init ends only when all in its pid namespace have.
    cgroup.thaw(existing.cgroup(), below=True)
    wait_gone(init)


def _poststop(existing: Existing, environment: tuple[str, ...], warn: Callable[[str], None]) -> None:
    for origin in existing.missing_calls(POINT_AFTER_DESTROY):
        warn(f"{origin} is a function of the program that created the container, and is not run")
    if existing.has_hooks_at(POINT_AFTER_DESTROY):
        # Only where there are hooks is the parser of config.json worth its time.
        from slinger.hooks.recording import setting_of  # noqa: PLC0415
        from slinger.hooks.running import run_late_hooks  # noqa: PLC0415

        setting = setting_of(existing.saved, environment)
        run_late_hooks(existing.home, setting, POINT_AFTER_DESTROY, existing.calls, warn)
