"""``slinger exec``: run one more process in a container; exit as it does."""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.errors import ConfigError, HostError, UsageError
from slinger.executing import Order
from slinger.host.signals import Relay
from slinger.linux.capabilities import CAPABILITIES
from slinger.spec.config import Capabilities, Config, Process, User
from slinger.spec.parse_process import parse_process
from slinger.spec.validate_process import LARGEST_ID
from slinger.verbs import Outcome
from slinger.verbs.create import check_open

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call, Values


def main(call: Call) -> Outcome:
    """Start the process, and unless detached wait for it and pass signals on."""
    options = call.options
    preserve_fds = options.number("preserve-fds")
    check_open(0, preserve_fds)
    order = Order(
        detach=options.flag("detach"),
        preserve_fds=preserve_fds,
        console_socket=options.text("console-socket"),
        pid_file=options.text("pid-file"),
        cgroups=options.texts("cgroup"),
        pidfd_socket=options.text("pidfd-socket"),
        ignore_paused=options.flag("ignore-paused"),
    )
    with Relay() as relay:
        container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
        try:
            # From then on, but not before, a signal is for the program, one that comes in between too.
            execution = container.execute(
                lambda config: make_process(config, call), order, lambda started: relay.to(started.send)
            )
            if order.detach:
                return Outcome()
            status = execution.wait()
            relay.to(None)
            return Outcome(status=status)
        finally:
            container.close()


def make_process(config: Config, call: Call) -> Process:
    """The process of --process FILE, or else the container's own, with what the options change.

    Raises UsageError, ConfigError, or HostError for a file that cannot be read.
    """
    options, command = call.options, call.arguments[1:]
    own = config.process or Process(cwd="/")
    if options.given("process"):
        if command:
            raise UsageError("exec: --process and a command exclude each other")
        path = options.text("process")
        process = confined(parse_process(read(path), path), own)
    elif command:
        process = own.replace(args=command, terminal=False, console_size=None)
    else:
        raise UsageError("exec: what to run is missing", hint="slinger exec ID COMMAND, or --process FILE")
    return changed(process, options)


def read(path: str) -> bytes:
    """The text of the process file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise HostError.of("--process", error) from error
    try:
        return b"".join(iter(lambda: os.read(fd, 1 << 16), b""))
    except OSError as error:
        raise HostError.of(f"--process {path}", error) from error
    finally:
        os.close(fd)


def confined(process: Process, own: Process) -> Process:
    """With the container's own limits and labels where the file has none: leaving them out is no way around them."""
    return process.replace(
        capabilities=process.capabilities or own.capabilities,
        rlimits=process.rlimits or own.rlimits,
        apparmor_profile=process.apparmor_profile or own.apparmor_profile,
        selinux_label=process.selinux_label or own.selinux_label,
        oom_score_adj=own.oom_score_adj if process.oom_score_adj is None else process.oom_score_adj,
        scheduler=process.scheduler or own.scheduler,
        io_priority=process.io_priority or own.io_priority,
        exec_cpu_affinity=process.exec_cpu_affinity or own.exec_cpu_affinity,
    )


def changed(process: Process, options: Values) -> Process:
    """The process with what the options say; what they do not say stays."""
    user = parse_user(options.text("user"), process.user) if options.given("user") else process.user
    groups = tuple(parse_id(each, "--additional-gids") for each in options.texts("additional-gids"))
    return process.replace(
        terminal=options.flag("tty") if options.given("tty") else process.terminal,
        cwd=options.text("cwd") if options.given("cwd") else process.cwd,
        env=process.env + options.texts("env"),
        user=user.replace(additional_gids=user.additional_gids + groups),
        capabilities=with_capabilities(process.capabilities, options.texts("cap")),
        no_new_privileges=options.flag("no-new-privs") if options.given("no-new-privs") else process.no_new_privileges,
        apparmor_profile=options.text("apparmor") or process.apparmor_profile,
        selinux_label=options.text("process-label") or process.selinux_label,
    )


def with_capabilities(sets: Capabilities | None, names: tuple[str, ...]) -> Capabilities | None:
    """With the capabilities of --cap. An unknown one is an error: unlike a configuration, which is to work on other
    kernels as well, this was asked for here and now.
    """
    added = [each.upper() if each.upper().startswith("CAP_") else f"CAP_{each.upper()}" for each in names]
    for given, name in zip(names, added, strict=True):
        if name not in CAPABILITIES:
            raise ConfigError("--cap", f'unknown capability "{given}"', hint="capabilities(7) lists them")
    if not added:
        return sets
    sets = sets or Capabilities()
    # Never inheritable (CVE-2022-29162), and ambient only where the configuration has made it inheritable.
    return sets.replace(
        bounding=(*sets.bounding, *added),
        effective=(*sets.effective, *added),
        permitted=(*sets.permitted, *added),
        ambient=(*sets.ambient, *(name for name in added if name in sets.inheritable)),
    )


def parse_user(text: str, user: User) -> User:
    """``UID[:GID]``, numbers only and nothing else: CVE-2016-3697, CVE-2026-30892. What it leaves out stays."""
    uid, colon, gid = text.partition(":")
    return user.replace(uid=parse_id(uid, "--user"), gid=parse_id(gid, "--user") if colon else user.gid)


def parse_id(text: str, option: str) -> int:
    """A user or group id."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_ID)) or int(text) > LARGEST_ID:
        raise ConfigError(option, f'must be a number from 0 to {LARGEST_ID}, not "{text}"')
    return int(text)
