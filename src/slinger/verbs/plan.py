"""``slinger plan``: the steps that ``create`` would take for a bundle, each with the property it comes from."""

from __future__ import annotations

from slinger.inject import explain as additions
from slinger.plan import explain
from slinger.planning import plan_of
from slinger.spec.jsontext import dump_pretty
from slinger.verbs import Outcome
from slinger.verbs.create import injection_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(call: Call) -> Outcome:
    """Answer with the plan and what was added to the configuration, for people or as JSON."""
    options = call.options
    planned = plan_of(
        call.arguments[0],
        config=options.text("config"),
        root=call.root,
        container_id=options.text("id"),
        injection=injection_of(call),
        cgroup_manager=call.cgroup_manager,
        warn=call.warn,
    )
    if options.flag("json"):
        answer = {"ops": explain.data(planned.plan), **additions.data(planned.added, planned.left_out)}
        return Outcome(dump_pretty(answer, "  ") + "\n")
    return Outcome(explain.text(planned.plan) + additions.text(planned.added, planned.left_out))
