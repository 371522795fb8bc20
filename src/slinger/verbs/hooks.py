"""``slinger hooks ID``: every run of a container's hooks, and the timeline of the whole."""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.errors import NotFoundError, UsageError
from slinger.host.sites import ensure_sites
from slinger.spec.jsontext import dump, dump_pretty
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.hooks.trace import Trace
    from slinger.verbs import Call

FORMATS = ("json", "html", "chrome-trace")
NARROW, WIDE = 80, 120  # columns of a terminal that does not say, and of a file


def main(call: Call) -> Outcome:
    """The trace as a table and a timeline, or in one of the formats."""
    options = call.options
    chosen = [name for name in FORMATS if options.flag(name)]
    if len(chosen) > 1:
        message = f"hooks: --{chosen[0]} and --{chosen[1]} cannot both be printed"
        raise UsageError(message)
    if not call.arguments:
        return _list(call, chosen)
    trace = _trace(call)
    if chosen == ["json"]:
        from slinger.hooks.trace import trace_data  # noqa: PLC0415

        return Outcome(dump_pretty(trace_data(trace), "  ") + "\n")
    if chosen == ["html"]:
        from slinger.hooks.page import page  # noqa: PLC0415

        return Outcome(page(trace))
    if chosen == ["chrome-trace"]:
        from slinger.hooks.chrome import chrome_trace  # noqa: PLC0415

        return Outcome(dump(chrome_trace(trace)) + "\n")
    return Outcome(drawn(trace))


def _trace(call: Call) -> Trace:
    """Of the container that is there, or of one that was deleted."""
    if call.options.flag("history"):
        from slinger.hooks.history import life  # noqa: PLC0415

        return life(_trace_dir(call), call.arguments[0], call.options.number("life"))
    if call.options.given("life"):
        raise UsageError("hooks --life: needs --history")
    try:
        container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    except NotFoundError as error:
        hint = "slinger list has what is there, hooks --history what is gone"
        raise NotFoundError(error.message, hint=hint) from None
    try:
        return container.trace()
    finally:
        container.close()


def _trace_dir(call: Call) -> str:
    if not call.trace_dir:
        hint = "--trace-dir DIR, $SLINGER_TRACE_DIR, or [trace] in the settings"
        raise UsageError("hooks --history: no trace directory is known", hint=hint)
    return call.trace_dir


def drawn(trace: Trace) -> str:
    """For a terminal, by the rich library where it is installed."""
    ensure_sites()
    try:
        from slinger.hooks.terminal import render  # noqa: PLC0415
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "rich":
            raise
        from slinger.hooks.timeline import draw  # noqa: PLC0415 - the extra slinger[hooks] is not installed

        return draw(trace.hooks)
    terminal = os.isatty(1)
    width = WIDE
    if terminal:
        width = os.get_terminal_size(1).columns or NARROW
    # no-color.org: set, and not to nothing; and a terminal that says that it can do nothing.
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") == "dumb"
    return render(trace, width=width, colour=terminal and not plain)


def _list(call: Call, chosen: list[str]) -> Outcome:
    """The deleted containers of which records were kept, the last one first; one line each, or JSON."""
    if not call.options.flag("history"):
        raise UsageError("hooks: takes ID, got nothing", hint="--history lists the containers that are gone")
    if chosen not in ([], ["json"]):
        message = f"hooks --{chosen[0]}: takes ID, got nothing"
        raise UsageError(message)
    from slinger.hooks.history import all_lives  # noqa: PLC0415
    from slinger.hooks.words import moment  # noqa: PLC0415
    from slinger.verbs.list import table  # noqa: PLC0415

    found = all_lives(_trace_dir(call))
    if chosen:
        rows = [
            {"id": trace.id, "life": number, "ended": trace.ended, "bundle": trace.bundle} for trace, number in found
        ]
        return Outcome(dump_pretty(rows, "  ") + "\n")
    head = ("ID", "LIFE", "DELETED", "HOOKS", "FAILED")
    lines = [
        (
            trace.id,
            str(number),
            moment(trace.ended),
            str(len(trace.hooks)),
            ", ".join(
                [*(verb for verb, _ in trace.errors), *(_name(record) for record in trace.hooks if not record.ok)]
            )
            or "-",
        )
        for trace, number in found
    ]
    return Outcome(table([head, *lines]))


def _name(record: object) -> str:
    return f"{getattr(record, 'stage', '')}[{getattr(record, 'index', '')}]"
