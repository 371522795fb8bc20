"""The library's face: a container as an object, and the verbs as its methods."""

from __future__ import annotations

import os

from slinger import lifecycle
from slinger.creation import SIGKILL, Creation, Request, make_plan, read_config, wait_gone
from slinger.errors import ContainerError, HostError, NotFoundError, SlingerError
from slinger.failures import explain
from slinger.hooks.placing import Setting
from slinger.hooks.running import Recorder, run_hooks
from slinger.host import cgroup, machine, probe, store
from slinger.host.console import Proxy
from slinger.host.process import Process
from slinger.host.store import CONFIG, Home, check_id, prepare_root
from slinger.lifecycle import POINT_AFTER_DESTROY, POINT_AFTER_EXEC
from slinger.plan import ops
from slinger.plan.compile import ops_of_rows
from slinger.plan.facts import Options
from slinger.plan.wire import GO, Executing, Exited, Failed, HookRan, decode_message
from slinger.spec.parse import parse_config
from slinger.spec.state import SPEC_VERSION, State
from slinger.undo import Undo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    import _socket

    from slinger.creation import Created
    from slinger.host.hands import Hands
    from slinger.host.store import Saved
    from slinger.plan.compile import Plan

MESSAGE_LIMIT = 64 * 1024
SIGNALLED = 128


def default_root() -> str:
    """Where containers are remembered unless ``root`` says otherwise."""
    return store.default_root()


def _quiet(_warning: str) -> None:
    """Warnings of a caller that did not ask for them."""


def _caller_environment() -> tuple[str, ...]:
    """Our environment as it was given to us: Python may add LC_CTYPE of its own (PEP 538)."""
    return tuple(f"{key}={value}" for key, value in os.environ.items())


class Container:
    """A container of this machine.

    Made by ``create`` (then we are its caller) or found by ``load``. A context manager: leaving it deletes
    the container, by force if it still runs. Methods raise SlingerError; they may be called from several
    threads as long as each container is used by one at a time.
    """

    def __init__(self, home: Home, saved: Saved, root: str, *, warn: Callable[[str], None] = _quiet) -> None:
        self._home = home
        self._saved = saved
        self._root = root
        self._warn = warn
        self._hands: Hands | None = None
        self._master = -1
        self._stdio = (0, 1, 2)
        self._exit_code: int | None = None
        self._environment = _caller_environment()

    @classmethod
    def create(
        cls,
        container_id: str,
        bundle: str = ".",
        *,
        root: str = "",
        config: str = "",
        no_pivot: bool = False,
        no_new_keyring: bool = False,
        preserve_fds: int = 0,
        listen_fds: int = 0,
        console_socket: str = "",
        pid_file: str = "",
        supervise: bool = False,
        subreaper: bool = True,
        stdio: tuple[int, int, int] = (0, 1, 2),
        environment: tuple[str, ...] | None = None,
        warn: Callable[[str], None] = _quiet,
    ) -> Self:
        """Create a container from the bundle, a directory with config.json and the root file system.

        ``supervise``: stay the one that waits for it, so that ``wait`` knows how it ended. ``environment``
        (``NAME=value``) is what hooks inherit that have no env of their own; None is ours. ``warn`` is called
        with each warning. Raises ConfigError, ExistsError, HostError, OpError or HookError, and then leaves
        nothing behind.
        """
        bundle = os.path.abspath(bundle)
        request = Request(
            container_id=container_id,
            bundle=bundle,
            root=prepare_root(root or default_root()),
            config_file=os.path.abspath(config) if config else f"{bundle}/config.json",
            no_pivot=no_pivot,
            no_new_keyring=no_new_keyring,
            preserve_fds=preserve_fds,
            listen_fds=listen_fds,
            console_socket=console_socket,
            pid_file=pid_file,
            supervise=supervise,
            subreaper=subreaper,
            stdio=stdio,
            environment=_caller_environment() if environment is None else environment,
        )
        check_id(container_id)
        return cls._adopt(Creation(request, warn).run(), request, warn)

    @classmethod
    def _adopt(cls, created: Created, request: Request, warn: Callable[[str], None]) -> Self:
        container = cls(created.home, created.saved, request.root, warn=warn)
        container._hands = created.hands
        container._master = created.master
        container._stdio = request.stdio
        container._environment = request.environment
        # The lock was for the time of creating; from here on other verbs may come in.
        created.home.unlock()
        return container

    @classmethod
    def load(cls, container_id: str, *, root: str = "", warn: Callable[[str], None] = _quiet) -> Self:
        """The container of this id. NotFoundError if there is none."""
        root = os.path.abspath(root or default_root())
        home = Home.find(root, container_id)
        saved = home.read()
        if saved is None:
            home.close()
            raise NotFoundError("container does not exist")  # noqa: EM101 - the callers' text
        return cls(home, saved, root, warn=warn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            self.delete(force=True)
        finally:
            self.close()

    @property
    def id(self) -> str:
        return self._saved.container_id

    @property
    def pid(self) -> int:
        """Init's pid on the host; 0 when it is gone."""
        init = self._init()
        return init.pid if init is not None and init.alive() else 0

    def _init(self) -> Process | None:
        return Process(*self._saved.init) if self._saved.init else None

    def _refresh(self) -> None:
        if not self._home.is_current():
            raise NotFoundError("container does not exist")  # noqa: EM101 - the callers' text
        saved = self._home.read()
        if saved is not None:
            self._saved = saved

    def status(self) -> str:
        """creating, created, running, paused or stopped; derived from what the kernel shows."""
        init = self._init()
        alive = init is not None and init.alive()
        return lifecycle.derive(
            creating=self._saved.creating,
            alive=alive,
            start_pending=self._home.start_pending(),
            frozen=alive and cgroup.frozen(cgroup.Ref.parse(self._saved.cgroup)),
        )

    def state(self) -> State:
        """The state of the specification, with the fields that runc adds."""
        self._refresh()
        saved = self._saved
        status = self.status()
        return State(
            oci_version=SPEC_VERSION,
            id=saved.container_id,
            status=status,
            pid=self.pid if status != lifecycle.STOPPED else 0,
            bundle=saved.bundle,
            annotations=saved.annotations,
            rootfs=saved.rootfs,
            created=saved.created,
            owner="",
        )

    def start(self) -> None:
        """Run the program. ContainerError unless created; OpError or HookError when it could not be started.

        Returns after the exec and the poststart hooks. A failure stops and destroys the container
        (runtime-spec 1.3, "Lifecycle", steps 7 to 9).
        """
        with _Locked(self._home):
            self._refresh()
            lifecycle.check("start", self.id, self.status())
            known = ops_of_rows(self._saved.started)
            if not any(isinstance(op, ops.Exec) for op in known.values()):
                raise ContainerError("process: required property is missing: there is nothing to start")  # noqa: EM101
            try:
                self._run_start(Recorder(known, self._home, self._setting(), self._warn))
                self._home.forget_start()
                self._late_hooks(POINT_AFTER_EXEC)
            except SlingerError as error:
                for failure in self._destroy():
                    error.add_note(failure)
                raise

    def _run_start(self, recorder: Recorder) -> None:
        """Tell init to go on, and listen until its exec closes the socket."""
        try:
            caller = self._home.connect()
        except OSError as error:
            self._home.forget_start()
            raise HostError.of("the container's init", error, hint="it was started or has ended") from error
        try:
            caller.send(GO)
            self._listen(caller, recorder)
        finally:
            caller.close()

    def _listen(self, caller: _socket.socket, recorder: Recorder) -> None:
        executing = False
        while True:
            try:
                data = caller.recv(MESSAGE_LIMIT)
            except ConnectionResetError:
                data = b""
            if not data:
                break
            message = decode_message(data)
            executing = executing or isinstance(message, Executing)
            if isinstance(message, HookRan):
                recorder.took(message)
            elif isinstance(message, Failed):
                raise recorder.failure or explain(recorder.plan, message)
        if not executing:
            message_text = "the container's init ended before it could run the program"
            raise HostError(message_text, hint="the memory limit may be too low, or somebody killed it")

    def _setting(self) -> Setting:
        saved = self._saved
        options = Options(container_id=saved.container_id, bundle=saved.bundle, environment=self._environment)
        return Setting(options, saved.rootfs, saved.init[0] if saved.init else 0)

    def _late_hooks(self, point: str) -> None:
        """The hooks of a point after the container's own plan; config.json is only read if there are any."""
        stages = lifecycle.stages_at(point)
        if not any(stage.name in self._saved.late_hooks for stage in stages):
            return
        text = self._home.read_file(CONFIG) or b""
        config, _ = parse_config(text)
        run_hooks(config, self._setting(), point, self._home, self._warn)

    def kill(self, signal: int = 15) -> None:
        """Send a signal to init; SIGKILL reaches every process where the container has no pid namespace of its own.

        ContainerError "container not running" if it is stopped.
        """
        self._refresh()
        lifecycle.check("kill", self.id, self.status())
        init = self._init()
        if init is None:
            raise ContainerError("container not running")  # noqa: EM101 - the callers' text
        ref = cgroup.Ref.parse(self._saved.cgroup)
        if signal == SIGKILL and not machine.ends_its_namespace(init.pid):
            cgroup.kill(ref, SIGKILL)
        init.send(signal)
        if signal == SIGKILL:
            cgroup.thaw(ref)

    def delete(self, *, force: bool = False) -> None:
        """Remove the container and all that create made. ``force`` kills it first if it runs.

        ContainerError unless it is stopped or created. Failing poststop hooks are warned of.
        """
        with _Locked(self._home):
            self._refresh()
            if not force:
                lifecycle.check("delete", self.id, self.status())
            failures = self._destroy()
        if failures:
            raise HostError("; ".join(failures), hint="slinger delete --force tries again")

    def _destroy(self) -> list[str]:
        """Stop it, remove cgroup, run poststop hooks, remove the directory. What could not be removed, a line each."""
        undo = Undo()
        undo.push("the container's directory", self._home.remove)
        undo.push("poststop hooks", lambda: self._late_hooks(POINT_AFTER_DESTROY))
        undo.push("the cgroup", self._remove_cgroup)
        undo.push("the container's processes", self._stop)
        return undo.run()

    def _stop(self) -> None:
        init = self._init()
        if init is not None and init.alive():
            cgroup.thaw(cgroup.Ref.parse(self._saved.cgroup))
            try:
                init.send(SIGKILL)
            except ContainerError:
                pass  # it ended in this moment
            wait_gone(init)
        if self._hands is not None:
            self.wait()

    def _remove_cgroup(self) -> None:
        if self._saved.cgroup:
            cgroup.remove(cgroup.Ref.parse(self._saved.cgroup), kill=True)

    def wait(self) -> int:
        """Wait until the program has ended: its exit code, or 128 + N if signal N killed it.

        Only for a container that was created with ``supervise``; ContainerError otherwise.
        """
        if self._exit_code is not None:
            return self._exit_code
        if self._hands is None:
            raise ContainerError("its end is not known: it was not created with supervise")  # noqa: EM101
        if self._master >= 0:
            master, self._master = self._master, -1
            with Proxy(master, self._stdio[0], self._stdio[1]) as proxy:
                proxy.copy_until(self._hands.channel.fileno())
        while True:
            message, _ = self._hands.receive()
            if message is None:
                raise HostError("the process that watches the container was killed")  # noqa: EM101
            if isinstance(message, Exited):
                break
        code = os.waitstatus_to_exitcode(message.status)
        self._exit_code = code if code >= 0 else SIGNALLED - code
        self._hands.reap()
        return self._exit_code

    def close(self) -> None:
        """Let go of the container without changing it. One that we supervise goes on without us."""
        if self._hands is not None:
            self._hands.close()
            self._hands = None
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
        self._home.close()


class _Locked:
    """The container's directory, locked for a while."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def __enter__(self) -> None:
        self._home.lock()

    def __exit__(self, *_exception: object) -> None:
        if self._home.fd >= 0:
            self._home.unlock()


def containers(root: str = "") -> tuple[Container, ...]:
    """All containers below a state root. FileNotFoundError if the root does not exist."""
    root = os.path.abspath(root or default_root())
    found: list[Container] = []
    for container_id in store.ids(root):
        try:
            found.append(Container.load(container_id, root=root))
        except NotFoundError:
            continue  # deleted meanwhile, or not yet written down
    return tuple(found)


def plan_of(bundle: str, *, root: str = "", container_id: str = "plan", warn: Callable[[str], None] = _quiet) -> Plan:
    """The plan that ``create`` would follow on this machine, without doing any of it."""
    bundle = os.path.abspath(bundle)
    config, _ = read_config(f"{bundle}/config.json", warn)
    request = Request(
        container_id=container_id,
        bundle=bundle,
        root=os.path.abspath(root or default_root()),
        config_file="",
        no_pivot=False,
        no_new_keyring=False,
        preserve_fds=0,
        listen_fds=0,
        console_socket="",
        pid_file="",
        supervise=False,
        subreaper=False,
        stdio=(0, 1, 2),
        environment=(),
    )
    rootless = os.geteuid() != 0
    ref = cgroup.locate(config.linux.cgroups_path, container_id, probe.probe_hierarchies(), rootless=rootless)
    return make_plan(request, config, machine.find_rootfs(config, bundle), ref)
