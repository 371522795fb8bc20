"""plan/shelf.py: what passes through the joiner's mount namespace, and when nothing has to."""

from __future__ import annotations

import pytest

from slinger.linux.flags import CLONE_NEWNS, MS_SLAVE
from slinger.plan import ops
from slinger.plan.facts import Facts
from slinger.plan.ops import INIT, JOINER, OUTER, Op
from slinger.plan.shelf import shelve_ops, unshelve_ops
from tests.unit.documents import parsed

FACTS = Facts(rootfs="/r")
MAP = [{"containerID": 0, "hostID": 100000, "size": 65536}]
ROOT = ops.OpenTree("root.path", by=OUTER, slot=0, path="/r")
VOLUME = ops.OpenTree("mounts[1]", by=OUTER, slot=1, path="/volume")
SOURCES: tuple[Op, ...] = (ROOT, VOLUME, ops.IdMap("mounts[1]", by=OUTER, slot=2))
NEW: dict[str, str] = {"user": "", "mount": "", "uts": ""}


def shelved(kinds: dict[str, str], facts: Facts = FACTS) -> list[Op]:
    """For namespaces by type, with the path of those that are joined."""
    namespaces = [{"type": kind, "path": path} if path else {"type": kind} for kind, path in kinds.items()]
    maps = [("linux.uidMappings", MAP), ("linux.gidMappings", MAP)] if kinds.get("user") == "" else []
    return shelve_ops(parsed(("linux.namespaces", namespaces), *maps), facts, SOURCES)


@pytest.mark.parametrize("user", ["", "/run/user"])
def test_trees_of_outers_pass_through_a_namespace_of_the_joiners(user: str) -> None:
    """Where the user namespace is another, new or joined: each tree, and nothing but trees."""
    plan = shelved({**NEW, "user": user})
    assert plan == [
        ops.Unshare("linux.namespaces", by=JOINER, flags=CLONE_NEWNS),
        ops.Propagation("linux.namespaces", by=JOINER, flags=MS_SLAVE),
        ops.Shelf("linux.namespaces", by=JOINER, path="/r"),
        ops.Shelve("root.path", by=JOINER, slot=0, path="/r"),
        ops.Shelve("mounts[1]", by=JOINER, slot=1, path="/volume"),
    ]
    assert unshelve_ops(plan) == [
        ops.Unshelve("root.path", by=INIT, slot=0, path="/r"),
        ops.Unshelve("mounts[1]", by=INIT, slot=1, path="/volume"),
    ]


@pytest.mark.parametrize(
    ("kinds", "facts"),
    [
        ({"mount": "", "uts": ""}, FACTS),
        ({**NEW, "user": "/proc/self/ns/user"}, FACTS.replace(joined=("user",))),
        ({**NEW, "mount": "/run/mount"}, FACTS),
        (NEW, FACTS.replace(euid=1000)),
        (NEW, FACTS.replace(owns_mounts=False)),
    ],
    ids=["no user namespace", "our own", "mount namespace joined", "rootless", "the mounts of others"],
)
def test_nothing_passes_where_no_border_is_crossed_or_init_opens_its_sources(
    kinds: dict[str, str], facts: Facts
) -> None:
    """In a namespace that init made, or was put into by others, it has what the kernel gave it."""
    assert shelved(kinds, facts) == []
    assert unshelve_ops([]) == []
