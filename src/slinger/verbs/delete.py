"""``slinger delete``: remove a container and all that was made for it."""

from __future__ import annotations

from slinger.container import Container
from slinger.errors import NotFoundError
from slinger.existing import absolute_root
from slinger.host.store import remove_unwritten
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Delete it; with --force whatever its status, and whether or not there is one."""
    force = call.options.flag("force")
    try:
        Container.load(call.arguments[0], root=call.root, observe=call.observe, warn=call.warn).delete(force=force)
    except NotFoundError:
        if not force:
            raise
        remove_unwritten(absolute_root(call.root), call.arguments[0])
    return Outcome()
