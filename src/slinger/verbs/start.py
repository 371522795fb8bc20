"""``slinger start``: run the program of a created container."""

from __future__ import annotations

from slinger.container import Container
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Start it; what fails until the program runs is our failure."""
    Container.load(call.arguments[0], root=call.root, observe=call.observe, warn=call.warn).start()
    return Outcome()
