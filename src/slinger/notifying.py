"""Handing the descriptor of seccomp notifications to who answers them (config-linux.md, "Seccomp"; seccomp_unotify(2)).

Init, or a process of exec, waits with its program until this is done.
"""

from __future__ import annotations

import os

from slinger.host.handover import send_listener
from slinger.linux.seccomp import NEW_LISTENER
from slinger.plan import ops
from slinger.spec.state import process_state_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.existing import Existing
    from slinger.plan.plan import Plan
    from slinger.spec.config import Config


def listener_of(config: Config) -> tuple[str, str]:
    """listenerPath and listenerMetadata, for the record of the container; "" where there is none."""
    seccomp = config.linux.seccomp
    return (seccomp.listener_path, seccomp.listener_metadata) if seccomp is not None else ("", "")


def notifies(plan: Plan) -> bool:
    """Whether somebody has to be given a descriptor before the program runs."""
    return any(isinstance(op, ops.Seccomp) and op.flags & NEW_LISTENER for op in plan.ops)


def hand_over(existing: Existing, pid: int, fd: int, status: str) -> None:
    """Send ``fd``, which is closed, with the state of the process ``pid``. HostError if nobody takes it.

    ``status`` is the container's as the listener is told it.
    """
    path, metadata = existing.saved.listener
    state = existing.state().replace(status=status)
    try:
        send_listener(path, process_state_text(state, pid, metadata), fd)
    finally:
        os.close(fd)
