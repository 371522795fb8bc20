"""``slinger resume``: let the processes of a paused container go on."""

from __future__ import annotations

from slinger.container import Container
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Thaw the container's cgroup."""
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    try:
        container.resume()
    finally:
        container.close()
    return Outcome()
