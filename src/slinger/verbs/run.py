"""``slinger run``: create and start; in the foreground also relay signals, wait, and delete."""

from __future__ import annotations

from slinger.errors import NotFoundError, SlingerError
from slinger.host.signals import Relay
from slinger.verbs import Outcome
from slinger.verbs.create import make

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.container import Container
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Create and start; unless detached, stay until the end."""
    detach = call.options.flag("detach")
    with Relay() as relay:
        container = make(call, supervise=not detach, subreaper=not (detach or call.options.flag("no-subreaper")))
        try:
            return start_detached(call, container) if detach else follow(call, container, relay)
        finally:
            container.close()


def start_detached(call: Call, container: Container) -> Outcome:
    """Start, and leave the container to whoever adopts our orphans."""
    try:
        container.start()
    except BaseException:
        discard(call, container)
        raise
    return Outcome()


def follow(call: Call, container: Container, relay: Relay) -> Outcome:
    """Start, relay signals until the program's end, delete; the status is the program's."""
    try:
        container.start()
        relay.to(container.kill)
        status = container.wait()
    except BaseException:
        relay.to(None)
        discard(call, container)
        raise
    relay.to(None)
    if not call.options.flag("keep"):
        container.delete()
    return Outcome(status=status)


def discard(call: Call, container: Container) -> None:
    """Remove what did not come to run. The failure itself is on its way up: what fails here is a warning."""
    try:
        container.delete(force=True)
    except NotFoundError:
        return  # a start that fails has destroyed the container itself
    except SlingerError as error:
        call.warn(f"the container is not removed: {error}")
