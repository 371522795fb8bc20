"""A second reader of plans, after the drawing in docs/protocol.md and not after the code on either side.

It accepts what the hands must accept and refuses what they must refuse; tests/init compares the two.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from slinger.plan import ops

MAGIC: Final = b"SLPL"
VERSION: Final = 1
HEAD: Final = 16
SLOTS_MAX: Final = 65536
SMALLEST_ITEM: Final = 5  # a size and a NUL

Value: TypeAlias = "int | bytes | tuple[bytes, ...]"


class BadPlanError(Exception):
    """These bytes are no plan."""


@dataclass(frozen=True)
class ReadOp:
    """An op as it is on the wire: strings are bytes, integers signed."""

    name: str
    by: str
    fields: dict[str, Value] = field(default_factory=dict[str, Value])


def layout(kind: type[ops.Op]) -> list[tuple[str, str]]:
    """(name, annotation) of the fields of a class, in the order in which they stand in it."""
    return [(name, str(kind.__annotations__[name])) for name in kind.__dict__.get("__annotations__", {})]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise BadPlanError(f"cut at {self.at}")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, code: str) -> int:
        value: int = struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0]
        return value

    def string(self) -> bytes:
        *text, end = self.take(self.number("I") + 1)
        if end != 0 or 0 in text:
            raise BadPlanError(f"NUL before {self.at}")
        return bytes(text)

    def strings(self) -> tuple[bytes, ...]:
        count = self.number("I")
        if count > (len(self.data) - self.at) // SMALLEST_ITEM:
            raise BadPlanError(f"{count} items at {self.at}")
        return tuple(self.string() for _ in range(count))

    def field(self, annotation: str) -> Value:
        match annotation:
            case "int":
                return self.number("q")
            case "str":
                return self.string()
            case "bytes":
                return self.take(self.number("I"))
            case "tuple[str, ...]":
                return self.strings()
            case _:
                raise AssertionError(annotation)

    def op(self, slots: int) -> ReadOp:
        kind, actor, zero = struct.unpack("<HBB", self.take(4))
        if kind >= len(ops.OPS) or actor >= len(ops.ACTORS) or zero != 0:
            raise BadPlanError(f"head of an op before {self.at}")
        fields = {name: self.field(annotation) for name, annotation in layout(ops.OPS[kind])}
        for name, slot in fields.items():
            is_slot = name == "slot" or name.endswith("_slot")
            if is_slot and isinstance(slot, int) and not 0 <= slot < slots:
                raise BadPlanError(f"{name} {slot} of {slots}")
        return ReadOp(ops.OPS[kind].__name__, ops.ACTORS[actor], fields)


def read_plan(data: bytes) -> tuple[list[ReadOp], int]:
    """Ops and slots. BadPlanError for anything that is not a whole plan of this version."""
    reader = _Reader(data)
    if reader.take(4) != MAGIC or reader.number("I") != VERSION:
        raise BadPlanError("head")
    count, slots = reader.number("I"), reader.number("I")
    if slots > SLOTS_MAX or count > (len(data) - HEAD) // 4:
        raise BadPlanError("counts")
    found = [reader.op(slots) for _ in range(count)]
    if reader.at != len(data):
        raise BadPlanError("more than a plan")
    return found, slots


def _wire_value(value: object) -> Value:
    if isinstance(value, int):
        value &= 2**64 - 1
        return value - 2**64 if value >= 2**63 else value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return value
    assert isinstance(value, tuple)
    items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
    return tuple(str(each).encode("utf-8", "surrogateescape") for each in items)


def as_read(op: ops.Op) -> ReadOp:
    """An op of ours as a reader must find it."""
    return ReadOp(type(op).__name__, op.by, {name: _wire_value(op.__dict__[name]) for name, _ in layout(type(op))})
