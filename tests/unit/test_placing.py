"""hooks/placing.py: the table of stages (lifecycle.py) turned into ops."""

from __future__ import annotations

import json

import pytest

from slinger.hooks.placing import hooks_plan, place
from slinger.hooks.recording import Setting
from slinger.lifecycle import (
    LATE_POINTS,
    POINT_AFTER_DESTROY,
    POINT_AFTER_EXEC,
    POINT_BEFORE_EXEC,
    POINT_BEFORE_PIVOT,
    POINT_RUNTIME_READY,
    STAGES,
    Stage,
)
from slinger.plan import ops
from slinger.plan.facts import Options
from slinger.plan.ops import INIT, OUTER
from slinger.spec.config import Call, Config, Hook, Hooks
from tests.unit.documents import parsed

CALLER = ("PATH=/caller", "SECRET=1")
OPTIONS = Options(container_id="box", bundle="/bundle", environment=CALLER)
SETTING = Setting(OPTIONS, "/bundle/rootfs")
POINTS = {
    "prestart": POINT_RUNTIME_READY,
    "createRuntime": POINT_RUNTIME_READY,
    "createContainer": POINT_BEFORE_PIVOT,
    "startContainer": POINT_BEFORE_EXEC,
    "poststart": POINT_AFTER_EXEC,
    "poststop": POINT_AFTER_DESTROY,
}


def config(hooks: dict[str, object], *changes: tuple[str, object]) -> Config:
    """The minimal document with hooks."""
    return parsed(("hooks", hooks), ("annotations", {"a": "b"}), *changes)


def placed(stage: str, fields: dict[str, object] | None = None, *, setting: Setting = SETTING) -> ops.Hook:
    """The op of a stage's one hook."""
    found = place(config({stage: [{"path": "/hook", **(fields or {})}]}), setting)
    (op,) = found.at(POINTS[stage])
    assert isinstance(op, ops.Hook)
    return op


def only(document: Config, point: str) -> ops.Hook:
    """The one op of a point."""
    (op,) = place(document, SETTING).at(point)
    assert isinstance(op, ops.Hook)
    return op


@pytest.mark.parametrize("stage", POINTS)
def test_a_hook_is_placed_at_the_point_of_its_stage_and_nowhere_else(stage: str) -> None:
    """With its origin."""
    found = place(config({stage: [{"path": "/hook"}]}), SETTING)
    assert [point for point, _ in found.points] == [POINTS[stage]]
    assert placed(stage).origin == f"hooks.{stage}[0]"


@pytest.mark.parametrize(
    ("stage", "by", "cwd", "fallback", "in_root", "go_on"),
    [
        ("prestart", OUTER, "/bundle", "", 0, 0),
        ("createRuntime", OUTER, "/bundle", "", 0, 0),
        ("createContainer", INIT, "", "", 1, 0),
        ("startContainer", INIT, "", "", 0, 0),
        ("poststart", OUTER, "/bundle", "", 0, 0),
        ("poststop", OUTER, "/bundle", "/", 0, 1),
    ],
)
def test_a_stage_says_who_runs_it_where_and_what_a_failure_does(
    stage: str, by: str, cwd: str, fallback: str, in_root: int, go_on: int
) -> None:
    """The table of docs/lifecycle.md, row by row."""
    op = placed(stage)
    assert (op.by, op.cwd, op.fallback_cwd, op.in_root, op.go_on) == (by, cwd, fallback, in_root, go_on)


@pytest.mark.parametrize(
    ("stage", "status", "root", "pid"),
    [
        ("prestart", "creating", True, True),
        ("createRuntime", "creating", True, True),
        ("createContainer", "creating", True, True),
        ("startContainer", "created", False, True),
        ("poststart", "running", True, True),
        ("poststop", "stopped", True, False),
    ],
)
def test_the_state_is_that_of_the_stage(stage: str, status: str, *, root: bool, pid: bool) -> None:
    """Status, bundle, annotations; the pid where there is one; the root where its path means something."""
    op = placed(stage)
    assert bool(op.state_tail) is pid
    state = json.loads(f"{op.state_head}42{op.state_tail}" if pid else op.state_head)
    expected: dict[str, object] = {
        "ociVersion": "1.3.0",
        "id": "box",
        "status": status,
        "bundle": "/bundle",
        "annotations": {"a": "b"},
    }
    expected |= {"pid": 42} if pid else {}
    expected |= {"root": "/bundle/rootfs"} if root else {}
    assert state == expected


@pytest.mark.parametrize("stage", POINTS)
def test_the_pid_of_the_host_is_filled_in_where_the_brain_knows_it(stage: str) -> None:
    """Where the hook runs outside; inside, init says its own."""
    known = placed(stage, setting=SETTING.replace(pid=77))
    if stage in {"createContainer", "startContainer"}:
        assert known == placed(stage)
    elif stage == "poststop":
        assert "pid" not in json.loads(known.state_head)
    else:
        assert json.loads(known.state_head)["pid"] == 77
        assert known.state_tail == ""


@pytest.mark.parametrize("stage", POINTS)
def test_the_environment_of_a_hook_is_its_own_if_it_has_one(stage: str) -> None:
    """``env: []`` is empty, not absent."""
    assert placed(stage, {"env": ["A=1"]}).env == ("A=1",)
    assert placed(stage, {"env": []}).env == ()
    assert placed(stage, {"env": []}).with_home == 0


@pytest.mark.parametrize(
    ("stage", "env", "with_home"),
    [
        ("prestart", CALLER, 0),
        ("createRuntime", CALLER, 0),
        ("createContainer", (), 0),
        ("startContainer", ("IMAGE=1",), 1),
        ("poststart", CALLER, 0),
        ("poststop", CALLER, 0),
    ],
)
def test_an_images_environment_reaches_no_hook_of_the_runtimes(
    stage: str, env: tuple[str, ...], with_home: int
) -> None:
    """Nor one that runs a program of the runtime's in the container's namespaces (CVE-2025-23266)."""
    document = config({stage: [{"path": "/hook"}]}, ("process.env", ["IMAGE=1"]))
    op = only(document, POINTS[stage])
    assert (op.env, op.with_home) == (env, with_home)


def test_a_start_hook_has_the_home_of_the_process() -> None:
    """Looked up only where process.env has none."""
    document = config({"startContainer": [{"path": "/hook"}]}, ("process.env", ["HOME=/h"]))
    op = only(document, POINT_BEFORE_EXEC)
    assert (op.env, op.with_home) == (("HOME=/h",), 0)


def test_a_start_hook_without_a_process_has_no_environment() -> None:
    """There is none to have."""
    document = config({"startContainer": [{"path": "/hook"}]}, ("process", ...))
    op = only(document, POINT_BEFORE_EXEC)
    assert op.env == ()


@pytest.mark.parametrize(
    ("fields", "args", "timeout"),
    [
        ({}, ("/hook",), 0),
        ({"args": ["a", "", "b c"]}, ("a", "", "b c"), 0),
        ({"timeout": 7}, ("/hook",), 7),
    ],
)
def test_arguments_are_exact_and_absent_ones_are_the_path(
    fields: dict[str, object], args: tuple[str, ...], timeout: int
) -> None:
    """Timeout in seconds, 0 for none."""
    op = placed("createRuntime", fields)
    assert (op.path, op.args, op.timeout) == ("/hook", args, timeout)


def test_hooks_of_one_point_run_in_the_order_of_the_table_and_of_their_lists() -> None:
    """prestart before createRuntime, whatever the order of the document."""
    hooks: dict[str, object] = {
        "createRuntime": [{"path": "/c"}, {"path": "/d"}],
        "prestart": [{"path": "/a"}, {"path": "/b"}],
    }
    found = place(config(hooks), SETTING).at(POINT_RUNTIME_READY)
    assert [(op.path, op.origin) for op in found if isinstance(op, ops.Hook)] == [
        ("/a", "hooks.prestart[0]"),
        ("/b", "hooks.prestart[1]"),
        ("/c", "hooks.createRuntime[0]"),
        ("/d", "hooks.createRuntime[1]"),
    ]


def test_the_plan_of_a_late_point_is_its_hooks_alone() -> None:
    """All of them run by outer."""
    hooks: dict[str, object] = {stage.name: [{"path": f"/{stage.name}"}] for stage in STAGES}
    plan = hooks_plan(config(hooks), SETTING, POINT_AFTER_EXEC)
    assert [(op.by, op.path) for op in plan.ops if isinstance(op, ops.Hook)] == [(OUTER, "/poststart")]
    assert len(plan.ops) == 1
    assert hooks_plan(config({}), SETTING, POINT_AFTER_EXEC).ops == ()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_function_is_a_gate_behind_what_init_lends_as_long_as_it_is_ours(stage: Stage) -> None:
    """In its place among the commands."""
    lists = ((stage.name, (Hook("/a"), Call("m.f", function=print), Hook("/b"))),)
    found = place(config({}).replace(hooks=Hooks(lists)), SETTING).at(stage.point)
    by = OUTER if stage.runs_in == "runtime" else INIT
    origin = f"hooks.{stage.name}[1]"
    lent = ops.Handles(origin, entered=int(stage.name == "startContainer"))
    gate = ops.Gate(origin, by=by, name=ops.GATE_CALL)
    assert found[1:-1] == ((gate,) if stage.point in LATE_POINTS else (lent, gate))
    assert [op.path for op in (found[0], found[-1]) if isinstance(op, ops.Hook)] == ["/a", "/b"]
