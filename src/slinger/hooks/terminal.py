"""Hooks and timeline for a terminal, drawn by the rich library.

Rule of the file: nothing of the container's is markup. Texts are rich's Text, in which only our styles are; what a
terminal would obey is escaped before.
"""

from __future__ import annotations

from io import StringIO

from rich.columns import Columns
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from slinger.hooks.layout import lay_out
from slinger.hooks.records import cut_note
from slinger.hooks.trace import BRAIN, CATEGORIES, HOOK, HOOKS, LANES, totals
from slinger.hooks.words import in_words
from slinger.plan.explain import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.console import RenderableType

    from slinger.hooks.layout import Layout
    from slinger.hooks.records import HookRecord
    from slinger.hooks.trace import Trace

COLOURS = dict(
    zip(
        CATEGORIES,
        (
            *("bright_black", "magenta", "bright_magenta", "yellow", "cyan", "blue", "green", "white"),
            *("color(208)", "bright_green", "color(138)"),
        ),
        strict=True,
    )
)
SHOWN_LINES = 12  # of a stream
BAR_LEAST, BAR_MOST = 12, 40
PATH_MOST = 24
OUTCOME_LEAST = 16  # a longer one is folded where there is no room
GAP = 2  # between columns
# Columns of the table of hooks that a narrow terminal does without, the first one first. The other formats have all.
DISPENSABLE = ("pid", "when", "status", "in", "program")
SHADES = " ▏▎▍▌▋▊▉█"
LANE_NAMES = {BRAIN: "slinger", HOOK: "hooks"}


def render(trace: Trace, *, width: int, colour: bool) -> str:
    """The whole as text; with ``colour`` as a terminal takes it."""
    buffer = StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="256" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    console.print(everything(trace, width, colour=colour))
    text = buffer.getvalue()
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def everything(trace: Trace, width: int, *, colour: bool) -> RenderableType:
    """Errors, hooks, what they printed, the timeline, and where the time went."""
    parts: list[RenderableType] = [
        Text(f"{verb} failed: {printable(message)}\n", style="bold red") for verb, message in trace.errors
    ]
    if not trace.steps:
        parts.append(Text("No hook has run."))
        return Group(*parts)
    layout = lay_out(trace)
    parts.append(_hooks(trace, layout, width) if trace.hooks else Text("No hook has run."))
    parts += [each for record in trace.hooks for each in _streams(record)]
    if any(step.lane != HOOK for step in trace.steps):
        parts += [Text(), *_lanes(trace, layout, width), Text(), _legend(trace, colour=colour)]
    return Group(*parts)


def _hooks(trace: Trace, layout: Layout, width: int) -> Table:
    """A row a run; of the columns those for which there is room."""
    texts = [_texts(record) for record in trace.hooks]
    needed = {name: max(len(name), *(len(row[name]) for row in texts)) for name in texts[0]}
    needed = {**needed, "outcome": min(needed["outcome"], OUTCOME_LEAST), "when": BAR_LEAST}
    for name in DISPENSABLE:
        if _width(needed) > width:
            del needed[name]
    bar = min(BAR_LEAST + max(width - _width(needed), 0), BAR_MOST)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for name, least in needed.items():
        right, fold = name == "took", name == "outcome"
        table.add_column(
            name,
            justify="right" if right else "left",
            no_wrap=not fold,
            overflow="fold" if fold else "ellipsis",
            min_width=bar if name == "when" else least,
        )
    for record, row in zip(trace.hooks, texts, strict=True):
        outcome = Text(row["outcome"], style="green" if record.ok else "bold red")
        span = (layout.x(record.started), record.duration, COLOURS[HOOKS] if record.ok else "red")
        drawn = {"outcome": outcome, "when": _bar([span], layout.length, bar)}
        table.add_row(*(drawn.get(name) or Text(row[name]) for name in needed))
    return table


def _texts(record: HookRecord) -> dict[str, str]:
    """What stands in each column but the one that is drawn."""
    return {
        "hook": f"{record.stage}[{record.index}]",
        "in": "container" if record.namespaces else "runtime",
        "status": record.status,
        "pid": "-" if record.pid_shown is None else str(record.pid_shown),
        "took": in_words(record.duration),
        "outcome": "ok" if record.ok else printable(record.outcome),
        "program": _end_of(printable(record.path)),
    }


def _width(columns: dict[str, int]) -> int:
    return sum(columns.values()) + GAP * len(columns)


def _end_of(path: str) -> str:
    """The path, or its end where it is long; the other formats have it whole."""
    return path if len(path) <= PATH_MOST else "…" + path[1 - PATH_MOST :]


def _streams(record: HookRecord) -> list[RenderableType]:
    """What a hook printed, the last lines of it."""
    shown: list[RenderableType] = []
    for name, text, size in (
        ("stdout", record.stdout, record.stdout_size),
        ("stderr", record.stderr, record.stderr_size),
    ):
        if not size:
            continue
        lines = text.splitlines()
        left_out = f", the last {SHOWN_LINES} lines" if len(lines) > SHOWN_LINES else ""
        head = f"{record.stage} #{record.index} {name}{cut_note(size)}{left_out}:"
        shown.append(Text(f"\n{head}", style="bold"))
        shown += [Padding(Text(printable(line)), (0, 0, 0, 2)) for line in lines[-SHOWN_LINES:]]
    return shown


def _lanes(trace: Trace, layout: Layout, width: int) -> list[Text]:
    """A line for each actor, and above them where each verb begins."""
    room = max(width - 10, BAR_LEAST)
    axis = [" "] * room
    for part in layout.parts:
        label = f"|{part.name} {in_words(part.length)}"
        first = part.x * room // layout.length
        axis[first : first + len(label)] = list(label[: room - first])
    lines = [Text(f"{'':10}{''.join(axis)}", style="bold")]
    for lane in LANES:
        steps = [step for step in trace.steps if step.lane == lane]
        if steps:
            spans = [(layout.x(step.started), step.duration, COLOURS[step.category]) for step in steps]
            lines.append(Text.assemble((f"{LANE_NAMES.get(lane, lane):10}", "bold"), _bar(spans, layout.length, room)))
    return lines


def _bar(spans: list[tuple[int, int, str]], length: int, width: int) -> Text:
    """Spans on one line: a cell has the colour of what took most of it, and is filled as far as it was busy.

    No span is without a mark, however short.
    """
    shares: list[dict[str, float]] = [{} for _ in range(width)]
    cell = length / width
    for x, duration, colour in spans:
        first, last = int(x / cell), int((x + duration) / cell)
        for at in range(min(first, width - 1), min(last, width - 1) + 1):
            part = min(x + duration, (at + 1) * cell) - max(x, at * cell)
            shares[at][colour] = shares[at].get(colour, 0.0) + max(part, cell / 100)
    text = Text()
    for share in shares:
        if not share:
            text.append(" ")
            continue
        full = min(round(sum(share.values()) / cell * (len(SHADES) - 1)), len(SHADES) - 1)
        text.append(SHADES[max(full, 1)], style=max(share, key=lambda colour: share[colour]))
    return text


def _legend(trace: Trace, *, colour: bool) -> Columns:
    """Each kind of step in its colour, if there are colours, with the time that it took in all."""
    entries = [
        Text.assemble(("█ " if colour else "", COLOURS[name]), f"{name} {in_words(time)}")
        for name, time in totals(trace)
    ]
    return Columns(entries, padding=(0, 2))
