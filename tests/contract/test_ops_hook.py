"""The one runner of hooks: what a hook is given, what is kept of its run, and that it can neither block nor leak."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from slinger.linux.flags import CLONE_NEWPID
from slinger.plan import ops
from slinger.plan.ops import OUTER
from slinger.plan.wire import HOW_EXIT, HOW_NOT_STARTED, HOW_SIGNAL, HOW_TIMEOUT
from tests.contract.covers import works
from tests.contract.look import namespace
from tests.contract.walk import LOOK, Walk, cloned, entered, look, payload_hook, rooted
from tests.requires import requires

pytestmark = requires("root", "gcc")

TAIL = 8192  # how much of each stream is kept


def runs(hook: ops.Hook, *before: ops.Op) -> Any:
    """The record of one run."""
    with Walk(*before, hook) as walk:
        walk.finish()
        assert len(walk.hooks) == 1
        return walk.hooks[0]


def reported(file: Path) -> Any:
    """What `payload hook-report` wrote."""
    return json.loads(file.read_bytes())


@works(ops.Hook)
def test_a_hook_has_exactly_its_arguments_environment_and_state(payload: Path, tmp_path: Path) -> None:
    """No variable of ours, no descriptor beside stdio, no signal blocked or ignored, a process group of its own."""
    hook = payload_hook(payload, "hook-report", str(tmp_path / "out"), "b c", "", env=["A=1"], by=OUTER)
    ran = runs(hook.replace(cwd="/usr", state_head='{"id":"x"}'))
    report = reported(tmp_path / "out")
    assert (ran.how, ran.value, ran.step) == (HOW_EXIT, 0, "")
    assert report["argv"] == ["hook-report", str(tmp_path / "out"), "b c", ""]
    assert report["env"] == ["A=1"]
    assert report["stdin"] == '{"id":"x"}'
    assert report["cwd"] == "/usr"
    assert sorted(report["descriptors"]) == ["0", "1", "2"]
    assert report["stdio"] == ["fifo", "fifo", "fifo"]
    assert (report["signalsBlocked"], report["signalsIgnored"]) == ("0" * 16, "0" * 16)
    assert report["pgid"] == report["pid"] == ran.pid


@works(ops.Hook)
@pytest.mark.parametrize("by", [OUTER, ops.INIT])
def test_the_pid_in_the_state_is_init_as_its_reader_sees_it(payload: Path, tmp_path: Path, by: str) -> None:
    """Outer's hooks see the host's pid, init's hooks the container's, which is 1."""
    state = {"state_head": '{"pid":', "state_tail": ',"x":"y"}'}
    hook = payload_hook(payload, "hook-report", str(tmp_path / "out"), by=by, **state)
    with look(*cloned(CLONE_NEWPID), hook).reach() as walk:
        report = reported(tmp_path / "out")
        assert json.loads(report["stdin"]) == {"pid": walk.pid if by == OUTER else 1, "x": "y"}
        shown = walk.pid if by == ops.INIT else "self"
        assert report["namespaces"]["pid"] == namespace(shown, "pid")


@works(ops.Hook)
def test_a_hook_may_start_in_the_root_that_is_not_yet_pivoted_into(rootfs: Path, payload: Path, tmp_path: Path) -> None:
    """Its cwd is the container's root; its own root and path are the runtime's."""
    hook = payload_hook(payload, "hook-report", str(tmp_path / "out"), in_root=1)
    with look(*rooted(rootfs), hook).reach():
        report = reported(tmp_path / "out")
    assert report["cwd"] == str(rootfs)
    host = os.stat("/")
    assert report["root"] == f"{host.st_dev}:{host.st_ino}"


@works(ops.Hook)
def test_a_hook_after_the_pivot_is_looked_up_inside(rootfs: Path) -> None:
    """Its path is the container's."""
    with look(*entered(rootfs), payload_hook("/bin/payload", "hook-report", "/out")).reach():
        report = reported(rootfs / "out")
    inside = rootfs.stat()
    assert report["root"] == f"{inside.st_dev}:{inside.st_ino}"


@works(ops.Hook)
@pytest.mark.parametrize(("cwd", "fallback", "expected"), [("/none", "/usr", "/usr"), ("/etc", "/usr", "/etc")])
def test_a_working_directory_that_is_gone_has_a_fallback(
    payload: Path, tmp_path: Path, cwd: str, fallback: str, expected: str
) -> None:
    """A poststop hook whose bundle is gone runs in /."""
    runs(payload_hook(payload, "hook-report", str(tmp_path / "out"), by=OUTER, cwd=cwd, fallback_cwd=fallback))
    assert reported(tmp_path / "out")["cwd"] == expected


@works(ops.Hook)
@pytest.mark.parametrize(
    ("words", "fields", "expected"),
    [
        (("exit", "0"), {}, (HOW_EXIT, 0, "")),
        (("exit", "3", "why"), {}, (HOW_EXIT, 3, "")),
        (("kill", "11"), {}, (HOW_SIGNAL, 11, "")),
        (("sleep", "30"), {"timeout": 1}, (HOW_TIMEOUT, 1, "")),
        (("true",), {"cwd": "/none"}, (HOW_NOT_STARTED, 2, "chdir")),
        (("true",), {"path": "/none"}, (HOW_NOT_STARTED, 2, "execve")),
        (("true",), {"path": "/etc"}, (HOW_NOT_STARTED, 13, "execve")),
    ],
)
def test_how_a_hook_ended_is_told_apart(
    payload: Path, words: tuple[str, ...], fields: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    """Status, signal, timeout in seconds, or the step and errno that kept it from starting."""
    began = time.time_ns()
    ran = runs(payload_hook(payload, *words, by=OUTER).replace(**fields))
    assert (ran.how, ran.value, ran.step) == expected
    assert ran.stderr == (b"why\n" if "why" in words else b"")
    assert began <= ran.started <= ran.started + ran.duration <= time.time_ns()
    assert (ran.duration > 900_000_000) is (expected[0] == HOW_TIMEOUT)


@works(ops.Hook)
@pytest.mark.parametrize(("go_on", "reached"), [(0, False), (1, True)])
def test_after_a_failure_the_plan_ends_unless_it_is_to_go_on(payload: Path, go_on: int, *, reached: bool) -> None:
    """The run is recorded either way."""
    hook = payload_hook(payload, "exit", "3", go_on=go_on)
    with Walk(*cloned(), hook, LOOK) as walk:
        walk.finish()
        assert [ran.value for ran in walk.hooks] == [3]
        assert walk.gates == (["look"] if reached else [])
        assert (walk.failed is None) is reached


@works(ops.Hook)
def test_of_much_output_the_end_is_kept_and_the_size_is_told(payload: Path) -> None:
    """Megabytes neither block the hook nor grow us."""
    size = 3_000_000
    ran = runs(payload_hook(payload, "spam", str(size), by=OUTER))
    assert (ran.how, ran.value) == (HOW_EXIT, 0)
    assert (ran.stdout_size, ran.stderr_size) == (size, size)
    line = b"the quick brown fox jumps over the lazy dog, again and again ..\n"
    expected = (line * (size // len(line)) + line[: size % len(line)])[-TAIL:]
    assert (ran.stdout, ran.stderr) == (expected, expected)


@works(ops.Hook)
@pytest.mark.parametrize("words", [("close-stdin",), ("true",), ("close-stdin", "0.05")])
def test_a_hook_that_does_not_read_its_state_is_no_failure(payload: Path, words: tuple[str, ...]) -> None:
    """Even where the state is larger than a pipe."""
    ran = runs(payload_hook(payload, *words, by=OUTER, state_head="x" * 500_000))
    assert (ran.how, ran.value) == (HOW_EXIT, 0)


@works(ops.Hook)
def test_a_large_state_arrives_whole(payload: Path, tmp_path: Path) -> None:
    """Larger than a pipe."""
    state = "x" * 200_000
    runs(payload_hook(payload, "hook-report", str(tmp_path / "out"), by=OUTER, state_head=state))
    assert reported(tmp_path / "out")["stdin"] == state


@works(ops.Hook)
def test_a_daemon_that_a_hook_leaves_behind_keeps_nobody_waiting(payload: Path) -> None:
    """Although it holds stdout and stderr."""
    ran = runs(payload_hook(payload, "daemon", "3", by=OUTER, timeout=20))
    assert (ran.how, ran.value) == (HOW_EXIT, 0)
    assert ran.stderr.startswith(b"daemon ")
    assert ran.duration < 2_000_000_000
    os.kill(int(ran.stderr.split()[1]), 9)


@works(ops.Hook)
def test_a_timeout_kills_the_whole_group_of_the_hook(tmp_path: Path) -> None:
    """Its children too, which would hold the pipes."""
    script = tmp_path / "hook"
    script.write_text("#!/bin/sh\nsleep 30 & echo $!\nwait\n", encoding="ascii")
    script.chmod(0o755)
    ran = runs(ops.Hook("hooks.createRuntime[0]", by=OUTER, path=str(script), args=("x",), timeout=1))
    assert (ran.how, ran.value) == (HOW_TIMEOUT, 1)
    child = int(ran.stdout)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.01)
    pytest.fail("the hook's child lives on")


@works(ops.Hook)
def test_the_umask_of_a_hook_is_the_callers_until_the_user_is_set(payload: Path, tmp_path: Path) -> None:
    """Not the 0 that init makes files with; then the process's."""
    plan = (
        payload_hook(payload, "hook-report", str(tmp_path / "before")),
        ops.SetUser("process.user", umask=0o71),
        payload_hook(payload, "hook-report", str(tmp_path / "after")),
    )
    previous = os.umask(0o37)  # noqa: TID251 - what a caller may have
    try:
        walk = look(*cloned(), *plan)
    finally:
        os.umask(previous)  # noqa: TID251
    with walk:
        walk.reach()
    assert [reported(tmp_path / name)["umask"] for name in ("before", "after")] == ["0037", "0071"]
