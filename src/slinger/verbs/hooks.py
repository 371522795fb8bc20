"""``slinger hooks ID``: every run of a container's hooks."""

from __future__ import annotations

from slinger.container import Container
from slinger.hooks.records import to_json
from slinger.hooks.timeline import draw
from slinger.spec.jsontext import dump_pretty
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """The records, as a table with a timeline or as JSON."""
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    try:
        records = container.hook_records()
    finally:
        container.close()
    if call.options.flag("json"):
        return Outcome(dump_pretty([to_json(record) for record in records], "  ") + "\n")
    return Outcome(draw(records))
