"""Hooks as they see themselves: every cell of docs/lifecycle.md, told by the payload from inside the hook.

One container with four hooks a stage (as they come, with an empty environment, with their own, without args) answers
most tests; what a failing hook does is in test_hook_failures.py.
"""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from slinger.linux.capabilities import mask
from tests.bundles import CAPABILITIES as GRANTED
from tests.bundles import Json, base_config, make_bundle, mapping, sequence, text
from tests.integration.box import INSIDE, STAGES, Box, namespaces_of, processes_with, wait_for
from tests.requires import requires

pytestmark = requires("root")

ANNOTATIONS: Final = {"org.example.key": "wörth", "empty": ""}
OWN: Final = frozenset({"ipc", "mnt", "net", "pid", "pid_for_children", "uts"})
STDIO: Final = {"0": "r", "1": "w", "2": "w"}
CAPABILITIES: Final = {"CAP_KILL": 5, "CAP_NET_BIND_SERVICE": 10}
IMAGE: Final = "LD_PRELOAD=/proc/self/cwd/evil.so"
PROCESS: Final[dict[str, Json]] = {
    "process.user": {"uid": 1000, "gid": 1000, "additionalGids": [5], "umask": 0o027},
    "process.cwd": "/home/user",
    "process.args": [INSIDE, "sleep", "1000"],
    "process.env": ["PATH=/bin", IMAGE],
    "process.capabilities": {kind: list(CAPABILITIES) for kind in ("bounding", "effective", "permitted")},
    "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 500, "hard": 600}],
}


@dataclass(frozen=True)
class Row:
    """What the table says of a stage; `env`: what an absent one becomes."""

    stage: str
    inside: bool
    cwd: str
    status: str
    pid: str
    root: bool
    env: tuple[str, ...]


# fmt: off
TABLE: Final = (
    Row("prestart",        False, "@BUNDLE@",  "creating", "host",   True,  ("CALLER=create", "PATH=/bin")),
    Row("createRuntime",   False, "@BUNDLE@",  "creating", "host",   True,  ("CALLER=create", "PATH=/bin")),
    Row("createContainer", True,  "@ROOT@",    "creating", "inside", True,  ()),
    Row("startContainer",  True,  "/home/user", "created", "inside", False, ("HOME=/home/user", IMAGE, "PATH=/bin")),
    Row("poststart",       False, "@BUNDLE@",  "running",  "host",   True,  ("CALLER=start", "PATH=/bin")),
    Row("poststop",        False, "@BUNDLE@",  "stopped",  "absent", True,  ("CALLER=delete", "PATH=/bin")),
)
# fmt: on
EVERY_ROW: Final = pytest.mark.parametrize("row", TABLE, ids=STAGES)
OUTSIDE: Final = tuple(row for row in TABLE if row.stage != "startContainer")


@dataclass(frozen=True)
class Told:
    """What there is to compare with, after the container is gone."""

    box: Box
    pid: int
    namespaces: Mapping[str, str]
    reports: Mapping[str, list[Mapping[str, Json]]]
    rootfs: str


def hooks_of(box: Box, stage: str) -> list[Json]:
    """The four hooks of a stage; each writes another report."""
    named = box.report_hook(stage, f"{stage}-3")
    unnamed = {"path": named["path"], "env": [f"HOOK_REPORT={box.report_file(stage, f'{stage}-3')}"]}
    return [
        box.report_hook(stage, f"{stage}-0"),
        box.report_hook(stage, f"{stage}-1", env=[]),
        box.report_hook(stage, f"{stage}-2", env=["ONE=1", "TWO="]),
        unnamed,
    ]


@pytest.fixture(scope="module")
def told(slinger: str, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A container from create to delete, each verb with an environment of its own."""
    bundle = make_bundle(tmp_path_factory.mktemp("hooks") / "bundle", base_config())
    box = Box(slinger, tmp_path_factory.mktemp("root"), bundle)
    box.configure(
        {**PROCESS, "annotations": ANNOTATIONS, "hooks": {stage: hooks_of(box, stage) for stage in reversed(STAGES)}}
    )
    created = box.creating("--pid-file", str(box.calls / "pid"), "--preserve-fds", "2")
    done = box.call(*created, env={"PATH": "/bin", "CALLER": "create"}, open_fds=2)
    assert (done.status, done.stderr) == (0, "")
    pid = int((box.calls / "pid").read_text())
    namespaces = namespaces_of(pid)
    box.succeed("start", box.id, env={"PATH": "/bin", "CALLER": "start"})
    box.succeed("kill", box.id, "KILL")
    box.wait_status("stopped")
    box.succeed("delete", box.id, env={"PATH": "/bin", "CALLER": "delete"})
    assert box.left() == []
    reports = {stage: [report for n in range(4) for report in box.reports(f"{stage}-{n}")] for stage in STAGES}
    return Told(box, pid, namespaces, reports, str(bundle.rootfs))


@pytest.mark.complaint("not run/stage-skipped", "not run/renamed")
@pytest.mark.spec(
    "runtime.md#lifecycle/prestart",
    "runtime.md#lifecycle/create-runtime",
    "runtime.md#lifecycle/create-container",
    "runtime.md#lifecycle/start-container",
    "runtime.md#lifecycle/poststart",
    "runtime.md#lifecycle/poststop",
    "features.md#hooks/supported",
)
@EVERY_ROW
def test_every_hook_of_a_stage_runs_once(told: Told, row: Row) -> None:
    """All four have reported."""
    assert [len(told.box.reports(f"{row.stage}-{n}")) for n in range(4)] == [1, 1, 1, 1]


@pytest.mark.complaint("poststart/order")
@pytest.mark.spec(
    "config.md#posix-platform-hooks/order",
    "config.md#prestart/before",
    "config.md#createcontainer-hooks/after",
)
def test_hooks_run_one_after_another_in_the_order_of_the_lifecycle(told: Told) -> None:
    """Stages in the order of the table whatever that in the file, hooks of a stage in the order of their list."""
    times = [report["monotonic"] for stage in STAGES for report in told.reports[stage]]
    assert times == sorted(times, key=str)
    assert len(times) == 4 * len(STAGES)


@pytest.mark.complaint("places/on-the-host")
@pytest.mark.spec("config.md#posix-platform-hooks/in-*")
@EVERY_ROW
def test_a_hook_runs_in_the_namespaces_of_its_stage(told: Told, row: Row) -> None:
    """All of the runtime's, or all of the container's."""
    expected = told.namespaces if row.inside else namespaces_of()
    assert [report["namespaces"] for report in told.reports[row.stage]] == [expected] * 4
    assert {name for name, identity in namespaces_of().items() if expected[name] != identity} == (
        OWN if row.inside else set()
    )


@pytest.mark.spec(
    "config.md#posix-platform-hooks/path-prestart",
    "config.md#posix-platform-hooks/path-create-runtime",
    "config.md#posix-platform-hooks/path-create-container",
    "config.md#posix-platform-hooks/path-start-container",
    "config.md#posix-platform-hooks/path-poststart",
    "config.md#posix-platform-hooks/path-poststop",
)
@EVERY_ROW
def test_the_path_is_resolved_in_the_runtime_or_in_the_container(told: Told, row: Row) -> None:
    """Which directory is / for the hook: the host's up to the pivot, the container's after it."""
    info = os.stat(told.rootfs if row.stage == "startContainer" else "/")
    assert {text(report["root"]) for report in told.reports[row.stage]} == {f"{info.st_dev}:{info.st_ino}"}


@EVERY_ROW
def test_the_working_directory_is_the_one_of_the_stage(told: Told, row: Row) -> None:
    """Bundle, root of the container, or process.cwd."""
    expected = row.cwd.replace("@BUNDLE@", str(told.box.directory)).replace("@ROOT@", told.rootfs)
    assert {text(report["cwd"]) for report in told.reports[row.stage]} == {expected}


@EVERY_ROW
def test_args_are_the_argument_vector_and_absent_ones_are_the_path(told: Told, row: Row) -> None:
    """argv[0] too is what args says."""
    words = [report["words"] for report in told.reports[row.stage]]
    path = INSIDE if row.stage == "startContainer" else str(told.box.bundle.payload)
    given = [["hook", "hook-report", told.box.report_file(row.stage, f"{row.stage}-{n}")] for n in range(3)]
    assert words == [*given, [path]]


@pytest.mark.complaint("environment/empty")
@EVERY_ROW
def test_the_environment_is_given_or_empty_or_the_stages_default(told: Told, row: Row) -> None:
    """The image's never reaches a hook outside the container (CVE-2025-23266); an empty list is empty everywhere."""
    envs = [sorted(map(text, sequence(report["env"]))) for report in told.reports[row.stage]]
    file = told.box.report_file(row.stage, f"{row.stage}-3")
    assert envs == [sorted(row.env), [], ["ONE=1", "TWO="], [f"HOOK_REPORT={file}"]]


@pytest.mark.complaint("state/fields")
@pytest.mark.spec("config.md#posix-platform-hooks/state", "runtime.md#state/pid")
@EVERY_ROW
def test_the_state_is_the_whole_state_of_the_specification(told: Told, row: Row) -> None:
    """No field more but root, none less; the pid as the reader of the state sees it."""
    pid = {"host": {"pid": told.pid}, "inside": {"pid": 1}, "absent": {}}[row.pid]
    expected = {
        "ociVersion": "1.3.0",
        "id": told.box.id,
        "status": row.status,
        **pid,
        "bundle": str(told.box.directory),
        "annotations": ANNOTATIONS,
        **({"root": told.rootfs} if row.root else {}),
    }
    assert [json.loads(text(report["stdin"])) for report in told.reports[row.stage]] == [expected] * 4


@EVERY_ROW
def test_a_hook_is_a_process_group_of_its_own(told: Told, row: Row) -> None:
    """So that a timeout can kill all of it."""
    assert [report["pgid"] for report in told.reports[row.stage]] == [
        report["pid"] for report in told.reports[row.stage]
    ]


@EVERY_ROW
def test_a_hook_has_three_descriptors_and_no_more(told: Told, row: Row) -> None:
    """Pipes of its own; neither the runtime's nor what --preserve-fds keeps for the program."""
    for report in told.reports[row.stage]:
        descriptors = mapping(report["descriptors"])
        assert {fd: mapping(entry)["access"] for fd, entry in descriptors.items()} == STDIO
        assert report["stdio"] == ["fifo"] * 3


@EVERY_ROW
def test_a_hook_begins_with_no_signal_blocked_or_ignored(told: Told, row: Row) -> None:
    """What the runtime does for itself is not inherited."""
    none = "0" * 16
    for report in told.reports[row.stage]:
        assert (report["signalsBlocked"], report["signalsIgnored"]) == (none, none)


@pytest.mark.parametrize("row", OUTSIDE, ids=[row.stage for row in OUTSIDE])
def test_a_hook_before_the_pivot_has_the_privileges_of_the_caller(told: Told, row: Row) -> None:
    """Ids, capabilities, limits, umask: the runtime's, even where it runs in the container's namespaces."""
    status = Path("/proc/self/status").read_text()
    own = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    umask = next(line.split()[1] for line in status.splitlines() if line.startswith("Umask"))
    for report in told.reports[row.stage]:
        assert (report["uid"], report["gid"]) == ([0] * 4, [0] * 4)
        assert mapping(report["capabilities"])["effective"] == own
        assert mapping(report["rlimits"])["NOFILE"] == [*resource.getrlimit(resource.RLIMIT_NOFILE)]
        assert report["umask"] == umask
        assert report["noNewPrivileges"] == 0


def test_a_start_container_hook_has_the_users_ids_and_limits_and_no_more_capabilities(told: Told) -> None:
    """As the program: a user that is not root has an empty permitted set after an exec."""
    mask = f"{sum(1 << bit for bit in CAPABILITIES.values()):016x}"
    for report in told.reports["startContainer"]:
        assert (report["uid"], report["gid"], report["groups"]) == ([1000] * 4, [1000] * 4, [5])
        none = dict.fromkeys(("effective", "permitted", "inheritable", "ambient"), "0" * 16)
        assert report["capabilities"] == {**none, "bounding": mask}
        assert mapping(report["rlimits"])["NOFILE"] == [500, 600]
        assert report["umask"] == "0027"
        assert report["noNewPrivileges"] == 1


def test_a_start_container_hook_of_root_has_the_capabilities_of_the_process(box: Box) -> None:
    """The sets of config.json, not the runtime's."""
    sets: Json = {kind: ["CAP_KILL"] for kind in ("bounding", "effective", "permitted")}
    hooks: dict[str, Json] = {"startContainer": [box.report_hook("startContainer")]}
    box.configure({"process.args": [INSIDE, "true"], "process.capabilities": sets, "hooks": hooks})
    box.succeed(*box.running())
    kill = f"{1 << CAPABILITIES['CAP_KILL']:016x}"
    none = dict.fromkeys(("inheritable", "ambient"), "0" * 16)
    (report,) = box.reports("startContainer")
    assert report["capabilities"] == {**dict.fromkeys(("effective", "permitted", "bounding"), kill), **none}


def test_without_a_pid_namespace_the_pid_inside_is_the_pid_outside(box: Box) -> None:
    """The container sees its init by the host's pid; a state without annotations has none."""
    stages = ("createContainer", "startContainer")
    namespaces = [{"type": kind} for kind in ("mount", "uts")]
    box.configure(
        {"linux.namespaces": namespaces, "hooks": {stage: [box.report_hook(stage)] for stage in stages}, "mounts": []}
    )
    box.create()
    pid = box.pid()
    box.start()
    for stage, status, root in (("createContainer", "creating", True), ("startContainer", "created", False)):
        (report,) = box.reports(stage)
        expected: dict[str, Json] = {
            "ociVersion": "1.3.0",
            "id": box.id,
            "status": status,
            "pid": pid,
            "bundle": str(box.directory),
            "annotations": {},
            **({"root": str(box.bundle.rootfs)} if root else {}),
        }
        assert json.loads(text(report["stdin"])) == expected


@pytest.mark.complaint("failures/wrapper", "failures/output-lost")
def test_every_hook_leaves_a_record(box: Box) -> None:
    """In the state directory, a line each, until delete."""
    box.configure(
        {
            "process.args": [INSIDE, "true"],
            "hooks": {stage: [box.hook(stage, "exit", "0", f"said by {stage}")] for stage in STAGES},
        }
    )
    box.succeed(*box.running("--keep", "--pid-file", str(box.calls / "pid")))
    pid = int((box.calls / "pid").read_text())
    place = {"createContainer": str(box.bundle.rootfs), "startContainer": ""}
    shown = {"createContainer": 1, "startContainer": 1}
    expected: list[dict[str, Json]] = [
        {
            "stage": row.stage,
            "index": 0,
            "path": INSIDE if row.stage == "startContainer" else str(box.bundle.payload),
            "args": ["hook", "exit", "0", f"said by {row.stage}"],
            "cwd": place.get(row.stage, str(box.directory)),
            "namespaces": ["mnt", "pid", "net", "ipc", "uts"] if row.inside else [],
            "status": row.status,
            "pidShown": shown.get(row.stage, pid),
            "outcome": "exit status 0",
            "exitStatus": 0,
            "stdout": "",
            "stderr": f"said by {row.stage}\n",
            "stdoutSize": 0,
            "stderrSize": len(f"said by {row.stage}\n"),
        }
        for row in TABLE[:-1]
    ]
    ours = Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0]
    capabilities = {**dict.fromkeys(STAGES, int(ours, 16)), "startContainer": mask(tuple(GRANTED))[0]}
    records = [dict(record) for record in box.records()]
    for record in records:
        pid_of_hook, started, duration = (record.pop(name) for name in ("pid", "started", "duration"))
        # Of a root without restrictions; startContainer has what process.capabilities grants.
        assert record.pop("capabilities") == capabilities[str(record["stage"])]
        assert isinstance(pid_of_hook, int)
        assert pid_of_hook > 1
        assert isinstance(started, int)
        assert abs(started / 10**9 - os.stat(box.home / "hooks.jsonl").st_mtime) < 30
        assert isinstance(duration, int)
        assert 0 < duration < 30 * 10**9
    assert records == expected


def test_a_container_without_hooks_leaves_no_record(box: Box) -> None:
    """Of hooks, that is."""
    box.create()
    assert sorted(path.name for path in box.home.iterdir()) == ["config.json", "start", "state.json", "trace.jsonl"]


HARMLESS: Final = {
    "reads nothing": ("true",),
    "closes stdin": ("close-stdin", "0.01"),
    "writes 10 MB twice": ("spam", str(10 << 20)),
    "leaves a daemon with its stdout": ("daemon", "31.4159"),
}


@pytest.mark.complaint("state/unread", "poststart/not-each-time")
def test_a_hook_is_neither_blocked_nor_failed_by_its_streams(box: Box) -> None:
    """In all six stages, with a state of 100 KB, more than a pipe holds."""
    big = {"big": "x" * 100_000}
    box.configure(
        {
            "annotations": big,
            "process.args": [INSIDE, "sleep", "1000"],
            "hooks": {
                stage: [box.report_hook(stage), *(box.hook(stage, *words) for words in HARMLESS.values())]
                for stage in STAGES
            },
        }
    )
    box.create()
    box.start()
    records = box.records()
    box.succeed("kill", box.id, "KILL")
    box.wait_status("stopped")
    box.succeed("delete", box.id)
    for stage in STAGES:
        (report,) = box.reports(stage)
        assert mapping(json.loads(text(report["stdin"])))["annotations"] == big
    assert len(records) == 5 * 5
    assert {text(record["outcome"]) for record in records} == {"exit status 0"}
    spam = [record for record in records if "spam" in sequence(record["args"])]
    assert [(record["stdoutSize"], record["stderrSize"]) for record in spam] == [(10 << 20, 10 << 20)] * len(spam)
    assert {len(text(record["stdout"])) for record in spam} == {8192}
    end_daemons(box, "31.4159", 4)


def end_daemons(box: Box, word: str, count: int) -> None:
    """Kill the daemons that hooks of the runtime's namespaces left; those in the container ended with it."""
    daemons = processes_with(word)
    assert len(daemons) == count
    for pid in daemons:
        os.kill(pid, 9)
    wait_for(lambda: processes_with(word) == [], "the daemons' end")
    assert box.left() == []
