"""``slinger exec``: run one more process in a container; exit as it does."""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.errors import ConfigError, HostError, UsageError
from slinger.executing import Order
from slinger.host.signals import Relay
from slinger.spec.config import Capabilities, Config, Process, User
from slinger.spec.parse_process import parse_process
from slinger.spec.validate import validate_process
from slinger.verbs import Outcome
from slinger.verbs.create import check_open

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call, Values

LARGEST_ID = 0xFFFF_FFFE


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
        cgroup_path=cgroup_path(options.texts("cgroup")),
        ignore_paused=options.flag("ignore-paused"),
    )
    with Relay() as relay:
        container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
        try:
            execution = container.execute(lambda config: make_process(config, call), order)
            if order.detach:
                return Outcome()
            relay.to(execution.send)
            status = execution.wait()
            relay.to(None)
            return Outcome(status=status)
        finally:
            container.close()


def cgroup_path(values: tuple[str, ...]) -> str:
    """The path of ``--cgroup [CONTROLLERS:]PATH``."""
    path = "".join(values[:1])
    if len(values) > 1 or ":" in path:
        raise UsageError("--cgroup: one path for all controllers is supported", hint="--cgroup PATH")
    return path


def make_process(config: Config, call: Call) -> Process:
    """The process of --process FILE, or the container's own with what the options change. Raises ConfigError."""
    options = call.options
    if options.text("process"):
        if len(call.arguments) > 1:
            raise UsageError("exec: --process and a command exclude each other")
        process = parse_process(read(options.text("process")), options.text("process"))
    elif len(call.arguments) > 1:
        process = changed(config.process or Process(cwd="/"), options, call.arguments[1:])
    else:
        raise UsageError("exec: what to run is missing", hint="slinger exec ID COMMAND, or --process FILE")
    for warning in validate_process(process, rootless=os.geteuid() != 0):
        call.warn(warning)
    return process


def read(path: str) -> bytes:
    """The text of the process file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise HostError.of("--process", error) from error
    try:
        return b"".join(iter(lambda: os.read(fd, 1 << 16), b""))
    finally:
        os.close(fd)


def changed(process: Process, options: Values, args: tuple[str, ...]) -> Process:
    """The container's process with what the options say."""
    caps = process.capabilities
    added = tuple(name if name.startswith("CAP_") else f"CAP_{name}" for name in options.texts("cap"))
    if added:
        caps = caps or Capabilities()
        # Not inheritable and not ambient: CVE-2022-29162.
        caps = caps.replace(
            bounding=caps.bounding + added, effective=caps.effective + added, permitted=caps.permitted + added
        )
    user = process.user
    if options.text("user"):
        user = parse_user(options.text("user"), user)
    groups = tuple(parse_id(each, "--additional-gids") for each in options.texts("additional-gids"))
    user = user.replace(additional_gids=user.additional_gids + groups)
    return process.replace(
        args=args,
        terminal=options.flag("tty"),
        console_size=None,
        cwd=options.text("cwd") or process.cwd,
        env=process.env + options.texts("env"),
        user=user,
        capabilities=caps,
        no_new_privileges=process.no_new_privileges or options.flag("no-new-privs"),
        apparmor_profile=options.text("apparmor") or process.apparmor_profile,
        selinux_label=options.text("process-label") or process.selinux_label,
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
