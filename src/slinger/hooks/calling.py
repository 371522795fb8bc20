"""The one caller of hooks that are functions: at their gate, here or in a process that enters the container.

A function of a runtime stage runs in the thread that creates, starts or deletes the container. One with a timeout, or
an ``async`` one, gets a thread of its own: no thread can be killed, so after the timeout it goes on and is not waited
for. A function of createContainer and startContainer runs in a process of its own (host/inside), which is killed.
"""

from __future__ import annotations

import inspect
import linecache
import os
import threading
import time
import traceback

from slinger import lifecycle
from slinger.errors import HookError
from slinger.hooks.functions import HookContext
from slinger.hooks.records import HookRecord, origin_parts
from slinger.host import machine
from slinger.host.inside import KILLED, LEFT, NOT_ENTERED, RAISED, TIMED_OUT, Ended, call_inside
from slinger.host.inside.entering import Entry
from slinger.host.inside.guard import load_codecs, profile
from slinger.host.inside.neighbours import refuse_neighbours
from slinger.host.seccomp import compile_filter
from slinger.linux.signals import name_of
from slinger.plan.privileges import privilege_ops
from slinger.plan.process import rlimit_ops
from slinger.spec.state import SPEC_VERSION, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from slinger.hooks.functions import Function
    from slinger.hooks.recording import Recorder, Setting
    from slinger.lifecycle import Stage
    from slinger.spec.config import Call, Config

_RETURNED = Ended("returned")


class Caller:
    """Calls the functions of one container.

    ``root``: the state root, which keeps the compiled guard; ``pids``: the container's processes.
    """

    def __init__(self, config: Config, setting: Setting, root: str, pids: Callable[[], tuple[int, ...]]) -> None:
        self._config = config
        self._setting = setting
        self._root = root
        self._pids = pids

    def call(self, origin: str, handles: Mapping[str, int], recorder: Recorder) -> None:
        """Call the function at this JSON path and keep its record. HookError where its failure counts.

        ``handles`` are what init has given (op Handles), or nothing.
        """
        name, index = origin_parts(origin)
        stage = lifecycle.stage_of(name)
        call: Call = self._config.hooks.of(name)[index]  # type: ignore[assignment]
        assert call.function is not None  # noqa: S101 - it was placed, so it is one
        context = self._context(stage, index, handles, call.timeout, recorder.pid)
        state = self._state(stage, recorder)
        started, began = time.time_ns(), time.monotonic_ns()
        cause: BaseException | None = None
        if stage.path_in == lifecycle.CONTAINER:
            refuse_neighbours(self._pids(), recorder.pid, handles["mnt"])
        if stage.runs_in == lifecycle.CONTAINER:
            ended = self._call_inside(call.function, state, context, handles, stage)
        else:
            ended, cause = _call_here(call.function, state, context)
        took = time.monotonic_ns() - began
        record = self._record(call, stage, index, ended).replace(
            started=started, duration=took, pid_shown=state.pid if stage.pid != lifecycle.PID_ABSENT else None
        )
        error = None if record.ok else HookError(f"{name} hook #{index} ({call.path}): {record.outcome}", origin=origin)
        if error is not None:
            error.__cause__ = cause
        recorder.keep(record, error, go_on=stage.failure == lifecycle.WARN)
        if recorder.failure is not None:
            raise recorder.failure

    def _context(
        self, stage: Stage, index: int, handles: Mapping[str, int], timeout: int | None, pid: int
    ) -> HookContext:
        namespaces = {name: fd for name, fd in handles.items() if name not in {"root", "cwd"}}
        return HookContext(
            stage=stage.name,
            index=index,
            pid=0 if stage.pid == lifecycle.PID_ABSENT else pid,
            bundle=self._setting.options.bundle,
            rootfs=self._setting.rootfs,
            namespaces=namespaces,
            root=handles.get("root"),
            deadline=None if timeout is None else time.monotonic() + timeout,
        )

    def _state(self, stage: Stage, recorder: Recorder) -> State:
        return State(
            oci_version=SPEC_VERSION,
            id=self._setting.options.container_id,
            status=stage.status,
            pid=recorder.shown(stage),
            bundle=self._setting.options.bundle,
            annotations=self._config.annotations,
            rootfs=self._setting.rootfs if stage.path_in == lifecycle.RUNTIME else "",
        )

    def _call_inside(
        self, function: Function, state: State, context: HookContext, handles: Mapping[str, int], stage: Stage
    ) -> Ended:
        entered = stage.point == lifecycle.POINT_BEFORE_EXEC
        if _is_async(function):
            _event_loop()  # inside nothing can be imported any more
        load_codecs()
        timeout = None if context.deadline is None else context.deadline - time.monotonic()
        entry = self._entry(tuple(handles.items()), entered=entered)
        return call_inside(entry, lambda: _finish(function(state, context)), timeout)

    def _entry(self, handles: tuple[tuple[str, int], ...], *, entered: bool) -> Entry:
        rootless = os.geteuid() != 0
        process = self._config.process
        if not entered or process is None:
            return Entry(handles, entered=False, rootless=rootless)
        facts = machine.gather(self._config, self._setting.rootfs, (), None)
        program = compile_filter(profile(), self._root).program
        privileges = tuple(privilege_ops(self._config, process, facts))
        return Entry(
            handles,
            entered=True,
            rootless=rootless,
            privileges=privileges,
            limits=tuple(rlimit_ops(process)),
            filter=program,
        )

    def _record(self, call: Call, stage: Stage, index: int, ended: Ended) -> HookRecord:
        stderr = ended.stderr.decode("utf-8", "replace") + _traceback(ended)
        inside = stage.runs_in == lifecycle.CONTAINER
        process_cwd = self._config.process.cwd if self._config.process else "/"
        return HookRecord(
            stage=stage.name,
            index=index,
            path=call.path,
            args=(),
            cwd={lifecycle.CWD_ROOT: self._setting.rootfs, lifecycle.CWD_PROCESS: process_cwd}.get(stage.cwd)
            or _working_directory(),
            namespaces=self._setting.namespaces if inside else (),
            capabilities=None,
            status=stage.status,
            pid_shown=None,
            pid=ended.pid or os.getpid(),
            started=0,
            duration=0,
            outcome=_outcome(ended, call.timeout),
            exit_status=0 if ended.how == _RETURNED.how else None,
            stdout=ended.stdout.decode("utf-8", "replace"),
            stderr=stderr,
            stdout_size=ended.stdout_size,
            stderr_size=ended.stderr_size + len(stderr.encode("utf-8", "replace")) - len(ended.stderr),
        )


def _working_directory() -> str:
    """Ours; "" when it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _outcome(ended: Ended, timeout: int | None) -> str:
    if ended.how == RAISED:
        return f"raised {ended.what}"
    if ended.how == KILLED:
        return f"killed by {name_of(int(ended.what))}"
    if ended.how == LEFT:
        return f"exit status {ended.what} before it returned"
    if ended.how == TIMED_OUT:
        return f"timed out after {timeout} s"
    return f"not started: {ended.what}" if ended.how == NOT_ENTERED else ended.how


def _traceback(ended: Ended) -> str:
    """As Python prints it. The lines are looked up here, where the files are those that the program was loaded from."""
    if ended.how != RAISED:
        return ""
    frames = [
        traceback.FrameSummary(file, line, name, line=linecache.getline(file, line).strip())
        for file, line, name in ended.frames
        if file != __file__  # nobody has written this file's who reads the record
    ]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames), f"{ended.what}\n"]
    return "".join(lines)


# ---- in this process


def _call_here(function: Function, state: State, context: HookContext) -> tuple[Ended, BaseException | None]:
    """How it ended, and the exception. Only those that are errors: a KeyboardInterrupt is the program's."""
    if context.deadline is None and not _is_async(function):
        return _outcome_of(lambda: _finish(function(state, context)))
    own, descriptors = _with_own_descriptors(context)

    def run() -> None:
        try:
            _finish(function(state, own))
        finally:
            for fd in descriptors:
                os.close(fd)

    return _in_a_thread(run, context.deadline)


def _with_own_descriptors(context: HookContext) -> tuple[HookContext, tuple[int, ...]]:
    """For a thread that nobody may wait for: what was lent is given back, and its number would be another file's."""
    namespaces = {name: os.dup(fd) for name, fd in context.namespaces.items()}
    root = None if context.root is None else os.dup(context.root)
    own = (*namespaces.values(), *([] if root is None else [root]))
    return context.replace(namespaces=namespaces, root=root), own


def _is_async(function: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _finish(result: object) -> None:
    """Await what an ``async`` function gave, in an event loop of its own."""
    if inspect.isawaitable(result):

        async def run() -> None:
            await result

        _event_loop()(run())


def _event_loop() -> Callable[[Coroutine[object, object, None]], None]:
    """asyncio.run, which costs 30 ms to load."""
    import asyncio

    return asyncio.run


def _outcome_of(
    run: Callable[[], None], failures: type[BaseException] = Exception
) -> tuple[Ended, BaseException | None]:
    try:
        run()
    except failures as error:
        return Ended(RAISED, f"{type(error).__qualname__}: {error}", _frames(error)), error
    return _RETURNED, None


def _frames(error: BaseException) -> tuple[tuple[str, int, str], ...]:
    summary = traceback.extract_tb(error.__traceback__)
    return tuple((each.filename, each.lineno or 0, each.name) for each in summary)


def _in_a_thread(run: Callable[[], None], deadline: float | None) -> tuple[Ended, BaseException | None]:
    result: list[tuple[Ended, BaseException | None]] = []

    def outcome() -> None:
        # In this thread there is no program that a SystemExit could end.
        result.append(_outcome_of(run, BaseException))

    thread = threading.Thread(target=outcome, name="slinger hook", daemon=True)
    thread.start()
    thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    return result[0] if result else (Ended(TIMED_OUT), None)
