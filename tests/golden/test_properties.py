"""What holds of every plan, whatever the configuration: tried on the samples and on mixtures of them."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slinger.errors import ConfigError
from slinger.plan import ops
from slinger.plan.facts import SeccompProgram
from slinger.plan.ops import INIT, JOINER, OUTER
from slinger.plan.plan import Plan, started_ops
from tests.bundles import DROP, Drop, Json
from tests.golden.samples import (
    ENTERED,
    EVERYTHING,
    FACTS,
    HOOKS,
    HYBRID,
    MAPPED,
    PODMAN,
    ROOTLESS,
    SAMPLES,
    V1,
    V2,
    Sample,
    based,
)
from tests.plan_reader import as_read, read_plan

# What an op may be about although the document does not name it: the spec's defaults, and the gate for all hooks.
IMPLIED: Final = {
    *("process", "hooks", "linux.cgroupsPath", "linux.uidMappings", "process.user", "process.user.uid"),
    *("process.capabilities", "process.capabilities.bounding"),
}
STEP: Final = re.compile(r'\.?([A-Za-z]+)|\[(\d+)\]|\["([^"]*)"\]')

FEATURES: Final[dict[str, dict[str, Json | Drop]]] = {
    "podman": {key: value for key, value in PODMAN.items() if key != "linux.namespaces"},
    "everything": {key: value for key, value in EVERYTHING.items() if "amespaces" not in key},
    "hooks": {"hooks": HOOKS},
    "terminal": {"process.terminal": True},
    "no capabilities": {"process.capabilities": DROP},
    "no limits": {"process.rlimits": DROP},
    "no process": {"process": DROP},
}


@st.composite
def mixtures(draw: st.DrawFn) -> Sample:
    """A sample of several features, namespaces new, joined or shared, on one machine or another."""
    changes: dict[str, Json | Drop] = {}
    names = draw(st.lists(st.sampled_from(sorted(FEATURES)), unique=True))
    for name in sorted(names, key="no process".__eq__):
        changes |= FEATURES[name]
    if "no process" in names:
        changes = {key: value for key, value in changes.items() if not key.startswith("process")} | {"process": DROP}
    namespaces: list[Json] = [{"type": "mount"}, {"type": "uts"}]
    for kind in ("pid", "network", "ipc", "user", "cgroup", "time"):
        namespaces += draw(st.sampled_from([[], [{"type": kind}], [{"type": kind, "path": f"/run/ns/{kind}"}]]))
    changes["linux.namespaces"] = draw(st.permutations(namespaces))
    if {"type": "user"} in namespaces:
        changes |= {"linux.uidMappings": MAPPED, "linux.gidMappings": MAPPED}
    facts = draw(st.sampled_from([FACTS, ROOTLESS])).replace(
        apparmor=True,
        hierarchies=draw(st.sampled_from([V1, V2, HYBRID])),
        joined=draw(st.sampled_from([(), ("network",), ("user", "pid")])),
        seccomp=SeccompProgram(b"\6\0\0\0\0\0\xff\x7f") if "linux.seccomp" in changes else None,
    )
    return based(changes, facts, no_pivot=draw(st.booleans()), no_new_keyring=draw(st.booleans()))


def exists(document: Json, origin: str) -> bool:
    """Whether the document has this JSON path."""
    place = document
    for match in STEP.finditer(origin):
        name, index, key = match.groups()
        if index is not None:
            if not isinstance(place, list | tuple) or int(index) >= len(place):
                return False
            place = place[int(index)]
        else:
            if not isinstance(place, dict) or (name or key) not in place:
                return False
            place = place[name or key]
    return True


def check_origins(sample: Sample, plan: Plan) -> None:
    """Every op can be traced to the property that asked for it."""
    for op in plan.ops:
        assert op.origin == "" or op.origin in IMPLIED or exists(sample.document, op.origin), op


def check_slots(plan: Plan) -> None:
    """Every slot is filled once, below the count, and emptied once, afterwards."""
    filled: list[int] = []
    emptied: list[int] = []
    for op in plan.ops:
        if isinstance(op, ops.OpenTree):
            assert op.slot not in filled
            filled.append(op.slot)
        elif isinstance(op, ops.MountBind | ops.AttachRoot):
            assert op.slot in filled
            assert op.slot not in emptied
            emptied.append(op.slot)
    assert sorted(filled) == sorted(emptied)
    crossing = [op.slot for op in plan.ops if isinstance(op, ops.OpenTree) and op.by == OUTER]
    shelved = [op.slot for op in plan.ops if isinstance(op, ops.Shelve)]
    assert shelved in ([], crossing), "the trees of outer go through the shelf together or not at all"
    assert shelved == [op.slot for op in plan.ops if isinstance(op, ops.Unshelve)]
    assert all(0 <= slot < plan.slots for slot in filled)


def wait_at(plan: Plan) -> int:
    """Where init waits for its start."""
    return next(at for at, op in enumerate(plan.ops) if isinstance(op, ops.WaitStart))


def check_actors(plan: Plan, *, rootless: bool) -> None:
    """The joiner lives from the fork to its clone; init from the clone on; at the end init is alone."""
    clone = next(at for at, op in enumerate(plan.ops) if isinstance(op, ops.Clone))
    fork = next((at for at, op in enumerate(plan.ops) if isinstance(op, ops.Fork)), None)
    for at, op in enumerate(plan.ops):
        if op.by == JOINER:
            assert fork is not None
            assert fork < at <= clone
        elif op.by == INIT:
            assert at > clone
    wait = wait_at(plan)
    # Whose maps are written by the host's root is concealed before it is cloned (CVE-2016-9962).
    hidden = any(isinstance(op, ops.Conceal) for op in plan.ops[:clone])
    root = next((op for op in plan.ops if isinstance(op, ops.TakeRoot)), None)
    # Without privilege only its own user can see it: so where it stays one, or has time offsets to write.
    own = rootless and (root is None or any(isinstance(op, ops.TimeOffsets) for op in plan.ops))
    assert hidden or own or (root is not None and (root.by == INIT or not root.visible))
    assert all(op.by == INIT for op in plan.ops[wait:])
    assert plan.ops[clone].by == (OUTER if fork is None else JOINER)


def check_order(plan: Plan) -> None:
    """Gates once each and in their order; no privilege is dropped before it was needed; the exec is last."""
    gates = [op.name for op in plan.ops if isinstance(op, ops.Gate)]
    assert gates == [
        name for name in (ops.GATE_IDS, ops.GATE_CGROUP, ops.GATE_HOOKS, ops.GATE_CREATED) if name in gates
    ]
    assert gates[-3:] == [ops.GATE_CGROUP, ops.GATE_HOOKS, ops.GATE_CREATED]
    kinds = [type(op) for op in plan.ops]
    if ops.Exec in kinds:
        last = [
            kind for kind in kinds if kind in {ops.Bounding, ops.SetUser, ops.Capabilities, ops.WaitStart, ops.Announce}
        ]
        assert last == [ops.Bounding, ops.SetUser, ops.Capabilities, ops.WaitStart, ops.Announce]
        assert kinds[-2:] in ([ops.Announce, ops.Exec], [ops.Seccomp, ops.Exec])
    pivot = kinds.index(ops.Pivot)
    makes = {ops.OpenTree, ops.AttachRoot, ops.MountNew, ops.MountBind, ops.MakeNode, ops.MakeLink, ops.Console}
    assert not makes & set(kinds[pivot:])
    assert not {ops.Mask, ops.ReadonlyPath, ops.SetUser} & set(kinds[:pivot])


def check(sample: Sample) -> None:
    """All that holds of every plan."""
    plan = sample.compile()
    check_origins(sample, plan)
    check_slots(plan)
    check_actors(plan, rootless=sample.facts.rootless)
    check_order(plan)
    assert read_plan(plan.encode()) == ([as_read(op) for op in plan.ops], plan.slots)
    assert sample.compile().encode() == plan.encode(), "same inputs, same bytes"
    assert [row[0] for row in started_ops(plan)] == list(range(wait_at(plan), len(plan.ops)))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_the_properties_of_a_plan(name: str) -> None:
    """Origins, slots, actors, order, purity."""
    check(SAMPLES[name])


@pytest.mark.parametrize("name", ENTERED)
def test_the_plan_of_exec_has_the_same_properties(name: str) -> None:
    """Init's waiting apart."""
    sample = ENTERED[name]
    plan = sample.compile()
    check_origins(sample.inside, plan)
    check_slots(plan)
    assert sample.compile().encode() == plan.encode()
    assert [type(op) for op in plan.ops if op.by == INIT][-1] is ops.Exec
    kinds = [type(op) for op in plan.ops]
    before = kinds[: kinds.index(ops.Clone)]
    assert before[-1] in {ops.Conceal, ops.Join, ops.TakeRoot}, "what is cloned is concealed from its first moment"
    assert ops.Conceal in before
    assert not any(op.visible for op in plan.ops if isinstance(op, ops.TakeRoot))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(mixtures())
def test_a_mixture_has_the_properties_of_a_plan_or_is_refused(sample: Sample) -> None:
    """Origins, slots, actors, order, purity; a contradiction in it is a ConfigError."""
    try:
        sample.compile()
    except ConfigError:
        assume(False)
    check(sample)
