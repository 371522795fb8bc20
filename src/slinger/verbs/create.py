"""``slinger create``: make a container; its program waits for ``start``."""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.errors import UsageError
from slinger.host.signals import STOPPING, Relay
from slinger.verbs import Outcome, settings_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from slinger.inject.draft import Injection
    from slinger.verbs import Call

FIRST_FD = 3
INJECTING = ("hooks-dir", "cdi-device", "cdi-annotations", "cdi-spec-dir")


def main(call: Call) -> Outcome:
    """Create the container, and leave it to whoever adopts our orphans."""
    with Relay(STOPPING):
        make(call, supervise=False, subreaper=False).close()
    return Outcome()


def make(call: Call, *, supervise: bool, subreaper: bool) -> Container:
    """Create the container that the options of ``create`` and ``run`` describe."""
    options = call.options
    listen_fds = listening(os.environ, os.getpid())
    preserve_fds = options.number("preserve-fds")
    check_open(listen_fds, preserve_fds)
    return Container.create(
        call.arguments[0],
        options.text("bundle") or ".",
        config=options.text("config"),
        root=call.root,
        no_pivot=options.flag("no-pivot"),
        no_new_keyring=options.flag("no-new-keyring"),
        preserve_fds=preserve_fds,
        listen_fds=listen_fds,
        console_socket=options.text("console-socket"),
        pid_file=options.text("pid-file"),
        rootless=call.rootless,
        pidfd_socket=options.text("pidfd-socket"),
        supervise=supervise,
        subreaper=subreaper,
        injection=injection_of(call),
        cgroup_manager=call.cgroup_manager,
        trace_dir=call.trace_dir,
        observe=call.observe,
        warn=call.warn,
    )


def injection_of(call: Call) -> Injection | None:
    """What options and settings want to be added to the configuration; None for nothing.

    An option replaces what the settings say of the same.
    """
    path = call.settings.text("settings") if call.settings.given("settings") else settings_file(os.environ)
    given = [name for name in INJECTING if call.settings.given(name)]
    if not path and not given:
        return None
    from slinger.inject.draft import Injection  # noqa: PLC0415 - most containers get nothing added

    injection = Injection()
    if path:
        from slinger.host.settings import read_settings  # noqa: PLC0415

        injection = read_settings(path)
    changes: dict[str, object] = {}
    for name in given:
        field = {"hooks-dir": "hooks_dirs", "cdi-device": "cdi_devices", "cdi-spec-dir": "cdi_spec_dirs"}.get(name)
        changes[field or "cdi_annotations"] = call.settings.texts(name) if field else call.settings.flag(name)
        if field and "" in call.settings.texts(name):
            raise UsageError(f"--{name}: must not be empty")
    return injection.replace(**changes)


def listening(environment: Mapping[str, str], pid: int) -> int:
    """How many sockets systemd passes (sd_listen_fds(3)): none unless LISTEN_PID is our pid."""
    if environment.get("LISTEN_PID") != str(pid):
        return 0
    count = environment.get("LISTEN_FDS", "0")
    if not (count.isascii() and count.isdigit()):
        message = f'$LISTEN_FDS: must be a whole number from 0, not "{count}"'
        raise UsageError(message)
    return int(count)


def check_open(listen_fds: int, preserve_fds: int) -> None:
    """UsageError unless the descriptors to be passed are open: else some file of ours could take their place."""
    for fd in range(FIRST_FD, FIRST_FD + listen_fds + preserve_fds):
        try:
            os.fstat(fd)
        except OSError as error:
            option = f"--preserve-fds {preserve_fds}" if fd >= FIRST_FD + listen_fds else f"$LISTEN_FDS {listen_fds}"
            message = f"{option}: file descriptor {fd} is not open"
            raise UsageError(message) from error
