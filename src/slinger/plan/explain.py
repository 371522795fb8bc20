"""A plan for people: one op a line with its origin, and what an op was about when it failed."""

from __future__ import annotations

from slinger.plan import ops
from slinger.plan.wire import own_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.ops import Op
    from slinger.plan.plan import Plan

# The field that says what an op is about, where there is one.
SUBJECTS = ("destination", "path", "name", "text", "profile", "label")


def printable(text: str) -> str:
    """The text on one line: what a terminal would obey, or cannot show, is escaped."""
    return text if text.isprintable() else repr(text)[1:-1]


def _shown(op: Op, value: object) -> str:
    # The ops with text that is lines by its nature.
    return printable("; ".join(str(value).splitlines()) if isinstance(op, ops.TimeOffsets | ops.IdMap) else str(value))


def subject(op: Op) -> str:
    """The path, name or program that an op is about, printable; "" if it is about the process itself."""
    if isinstance(op, ops.Exec):
        return printable(op.args[0]) if op.args else ""
    if isinstance(op, ops.FindProgram):
        return printable(op.name)
    values = op.__dict__
    for name in SUBJECTS:
        if values.get(name):
            return _shown(op, values[name])
    return ""


def details(op: Op) -> str:
    """The other fields that say something: ``type=tmpfs options=mode=755,size=65536k``."""
    shown: list[str] = []
    for name, _ in own_fields(type(op)):
        value = op.__dict__[name]
        if value in (0, "", (), b"") or (name in SUBJECTS and _shown(op, value) == subject(op)):
            continue
        if isinstance(op, ops.Exec | ops.Hook) and name in {"env", "state_head", "state_tail"}:
            continue
        shown.append(f"{name}={_shown(op, value) if isinstance(value, str) else _text(value)}")
    return " ".join(shown)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return ",".join(printable(str(each)) for each in items)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return f"{value:#x}" if isinstance(value, int) and value > 0xFFF else str(value)  # noqa: PLR2004 - flags


def text(plan: Plan) -> str:
    """The plan, one op a line: number, who, what, about what, origin."""
    lines: list[str] = []
    for index, op in enumerate(plan.ops):
        about = " ".join(part for part in (subject(op), details(op)) if part)
        lines.append(f"{index:3} {op.by:6} {ops.op_name(type(op)):16} {about:60} {op.origin}".rstrip())
    return "\n".join(lines) + "\n"


def data(plan: Plan) -> list[dict[str, object]]:
    """The plan for ``plan --json``: all fields of all ops; a filter as its size."""
    shown: list[dict[str, object]] = []
    for index, op in enumerate(plan.ops):
        row: dict[str, object] = {"index": index, "op": ops.op_name(type(op)), "by": op.by, "origin": op.origin}
        for name, _ in own_fields(type(op)):
            value: object = op.__dict__[name]
            row[name] = len(value) if isinstance(value, bytes) else value
        shown.append(row)
    return shown
