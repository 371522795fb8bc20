"""When ops began and ended: kept by the three processes in one place, told by one of them."""

from __future__ import annotations

import time
from pathlib import Path

from slinger.linux.flags import CLONE_NEWTIME
from slinger.plan import ops
from slinger.plan.ops import OUTER, Op
from slinger.plan.wire import HOW_EXIT
from tests.contract.covers import works
from tests.contract.walk import Walk, cloned, joined, payload_hook
from tests.requires import requires

pytestmark = requires("root", "gcc")

KEEP = ops.KeepTimes("", by=OUTER)
TELL = ops.TellTimes("")
OPTIONS = 0x20000000  # CLONE_NEWPID


def times_of(walk: Walk) -> list[tuple[int, int]]:
    """(began, ended) for each op of the plan."""
    numbers = [int.from_bytes(walk.times[at : at + 8], "little", signed=True) for at in range(0, len(walk.times), 8)]
    assert len(numbers) == 2 * len(walk.plan)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def told(*plan: Op) -> list[tuple[int, int]]:
    """What is told at the end of a plan, which goes well."""
    with Walk(*plan) as walk:
        walk.finish()
        assert walk.failed is None, walk.error()
        return times_of(walk)


def in_order(times: list[tuple[int, int]], before: int, after: int) -> bool:
    """Each op ends after it began, and the next begins after that; all of it between two moments."""
    moments = [before, *(moment for pair in times for moment in pair), after]
    return moments == sorted(moments)


@works(ops.KeepTimes, ops.TellTimes)
def test_the_times_of_all_processes_are_told_on_one_clock(payload: Path) -> None:
    """Of outer, whose CLOCK_MONOTONIC is ours. The first op has no beginning, and the last no end yet.

    From a clone outer comes back while init begins, so its end is between two others.
    """
    hook = payload_hook(payload, "sleep", "0.01")
    before = time.monotonic_ns()
    times = told(KEEP, *cloned(OPTIONS), ops.Session("process"), hook, TELL)
    after = time.monotonic_ns()
    (no_beginning, kept), clone, *middle, (telling, no_end) = times
    assert (no_beginning, no_end) == (0, 0)
    assert in_order([(before, kept), (clone[0], clone[0]), *middle, (telling, after)], before, after)
    assert clone[0] < clone[1] < after
    assert middle[-1][1] - middle[-1][0] >= 10_000_000, "the hook slept that long"


@works(ops.KeepTimes)
def test_a_joiner_writes_into_the_same_place() -> None:
    """Its ops are between those of outer and init."""
    before = time.monotonic_ns()
    times = told(KEEP, *joined("/proc/self/ns/uts", 0x4000000), ops.Session("process"), TELL)
    began = [pair[0] for pair in times[1:]]
    assert began == sorted(began)
    assert before < began[0]


@works(ops.KeepTimes)
def test_a_time_namespace_does_not_shift_what_is_told() -> None:
    """Init's own clock is a day ahead there."""
    before = time.monotonic_ns()
    times = told(
        KEEP,
        *cloned(OPTIONS),
        ops.Unshare("linux.namespaces", flags=CLONE_NEWTIME),
        ops.TimeOffsets("linux.timeOffsets", text="monotonic 86400 5\n"),
        ops.Join("linux.namespaces", path="/proc/self/ns/time_for_children", flag=CLONE_NEWTIME),
        ops.Session("process"),
        TELL,
    )
    after = time.monotonic_ns()
    session = times[-2]
    assert before < session[0] <= session[1] < after


@works(ops.TellTimes)
def test_a_failure_tells_the_times_until_it() -> None:
    """Nobody has to ask; what did not come has none."""
    with Walk(KEEP, *cloned(OPTIONS), ops.Unshare("", flags=1), ops.Session("process"), TELL) as walk:
        walk.finish()
        assert walk.failed is not None
        times = times_of(walk)
    assert 0 < times[2][0] <= times[2][1]
    assert times[3:] == [(0, 0), (0, 0)]


@works(ops.TellTimes)
def test_nobody_who_did_not_ask_is_told_anything() -> None:
    """Not even of a failure."""
    with Walk(*cloned(OPTIONS), ops.Unshare("", flags=1)) as walk:
        walk.finish()
        assert (walk.failed is not None, walk.times) == (True, b"")


def test_a_hook_tells_the_capabilities_that_its_program_had() -> None:
    """Of the process after its exec: what the bounding set leaves of root's, and none of a user."""
    bounded = ops.Bounding("", mask=0x21)
    hook = payload_hook(Path("/usr/bin/true"))
    with Walk(*cloned(OPTIONS), bounded, hook, ops.SetUser("", uid=1000, gid=1000), hook) as walk:
        walk.finish()
        assert [(ran.how, ran.capabilities) for ran in walk.hooks] == [(HOW_EXIT, 0x21), (HOW_EXIT, 0)]


def test_after_the_announcement_nobody_looks_at_a_clock() -> None:
    """Where the clock is a system call, a filter may forbid it: a failure after that tells no times any more."""
    with Walk(KEEP, *cloned(OPTIONS), TELL, ops.Announce(""), ops.Unshare("", flags=1)) as walk:
        walk.finish()
        assert (walk.executing, walk.failed is not None) == (True, True)
        assert times_of(walk)[-2:] == [(0, 0), (0, 0)]
