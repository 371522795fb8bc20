"""What was added to a configuration, for people and as JSON: the second half of what ``slinger plan`` prints."""

from __future__ import annotations

from slinger.plan.explain import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.inject.draft import Addition, LeftOut


def text(added: tuple[Addition, ...], left_out: tuple[LeftOut, ...]) -> str:
    """A line for each addition, and for each hooks.d file that does not apply; "" for nothing at all."""
    rows = [(each.target, each.shown, f"{each.source.file}: {each.source.at}", each.source.why) for each in added]
    lines = [""] if rows or left_out else []
    if rows:
        widths = [max(len(printable(row[column])) for row in rows) for column in range(3)]
        lines.append("added to the configuration:")
        lines += [
            "  ".join(
                ["", *(printable(cell).ljust(width) for cell, width in zip(row, (*widths, 0), strict=True))]
            ).rstrip()
            for row in rows
        ]
    if left_out:
        lines.append("not added:")
        lines += [f"  {printable(each.file)}  {printable(each.why)}" for each in left_out]
    return "".join(f"{line}\n" for line in lines)


def data(added: tuple[Addition, ...], left_out: tuple[LeftOut, ...]) -> dict[str, object]:
    """The same for ``--json``."""
    return {
        "added": [
            {
                "target": each.target,
                "value": each.shown,
                "file": each.source.file,
                "at": each.source.at,
                "why": each.source.why,
            }
            for each in added
        ],
        "notAdded": [{"file": each.file, "why": each.why} for each in left_out],
    }
