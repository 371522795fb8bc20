"""plan/cgroup_owner.py: who on the host the container's user is, where the container may write to its cgroup."""

from __future__ import annotations

import pytest

from slinger.plan.cgroup_owner import cgroup_owner
from tests.unit.documents import parsed

NEW = [{"type": "mount"}, {"type": "cgroup"}]
USER = [*NEW, {"type": "user"}]
MAPS = [{"containerID": 0, "hostID": 5000, "size": 5}, {"containerID": 5, "hostID": 9000, "size": 5}]


def shown(*options: str, destination: str = "/sys/fs/cgroup", source: str = "cgroup") -> list[dict[str, object]]:
    """A mount of cgroups."""
    return [{"destination": destination, "type": "cgroup", "source": source, "options": options}]


@pytest.mark.parametrize(
    ("namespaces", "uid", "mounts", "owner"),
    [
        (NEW, 0, shown("rw"), 0),
        (NEW, 7, shown(), 7),
        (NEW, 7, shown(destination="/sys//fs/cgroup/"), 7),
        (NEW, 7, shown("ro"), None),
        (NEW, 7, shown("rro"), None),
        (NEW, 7, shown("ro", "rw"), 7),
        (NEW, 7, [*shown("ro"), *shown("rw")], 7),
        (NEW, 7, shown(destination="/cgroup"), None),
        (NEW, 7, shown(source="tmpfs"), None),
        (NEW, 7, [], None),
        (NEW[:1], 7, shown(), None),
        ([{"type": "cgroup", "path": "/run/ns"}], 7, shown(), None),
        (USER, 0, shown(), 5000),
        (USER, 7, shown(), 9002),
    ],
)
def test_the_owner_is_the_user_of_the_process(namespaces: object, uid: int, mounts: object, owner: int | None) -> None:
    """Nobody, where the container cannot write to its cgroup."""
    maps = (("linux.uidMappings", MAPS), ("linux.gidMappings", MAPS)) if namespaces == USER else ()
    changes = (("linux.namespaces", namespaces), ("mounts", mounts), ("process.user", {"uid": uid, "gid": 0}), *maps)
    assert cgroup_owner(parsed(*changes)) == owner


def test_without_a_process_and_in_a_user_namespace_that_is_joined_nobody_is() -> None:
    """There is no user, or who it is outside is not told."""
    joined = [*NEW, {"type": "user", "path": "/run/ns"}]
    assert cgroup_owner(parsed(("linux.namespaces", NEW), ("mounts", shown()), ("process", ...))) is None
    assert cgroup_owner(parsed(("linux.namespaces", joined), ("mounts", shown()))) is None
