"""``slinger pause``: freeze all processes of a container."""

from __future__ import annotations

from slinger.container import Container
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Freeze the container's cgroup."""
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    try:
        container.pause()
    finally:
        container.close()
    return Outcome()
