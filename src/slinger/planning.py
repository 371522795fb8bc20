"""From what create is asked for to its plan: the request, config.json, this machine's facts. Nothing is made here."""

from __future__ import annotations

import os

from slinger.errors import ConfigError, HostError
from slinger.existing import absolute_root
from slinger.hooks.placing import place
from slinger.hooks.recording import Setting
from slinger.host import cgroup, console, machine, probe
from slinger.host.seccomp import compile_filter
from slinger.plan.compile import compile_plan
from slinger.plan.facts import Options
from slinger.plan.privileges import refused_capabilities
from slinger.record import Record
from slinger.spec.parse import RECEIVER_VARIABLE, parse_config
from slinger.spec.validate import validate
from slinger.spec.values import lacks_maps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from slinger.hooks.functions import Hooks
    from slinger.hooks.tracing import Observer
    from slinger.host.resctrl import Groups
    from slinger.inject.draft import Addition, Injected, Injection, LeftOut
    from slinger.plan.facts import Hierarchy
    from slinger.plan.plan import Plan
    from slinger.spec.config import Config

CGROUPFS, SYSTEMD, NO_CGROUP = "cgroupfs", "systemd", "disabled"


class Request(Record):
    """What create is asked for; the defaults are those of somebody who wants nothing in particular."""

    container_id: str
    bundle: str  # absolute, as are the next two
    root: str
    config_file: str
    no_pivot: bool = False
    no_new_keyring: bool = False
    preserve_fds: int = 0
    listen_fds: int = 0
    console_socket: str = ""
    pid_file: str = ""
    rootless: bool | None = None  # no privilege over the host's cgroups is to be expected; None: found out
    pidfd_socket: str = ""
    supervise: bool = False
    subreaper: bool = False
    stdio: tuple[int, int, int] = (0, 1, 2)  # the program's first three descriptors
    environment: tuple[str, ...] = ()  # what hooks inherit that have no env of their own
    hooks: Hooks | None = None  # the program's own, besides those of the bundle
    injection: Injection | None = None  # what is to be added to the configuration
    trace_dir: str = ""  # absolute; where the records go in the end, "" for nowhere
    observe: Observer | None = None
    cgroup_manager: str = CGROUPFS


class Planned(Record):
    """A plan, what was added to its configuration, and the hooks.d files that were not."""

    plan: Plan
    added: tuple[Addition, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def config_path(bundle: str, config: str) -> str:
    """Where the configuration is, absolute: the file that was named, or for "" the bundle's."""
    return os.path.abspath(config or os.path.join(bundle, "config.json"))


def read_config(path: str, warn: Callable[[str], None]) -> tuple[Config, bytes]:
    """A config.json, parsed and checked. ConfigError with the JSON path of what is wrong."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        message = f"JSON specification file {os.path.basename(path)} not found in {os.path.dirname(path)}"
        raise ConfigError("", message, hint="slinger spec writes one") from None
    except OSError as error:
        raise HostError.of("the configuration", error) from error
    try:
        text = b"".join(iter(lambda: os.read(fd, 1 << 20), b""))
    except OSError as error:
        raise HostError.of(f"reading {path}", error) from error
    finally:
        os.close(fd)
    receiver = os.environ.get(RECEIVER_VARIABLE, "")
    config, warnings = parse_config(text, receiver=receiver)
    if lacks_maps(config.linux):
        from slinger.host.own_ids import map_own_ids  # noqa: PLC0415 - hardly any container needs it

        text = map_own_ids(text)
        config, _ = parse_config(text, receiver=receiver)
    for warning in (*warnings, *validate(config, rootless=os.geteuid() != 0)):
        warn(warning)
    return config, text


def read_request(request: Request, warn: Callable[[str], None]) -> tuple[Config, bytes, Injected | None]:
    """The configuration of a request with what is to be added to it, and as text; the last is None for nothing."""
    config, text = read_config(request.config_file, warn)
    if request.injection is None:
        return config, text, None
    from slinger.injecting import document_of, inject  # noqa: PLC0415 - most containers get nothing added

    injected = inject(config, request.injection, warn)
    return injected.config, document_of(text, config, injected), injected


def _hierarchies(ref: cgroup.Ref, probed: tuple[Hierarchy, ...]) -> tuple[Hierarchy, ...]:
    """Each hierarchy with the container's cgroup in it; where it has none it stays in ours."""
    own = {each.path.rstrip("/"): each for each in ref.hierarchies()}
    return tuple(own.get(each.path.rstrip("/"), each) for each in probed)


def locate_cgroup(request: Request, config: Config, probed: tuple[Hierarchy, ...]) -> cgroup.Ref:
    """Where the container's cgroup is to be; nothing is made."""
    if request.cgroup_manager == NO_CGROUP:
        return cgroup.Ref()
    rootless = machine.unprivileged() if request.rootless is None else request.rootless
    if request.cgroup_manager == SYSTEMD:
        path, annotations = config.linux.cgroups_path, config.annotations
        container_id, root = request.container_id, request.root
        return cgroup.locate_unit(path, container_id, root, probed, annotations, rootless=rootless)
    return cgroup.locate(config.linux.cgroups_path, request.container_id, probed, rootless=rootless)


def locate_groups(request: Request, config: Config) -> Groups | None:
    """The container's groups in resctrl, or None without linux.intelRdt; nothing is made. ConfigError."""
    if config.linux.intel_rdt is None:
        return None
    from slinger.host.resctrl import locate  # noqa: PLC0415 - hardly any container needs it

    return locate(config.linux.intel_rdt, request.container_id)


def make_plan(
    request: Request,
    config: Config,
    rootfs: str,
    ref: cgroup.Ref,
    probed: tuple[Hierarchy, ...],
    warn: Callable[[str], None],
) -> Plan:
    """The plan of a container, for this machine as it is."""
    if config.linux.net_devices:
        from slinger.host.network import check_present  # noqa: PLC0415 - hardly any container needs it

        check_present(config.linux.net_devices)
    program = None
    if config.linux.seccomp is not None:
        program = compile_filter(config.linux.seccomp, request.root)
    size = console.window_size(request.stdio[0])
    facts = machine.gather(config, rootfs, _hierarchies(ref, probed), program, size, bundle=request.bundle)
    if request.no_pivot:
        facts = facts.replace(bare=probe.bare_mounts())
    if config.process is not None:
        for warning in refused_capabilities(config, config.process, facts):
            warn(warning)
    options = Options(
        container_id=request.container_id,
        bundle=request.bundle,
        no_pivot=request.no_pivot,
        no_new_keyring=request.no_new_keyring,
        preserve_fds=request.preserve_fds,
        listen_fds=request.listen_fds,
        supervise=request.supervise,
        console=True,
        environment=request.environment,
        times=True,
    )
    return compile_plan(config, options, facts, place(config, Setting(options, rootfs)))


def plan_of(
    bundle: str,
    *,
    config: str,
    root: str,
    container_id: str,
    injection: Injection | None,
    warn: Callable[[str], None],
    cgroup_manager: str = CGROUPFS,
) -> Planned:
    """The plan that ``create`` would follow on this machine, without doing any of it, and what it has added."""
    request = Request(
        container_id,
        os.path.abspath(bundle),
        absolute_root(root),
        config_path(bundle, config),
        injection=injection,
        cgroup_manager=cgroup_manager,
    )
    found, _, injected = read_request(request, warn)
    probed = probe.probe_hierarchies()
    ref = locate_cgroup(request, found, probed)
    locate_groups(request, found)
    plan = make_plan(request, found, machine.find_rootfs(found, request.bundle), ref, probed, warn)
    return Planned(plan) if injected is None else Planned(plan, injected.added, injected.left_out)
