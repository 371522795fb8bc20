"""The timeline in the Trace Event Format ("JSON Object Format"), which Perfetto and chrome://tracing open.

Complete events (``ph`` X) with ``ts`` and ``dur`` in microseconds, a thread for each actor, and metadata events
(``ph`` M) that name them. The format has no empty lane, and wants whole numbers as pid and tid. Its readers take
numbers for doubles, which cannot tell nanoseconds apart in microseconds since the epoch: events that touch would
overlap, and Perfetto moves such to a track of their own and complains. So ``ts`` counts from the first moment, which
``otherData`` tells.
"""

from __future__ import annotations

from slinger.hooks.records import to_shown
from slinger.hooks.trace import HOOK, LANES
from slinger.hooks.words import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.hooks.records import HookRecord
    from slinger.hooks.trace import Step, Trace

PROCESS = 1


def chrome_trace(trace: Trace) -> dict[str, object]:
    """The object to be written as JSON."""
    events = [_named("process_name", 0, f"container {trace.id}")]
    for tid, lane in enumerate(LANES, start=1):
        events += [_named("thread_name", tid, lane), _named("thread_sort_index", tid, tid)]
    records = {(f"{each.stage}[{each.index}]", each.started): each for each in trace.hooks}
    events += [_event(step, trace.began, records.get((step.name, step.started))) for step in trace.steps]
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "container": trace.id,
            "bundle": trace.bundle,
            "began": moment(trace.began),
            "errors": dict(trace.errors),
        },
    }


def _named(what: str, tid: int, value: str | int) -> dict[str, object]:
    key = "sort_index" if isinstance(value, int) else "name"
    return {"name": what, "ph": "M", "pid": PROCESS, "tid": tid, "args": {key: value}}


def _event(step: Step, began: int, record: HookRecord | None) -> dict[str, object]:
    details: dict[str, object] = {"verb": step.verb, "about": step.about, "origin": step.origin}
    if step.lane == HOOK and record is not None:
        details = {**details, **to_shown(record)}
    return {
        "name": f"{step.name} {step.about}".strip(),
        "cat": step.category,
        "ph": "X",
        "ts": (step.started - began) / 1000,
        "dur": step.duration / 1000,
        "pid": PROCESS,
        "tid": LANES.index(step.lane) + 1,
        "args": details,
    }
