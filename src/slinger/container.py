"""The library's face: a container as an object, and the verbs as its methods.

What a verb needs is imported when it is called: ``state`` and ``kill`` load no parser and no plan.
"""

from __future__ import annotations

import os

from slinger.errors import ContainerError, HostError, NotFoundError, SlingerError
from slinger.existing import Existing, absolute_root
from slinger.host import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    from slinger.creation import Created
    from slinger.executing import Execution, Order
    from slinger.hooks.functions import Hooks
    from slinger.hooks.records import HookRecord
    from slinger.hooks.trace import Trace
    from slinger.hooks.tracing import Observer
    from slinger.inject.draft import Injection
    from slinger.spec.config import Config, Process, Resources
    from slinger.spec.state import State
    from slinger.spec.stats import Event, Stats
    from slinger.supervising import Supervision


def default_root() -> str:
    """Where containers are remembered unless ``root`` says otherwise."""
    return store.default_root()


def _quiet(_warning: str) -> None:
    """Warnings of a caller that did not ask for them."""


def _nothing(_execution: Execution) -> None:
    """A caller for whom the end of ``execute`` is soon enough."""


def _caller_environment() -> tuple[str, ...]:
    """Our environment as it is now."""
    return tuple(f"{key}={value}" for key, value in os.environ.items())


class Container:
    """A container of this machine.

    Made by ``create`` (then we are its caller) or found by ``load``. A context manager: leaving it deletes
    the container, by force if it still runs, and does nothing if it is deleted already. Methods raise
    SlingerError.

    Threads may use containers at the same time. Of one container, ``wait``, ``kill``, ``status`` and ``state``
    may run beside each other and beside one ``start`` or ``delete``; ``close`` comes when all others are done.
    A process of ours stands between the program and the caller, and how the program ended comes from it over
    a socket: whoever else waits for children (``os.wait``, asyncio, subprocess) can take neither.
    """

    def __init__(self, existing: Existing, *, warn: Callable[[str], None] = _quiet) -> None:
        self._existing = existing
        self._root = os.path.dirname(existing.home.path)
        self._warn = warn
        self._supervision: Supervision | None = None
        self._records = -1  # the hooks' records, held open when the directory goes
        self._environment = _caller_environment()

    @classmethod
    def create(
        cls,
        container_id: str,
        bundle: str | os.PathLike[str] = ".",
        *,
        root: str = "",
        config: str = "",
        no_pivot: bool = False,
        no_new_keyring: bool = False,
        preserve_fds: int = 0,
        listen_fds: int = 0,
        console_socket: str = "",
        pid_file: str = "",
        rootless: bool | None = None,
        pidfd_socket: str = "",
        supervise: bool = True,
        subreaper: bool = True,
        trace_dir: str = "",
        observe: Observer | None = None,
        stdio: tuple[int, int, int] = (0, 1, 2),
        environment: tuple[str, ...] | None = None,
        hooks: Hooks | None = None,
        injection: Injection | None = None,
        cgroup_manager: str = "cgroupfs",
        warn: Callable[[str], None] = _quiet,
    ) -> Self:
        """Create a container from a bundle: a Bundle, or the path of a directory with a config.json.

        ``root`` is the directory that remembers containers, "" the default one; an id is unique in it.
        ``config``: another file than the bundle's config.json. ``stdio`` are the descriptors that become the
        program's standard input, output and error; they stay open here. With a terminal they are what ``wait``
        copies its bytes from and to, unless ``console_socket`` names the socket that is to get it.
        ``preserve_fds``: this many descriptors from 3 on go to the program; before them ``listen_fds`` sockets,
        as systemd passes them. ``pid_file`` gets the pid, the unix socket
        ``pidfd_socket`` a descriptor of init. ``environment`` (``NAME=value``) is what hooks inherit
        that have no env of their own; None is ours. ``hooks``: more hooks than the bundle's, functions of this program
        among them. ``warn`` is called with each warning.
        ``injection``: hooks.d files and CDI devices to be added to the configuration; None: none.
        ``rootless``: do without a cgroup that nobody asked for, and without device rules, where they are denied;
        None: if we have no privilege over the host. ``cgroup_manager``: who makes the cgroup: "cgroupfs", ourselves;
        "systemd", as a scope, and then linux.cgroupsPath is ``SLICE:PREFIX:NAME``; "disabled", nobody.

        ``supervise``: keep a process that waits for the container, so that ``wait`` knows how it ended; without
        it the container goes to whoever adopts our orphans, as an engine wants it. ``subreaper``: that process
        also adopts what the container orphans. ``trace_dir``: where the records of its hooks and its timeline are kept
        when it is deleted or cannot be created (``history`` reads them), "" for nowhere. ``observe(trace, verb)`` is
        called when a verb of this object has ended. ``no_pivot`` and ``no_new_keyring`` are the command's options.

        Raises UsageError, ConfigError, ExistsError, HostError, OpError or HookError, and then leaves nothing
        behind.
        """
        from slinger.creation import create  # noqa: PLC0415
        from slinger.planning import Request, config_path  # noqa: PLC0415

        request = Request(
            container_id=container_id,
            bundle=os.path.abspath(bundle),
            root=absolute_root(root),
            config_file=config_path(os.fspath(bundle), config),
            no_pivot=no_pivot,
            no_new_keyring=no_new_keyring,
            preserve_fds=preserve_fds,
            listen_fds=listen_fds,
            console_socket=console_socket,
            pid_file=pid_file,
            rootless=rootless,
            pidfd_socket=pidfd_socket,
            supervise=supervise,
            subreaper=subreaper,
            trace_dir=os.path.abspath(trace_dir) if trace_dir else "",
            observe=observe,
            stdio=stdio,
            environment=_caller_environment() if environment is None else environment,
            hooks=hooks,
            injection=injection,
            cgroup_manager=cgroup_manager,
        )
        container = cls.adopt(create(request, warn), stdio, request.environment, warn)
        container._existing.observe = observe  # noqa: SLF001 - our own
        return container

    @classmethod
    def adopt(
        cls,
        created: Created,
        stdio: tuple[int, int, int],
        environment: tuple[str, ...],
        warn: Callable[[str], None],
    ) -> Self:
        """The container that ``creation.create`` has made, of which we are the caller."""
        container = cls(Existing(created.home, created.saved), warn=warn)
        container._existing.calls = created.calls
        container._environment = environment
        if created.hands is not None:
            from slinger.supervising import Supervision  # noqa: PLC0415 - an engine's container is not supervised

            container._supervision = Supervision(created.hands, created.master, stdio)
        # The lock was for the time of creating; from here on other verbs may come in.
        created.home.unlock()
        return container

    @classmethod
    def load(
        cls,
        container_id: str,
        *,
        root: str = "",
        observe: Observer | None = None,
        warn: Callable[[str], None] = _quiet,
    ) -> Self:
        """The container of this id. ``observe``: as for ``create``. NotFoundError if there is none."""
        existing = Existing.find(container_id, absolute_root(root))
        existing.observe = observe
        return cls(existing, warn=warn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            self.delete(force=True)
        except NotFoundError:
            self._collect()  # deleted already: by its user, by somebody else, or by a start that failed
        finally:
            self.close()

    @property
    def id(self) -> str:
        """The name that create gave it."""
        return self._existing.saved.container_id

    @property
    def pid(self) -> int:
        """Init's pid on the host; 0 when it is gone."""
        return self._existing.pid()

    def status(self) -> str:
        """creating, created, running, paused or stopped; derived from what the kernel shows."""
        self._existing.refresh()
        return self._existing.status()

    def state(self) -> State:
        """The state of the specification, with the fields that runc adds. NotFoundError once it is deleted."""
        return self._existing.state()

    def start(self) -> None:
        """Run the program. Returns after the exec and the poststart hooks.

        ContainerError unless created; OpError or HookError when it could not be started: then it is stopped
        and destroyed.
        """
        from slinger.starting import start  # noqa: PLC0415

        try:
            with self._existing.home.locked():
                start(self._existing, self._environment, self._warn)
        except SlingerError:
            if not self._existing.home.is_current():
                self._collect()
            raise

    def execute(
        self, make: Callable[[Config], Process], order: Order, started: Callable[[Execution], None] = _nothing
    ) -> Execution:
        """Run one more process in the container; returns after its exec.

        ``make`` gives the process, from the container's configuration. ``started`` is called once the program runs;
        what handlers of signals raise before is raised here, and then there is no process. Raises ContainerError
        unless the container is created or running, ConfigError, HostError, or OpError when the process could not
        be started.
        """
        from slinger.executing import Execution  # noqa: PLC0415

        execution = Execution(self._existing, order, self._root, self._warn)
        execution.begin(make, started)
        return execution

    def kill(self, signal: int = 15) -> None:
        """Send a signal to init; SIGKILL reaches every process where the container has no pid namespace of its own.

        ContainerError "container not running" if it is stopped.
        """
        from slinger.ending import kill  # noqa: PLC0415

        kill(self._existing, signal)

    def pause(self) -> None:
        """Freeze all its processes. ContainerError "container not running" unless it is created or running."""
        from slinger.ending import freeze  # noqa: PLC0415

        with self._existing.home.locked():
            freeze(self._existing)

    def resume(self) -> None:
        """Let its processes go on. ContainerError "container not paused" unless it is paused."""
        from slinger.ending import thaw  # noqa: PLC0415

        with self._existing.home.locked():
            thaw(self._existing)

    def update(
        self,
        resources: Resources | Mapping[str, object],
        *,
        l3_cache_schema: str = "",
        mem_bw_schema: str = "",
        name: Callable[[str], str] = str,
    ) -> None:
        """Change limits; what ``resources`` does not name stays as it is, and devices do so always.

        ``resources``: an object as config.json's linux.resources, such as ``{"memory": {"limit": 1 << 28}}``. ``name``
        turns a property's path into what errors and warnings shall call it. ``l3_cache_schema`` and ``mem_bw_schema``
        are written to the container's group in resctrl, which it has with linux.intelRdt.

        ContainerError "container not running" if it is stopped; ConfigError or HostError for a value that cannot
        be set, and then all limits are as they were.
        """
        from slinger.updating import as_resources, update  # noqa: PLC0415

        wanted = as_resources(resources)
        with self._existing.home.locked():
            update(self._existing, wanted, name, self._warn, (l3_cache_schema, mem_bw_schema))

    def stats(self) -> Stats:
        """What it uses and has used. ContainerError if it is stopped, HostError if it has no cgroup."""
        from slinger.watching import stats  # noqa: PLC0415

        return stats(self._existing)

    def events(self, interval: float = 5.0) -> Iterator[Event]:
        """Its statistics every ``interval`` seconds, and each kill for lack of memory as it happens, until it ends.

        Raises as ``stats`` does.
        """
        from slinger.watching import events  # noqa: PLC0415

        return events(self._existing, interval)

    def pids(self) -> tuple[int, ...]:
        """The pids, on the host, of all processes in its cgroup."""
        self._existing.refresh()
        return self._existing.pids()

    def trace(self) -> Trace:
        """What each verb spent its time on so far, and every run of a hook. NotFoundError once it is deleted."""
        from slinger.hooks.history import trace_of  # noqa: PLC0415

        self._existing.refresh()
        return trace_of(self._existing.home, self._existing.saved.bundle)

    def hooks(self) -> tuple[HookRecord, ...]:
        """A record of every hook that ran, in the order in which they ended; those of poststop after ``delete``."""
        from slinger.hooks.records import parse_records  # noqa: PLC0415

        if self._records >= 0:
            size = os.fstat(self._records).st_size
            return parse_records(os.pread(self._records, size, 0))
        return parse_records(self._existing.home.read_file(store.HOOKS) or b"")

    hook_records = hooks

    def hold_records(self) -> None:
        """Keep ``hook_records`` readable whatever becomes of the container, such as in a start that fails."""
        if self._records < 0:
            self._records = self._existing.home.hold(store.HOOKS, make=True)

    def delete(self, *, force: bool = False) -> None:
        """Remove the container and all that create made. ``force`` kills it first if it runs.

        ContainerError unless it is stopped or created. Failing poststop hooks are warned of.
        """
        from slinger.ending import delete  # noqa: PLC0415

        home = self._existing.home
        with home.locked():
            if self._records < 0 and home.is_current():
                self._records = home.hold(store.HOOKS, make=bool(self._existing.saved.late_hooks))
            delete(self._existing, self._environment, self._warn, force=force)
        self._collect()

    def _collect(self) -> None:
        """What is ours of a container that was destroyed: the process that waited for it, and its terminal."""
        if self._supervision is not None:
            self._supervision.collect()

    def wait(self) -> int:
        """Wait until the program has ended: its exit code, or 128 + N if signal N killed it.

        Only for a container that was created with ``supervise``; ContainerError otherwise. HostError if the
        process that watches it was killed. The answer stays the same however often it is asked for.
        """
        if self._supervision is None:
            raise ContainerError("its end is not known: it was not created with supervise")
        return self._supervision.wait()

    def close(self) -> None:
        """Let go of the container without changing it. One that we supervise goes on without us."""
        if self._supervision is not None:
            self._supervision.close()
        if self._records >= 0:
            os.close(self._records)
            self._records = -1
        self._existing.home.close()


def containers(root: str = "", warn: Callable[[str], None] | None = None) -> tuple[Container, ...]:
    """All containers below a state root. FileNotFoundError if the root does not exist.

    ``warn`` is told of those whose records cannot be read; without it the first is raised as HostError.
    """
    root = absolute_root(root)
    found: list[Container] = []
    for container_id in store.ids(root):
        try:
            found.append(Container.load(container_id, root=root))
        except NotFoundError:
            continue  # deleted meanwhile, or not yet written down
        except HostError as error:
            if warn is None:
                raise
            warn(str(error))
    return tuple(found)


def history(container_id: str, trace_dir: str, number: int = 1) -> Trace:
    """A deleted container's trace, from where ``create`` was told to keep it: of the ``number``-th last of this id.

    NotFoundError if it was not kept, HostError if it cannot be read.
    """
    from slinger.hooks.history import life  # noqa: PLC0415

    return life(os.path.abspath(trace_dir), container_id, number)
