"""create: the walk from a bundle to a container that waits for its start.

The brain's side of the way through (docs/lifecycle.md): it starts the hands, answers their gates, and
takes back all that was made when a step fails.
"""

from __future__ import annotations

import os
import time

from slinger.errors import ConfigError, ContainerError, HostError
from slinger.failures import explain
from slinger.hooks.recording import Functions, Recorder, Setting, hook_output
from slinger.hooks.running import run_hooks
from slinger.hooks.tracing import Tracer
from slinger.host import cgroup, idmap, machine, probe
from slinger.host.handover import FIRST_PROCESS, send_master, send_pidfd, write_pid_file
from slinger.host.hands import Hands
from slinger.host.process import Process, wait_gone
from slinger.host.signals import Held
from slinger.host.store import CONFIG, Home, Saved, check_id, prepare_root
from slinger.lifecycle import LATE_POINTS, POINT_AFTER_DESTROY, STAGES
from slinger.notifying import listener_of
from slinger.plan import ops
from slinger.plan.facts import Options
from slinger.plan.namespaces import is_new
from slinger.plan.plan import started_ops
from slinger.plan.wire import AtGate, ConsoleMaster, Failed, Handle, HookRan, InitPid, NetworkSocket, Times
from slinger.planning import locate_cgroup, locate_groups, make_plan, read_request
from slinger.record import Record
from slinger.undo import Undo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slinger.hooks.records import HookRecord
    from slinger.host.network import Moves
    from slinger.plan.wire import Message
    from slinger.planning import Request
    from slinger.spec.config import Call

SIGKILL = 9


class Created(Record):
    """A container that waits for its start; ``hands`` and ``master`` only where we supervise it."""

    home: Home
    saved: Saved
    hands: Hands | None
    master: int
    calls: Mapping[str, Call]


class Creation:
    """One create in progress."""

    def __init__(self, request: Request, warn: Callable[[str], None]) -> None:
        self.request = request
        self.warn = warn
        self.undo = Undo()
        self.signals = Held()
        self.pid = 0
        self.in_cgroup = False
        self.master = -1
        self.devices: Moves | None = None
        self.done = False
        self.calls: dict[str, Call] = {}
        self.tracer = Tracer("create")

    def run(self) -> Created:
        """Create it, or take everything back and raise what went wrong."""
        request = self.request
        self.tracer.begin("read config.json")
        self.config, text, injected = read_request(request, self.warn)
        self.hook_files = () if injected is None else injected.hook_files()
        if request.hooks is not None:
            self.config, text, self.calls = request.hooks.added_to(self.config, text)
        self.tracer.begin("prepare")
        self._check_terminal()
        self.rootfs = machine.find_rootfs(self.config, request.bundle)
        with self.signals:
            try:
                self._make(text)
            except BaseException as error:
                self.signals.hold()
                self.tracer.failed(error)
                for failure in self.undo.run(self.tracer.begin):
                    error.add_note(failure)
                    self.warn(f"cleaning up: {failure}")
                raise
            self.undo.clear()
            if self.devices is not None:
                self.devices.close()
        return Created(self.home, self.saved, self.hands if request.supervise else None, self.master, self.calls)

    def hook_records(self) -> tuple[HookRecord, ...]:
        """Of the hooks that have run, also where the creation has failed."""
        recorder: Recorder | None = getattr(self, "recorder", None)
        return () if recorder is None else tuple(recorder.records)

    def _make(self, text: bytes) -> None:
        """All that is to be undone. A signal of the caller's is let through only where we wait."""
        self.home, taken_over = Home.make(self.request.root, self.request.container_id)
        self.undo.push("the container's directory", self.home.close)
        self.undo.push("the container's directory", self.home.remove)
        if taken_over:
            clear_leftovers(self.home)
        self._prepare(text)
        self._walk()
        self._keep_trace()
        self.signals.check()

    def _check_terminal(self) -> None:
        terminal = self.config.process is not None and self.config.process.terminal
        if terminal and not self.request.supervise and not self.request.console_socket:
            message = "cannot allocate tty if slinger will detach without setting console socket"
            raise ConfigError("process.terminal", message, hint="use --console-socket PATH, or terminal: false")
        if self.request.console_socket and not terminal:
            message = "cannot use console socket if slinger will not detach or allocate tty"
            raise ConfigError("process.terminal", message)

    def _prepare(self, text: bytes) -> None:
        """Write down what will be made, then start the hands on the plan."""
        request, config = self.request, self.config
        probed = probe.probe_hierarchies()
        self.ref = locate_cgroup(request, config, probed)
        self.groups = locate_groups(request, config)
        late = tuple(stage.name for stage in STAGES if stage.point in LATE_POINTS and config.hooks.of(stage.name))
        self.saved = Saved(
            container_id=request.container_id,
            bundle=request.bundle,
            rootfs=self.rootfs,
            creating=True,
            owner=os.geteuid(),
            cgroup=self.ref.text(),
            annotations=config.annotations,
            namespaces=machine.container_namespaces(config),
            late_hooks=late,
            hook_files=self.hook_files,
            calls=tuple(self.calls),
            listener=listener_of(config),
            trace_dir=request.trace_dir,
        )
        if self.groups is not None:
            self.saved = self.saved.replace(resctrl=self.groups.row())
        self.home.write_file(CONFIG, text)  # first: what comes after create reads it
        self.home.write(self.saved)
        self.setting = Setting(
            Options(container_id=request.container_id, bundle=request.bundle, environment=request.environment),
            self.rootfs,
            namespaces=self.saved.namespaces,
            output=hook_output(config.annotations),
            files=self.hook_files,
            stdio=request.stdio,
        )
        self.undo.push("the records", self._keep_records)
        self.undo.push("poststop hooks", self._poststop)
        self.undo.push("the cgroup", self._remove_cgroup)
        self.tracer.begin("make the cgroup")
        self.ref = cgroup.make(self.ref, config.linux.resources)
        if self.ref.unit is None:
            self._give_cgroup()
        if self.groups is not None and config.linux.intel_rdt is not None:
            self.groups = self.groups.make(config.linux.intel_rdt)
            self.undo.push("the groups in resctrl", self.groups.remove)
        self.tracer.begin("compile the plan")
        self.plan = make_plan(request, config, self.rootfs, self.ref, probed, self.warn)
        self.tracer.begin("start the hands")
        self._start_hands()
        self.tracer.knows(self.ops)
        self.tracer.end()

    def _give_cgroup(self) -> None:
        """To the container's user, where the container can write to it; a caller without privilege owns it already."""
        if os.geteuid() != 0 or not is_new(self.config, "cgroup"):
            return
        from slinger.plan.cgroup_owner import cgroup_owner  # noqa: PLC0415 - few containers write to their cgroup

        owner = cgroup_owner(self.config)
        if owner is not None:
            cgroup.give(self.ref, owner)

    def _start_hands(self) -> None:
        request = self.request
        listener = self.home.listen()
        mode = ("supervise,subreaper" if request.subreaper else "supervise") if request.supervise else "detach"
        try:
            self.hands = Hands.start(
                self.plan.encode(),
                stdio=request.stdio,
                listener=listener.fileno(),
                keep_fds=request.preserve_fds + request.listen_fds,
                mode=mode,
            )
        finally:
            listener.close()
        self.undo.push("the hands", self._kill_hands)
        self.ops = dict(enumerate(self.plan.ops))
        self.recorder = Recorder(self.ops, self.home, self.setting, self.warn)
        self.functions = Functions(lambda: self.config, self.recorder)
        self.undo.push("descriptors of the container's", self.functions.close)

    def _walk(self) -> None:
        """Answer the hands until the container waits for its start."""
        while not self.done:
            with self.signals.waiting():
                message, fd = self.hands.receive()
            if message is None:
                self._lost()
            if isinstance(message, ConsoleMaster):
                self._take_console(message.name, fd)
            elif isinstance(message, NetworkSocket):
                self._take_network(fd)
            elif isinstance(message, Handle):
                self.functions.lend(message.name, fd)
            else:
                self._answer(message)

    def _answer(self, message: Message | None) -> None:
        match message:
            case InitPid():
                self.pid = self.recorder.pid = message.pid
                if not self._has_gate(ops.GATE_IDS):
                    self._enter_cgroup()
            case AtGate():
                self._at_gate(self.ops[message.op])
            case HookRan():
                self.recorder.took(message)
            case Times():
                self.tracer.heard(message)
            case Failed():
                raise self.recorder.failure or explain(self.ops, message)
            case _:
                text = f"the hands: unexpected {message!r}"
                raise HostError(text)

    def _lost(self) -> None:
        """The hands ended without a word: killed, most likely by the memory limit."""
        limit = self.config.linux.resources and self.config.linux.resources.memory
        hint = "the memory limit may be too low" if limit else "the kernel log may say more"
        raise HostError("the container's init ended before it was created", hint=hint)

    def _has_gate(self, name: str) -> bool:
        return any(isinstance(op, ops.Gate) and op.name == name for op in self.plan.ops)

    def _at_gate(self, op: ops.Op) -> None:
        name = op.name if isinstance(op, ops.Gate) else ""
        if name == ops.GATE_IDS:
            self.tracer.begin("write the id maps")
            idmap.write_maps(self.config, self.pid)
            self.hands.go()
            self._enter_cgroup()  # while init works on
            return
        if name == ops.GATE_HOOKS and self.config.linux.resources is not None:
            self.tracer.begin("set the limits")
            cgroup.apply(self.ref, self.config.linux.resources)
        if name == ops.GATE_HOOKS and self.devices is not None:
            self.tracer.begin("move the network devices")
            self.devices.move()
        if name == ops.GATE_CALL:
            with self.signals.waiting():
                self.functions.call(op.origin)
        if name == ops.GATE_CREATED:
            self._created()
        self.tracer.end()
        self.hands.go()
        if self.done and not self.request.supervise:
            # Not before it has ended: init dies with it as long as it is not on its own.
            self.hands.reap()
            self.hands.close()

    def _enter_cgroup(self) -> None:
        if self.in_cgroup:
            return
        self.tracer.begin("join the cgroup")
        try:
            if self.ref.unit is None:
                self.ref = cgroup.join(self.ref, self.pid)
            else:  # only now there is one
                with self.signals.waiting():
                    self.ref = cgroup.join(self.ref, self.pid, resources=self.config.linux.resources)
                self._give_cgroup()
            if self.groups is not None:
                self.groups.join(self.pid)
        except HostError as error:
            if isinstance(error.__cause__, ProcessLookupError):
                self._raise_failure()
            raise
        self.in_cgroup = True
        self.tracer.end()

    def _raise_failure(self) -> None:
        """Raise what init failed in, if it did: it works on while the brain does, and ends when it has said that."""
        message, _ = self.hands.receive()
        while message is not None:
            if isinstance(message, Failed):
                raise explain(self.ops, message) from None
            message, _ = self.hands.receive()

    def _take_console(self, name: str, fd: int) -> None:
        if not self.request.console_socket:
            from slinger.host.console import leave_line_ends  # noqa: PLC0415 - only where the terminal is ours to serve

            self.master = fd
            self.undo.push("the terminal", lambda: os.close(fd))
            leave_line_ends(fd)
            return
        try:
            with self.signals.waiting():
                send_master(self.request.console_socket, name, fd)
        finally:
            os.close(fd)

    def _take_network(self, fd: int) -> None:
        from slinger.host.network import Moves  # noqa: PLC0415 - hardly any container needs it

        self.devices = Moves(fd, self.config.linux.net_devices)
        self.undo.push("the network devices", self.devices.take_back)

    def _created(self) -> None:
        """The last gate: write down that it exists."""
        self.tracer.begin("save the state")
        init = Process.find(self.pid)
        if init is None:
            self._lost()
            return
        now = time.time_ns()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        self.saved = self.saved.replace(
            creating=False,
            created=f"{stamp}.{now % 10**9:09}Z",
            init=(init.pid, init.started),
            started=started_ops(self.plan),
            cgroup=self.ref.text(),
        )
        if self.groups is not None:
            self.saved = self.saved.replace(resctrl=self.groups.row())
        if self.request.pid_file:
            write_pid_file(self.request.pid_file, self.pid)
        if self.request.pidfd_socket:
            with self.signals.waiting():
                send_pidfd(self.request.pidfd_socket, FIRST_PROCESS, self.pid)
        self.home.write(self.saved)
        self.done = True

    def _kill_hands(self) -> None:
        init = Process.find(self.pid) if self.pid else None
        if self.done and init is not None:
            _end(init)  # it is on its own, or will be: the hands do not take it with them any more
        self.hands.kill()
        if init is not None:
            wait_gone(init)

    def _keep_trace(self) -> None:
        try:
            self.tracer.finish(self.home, self.request.bundle, self.request.observe)
        except HostError as error:  # the container is none the worse for it
            self.warn(str(error))

    def _keep_records(self) -> None:
        """The container is not to be: all that will be known of it is what is kept now."""
        request = self.request
        if request.trace_dir or request.observe is not None:
            from slinger.hooks.keeping import keep  # noqa: PLC0415 - only where a create has failed

            self.tracer.finish(self.home, request.bundle, request.observe)
            if request.trace_dir:
                keep(self.home, request.bundle, request.trace_dir)

    def _remove_cgroup(self) -> None:
        cgroup.remove(self.ref, kill=True)

    def _poststop(self) -> None:
        # One more signal ends a hook that hangs, unless it came before there was one.
        self.signals.forget()
        with self.signals.waiting():
            run_hooks(self.config, self.setting, POINT_AFTER_DESTROY, self.home, self.warn)


def _end(process: Process) -> None:
    try:
        process.send(SIGKILL)
    except ContainerError:
        return  # it has ended by itself


def clear_leftovers(home: Home) -> None:
    """What a create that was killed left behind: its init died with it, so cgroups and files are all there is."""
    saved = home.read()
    if saved is not None and saved.cgroup:
        cgroup.remove(cgroup.Ref.parse(saved.cgroup), kill=True)
    if saved is not None and any(saved.resctrl):
        from slinger.host.resctrl import Groups  # noqa: PLC0415 - hardly any container needs it

        Groups(*saved.resctrl).remove()
    for name in os.listdir(home.fd):
        os.unlink(name, dir_fd=home.fd)


def create(request: Request, warn: Callable[[str], None]) -> Created:
    """Create the container; its directory stays locked. Raises what went wrong, and then nothing is left."""
    check_id(request.container_id)
    return Creation(request.replace(root=prepare_root(request.root)), warn).run()
