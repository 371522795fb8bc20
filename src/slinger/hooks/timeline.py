"""Hook records as a table with a timeline, for a terminal."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.hooks.records import HookRecord

BAR = 24
HEADINGS = ("STAGE", "#", "NAMESPACES THAT DIFFER", "STATUS", "PID", "EXIT", "TOOK", "TIMELINE")
NANOSECONDS_PER_MS = 1_000_000


def draw(records: tuple[HookRecord, ...]) -> str:
    """One line a run, in the order of their start; the bars share one scale. "" for no records."""
    if not records:
        return ""
    ordered = sorted(records, key=lambda record: record.started)
    begin = ordered[0].started
    end = max(record.started + record.duration for record in ordered)
    rows = [HEADINGS, *(_row(record, begin, max(end - begin, 1)) for record in ordered)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _row(record: HookRecord, begin: int, span: int) -> tuple[str, ...]:
    return (
        record.stage,
        str(record.index),
        " ".join(record.namespaces) or "none (the runtime's)",
        record.status,
        "-" if record.pid_shown is None else str(record.pid_shown),
        record.outcome.removeprefix("exit status "),
        f"{record.duration / NANOSECONDS_PER_MS:.1f} ms",
        _bar(record.started - begin, record.duration, span),
    )


def _bar(offset: int, duration: int, span: int) -> str:
    """Where in the whole a run lies; never without a mark."""
    first = min(offset * BAR // span, BAR - 1)
    last = min(max((offset + duration) * BAR // span, first + 1), BAR)
    return f"|{' ' * first}{'#' * (last - first)}{' ' * (BAR - last)}|"
