"""Three processes walk one plan: each op at its turn, and nobody outlives the brain while a container is made."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Final

import pytest

from slinger.plan import ops
from slinger.plan.ops import INIT, JOINER, OUTER, Op
from tests.contract.covers import fails
from tests.contract.walk import LOOK, Walk, cloned, joined, payload_hook
from tests.requires import requires

pytestmark = requires("root", "gcc")

PID: Final = 0x20000000
JOINED: Final = joined("/proc/self/ns/uts", 0x04000000)


@pytest.mark.parametrize("begin", [cloned(), cloned(PID), JOINED], ids=["clone", "pid namespace", "joiner"])
@pytest.mark.parametrize("turns", ["oi", "io", "ooiioi", "iiooiiooi", "oioioioioi", "iiiii", "ooooi"])
def test_ops_run_in_the_order_of_the_plan_whoever_does_them(
    payload: Path, tmp_path: Path, begin: tuple[Op, ...], turns: str
) -> None:
    """Hooks of outer (o) and init (i) that append to one file, in any order of turns."""
    out = tmp_path / "out"
    hooks = [
        payload_hook(payload, "hook-report", str(out), f"{at}{turn}", by=OUTER if turn == "o" else INIT)
        for at, turn in enumerate(turns)
    ]
    with Walk(*begin, *hooks) as walk:
        walk.finish()
        assert walk.failed is None
        reports = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert [report["argv"][-1] for report in reports] == [f"{at}{turn}" for at, turn in enumerate(turns)]
        assert [ran.op for ran in walk.hooks] == list(range(len(begin), len(begin) + len(turns)))
        assert walk.ended()


def test_gates_of_all_three_are_reached_in_order() -> None:
    """Each is told with the number of its op."""
    plan = (
        ops.Gate("", by=OUTER, name="a"),
        *JOINED[:1],
        ops.Gate("", by=JOINER, name="b"),
        *JOINED[1:],
        ops.Gate("", by=INIT, name="c"),
        ops.Gate("", by=OUTER, name="d"),
        ops.Gate("", by=INIT, name="e"),
    )
    with Walk(*plan) as walk:
        walk.finish()
        assert walk.gates == list("abcde")
        assert walk.ended()


@fails(ops.Gate)
@pytest.mark.parametrize("by", [OUTER, INIT])
def test_an_answer_that_is_none_ends_the_walk_and_says_where(by: str) -> None:
    """Nothing goes on without the brain; the gate is named."""
    gate = ops.Gate("linux.cgroupsPath", by=by, name="cgroup")
    with Walk(*(cloned() if by == INIT else ()), gate, ops.Session("")).reach("cgroup") as walk:
        walk.hands.channel.send(b"X")
        assert walk.error() == "linux.cgroupsPath (cgroup): recv: connection reset by peer"
        assert walk.ended()


GATED: Final = (
    ops.Gate("", by=OUTER, name="outer before"),
    *JOINED[:1],
    ops.Gate("", by=JOINER, name="joiner"),
    *JOINED[1:],
    ops.Gate("", name="init"),
    ops.Gate("", by=OUTER, name="outer after"),
    ops.Session(""),
    ops.Gate("", name="session"),
    ops.SetUser("", uid=1000, gid=1000),
    ops.Gate("", name="user"),
    ops.Capabilities(""),
    ops.Gate("", name="capabilities"),
)


@pytest.mark.parametrize("mode", ["detach", "supervise"])
@pytest.mark.parametrize("name", [op.name for op in GATED if isinstance(op, ops.Gate)])
def test_when_the_brain_dies_at_a_gate_all_processes_end(name: str, mode: str) -> None:
    """Its channel closes with it; also after changes of ids, which make the kernel forget PR_SET_PDEATHSIG."""
    with Walk(*GATED, mode=mode).reach(name) as walk:
        walk.hands.channel.close()
        assert walk.ended(3)


@pytest.mark.parametrize("name", [op.name for op in GATED if isinstance(op, ops.Gate) and op.by == INIT])
def test_when_outer_is_killed_at_a_gate_init_ends(name: str) -> None:
    """As the out-of-memory killer might."""
    with Walk(*GATED).reach(name) as walk:
        os.kill(walk.hands.pid, 9)
        assert walk.ended(3)


@pytest.mark.parametrize("name", [op.name for op in GATED if isinstance(op, ops.Gate) and op.by == INIT])
def test_when_init_is_killed_at_a_gate_outer_ends(name: str) -> None:
    """And the brain sees the end of its channel."""
    with Walk(*GATED).reach(name) as walk:
        os.kill(walk.pid, 9)
        assert walk.receive() is None
        assert walk.ended(3)


@pytest.mark.parametrize("name", [op.name for op in GATED if isinstance(op, ops.Gate) and op.by == INIT])
def test_a_killed_init_is_collected_before_outer_ends(name: str) -> None:
    """A caller that adopts orphans would get a zombie, which holds up the end of the pid namespace it is in."""
    with Walk(*GATED).reach(name) as walk:
        os.kill(walk.pid, 9)
        walk.hands.reap()
        assert not Path(f"/proc/{walk.pid}").exists()


@pytest.mark.parametrize("by", [OUTER, INIT])
def test_when_the_brain_dies_while_a_hook_runs_the_hook_ends_too(payload: Path, tmp_path: Path, by: str) -> None:
    """It would else run on with nobody to time it."""
    mark = tmp_path / "pid"
    script = tmp_path / "hook"
    script.write_text(
        f"#!/bin/sh\necho $$ > {mark}.new; mv {mark}.new {mark}; exec {payload} sleep 60\n", encoding="ascii"
    )
    script.chmod(0o755)
    hook = ops.Hook("hooks.createRuntime[0]", by=by, path=str(script), args=("hook",), env=("PATH=/bin:/usr/bin",))
    with Walk(*cloned(), ops.Gate("", name="before"), hook, LOOK).reach("before") as walk:
        walk.hands.go()
        wait_for(mark)
        pid = int(mark.read_text(encoding="ascii"))
        walk.hands.channel.close()
        assert walk.ended(3)
        wait_for_end(pid)


def wait_for(path: Path) -> None:
    """The test fails if the file does not appear."""
    end = time.monotonic() + 5
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not appear"
        time.sleep(0.005)


def wait_for_end(pid: int) -> None:
    """The test fails if the process lives on; an orphan that became a zombie of ours has ended."""
    end = time.monotonic() + 5
    while True:
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        assert time.monotonic() < end, f"process {pid} lives on"
        time.sleep(0.005)


def test_an_op_of_nobody_hangs_no_longer_than_the_brain_wants() -> None:
    """The joiner is gone after its clone, so its turn never comes; the compiler makes no such plan."""
    with Walk(*cloned(), ops.Session("", by=JOINER), LOOK) as walk:
        walk.receive()
        walk.hands.channel.close()
        assert walk.ended(3)


def test_a_plan_without_init_is_outers_alone(payload: Path) -> None:
    """As for the hooks after the container's own plan: the hands end with its last op."""
    hook = payload_hook(payload, "true", by=OUTER)
    with Walk(hook, hook) as walk:
        walk.finish()
        assert [ran.op for ran in walk.hooks] == [0, 1]
        assert walk.ended()
