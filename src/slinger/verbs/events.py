"""``slinger events``: what a container uses and what happens to it, one JSON object a line, in runc's form."""

from __future__ import annotations

from slinger.container import Container
from slinger.errors import UsageError
from slinger.linux.durations import parse_duration
from slinger.spec.stats import Event, event_text
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call

STOPPED_BY_KEYS = 130


def main(call: Call) -> Outcome:
    """The statistics once, or a line for each event until the container ends."""
    interval = interval_of("events", call.options.text("interval"))
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    try:
        if call.options.flag("stats"):
            return Outcome(f"{event_text(Event('stats', container.id, container.stats()))}\n")
        for event in container.events(interval):
            call.answer(f"{event_text(event)}\n")
    except KeyboardInterrupt:
        return Outcome(status=STOPPED_BY_KEYS)  # how one ends it
    finally:
        container.close()
    return Outcome()


def interval_of(verb: str, text: str) -> float:
    """Seconds of --interval. UsageError."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        message = f'{verb} --interval: must be a time such as 5s, 100ms or 1m30s, not "{text}"'
        raise UsageError(message) from None
    if seconds <= 0:
        message = f'{verb} --interval: must be greater than 0, not "{text}"'
        raise UsageError(message)
    return seconds
