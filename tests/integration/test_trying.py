"""``slinger hooks test``: one stage's hooks, in a container that is thrown away; and ``hooks lint``, by the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bundles import Json, mapping, text
from tests.integration.box import INSIDE, STAGES
from tests.requires import requires

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.box import Box
    from tests.integration.plain import PlainBox

pytestmark = requires("root")

STATUS = {"startContainer": "created", "poststart": "running", "poststop": "stopped"}


def hooks_of(box: Box, **lists: Sequence[Json]) -> None:
    """A configuration whose own program would leave a file, with these hooks."""
    box.configure({"process.args": [INSIDE, "write", "/tmp/ran", "x"], "process.terminal": True, "hooks": lists})


@pytest.mark.parametrize("stage", STAGES)
def test_the_hooks_of_a_stage_run_as_those_of_a_container(box: Box, stage: str) -> None:
    """With its namespaces and its state; those of other stages, and the program, do not."""
    hooks_of(box, **{name: [box.report_hook(name)] for name in STAGES})
    words = ("hooks", "test", "--stage", stage, "--id", "tried", "--json", str(box.directory))
    (record,) = json.loads(box.succeed(*words))["hooks"]
    assert (record["stage"], record["index"], record["outcome"]) == (stage, 0, "exit status 0")
    assert record["status"] == STATUS.get(stage, "creating")
    assert bool(record["namespaces"]) == (stage in {"createContainer", "startContainer"})
    assert [len(box.reports(name)) for name in STAGES] == [int(name == stage) for name in STAGES]
    (report,) = box.reports(stage)
    state = mapping(json.loads(text(report["stdin"])))
    assert (state["id"], state["status"], state["bundle"]) == ("tried", record["status"], str(box.directory))
    assert state.get("pid") == record["pidShown"]
    assert not (box.bundle.rootfs / "tmp/ran").exists()
    assert not box.root.exists() or list(box.root.iterdir()) == []


def test_what_the_hooks_have_written_is_shown(box: Box) -> None:
    """Below the table, of each stream."""
    hooks_of(box, createRuntime=[box.hook("createRuntime", "exit", "0", "a line"), box.hook("createRuntime", "true")])
    lines = box.succeed("hooks", "test", "-s", "createRuntime", str(box.directory)).splitlines()
    assert [line.split()[:1] for line in lines[:3]] == [["hook"], ["createRuntime[0]"], ["createRuntime[1]"]]
    assert lines[3:] == ["", "createRuntime #0 stderr:", "  a line"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_failure_is_shown_and_ends_the_stage(box: Box, stage: str) -> None:
    """Except at poststop, where the others run as ever."""
    hooks: list[Json] = [box.hook(stage, "exit", status) for status in ("0", "3", "0")]
    hooks_of(box, **{stage: hooks})
    done = box.call("hooks", "test", "--stage", stage, "--json", str(box.directory))
    answer = json.loads(done.stdout)
    ends = [record["outcome"] for record in answer["hooks"]]
    last = ["exit status 0"] if stage == "poststop" else []
    assert (done.status, ends) == (1, ["exit status 0", "exit status 3", *last])
    assert answer["notRun"] == 1 - len(last)
    shown = box.call("hooks", "test", "--stage", stage, str(box.directory)).stdout
    assert ("not run: 1 of 3, behind the one that failed" in shown) == (stage != "poststop")


def test_one_hook_alone_can_be_tried(box: Box) -> None:
    """It keeps its index."""
    hooks_of(box, poststart=[box.hook("poststart", "exit", "3"), box.hook("poststart", "true")])
    words = ("hooks", "test", "--stage", "poststart", "--index", "1", "--json", str(box.directory))
    (record,) = json.loads(box.succeed(*words))["hooks"]
    assert (record["index"], record["args"]) == (1, ["hook", "true"])


def test_hooks_of_directories_are_tried_too(box: Box) -> None:
    """Behind those of the configuration."""
    hooks_of(box, createRuntime=[box.hook("createRuntime", "true")])
    (box.calls / "hooks").mkdir()
    added = {"version": "1.0.0", "hook": box.hook("createRuntime", "exit", "0", "added"), "when": {"always": True}}
    (box.calls / "hooks/a.json").write_text(json.dumps({**added, "stages": ["createRuntime"]}))
    words = ("hooks", "test", "--stage", "createRuntime", "--hooks-dir", f"{box.calls}/hooks", "--json")
    records = json.loads(box.succeed(*words, str(box.directory)))["hooks"]
    assert [record["stderr"] for record in records] == ["", "added\n"]


def test_a_container_of_the_same_bundle_is_left_alone(box: Box) -> None:
    """Its cgroup too, which the configuration may name."""
    box.configure(
        {
            "process.args": [INSIDE, "sleep", "1000"],
            "linux.cgroupsPath": f"/{box.id}-own",
            "hooks": {"poststop": [box.hook("poststop", "true")]},
        }
    )
    box.create()
    box.start()
    box.succeed("hooks", "test", "--stage", "poststop", str(box.directory))
    assert box.status() == "running"


def test_what_cannot_be_tried_is_refused(box: Box) -> None:
    """With what there is; what is wrong with the bundle is said as create says it."""
    hooks_of(box, poststop=[box.hook("poststop", "true")])
    words = ("hooks", "test", str(box.directory))
    names = "prestart, createRuntime, createContainer, startContainer, poststart, poststop"
    config = box.directory / "config.json"
    assert box.fail(*words) == f"hooks test: needs --stage (the stages are {names})"
    assert box.fail(*words, "--stage", "postStop") == (
        'hooks test: --stage: no such stage: "postStop" (did you mean poststop?)'
    )
    assert box.fail(*words, "--stage", "prestart") == f"{config}: no prestart hook (there is none)"
    assert box.fail(*words, "--stage", "poststop", "--index", "1") == (
        f"{config}: no poststop hook of index 1 (the only one is 0)"
    )
    box.configure({"mounts+": [{"destination": "/x", "type": "bind", "source": "/no/such", "options": ["bind"]}]})
    hooks = {"hooks": {"poststop": [box.hook("poststop", "true")]}}
    config.write_text(json.dumps({**json.loads(config.read_text()), **hooks}))
    assert box.fail(*words, "--stage", "poststop") == "mounts[7] (/no/such): open_tree: no such file or directory"


@requires("plain-userns", "common-python")
def test_a_plain_user_can_try_hooks(plain: PlainBox) -> None:
    """In a user namespace."""
    plain.configure({"hooks": {"startContainer": [plain.hook("startContainer", "true")]}})
    words = ("hooks", "test", "--stage", "startContainer", "--json", str(plain.directory))
    (record,) = json.loads(plain.succeed(*words))["hooks"]
    assert record["outcome"] == "exit status 0"


def test_lint_finds_in_a_bundle_what_create_would_warn_of_and_what_it_would_not(box: Box) -> None:
    """A misspelt stage, and a hook that is not in the container."""
    box.configure({"hooks": {"Poststart": [], "startContainer": [{"path": "/bin/nothing"}]}})
    done = box.call("hooks", "lint", str(box.directory))
    file = box.directory / "config.json"
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f'error: {file}: hooks.Poststart: unknown property, ignored (did you mean "poststart"?)',
        f"error: {file}: hooks.startContainer[0].path: /bin/nothing in the container: no such file or directory",
    ]
    box.configure({"hooks": {"startContainer": [box.hook("startContainer", "true")]}})
    assert box.succeed("hooks", "lint", str(box.directory)) == ""
