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
    container_id, *rest = call.arguments
    signal = parse_signal(rest[0] if rest else DEFAULT)
    container = Container.load(container_id, root=call.root, warn=call.warn)
    # --all is what is left of an option of runc; containerd still sends it and wants no error then.
    if not (call.options.flag("all") and container.status() == STOPPED):
        container.kill(signal)
    return Outcome()
