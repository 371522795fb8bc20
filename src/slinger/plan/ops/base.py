"""What every op has, who does it, and the gates."""

from __future__ import annotations

from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

OUTER = "outer"
JOINER = "joiner"
INIT = "init"
ACTORS = (OUTER, JOINER, INIT)

# Gates: where the hands stop until the brain has acted.
GATE_IDS = "ids"  # uid_map and gid_map
GATE_CGROUP = "cgroup"  # init is in its cgroup, so that a new cgroup namespace is rooted there
GATE_HOOKS = "hooks"  # init is in its cgroup and the limits are set
GATE_CALL = "call"  # a hook that is a Python function has returned
GATE_CREATED = "created"  # the state is saved; create may return


class Op(Record):
    """One independent step."""

    WHAT: ClassVar[str] = ""
    origin: str
    by: str = INIT
