"""A plan: a straight line of ops. And what ``start`` must know of it, which has no configuration to compile again."""

from __future__ import annotations

from slinger.plan import ops, wire
from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.ops import Op


class Placed(Record):
    """The ops of hooks by the point of the way through at which they run (lifecycle.POINT_*)."""

    points: tuple[tuple[str, tuple[Op, ...]], ...] = ()

    def at(self, point: str) -> tuple[Op, ...]:
        """The hooks of a point, in the order in which they run."""
        return dict(self.points).get(point, ())


class Plan(Record):
    """A straight line of ops; ``slots`` is how many descriptors the hands keep between them."""

    ops: tuple[Op, ...]
    slots: int = 0

    def encode(self) -> bytes:
        """The plan as the hands read it."""
        return wire.encode(self.ops, self.slots)


def started_ops(plan: Plan) -> tuple[tuple[int, str, str, str, tuple[str, ...]], ...]:
    """What ``start`` must know of the ops that run after create: (index, name, origin, path, args)."""
    last_gate = max(at for at, op in enumerate(plan.ops) if isinstance(op, ops.WaitStart))
    rows: list[tuple[int, str, str, str, tuple[str, ...]]] = []
    for at, op in enumerate(plan.ops):
        if at >= last_gate:
            values = op.__dict__
            rows.append((at, ops.op_name(type(op)), op.origin, values.get("path", ""), values.get("args", ())))
    return tuple(rows)


def ops_of_rows(rows: tuple[tuple[int, str, str, str, tuple[str, ...]], ...]) -> dict[int, Op]:
    """The ops again, as far as errors and records need them."""
    kinds = {ops.op_name(kind): kind for kind in ops.OPS}
    known: dict[int, Op] = {}
    for at, name, origin, path, args in rows:
        kind = kinds[name]
        op = kind(origin)
        if isinstance(op, ops.Hook):
            op = op.replace(path=path, args=args)
        elif isinstance(op, ops.Exec):
            op = op.replace(args=args)
        known[at] = op
    return known
