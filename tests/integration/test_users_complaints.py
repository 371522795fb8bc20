"""What users of other runtimes complain of, where no other test shows that it does not happen here.

docs/complaints.toml has all of it, with addresses; tests elsewhere have the same mark.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, mapping, sequence
from tests.integration.box import INSIDE, STAGES, Box, processes_with, wait_for
from tests.integration.plain import PlainBox
from tests.requires import requires

pytestmark = requires("root")

TIMES: Final = 10  # enough for what happened in two of ten runs to happen
WAITS: Final[list[Json]] = [INSIDE, "sleep", "1000"]


def shell(script: str) -> dict[str, Json]:
    """A hook that is a shell script of the host's."""
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"]}


def hook_file(directory: Path, hook: Json, *stages: str, **members: Json) -> Path:
    """A hooks.d file; `members` in the place of what is right."""
    directory.mkdir(exist_ok=True)
    path = directory / "50-vendor.json"
    right = {"version": "1.0.0", "hook": hook, "when": {"always": True}, "stages": list(stages)}
    path.write_text(json.dumps({**right, **members}))
    return path


@pytest.mark.complaint("failures/empty-error")
def test_a_hook_that_dies_of_a_signal_is_told_with_it_and_its_call_is_kept(box: Box) -> None:
    """Also where nothing is left of the container, for who has asked for that."""
    box.configure(
        {"hooks": {"createRuntime": [box.hook("createRuntime", "true"), box.hook("createRuntime", "kill", "4")]}}
    )
    kept = ("--trace-dir", f"{box.calls}/kept")
    assert box.fail(*kept, *box.creating()) == f"createRuntime hook #1 ({box.bundle.payload}): killed by SIGILL"
    shown = mapping(json.loads(box.succeed(*kept, "hooks", "--history", "--json", box.id)))
    record = mapping(sequence(shown["hooks"])[1])
    assert [record[name] for name in ("path", "args", "cwd", "outcome", "stdout", "stderr")] == [
        str(box.bundle.payload),
        ["hook", "kill", "4"],
        str(box.directory),
        "killed by SIGILL",
        "",
        "",
    ]


@pytest.mark.complaint("failures/closed-pipe")
def test_hooks_may_write_when_nobody_reads_what_the_runtime_writes(box: Box) -> None:
    """Their caller's pipe is closed at its other end; theirs is not."""
    stages = [stage for stage in STAGES if stage != "startContainer"]
    hooks: dict[str, Json] = {stage: [shell(f"echo {stage}; echo {stage} >&2")] for stage in stages}
    hooks["startContainer"] = [{"path": INSIDE, "args": ["hook", "exit", "0", "startContainer"]}]
    box.configure({"process.args": WAITS, "hooks": hooks})
    reader, writer = os.pipe()
    os.close(reader)
    kept = ("--trace-dir", f"{box.calls}/kept")
    for words in (box.creating(), ("start", box.id), ("delete", "--force", box.id)):
        call = [*box.command(*kept), *words]
        done = subprocess.run(call, check=False, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
        assert done.returncode == 0, words
    os.close(writer)
    shown = mapping(json.loads(box.succeed(*kept, "hooks", "--history", "--json", box.id)))
    told = [mapping(record) for record in sequence(shown["hooks"])]
    assert [(record["stage"], record["stderr"]) for record in told] == [(stage, f"{stage}\n") for stage in STAGES]


@pytest.mark.complaint("failures/forgotten-file")
def test_the_file_that_has_added_a_failing_hook_is_named(box: Box) -> None:
    """By create, by start, and by the warning of delete."""
    file = hook_file(box.calls / "hooks", box.hook("createRuntime", "exit", "3"), "createRuntime")
    with_dir = ("--hooks-dir", f"{box.calls}/hooks")
    box.configure({"process.args": WAITS, "hooks": {"createRuntime": [box.hook("createRuntime", "true")]}})
    where = f"({box.bundle.payload}, added by {file}): exit status 3"
    assert box.fail(*box.creating(*with_dir)) == f"createRuntime hook #1 {where}"
    hook_file(box.calls / "hooks", box.hook("poststart", "exit", "3"), "poststart", "poststop")
    box.create(*with_dir)
    done = box.call("start", box.id)
    assert done.stderr.splitlines() == [
        f"slinger: warning: poststop hook #0 {where}",
        f"slinger: poststart hook #0 {where}",
    ]


@pytest.mark.complaint("failures/forgotten-file")
def test_the_specification_that_has_added_a_failing_hook_is_named(box: Box) -> None:
    """A CDI device's hooks are hooks of the container."""
    (box.calls / "cdi").mkdir()
    file = box.calls / "cdi/v.json"
    edits = {"hooks": [{"hookName": "createContainer", **box.hook("createContainer", "exit", "3", "read-only")}]}
    spec = {"cdiVersion": "0.5.0", "kind": "v.com/c", "devices": [{"name": "d", "containerEdits": edits}]}
    file.write_text(json.dumps(spec))
    box.configure({})
    failure = box.fail(*box.creating("--cdi-spec-dir", str(file.parent), "--cdi-device", "v.com/c=d"))
    where = f"({box.bundle.payload}, added by {file})"
    assert failure == f"createContainer hook #0 {where}: exit status 3: read-only"


@pytest.mark.complaint("failures/overwritten")
@pytest.mark.parametrize("stage", ["createRuntime", "createContainer"])
def test_the_program_writes_behind_the_hooks_where_both_write_to_one_file(box: Box, stage: str) -> None:
    """Which the annotation names, and the caller's stderr is; a file that was not opened to be appended to."""
    file = box.calls / "both"
    hook = box.hook(stage, "exit", "0", "first the hook")
    box.configure(
        {
            "process.args": [INSIDE, "exit", "0", "then the program"],
            "hooks": {stage: [hook]},
            "annotations": {"run.oci.hooks.stderr": str(file)},
        }
    )
    with file.open("wb") as stderr:
        stderr.write(b"before\n")
        stderr.flush()
        done = subprocess.run(box.command(*box.running()), check=False, stdin=subprocess.DEVNULL, stderr=stderr)
    assert done.returncode == 0
    assert file.read_text().splitlines() == ["before", "first the hook", "then the program"]


MISWRITTEN: Final[dict[str, tuple[dict[str, Json], str]]] = {
    "hooks": ({"hooks": {"path": "/bin/true"}}, "hooks: unknown property (did you mean hook?)"),
    "text": ({"when": {"always": "true"}}, 'when.always: expected true or false, got "true"'),
    "capital": ({"stages": ["Poststart"]}, 'stages[0]: no such stage: "Poststart" (did you mean "poststart"?)'),
    "old": (
        {"version": "0.1.0", "cmds": [".*"], "stages": ["prestart"]},
        'version: expected "1.0.0", got "0.1.0" (the old schema 0.1.0 is not read)',
    ),
}


@pytest.mark.complaint("not run/wrong-member", "not run/old-schema")
@pytest.mark.parametrize(("members", "why"), MISWRITTEN.values(), ids=MISWRITTEN)
def test_a_miswritten_file_is_an_error_and_not_a_hook_that_never_runs(
    box: Box, members: dict[str, Json], why: str
) -> None:
    """It names file and place; lint says the same before there is a container."""
    file = hook_file(box.calls / "hooks", {"path": "/bin/true"}, "createRuntime", **members)
    assert box.fail(*box.running("--hooks-dir", str(file.parent))) == f"{file}: {why}"
    done = box.call("hooks", "lint", str(file))
    assert (done.status, done.stdout.splitlines()[-1]) == (1, f"error: {file}: {why}")


@pytest.mark.complaint("not run/pattern")
def test_an_annotation_cannot_make_create_hang_by_what_a_pattern_makes_of_it(box: Box) -> None:
    """Annotations may be anybody's; there are more ways to match this one than can be tried."""
    file = hook_file(
        box.calls / "hooks",
        box.report_hook("createRuntime"),
        "createRuntime",
        when={"annotations": {"^note$": "^(a+)+$"}},
    )
    for last, runs in (("b", 0), ("a", 1)):
        box.configure({"process.args": [INSIDE, "true"], "annotations": {"note": "a" * 10_000 + last}})
        box.succeed(*box.running("--hooks-dir", str(file.parent)))
        assert len(box.reports("createRuntime")) == runs


@pytest.mark.complaint("not run/capital")
def test_a_stage_with_a_capital_letter_is_warned_of(box: Box) -> None:
    """The container runs, as it does elsewhere; for lint it is an error."""
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"Poststart": [box.hook("poststart", "true")]}})
    said = 'hooks.Poststart: unknown property, ignored (did you mean "poststart"?)'
    done = box.call(*box.running())
    assert (done.status, done.stderr) == (0, f"slinger: warning: {said}\n")
    linted = box.call("hooks", "lint", str(box.directory))
    assert (linted.status, linted.stdout) == (1, f"error: {box.directory}/config.json: {said}\n")


@pytest.mark.complaint("not run/plain-user")
@requires("plain-userns")
def test_hooks_of_directories_run_for_a_plain_user(plain: PlainBox) -> None:
    """Which an option names, or the settings."""
    plain.configure({"process.args": [INSIDE, "true"]})
    file = hook_file(plain.calls / "hooks", plain.report_hook("createRuntime"), "createRuntime")
    settings = plain.calls / "settings.toml"
    settings.write_text(f'[hooks]\ndirs = ["{file.parent}"]\n')
    for number, words in enumerate((("--hooks-dir", str(file.parent)), ("--settings", str(settings))), start=1):
        plain.succeed(*words, *plain.running())
        assert len(plain.reports("createRuntime")) == number


@pytest.mark.complaint("poststart/short-lived")
def test_poststart_hooks_of_a_program_that_ends_at_once_run_each_time(box: Box) -> None:
    """And the container is there until it is deleted, however short its program was."""
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"poststart": [box.report_hook("poststart")]}})
    for number in range(1, TIMES + 1):
        box.create()
        pid = box.pid()
        box.start()
        told = [mapping(json.loads(str(report["stdin"]))) for report in box.reports("poststart")]
        assert [(state["status"], state["pid"]) for state in told[number - 1 :]] == [("running", pid)]
        box.wait_status("stopped")
        box.succeed("delete", box.id)


@pytest.mark.complaint("poststart/not-each-time")
def test_a_failing_poststart_hook_fails_each_time(box: Box) -> None:
    """Which reads nothing of a state that is more than a pipe holds, for a program that ends at once."""
    hooks: dict[str, Json] = {"poststart": [{"path": "/bin/false"}], "poststop": [box.report_hook("poststop")]}
    box.configure({"process.args": [INSIDE, "true"], "annotations": {"big": "x" * 100_000}, "hooks": hooks})
    for number in range(1, TIMES + 1):
        assert box.fail(*box.running()) == "poststart hook #0 (/bin/false): exit status 1"
        assert (box.left(), len(box.reports("poststop"))) == ([], number)


@pytest.mark.complaint("poststop/what-to-clean")
def test_a_note_of_a_create_runtime_hook_is_there_for_the_poststop_hook(box: Box) -> None:
    """Though another one has failed behind it: both begin in the bundle and are told the same annotations."""
    ask = shell("cat state; cat >state-at-poststop")
    hooks: dict[str, Json] = {
        "createRuntime": [shell("cat >state"), box.hook("createRuntime", "exit", "1")],
        "poststop": [ask],
    }
    box.configure({"hooks": hooks, "annotations": {"ports": "8080"}})
    box.fail(*box.creating())
    states = [json.loads((box.directory / name).read_text()) for name in ("state", "state-at-poststop")]
    assert [(state["status"], state["annotations"]) for state in states] == [
        ("creating", {"ports": "8080"}),
        ("stopped", {"ports": "8080"}),
    ]
    assert "pid" not in states[1]


@pytest.mark.complaint("places/bundle-out-of-reach")
def test_a_create_container_hook_runs_though_the_bundle_is_out_of_its_reach(mapped: Box) -> None:
    """In a user namespace whose root is nobody here; it begins in the root, and is told where that is."""
    root = mapped.bundle.rootfs.rename(mapped.calls / "elsewhere")
    changes = {"process.args": [INSIDE, "true"], "root.path": str(root)}
    mapped.configure({**changes, "hooks": {"createContainer": [shell("cat >tmp/state")]}})
    mapped.directory.chmod(0o700)
    os.chown(mapped.directory, 0, 0)
    mapped.succeed(*mapped.running())
    assert json.loads((root / "tmp/state").read_text())["root"] == str(root)


@pytest.mark.complaint("time/for-ever")
def test_a_create_that_waits_for_a_hook_can_be_seen_and_ended(box: Box) -> None:
    """By list, and by a signal; the hook has no timeout."""
    box.configure({"hooks": {"createRuntime": [box.hook("createRuntime", "sleep", "66.1135")]}})
    process, name = box.launch(*box.creating())
    wait_for(lambda: processes_with("66.1135") != [], "the hook")
    listed = [mapping(each) for each in sequence(json.loads(box.succeed("list", "--format", "json")))]
    assert [(each["id"], each["status"]) for each in listed] == [(box.id, "creating")]
    process.terminate()
    assert box.end_of(process, name).stderr == "slinger: interrupted\n"
    assert (processes_with("66.1135"), box.left()) == ([], [])


@pytest.mark.complaint("exec and restore/restore")
def test_exec_runs_no_hooks(box: Box) -> None:
    """Of no stage; what they have made is there for it."""
    hooks: dict[str, Json] = {stage: [box.report_hook(stage)] for stage in STAGES}
    hooks["createContainer"] = [box.hook("createContainer", "write", "tmp/made", "by a hook")]
    box.configure({"process.args": WAITS, "hooks": hooks})
    box.create()
    box.start()
    before = box.records()
    assert box.succeed("exec", box.id, INSIDE, "cat", "/tmp/made") == "by a hook"
    assert box.records() == before
    assert [len(box.reports(stage)) for stage in STAGES] == [1, 1, 0, 1, 1, 0]
