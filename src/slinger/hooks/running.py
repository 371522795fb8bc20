"""Hooks that run when the container's own plan is over: a plan of nothing but them."""

from __future__ import annotations

import os

from slinger.errors import SlingerError
from slinger.hooks.placing import hooks_plan
from slinger.hooks.recording import Functions, Recorder
from slinger.host.hands import Hands
from slinger.host.store import CONFIG
from slinger.plan.wire import AtGate, Failed, HookRan
from slinger.spec.parse import parse_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slinger.hooks.recording import Setting
    from slinger.host.store import Home
    from slinger.spec.config import Call, Config


def run_hooks(config: Config, setting: Setting, point: str, home: Home, warn: Callable[[str], None]) -> None:
    """Run the hooks of a point that comes after the container's plan, in the runtime's namespaces.

    Raises HookError for the first failure of a stage whose failures count.
    """
    plan = hooks_plan(config, setting, point)
    if not plan.ops:
        return
    recorder = Recorder(dict(enumerate(plan.ops)), home, setting, warn)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    try:
        hands = Hands.start(plan.encode(), stdio=(null, null, null))
    finally:
        os.close(null)
    try:
        _listen(hands, recorder, Functions(lambda: config, recorder))
    finally:
        hands.kill()


def _listen(hands: Hands, recorder: Recorder, functions: Functions) -> None:
    while True:
        message, _ = hands.receive()
        if message is None:
            return
        if isinstance(message, HookRan):
            recorder.took(message)
        elif isinstance(message, AtGate):
            functions.call(recorder.plan[message.op].origin)
            hands.go()
        elif isinstance(message, Failed):
            raise recorder.failure or SlingerError(f"hooks: {message.syscall}: {os.strerror(message.errno)}")


def saved_config(home: Home, calls: Mapping[str, Call]) -> Config:
    """The configuration as it was at create, with the functions that only the program has that created it."""
    config, _ = parse_config(home.read_file(CONFIG) or b"")
    if calls:
        from slinger.hooks.functions import with_calls  # noqa: PLC0415 - for the few programs that have functions

        config = config.replace(hooks=with_calls(config.hooks, calls))
    return config


def run_late_hooks(
    home: Home, setting: Setting, point: str, calls: Mapping[str, Call], warn: Callable[[str], None]
) -> None:
    """The hooks of a point after the container's own plan, from the configuration as it was at create."""
    run_hooks(saved_config(home, calls), setting, point, home, warn)
