"""start: tell init to go on, hear of its exec, run the poststart hooks."""

from __future__ import annotations

from slinger import lifecycle
from slinger.ending import destroy
from slinger.errors import ContainerError, HostError, SlingerError
from slinger.failures import explain
from slinger.hooks.recording import Functions, Recorder, setting_of
from slinger.hooks.tracing import Tracer
from slinger.host.hands import receive_from
from slinger.lifecycle import POINT_AFTER_EXEC, POINT_BEFORE_EXEC
from slinger.notifying import hand_over
from slinger.plan import ops
from slinger.plan.plan import ops_of_rows
from slinger.plan.wire import GO, AtGate, Failed, Handle, HookRan, SeccompListener

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable

    from slinger.existing import Existing
    from slinger.spec.config import Config


def start(existing: Existing, environment: tuple[str, ...], warn: Callable[[str], None]) -> None:
    """Run the program of a created container, which is locked. Returns after the exec and the poststart hooks.

    ContainerError unless created; OpError or HookError when it could not be started: then the container is
    stopped and destroyed (runtime-spec 1.3, "Lifecycle", steps 7 to 9).
    """
    existing.refresh()
    lifecycle.check("start", existing.saved.container_id, existing.status())
    known = ops_of_rows(existing.saved.started)
    if not any(isinstance(op, ops.Exec) for op in known.values()):
        raise ContainerError("process: required property is missing: there is nothing to start")
    for origin in existing.missing_calls(POINT_BEFORE_EXEC, POINT_AFTER_EXEC):
        message = f"{origin} is a function of the program that created the container"
        raise ContainerError(message, hint="only that program can start it")
    setting = setting_of(existing.saved, environment)
    tracer = Tracer("start")
    tracer.knows(known)
    try:
        _run(existing, Recorder(known, existing.home, setting, warn), tracer)
        existing.home.forget_start()
        if existing.has_hooks_at(POINT_AFTER_EXEC):
            from slinger.hooks.running import run_late_hooks  # noqa: PLC0415 - the parser comes with it

            tracer.begin("poststart hooks")
            run_late_hooks(existing.home, setting, POINT_AFTER_EXEC, existing.calls, warn)
        _finish(tracer, existing, warn)
    except SlingerError as error:
        tracer.failed(error)
        _finish(tracer, existing, warn)
        for failure in destroy(existing, environment, warn):
            error.add_note(failure)
        raise


def _finish(tracer: Tracer, existing: Existing, warn: Callable[[str], None]) -> None:
    """Keep what the start has spent its time on. Where that fails, the container is none the worse for it."""
    try:
        tracer.finish(existing.home, existing.saved.bundle, existing.observe)
    except HostError as error:
        warn(str(error))


def _config(existing: Existing) -> Config:
    from slinger.hooks.running import saved_config  # noqa: PLC0415 - the parser comes with it

    return saved_config(existing.home, existing.calls)


def _run(existing: Existing, recorder: Recorder, tracer: Tracer) -> None:
    """Say go, and listen until the exec closes the socket."""
    tracer.begin("connect to init")
    try:
        caller = existing.home.connect()
    except OSError as error:
        existing.home.forget_start()
        raise HostError.of("the container's init", error, hint="it was started or has ended") from error
    try:
        if any(isinstance(op, (ops.Hook, ops.Gate)) for op in recorder.plan.values()):
            recorder.look()
        tracer.end()
        caller.send(GO)
        functions = Functions(lambda: _config(existing), recorder, existing.pids)
        try:
            _listen(caller, recorder, existing, functions, tracer)
        finally:
            functions.close()
    finally:
        caller.close()


def _listen(
    caller: _socket.socket, recorder: Recorder, existing: Existing, functions: Functions, tracer: Tracer
) -> None:
    executing = False
    while True:
        message, fd = receive_from(caller)
        if message is None:
            break
        executing = tracer.heard(message) or executing
        if isinstance(message, HookRan):
            recorder.took(message)
        elif isinstance(message, Handle):
            functions.lend(message.name, fd)
        elif isinstance(message, AtGate):
            functions.call(recorder.plan[message.op].origin)
            caller.send(GO)
        elif isinstance(message, SeccompListener):
            hand_over(existing, existing.pid(), fd, lifecycle.CREATING)
            caller.send(GO)
        elif isinstance(message, Failed):
            raise recorder.failure or explain(recorder.plan, message)
    tracer.end()
    if not executing:
        text = "the container's init ended before it could run the program"
        raise HostError(text, hint="the memory limit may be too low, or somebody killed it")
