"""``slinger hooks``: what it shows of real containers, whose program and hooks are the payload."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.chrome_rules import imported
from tests.integration.box import INSIDE, STAGES, USER_NAMESPACE
from tests.requires import requires

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.bundles import Json
    from tests.integration.box import Box
    from tests.integration.plain import PlainBox

pytestmark = requires("root")

LATE = ("poststart", "poststop")


def hooked(box: Box, more: Mapping[str, Json] | None = None) -> None:
    """A container with a hook for each stage, and limits."""
    hooks: Json = {stage: [box.hook(stage, "exit", "0", f"said by {stage}")] for stage in STAGES}
    box.configure({"hooks": hooks, "linux.resources.memory": {"limit": 64 << 20}, **(more or {})})


def shown(box: Box, *words: str) -> Any:
    """What --json prints."""
    return json.loads(box.succeed("hooks", "--json", *words, box.id))


def outcomes(data: Any) -> list[tuple[str, str]]:
    """Stage and outcome of each run."""
    return [(each["stage"], each["outcome"]) for each in data["hooks"]]


def in_order(data: Any) -> bool:
    """Steps are sorted, last no time below zero, and those of the hands follow each other.

    But for clone and fork, from which outer comes back while init begins.
    """
    starts = [step["started"] for step in data["steps"]]
    hands = [
        step for step in data["steps"] if step["lane"] in {"outer", "init"} and step["name"] not in {"clone", "fork"}
    ]
    ends = [step["started"] + step["duration"] for step in hands]
    following = all(start["started"] >= end for start, end in zip(hands[1:], ends, strict=False))
    return starts == sorted(starts) and all(step["duration"] >= 0 for step in data["steps"]) and following


@pytest.mark.complaint("time/how-long")
@pytest.mark.parametrize("more", [{}, USER_NAMESPACE], ids=["root", "user namespace"])
def test_the_whole_way_of_a_running_container_is_shown(box: Box, mapped: Box, more: dict[str, Json]) -> None:
    """Parse, compile, cgroup, namespaces, mounts, gates, hooks, exec: on one clock, in order."""
    box = mapped if more else box
    hooked(box)
    box.succeed("create", "--bundle", str(box.directory), box.id)
    box.succeed("start", box.id)
    data = shown(box)
    assert outcomes(data) == [(stage, "exit status 0") for stage in STAGES if stage != "poststop"]
    categories = {step["category"] for step in data["steps"]}
    assert categories == {
        *("launch", "parse", "compile", "cgroup", "namespaces", "mounts", "process", "gate", "hook", "exec"),
    }
    assert {step["verb"] for step in data["steps"]} == {"create", "start"}
    names = [step["name"] for step in data["steps"]]
    assert [name for name in names if name in {"clone", "pivot", "createContainer[0]", "find program"}] == [
        "clone", "createContainer[0]", "pivot", "find program",
    ]  # fmt: skip
    assert in_order(data)
    assert json.loads(box.succeed("hooks", "show", "--json", box.id)) == data


def test_the_timeline_is_right_in_a_time_namespace(box: Box) -> None:
    """Where init's clock is a day ahead of ours."""
    hooked(
        box,
        {
            "linux.namespaces+": [{"type": "time"}],
            "linux.timeOffsets": {"monotonic": {"secs": 86_400, "nanosecs": 0}},
        },
    )
    box.succeed("create", "--bundle", str(box.directory), box.id)
    box.succeed("start", box.id)
    data = shown(box)
    assert in_order(data)
    assert data["steps"][-1]["started"] - data["steps"][0]["started"] < 30 * 10**9


def test_a_strict_filter_sees_no_look_at_a_clock(box: Box) -> None:
    """Nothing but the exec comes after the filter, times or not."""
    hooked(
        box,
        {
            "process.args": [INSIDE, "true"],
            "linux.seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": ["clock_gettime", "gettimeofday"], "action": "SCMP_ACT_KILL_PROCESS"}],
            },
        },
    )
    box.succeed(*box.running())


def test_what_is_deleted_can_be_shown_where_it_was_kept(box: Box, tmp_path: Path) -> None:
    """With the poststop hooks; each life of an id for itself. Only create must be told where."""
    kept = str(tmp_path / "kept")
    hooked(box, {"process.args": [INSIDE, "true"]})
    for _ in range(2):
        box.succeed("--trace-dir", kept, "create", "--bundle", str(box.directory), box.id)
        box.succeed("start", box.id)
        box.wait_status("stopped")
        box.succeed("delete", box.id)
    data = shown(box, "--trace-dir", kept, "--history")
    assert outcomes(data) == [(stage, "exit status 0") for stage in STAGES]
    assert [step["verb"] for step in data["steps"] if step["name"] == "load slinger"] == ["create", "start", "delete"]
    assert {"the cgroup", "poststop hooks"} <= {step["name"] for step in data["steps"]}
    older = shown(box, "--trace-dir", kept, "--history", "--life", "2")
    assert older["ended"] < data["ended"]
    listed = box.succeed("--trace-dir", kept, "hooks", "--history").splitlines()
    assert [line.split()[:2] for line in listed] == [["ID", "LIFE"], [box.id, "1"], [box.id, "2"]]


def test_a_run_is_kept_as_well(box: Box, tmp_path: Path) -> None:
    """By the environment this time."""
    hooked(box, {"process.args": [INSIDE, "true"]})
    environment = {"SLINGER_TRACE_DIR": str(tmp_path / "kept")}
    box.succeed(*box.running(), env=environment)
    data = json.loads(box.succeed("hooks", "--json", "--history", box.id, env=environment))
    assert outcomes(data) == [(stage, "exit status 0") for stage in STAGES]


def test_a_create_that_failed_is_kept_with_its_error(box: Box, tmp_path: Path) -> None:
    """The hook that failed and the poststop hooks after it; the times of the ops until then."""
    kept = str(tmp_path / "kept")
    hooks: Json = {
        "createRuntime": [box.hook("createRuntime", "exit", "3", "no network")],
        "poststop": [box.hook("poststop", "exit", "0")],
    }
    box.configure({"hooks": hooks})
    path = str(box.bundle.payload)
    done = box.call("--trace-dir", kept, "create", "--bundle", str(box.directory), box.id)
    message = f"createRuntime hook #0 ({path}): exit status 3: no network"
    assert (done.status, done.stderr) == (1, f"slinger: {message}\n")
    data = shown(box, "--trace-dir", kept, "--history")
    assert data["errors"] == [{"verb": "create", "message": message}]
    assert outcomes(data) == [("createRuntime", "exit status 3"), ("poststop", "exit status 0")]
    assert {"clone", "mount new"} <= {step["name"] for step in data["steps"]}
    assert "pivot" not in {step["name"] for step in data["steps"]}


def test_a_start_that_failed_is_kept_with_its_error(box: Box, tmp_path: Path) -> None:
    """And with what create did before."""
    kept = str(tmp_path / "kept")
    box.configure({"hooks": {"startContainer": [box.hook("startContainer", "exit", "4")]}})
    box.succeed("--trace-dir", kept, "create", "--bundle", str(box.directory), box.id)
    message = f"startContainer hook #0 ({INSIDE}): exit status 4"
    assert box.fail("start", box.id) == message
    data = shown(box, "--trace-dir", kept, "--history")
    assert data["errors"] == [{"verb": "start", "message": message}]
    assert {step["verb"] for step in data["steps"]} == {"create", "start", "delete"}


def test_a_trace_directory_that_cannot_be_written_costs_no_container(box: Box, tmp_path: Path) -> None:
    """It is deleted, with a warning."""
    (tmp_path / "kept").touch()
    box.configure({"process.args": [INSIDE, "true"]})
    done = box.call("--trace-dir", str(tmp_path / "kept"), *box.running())
    assert (done.status, done.stderr) == (
        0,
        f"slinger: warning: the trace directory '{tmp_path}/kept/{box.id}': not a directory\n",
    )


def test_the_other_formats_are_printed(box: Box) -> None:
    """Each is looked at in its own tests; here it comes from a real container."""
    hooked(box)
    box.succeed("create", "--bundle", str(box.directory), box.id)
    drawn = box.succeed("hooks", box.id)
    assert drawn.startswith("hook ")
    assert "said by createContainer" in drawn
    assert box.succeed("hooks", "--html", box.id).startswith("<!DOCTYPE html>")
    assert "traceEvents" in json.loads(box.succeed("hooks", "--chrome-trace", box.id))


def test_the_chrome_trace_of_a_whole_life_is_what_its_readers_take(box: Box, tmp_path: Path) -> None:
    """Every step of slinger, its helpers and the hooks of six stages, each where it happened."""
    hooked(box)
    kept = ("--trace-dir", str(tmp_path / "kept"))
    box.succeed(*kept, *box.running())
    steps = json.loads(box.succeed(*kept, "hooks", "--history", "--json", box.id))["steps"]
    threads = imported(json.loads(box.succeed(*kept, "hooks", "--history", "--chrome-trace", box.id)))
    began = min(step["started"] for step in steps)
    for lane, slices in threads.items():
        times = sorted((step["started"] - began, step["duration"]) for step in steps if step["lane"] == lane)
        assert sorted((each.began, each.ended - each.began) for each in slices) == times
    assert len(threads["hook"]) == len(STAGES)
    assert sum(map(len, threads.values())) == len(steps)


def test_a_plain_users_container_has_a_timeline(plain: PlainBox) -> None:
    """In a user namespace, without privilege."""
    plain.succeed("create", "--bundle", str(plain.directory), plain.id)
    data = json.loads(plain.succeed("hooks", "--json", plain.id))
    assert in_order(data)
    assert {"clone", "take root", "pivot"} <= {step["name"] for step in data["steps"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["hooks", "nobody"],
            "container does not exist (slinger list has what is there, hooks --history what is gone)",
        ),
        (["hooks"], "hooks: takes ID, got nothing (--history lists the containers that are gone)"),
        (["hooks", "--json", "--html", "x"], "hooks: --json and --html cannot both be printed"),
        (["hooks", "--life", "2", "x"], "hooks --life: needs --history"),
        (
            ["hooks", "--history", "x"],
            (
                "hooks --history: no trace directory is known (--trace-dir DIR, $SLINGER_TRACE_DIR, or [trace] in the "
                "settings)"
            ),
        ),
        (["--trace-dir", "/none", "hooks", "--history", "x"], "nothing was kept of a container x in /none"),
        (["--trace-dir", "/", "hooks", "--history", "--html"], "hooks --html: takes ID, got nothing"),
    ],
)
def test_what_cannot_be_shown_is_an_error(box: Box, words: list[str], message: str) -> None:
    """In one line."""
    assert box.fail(*words) == message
