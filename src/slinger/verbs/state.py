"""``slinger state``: the state of a container as JSON (runtime-spec runtime.md, "State")."""

from __future__ import annotations

from slinger.container import Container
from slinger.spec.state import state_text
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Answer with the state."""
    state = Container.load(call.arguments[0], root=call.root, warn=call.warn).state()
    return Outcome(state_text(state) + "\n")
