"""``slinger kill``: send a signal to the program of a container."""

from __future__ import annotations

from slinger.container import Container
from slinger.lifecycle import STOPPED
from slinger.linux.signals import parse_signal
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call

DEFAULT = "TERM"


def main(call: Call) -> Outcome:
    """Send the signal; TERM without one."""
    signal = parse_signal(call.arguments[1] if len(call.arguments) > 1 else DEFAULT)
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    # --all is what is left of an option of runc; containerd still sends it and wants no error then.
    if not (call.options.flag("all") and container.status() == STOPPED):
        container.kill(signal)
    return Outcome()
