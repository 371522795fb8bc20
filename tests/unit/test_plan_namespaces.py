"""plan/namespaces.py: who enters and who makes what, in which order."""

from __future__ import annotations

import pytest

from slinger.linux.flags import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from slinger.plan import ops
from slinger.plan.facts import Facts
from slinger.plan.namespaces import cgroup_ops, clone_ops, has_own, in_user_namespace, is_new, time_ops
from slinger.plan.ops import GATE_CGROUP, GATE_IDS, JOINER, OUTER, Op
from tests.unit.documents import parsed

ROOT = Facts(rootfs="/r")
ROOTLESS = ROOT.replace(euid=1000)
MAP = [{"containerID": 0, "hostID": 100000, "size": 65536}]
ORIGIN = "linux.namespaces"


def plan(*entries: str, facts: Facts = ROOT) -> list[Op]:
    """The ops for namespaces written as ``type`` or ``type=path``."""
    return clone_ops(parsed(*namespaces(*entries)), facts)


def namespaces(*entries: str) -> list[tuple[str, object]]:
    """Changes of the minimal document."""
    listed: list[dict[str, str]] = []
    for entry in entries:
        kind, _, path = entry.partition("=")
        listed.append({"type": kind, "path": path} if path else {"type": kind})
    return [("linux.namespaces", listed), ("linux.uidMappings", MAP), ("linux.gidMappings", MAP)]


def kept(index: int, path: str, flag: int) -> Op:
    """The op that opens a namespace, while its path means what the caller meant."""
    return ops.OpenNamespace(f"{ORIGIN}[{index}]", by=OUTER, path=path, flag=flag)


def joined(index: int, flag: int) -> Op:
    """The op that enters it."""
    return ops.Join(f"{ORIGIN}[{index}]", by=JOINER, flag=flag)


def test_without_a_user_namespace_init_is_cloned_into_all_at_once() -> None:
    """One clone; time and cgroup are made later, by init."""
    flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS
    assert plan("pid", "network", "ipc", "uts", "mount", "cgroup", "time") == [ops.Clone(ORIGIN, by=OUTER, flags=flags)]


def test_no_namespace_is_a_clone_all_the_same() -> None:
    """Init is another process in any case."""
    assert plan() == [ops.Clone(ORIGIN, by=OUTER)]


@pytest.mark.parametrize("facts", [ROOT, ROOTLESS])
def test_with_a_user_namespace_the_others_are_made_as_its_root(facts: Facts) -> None:
    """So that they belong to it; only the pid namespace must be there from the clone on."""
    assert plan("mount", "user", "pid", "uts", facts=facts) == [
        ops.Clone(ORIGIN, by=OUTER, flags=CLONE_NEWUSER | CLONE_NEWPID),
        ops.Gate("linux.uidMappings", name=GATE_IDS),
        ops.TakeRoot("linux.uidMappings", visible=int(facts.rootless)),
        ops.Unshare(ORIGIN, flags=CLONE_NEWNS | CLONE_NEWUTS),
    ]


def test_a_user_namespace_alone_leaves_nothing_to_unshare() -> None:
    """No empty op."""
    assert [type(op) for op in plan("user", "pid")] == [ops.Clone, ops.Gate, ops.TakeRoot]


@pytest.mark.parametrize(("facts", "order"), [(ROOT, (0, 2, 1)), (ROOTLESS, (1, 0, 2))])
def test_the_user_namespace_is_joined_last_as_root_and_first_without(facts: Facts, order: tuple[int, ...]) -> None:
    """It takes the privilege over the host's others, or gives that over its own."""
    flags = (CLONE_NEWNET, CLONE_NEWUSER, CLONE_NEWIPC)
    paths = ("/n", "/u", "/i")
    assert plan("network=/n", "user=/u", "ipc=/i", "mount", facts=facts) == [
        *(kept(at, path, flag) for at, (path, flag) in enumerate(zip(paths, flags, strict=True))),
        ops.Fork(ORIGIN, by=OUTER),
        *(joined(at, flags[at]) for at in order),
        ops.TakeRoot(ORIGIN, by=JOINER),
        ops.Clone(ORIGIN, by=JOINER, flags=CLONE_NEWNS),
    ]


def test_without_a_joined_user_namespace_the_joiner_stays_who_it_is() -> None:
    """No root to take."""
    assert plan("network=/n", "pid") == [
        kept(0, "/n", CLONE_NEWNET),
        ops.Fork(ORIGIN, by=OUTER),
        joined(0, CLONE_NEWNET),
        ops.Clone(ORIGIN, by=JOINER, flags=CLONE_NEWPID),
    ]


def test_a_new_user_namespace_beside_a_joined_one_is_made_by_init() -> None:
    """The joiner clones into it, then the ids are mapped."""
    kinds = [type(op) for op in plan("network=/n", "user", "mount")]
    assert kinds == [ops.OpenNamespace, ops.Fork, ops.Join, ops.Clone, ops.Gate, ops.TakeRoot, ops.Unshare]


def test_joining_the_namespace_one_is_in_is_nothing_to_do() -> None:
    """The kernel refuses it for user namespaces (setns(2)), and it would cost a process for the others."""
    facts = ROOT.replace(joined=("network", "user"))
    assert plan("network=/proc/self/ns/net", "user=/proc/self/ns/user", facts=facts) == [ops.Clone(ORIGIN, by=OUTER)]


@pytest.mark.parametrize(
    ("entry", "joined_types", "new", "own"),
    [
        ("user", (), True, True),
        ("user=/u", (), False, True),
        ("user=/u", ("user",), False, False),
        ("pid", (), False, False),
    ],
)
def test_a_namespace_is_new_joined_or_the_runtimes(
    entry: str, joined_types: tuple[str, ...], *, new: bool, own: bool
) -> None:
    """``is_new``: made for the container; ``has_own``: other than the brain's."""
    config = parsed(*namespaces(entry))
    facts = ROOT.replace(joined=joined_types)
    assert is_new(config, "user") is new
    assert has_own(config, facts, "user") is in_user_namespace(config, facts) is own


def test_time_offsets_are_written_between_making_and_entering() -> None:
    """time_namespaces(7): they are fixed once a process is in it."""
    offsets = {"monotonic": {"secs": -5, "nanosecs": 7}, "boottime": {"secs": 3}}
    config = parsed(*namespaces("time"), ("linux.timeOffsets", offsets))
    assert time_ops(config) == [
        ops.Unshare(ORIGIN, flags=CLONE_NEWTIME),
        ops.TimeOffsets("linux.timeOffsets", text="monotonic -5 7\nboottime 3 0\n"),
        ops.Join(ORIGIN, path="/proc/self/ns/time_for_children", flag=CLONE_NEWTIME),
    ]


def test_a_time_namespace_without_offsets_is_made_and_entered() -> None:
    """Nothing to write; without one, nothing at all."""
    assert [type(op) for op in time_ops(parsed(*namespaces("time")))] == [ops.Unshare, ops.Join]
    assert time_ops(parsed(*namespaces("pid"))) == []


@pytest.mark.parametrize("entry", ["cgroup", "pid", "cgroup=/c"])
def test_a_new_cgroup_namespace_is_made_once_init_is_in_its_cgroup(entry: str) -> None:
    """It is rooted where its maker is (cgroup_namespaces(7))."""
    unshare = [ops.Unshare(ORIGIN, flags=CLONE_NEWCGROUP)] if entry == "cgroup" else []
    assert cgroup_ops(parsed(*namespaces(entry))) == [ops.Gate("linux.cgroupsPath", name=GATE_CGROUP), *unshare]
