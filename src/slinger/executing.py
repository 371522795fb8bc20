"""exec: one more process in a container that runs."""

from __future__ import annotations

import _signal
import os

from slinger import lifecycle
from slinger.errors import ConfigError, ContainerError, HostError
from slinger.failures import explain
from slinger.host import cgroup, console, machine
from slinger.host.cgroup.below import below
from slinger.host.handover import ONE_MORE_PROCESS, send_master, send_pidfd, write_pid_file
from slinger.host.hands import Hands, exit_code
from slinger.host.seccomp import compile_filter
from slinger.host.signals import Held
from slinger.host.store import CONFIG
from slinger.notifying import hand_over, notifies
from slinger.plan import ops
from slinger.plan.enter import Target, enter_plan
from slinger.plan.facts import Options
from slinger.plan.privileges import refused_capabilities
from slinger.plan.wire import AtGate, ConsoleMaster, Executing, Exited, Failed, InitPid, SeccompListener
from slinger.planning import read_config
from slinger.record import Record
from slinger.spec.validate import validate_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.existing import Existing
    from slinger.host.process import Process as Init
    from slinger.plan.plan import Plan
    from slinger.plan.wire import Message
    from slinger.spec.config import Config, Process

SIGKILL = 9
BEFORE_EXEC = "the process ended before it could run the program"


class Order(Record):
    """How a process is to be run, beside what it is."""

    detach: bool = False
    preserve_fds: int = 0
    console_socket: str = ""
    pid_file: str = ""
    cgroups: tuple[str, ...] = ()  # [CONTROLLER[,...]:]PATH below the container's cgroup, see host/cgroup/below.py
    pidfd_socket: str = ""
    ignore_paused: bool = False
    stdio: tuple[int, int, int] = (0, 1, 2)


class Execution:
    """A process on its way into the container, and until its end."""

    def __init__(self, existing: Existing, order: Order, root: str, warn: Callable[[str], None]) -> None:
        self.existing = existing
        self.warn = warn
        self.order = order
        self.root = root
        self.signals = Held()
        self.pid = 0
        self.hands: Hands | None = None
        self.pidfd = -1  # from when the process is to be on its own
        self.executing = False
        self.status = ""
        self.awaited = False  # the descriptor of seccomp notifications, which somebody must have before the exec
        self.master = -1

    def begin(self, make: Callable[[Config], Process], started: Callable[[Execution], None]) -> None:
        """Start it: returns after the exec. ``make`` gives the process from the container's configuration.

        ``started`` is called once the program runs, before a handler of a signal is that came meanwhile.

        Raises ContainerError unless the container is created or running, ConfigError for what makes no process,
        OpError when it could not be started; and what a handler of a signal raises. Then there is no process.
        """
        self.existing.refresh()
        self.status = status = self.existing.status()
        if not (status == lifecycle.PAUSED and self.order.ignore_paused):
            lifecycle.check("exec", self.existing.saved.container_id, status)
        init = self.existing.init()
        if init is None:
            raise HostError(BEFORE_EXEC)
        if not self.order.ignore_paused:
            self._refuse_frozen()
        config, _ = read_config(f"{self.existing.home.path}/{CONFIG}", _ignore)
        process = make(config)
        for warning in validate_process(process, rootless=os.geteuid() != 0):
            self.warn(warning)
        self._check_terminal(process)
        self.cgroup = below(self.existing.cgroup(), self.order.cgroups)
        self.plan = self._plan(config, process, init)
        self.ops = dict(enumerate(self.plan.ops))
        self.awaited = notifies(self.plan)
        try:
            with self.signals:
                self.hands = Hands.start(
                    self.plan.encode(),
                    stdio=self.order.stdio,
                    keep_fds=self.order.preserve_fds,
                    mode="detach" if self.order.detach else "supervise",
                )
                self._walk(init, self.hands)
                started(self)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        """There is to be no process: neither one that is still on its way nor one that is on its own already."""
        self.send(SIGKILL)
        if self.hands is not None:
            self.hands.kill()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        self.close()

    def _refuse_frozen(self) -> None:
        """The container is not paused; but with a frozen cgroup above its own it stands still, and we would too."""
        for place in self.existing.cgroup().places:
            frozen = cgroup.frozen_from(place, place.path)
            if frozen:
                message = f"cannot exec in a container whose cgroup is frozen: {frozen}"
                raise ContainerError(message, hint="thaw it, or use --ignore-paused to wait until somebody does")

    def _check_terminal(self, process: Process) -> None:
        if process.terminal and self.order.detach and not self.order.console_socket:
            message = "cannot allocate tty if slinger will detach without setting console socket"
            raise ConfigError("process.terminal", message, hint="use --console-socket PATH")
        if self.order.console_socket and not process.terminal:
            message = "cannot use console socket if slinger will not detach or allocate tty"
            raise ConfigError("process.terminal", message)

    def _plan(self, config: Config, process: Process, init: Init) -> Plan:
        saved = self.existing.saved
        program = compile_filter(config.linux.seccomp, self.root) if config.linux.seccomp is not None else None
        size = console.window_size(self.order.stdio[0])
        facts = machine.gather(config, saved.rootfs, (), program, size)
        for warning in refused_capabilities(config, process, facts):
            self.warn(warning)
        options = Options(saved.container_id, saved.bundle, preserve_fds=self.order.preserve_fds)
        return enter_plan(config, process, options, facts, Target(init.pid, machine.differing_types(init.pid)))

    def _walk(self, init: Init, hands: Hands) -> None:
        """Answer the hands until the exec: a supervising outer says so by its silence, a detached one by its end."""
        while not (self.executing and not self.order.detach and not self.awaited):
            message, fd = self._receive(hands)
            if message is None:
                break
            if isinstance(message, ConsoleMaster):
                self._take_console(message.name, fd)
            elif isinstance(message, SeccompListener):
                with self.signals.waiting():
                    hand_over(self.existing, self.pid, fd, self.status)
                self.awaited = False
                hands.go()
            else:
                self._answer(message, init, hands)
        if not self.executing or self.awaited:
            raise HostError(BEFORE_EXEC, hint="the memory limit may be too low")
        if self.order.detach:
            hands.reap()

    def _receive(self, hands: Hands) -> tuple[Message | None, int]:
        """The next message. After the last gate all comes at once, and a signal then is for the program."""
        if self.pidfd >= 0:
            return hands.receive()
        with self.signals.waiting():
            return hands.receive()

    def _answer(self, message: Message, init: Init, hands: Hands) -> None:
        match message:
            case InitPid():
                self.pid = message.pid
            case AtGate():
                self._at_gate(self.ops[message.op], init)
                hands.go()
            case Executing():
                self.executing = True
            case Failed():
                raise explain(self.ops, message)
            case _:
                text = f"the hands: unexpected {message!r}"
                raise HostError(text)

    def _at_gate(self, op: ops.Op, init: Init) -> None:
        if isinstance(op, ops.Gate) and op.name == ops.GATE_CGROUP:
            cgroup.join(self.cgroup, self.pid, beside=init.pid)
            groups = self.existing.groups()
            if groups is not None:
                groups.join(self.pid, if_there=True)
            # The container may have ended, and its pid gone to another, while we looked at its namespaces.
            if not init.alive():
                raise HostError(BEFORE_EXEC, hint="the container has ended")
        else:
            if self.order.pid_file:
                write_pid_file(self.order.pid_file, self.pid)
            if self.order.pidfd_socket:
                with self.signals.waiting():
                    send_pidfd(self.order.pidfd_socket, ONE_MORE_PROCESS, self.pid)
            try:
                # From here on it is on its own; and whoever collects it, its number is not another's for us.
                self.pidfd = os.pidfd_open(self.pid)
            except ProcessLookupError:
                raise HostError(BEFORE_EXEC, hint="somebody killed it") from None

    def _take_console(self, name: str, fd: int) -> None:
        if not self.order.console_socket:
            self.master = fd
            console.leave_line_ends(fd)
            return
        try:
            with self.signals.waiting():
                send_master(self.order.console_socket, name, fd)
        finally:
            os.close(fd)

    def wait(self) -> int:
        """Wait for the end: the exit code, or 128 + N for signal N. OpError if the exec failed in the end."""
        if self.hands is None:
            raise ContainerError("the program was not started")
        hands = self.hands
        if self.master >= 0:
            with console.Proxy(self.master, self.order.stdio[0], self.order.stdio[1]) as proxy:
                proxy.copy_until(hands.channel.fileno())
        while True:
            message, _ = hands.receive()
            if message is None:
                raise HostError("the process that watches the program was killed")
            if isinstance(message, Failed):
                hands.kill()
                raise explain(self.ops, message)
            if isinstance(message, Exited):
                break
        hands.reap()
        hands.close()
        return exit_code(message.status)

    def send(self, signal: int) -> None:
        """Pass a signal on to the process. Nothing happens when it has ended, which wait() tells."""
        if self.pidfd < 0:
            return
        try:
            _signal.pidfd_send_signal(self.pidfd, signal)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Let go of the process without changing it."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


def _ignore(_warning: str) -> None:
    """Warnings about the configuration were given at create."""
