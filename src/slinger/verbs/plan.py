"""``slinger plan``: the steps that ``create`` would take for a bundle, each with the property it comes from."""

from __future__ import annotations

from slinger.container import plan_of
from slinger.plan import explain
from slinger.spec.jsontext import dump_pretty
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Answer with the plan, for people or as JSON."""
    options = call.options
    plan = plan_of(
        call.arguments[0],
        config=options.text("config"),
        root=call.root,
        container_id=options.text("id"),
        warn=call.warn,
    )
    text = dump_pretty(explain.data(plan), "  ") if options.flag("json") else explain.text(plan)
    return Outcome(text if text.endswith("\n") else text + "\n")
