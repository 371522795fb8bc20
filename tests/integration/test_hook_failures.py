"""Hooks that fail: what the verb says, what it leaves (nothing), and that the poststop hooks run all the same."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Final

import pytest

from tests.bundles import Json, text
from tests.integration.box import INSIDE, STAGES, Box, processes_with, wait_for
from tests.requires import requires

pytestmark = requires("root")

FATAL: Final = STAGES[:-1]
AT_CREATE: Final = STAGES[:3]
SLEEP: Final = "77.5231"  # seconds, and the word by which a sleeping hook is found


def path_of(box: Box, stage: str) -> str:
    """The path that Box.hook gives a hook of the stage."""
    return INSIDE if stage == "startContainer" else str(box.bundle.payload)


def shell(script: str, **more: Json) -> dict[str, Json]:
    """A hook that is a shell script of the host's."""
    return {"path": "/bin/sh", "args": ["hook", "-c", script], "env": ["PATH=/usr/bin:/bin"], **more}


def brought_to(box: Box, stage: str) -> str:
    """The failure of the verb that runs the stage's hooks; that nothing is left, and each poststop hook ran once."""
    if stage not in AT_CREATE:
        box.create()
        failure = box.fail("start", box.id)
    else:
        failure = box.fail(*box.creating())
    assert box.left() == []
    assert len(box.reports("poststop")) == 1
    return failure


@pytest.mark.complaint(
    "failures/which-one", "failures/not-reported", "poststart/meaning-of-failure", "poststop/after-poststart"
)
@pytest.mark.spec(
    "runtime.md#lifecycle/prestart-failure",
    "runtime.md#lifecycle/create-runtime-failure",
    "runtime.md#lifecycle/create-container-failure",
    "runtime.md#lifecycle/start-container-failure",
    "runtime.md#lifecycle/poststart-failure",
)
@pytest.mark.parametrize("stage", FATAL)
def test_a_failing_hook_fails_its_verb_and_destroys_the_container(box: Box, stage: str) -> None:
    """The hooks before it ran, those after it did not, those of poststop did; the message says which one and why."""
    hooks: dict[str, Json] = {name: [box.report_hook(name)] for name in STAGES}
    hooks[stage] = [
        box.report_hook(stage),
        box.hook(stage, "exit", "3", "it broke"),
        box.report_hook(stage, f"{stage}-after"),
    ]
    box.configure({"process.args": [INSIDE, "sleep", "1000"], "hooks": hooks})
    assert brought_to(box, stage) == f"{stage} hook #1 ({path_of(box, stage)}): exit status 3: it broke"
    ran = STAGES.index(stage) + 1
    assert [len(box.reports(name)) for name in FATAL] == [1] * ran + [0] * (len(FATAL) - ran)
    assert box.reports(f"{stage}-after") == []


@pytest.mark.parametrize("stage", FATAL)
def test_a_failing_hook_fails_run(box: Box, stage: str) -> None:
    """With status 1, and the container is gone even with --keep: nothing came to run."""
    hooks: dict[str, Json] = {"poststop": [box.report_hook("poststop")], stage: [box.hook(stage, "exit", "3")]}
    box.configure({"process.args": [INSIDE, "sleep", "1000"], "hooks": hooks})
    assert box.fail(*box.running("--keep")) == f"{stage} hook #0 ({path_of(box, stage)}): exit status 3"
    assert box.left() == []
    assert len(box.reports("poststop")) == 1


OUTCOMES: Final = {
    "a status": (("exit", "255"), "exit status 255"),
    "a line": (("exit", "3", "it broke"), "exit status 3: it broke"),
    "the last lines": (("exit", "3", " one\ntwo\n\n three \nfour\n"), "exit status 3: two | three | four"),
    "a signal": (("kill", "9"), "killed by SIGKILL"),
    "another signal": (("kill", "11"), "killed by SIGSEGV"),
}


@pytest.mark.complaint("failures/empty-error", "failures/not-reported")
@pytest.mark.parametrize(("words", "message"), OUTCOMES.values(), ids=OUTCOMES)
@pytest.mark.parametrize("stage", ["createRuntime", "createContainer", "startContainer"])
def test_the_message_says_how_the_hook_ended(box: Box, stage: str, words: tuple[str, ...], message: str) -> None:
    """And quotes the last three lines of what it said."""
    hooks: dict[str, Json] = {"poststop": [box.report_hook("poststop")], stage: [box.hook(stage, *words)]}
    box.configure({"hooks": hooks})
    assert brought_to(box, stage) == f"{stage} hook #0 ({path_of(box, stage)}): {message}"


def test_without_a_word_on_stderr_stdout_is_quoted(box: Box) -> None:
    """Some hooks complain there."""
    hooks: dict[str, Json] = {
        "createRuntime": [shell("echo no such luck; exit 4")],
        "poststop": [box.report_hook("poststop")],
    }
    box.configure({"hooks": hooks})
    assert brought_to(box, "createRuntime") == "createRuntime hook #0 (/bin/sh): exit status 4: no such luck"


NOT_STARTED: Final = {
    "missing": ("/no/such/hook", "no such file or directory"),
    "not executable": ("/etc/passwd", "permission denied"),
    "a directory": ("/etc", "permission denied"),
    "no program": ("/bin/junk", "exec format error"),
}


@pytest.mark.complaint("failures/never-ran")
@pytest.mark.parametrize(("path", "why"), NOT_STARTED.values(), ids=NOT_STARTED)
@pytest.mark.parametrize("stage", ["createRuntime", "createContainer", "startContainer", "poststart"])
def test_a_hook_that_cannot_be_started_says_why(box: Box, stage: str, path: str, why: str) -> None:
    """The path is as in config.json, the reason the kernel's."""
    junk = box.bundle.rootfs / "bin/junk"
    junk.write_bytes(b"\0\1\2\3 neither script nor program\n")
    junk.chmod(0o755)
    if path == "/bin/junk" and stage != "startContainer":
        path = str(junk)
    hooks: dict[str, Json] = {"poststop": [box.report_hook("poststop")], stage: [{"path": path}]}
    box.configure({"process.args": [INSIDE, "sleep", "1000"], "hooks": hooks})
    assert brought_to(box, stage) == f"{stage} hook #0 ({path}): not started: execve: {why}"


@pytest.mark.complaint("places/which-root")
@pytest.mark.spec(
    "config.md#posix-platform-hooks/path-create-runtime",
    "config.md#posix-platform-hooks/path-start-container",
)
def test_a_path_is_not_looked_up_in_the_other_file_system(box: Box) -> None:
    """A createRuntime hook is not found in the container, a startContainer hook not on the host."""
    for stage, path in (("createRuntime", INSIDE), ("startContainer", str(box.bundle.payload))):
        hooks: dict[str, Json] = {"poststop": [box.report_hook("poststop")], stage: [{"path": path}]}
        box.configure({"hooks": hooks})
        message = f"{stage} hook #0 ({path}): not started: execve: no such file or directory"
        assert brought_to(box, stage) == message
        (box.calls / "report-poststop").unlink()


@pytest.mark.complaint("time/children-stay")
@pytest.mark.parametrize("stage", ["createRuntime", "createContainer", "poststart"])
def test_a_timeout_kills_the_hook_and_its_children(box: Box, stage: str) -> None:
    """The whole process group; a grandchild that holds stdout does not keep the verb. No pid namespace helps here."""
    script = f"{box.bundle.payload} sleep {SLEEP} & {box.bundle.payload} sleep {SLEEP}"
    hooks: dict[str, Json] = {
        "poststop": [box.report_hook("poststop")],
        stage: [shell(f"echo waiting >&2; {script}", timeout=1)],
    }
    namespaces = [{"type": kind} for kind in ("mount", "uts")]
    box.configure({"linux.namespaces": namespaces, "process.args": [INSIDE, "sleep", "1000"], "hooks": hooks})
    began = time.monotonic()
    message = f"{stage} hook #0 (/bin/sh): timed out after 1 s: waiting"
    assert brought_to(box, stage) == message
    assert 1 <= time.monotonic() - began < 5
    assert processes_with(SLEEP) == []


def test_a_timeout_ends_a_start_container_hook(box: Box) -> None:
    """Inside, with the user's ids and no privilege."""
    hook = box.hook("startContainer", "sleep", SLEEP, timeout=1)
    hooks: dict[str, Json] = {"poststop": [box.report_hook("poststop")], "startContainer": [hook]}
    box.configure({"process.user": {"uid": 1000, "gid": 1000}, "hooks": hooks})
    assert brought_to(box, "startContainer") == f"startContainer hook #0 ({INSIDE}): timed out after 1 s"
    assert processes_with(SLEEP) == []


def test_a_timeout_reaches_a_hook_that_left_its_group(box: Box) -> None:
    """As a job-controlling shell may do with itself; or nothing would ever end it."""
    program = "import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(77)"
    python: Json = {"path": "/usr/bin/env", "args": ["env", "python3", "-c", program], "timeout": 1}
    hooks: dict[str, Json] = {"poststop": [box.report_hook("poststop")], "createRuntime": [python]}
    box.configure({"hooks": hooks})
    assert brought_to(box, "createRuntime") == "createRuntime hook #0 (/usr/bin/env): timed out after 1 s"


def test_a_hook_that_ends_in_time_is_not_touched_by_its_timeout(box: Box) -> None:
    """Nor is what it left in its group: a daemon is its own affair."""
    script = f"{box.bundle.payload} sleep {SLEEP} & exit 0"
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"createRuntime": [shell(script, timeout=10)]}})
    box.succeed(*box.running())
    (daemon,) = processes_with(SLEEP)
    os.kill(daemon, 9)
    wait_for(lambda: processes_with(SLEEP) == [], "the daemon's end")


@pytest.mark.complaint("poststop/no-warning")
@pytest.mark.spec("runtime.md#lifecycle/poststop-failure", "runtime.md#warnings/goes-on")
def test_failing_poststop_hooks_are_warnings_and_the_others_run(box: Box) -> None:
    """Whatever the way in which they fail; delete succeeds and all is removed."""
    failing: list[Json] = [
        box.hook("poststop", "exit", "3", "it broke"),
        {"path": "/no/such/hook"},
        box.hook("poststop", "kill", "9"),
        box.hook("poststop", "sleep", SLEEP, timeout=1),
    ]
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"poststop": [*failing, box.report_hook("poststop")]}})
    box.create()
    box.start()
    box.wait_status("stopped")
    done = box.call("delete", box.id)
    payload = box.bundle.payload
    warnings = [
        f"poststop hook #0 ({payload}): exit status 3: it broke",
        "poststop hook #1 (/no/such/hook): not started: execve: no such file or directory",
        f"poststop hook #2 ({payload}): killed by SIGKILL",
        f"poststop hook #3 ({payload}): timed out after 1 s",
    ]
    assert (done.status, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [f"slinger: warning: {warning}" for warning in warnings]
    assert len(box.reports("poststop")) == 1
    assert box.left() == []
    assert processes_with(SLEEP) == []


def test_a_failing_poststop_hook_does_not_change_the_status_of_run(box: Box) -> None:
    """The program's is what the caller wants to know."""
    box.configure({"process.args": [INSIDE, "exit", "7"], "hooks": {"poststop": [box.hook("poststop", "exit", "3")]}})
    done = box.call(*box.running())
    warning = f"slinger: warning: poststop hook #0 ({box.bundle.payload}): exit status 3\n"
    assert (done.status, done.stdout, done.stderr) == (7, "", warning)


def test_after_a_failed_create_failing_poststop_hooks_are_warnings_too(box: Box) -> None:
    """The error that counts comes last."""
    hooks: dict[str, Json] = {
        "createRuntime": [box.hook("createRuntime", "exit", "3")],
        "poststop": [box.hook("poststop", "exit", "4"), box.report_hook("poststop")],
    }
    box.configure({"hooks": hooks})
    done = box.call(*box.creating())
    payload = box.bundle.payload
    assert done.status == 1
    assert done.stderr.splitlines() == [
        f"slinger: warning: poststop hook #0 ({payload}): exit status 4",
        f"slinger: createRuntime hook #0 ({payload}): exit status 3",
    ]
    assert len(box.reports("poststop")) == 1


EXECS: Final = {
    "a missing interpreter": (
        b"#!/no/such/interpreter\n",
        'process.args: exec: "/bin/prog": its interpreter or loader: no such file or directory',
    ),
    "no program": (b"\0\1\2\3 neither\n", 'process.args: exec: "/bin/prog": exec format error'),
}


@pytest.mark.parametrize(("content", "message"), EXECS.values(), ids=EXECS)
def test_start_fails_when_the_exec_does(box: Box, content: bytes, message: str) -> None:
    """startContainer ran, poststart did not, poststop did; the container is gone."""
    program = box.bundle.rootfs / "bin/prog"
    program.write_bytes(content)
    program.chmod(0o755)
    hooks: dict[str, Json] = {stage: [box.report_hook(stage)] for stage in STAGES}
    box.configure({"process.args": ["/bin/prog"], "hooks": hooks})
    assert brought_to(box, "startContainer") == message
    assert [len(box.reports(stage)) for stage in STAGES] == [1, 1, 1, 1, 0, 1]


@pytest.mark.parametrize(("content", "message"), EXECS.values(), ids=EXECS)
def test_run_fails_when_the_exec_does(box: Box, content: bytes, message: str) -> None:
    """The same words."""
    program = box.bundle.rootfs / "bin/prog"
    program.write_bytes(content)
    program.chmod(0o755)
    box.configure({"process.args": ["/bin/prog"]})
    assert box.fail(*box.running()) == message
    assert box.left() == []


def test_a_failed_start_leaves_the_id_free(box: Box) -> None:
    """For the next attempt with a better hook."""
    box.configure({"hooks": {"startContainer": [box.hook("startContainer", "exit", "1")]}})
    box.create()
    box.fail("start", box.id)
    assert box.fail("state", box.id) == "container does not exist"
    box.configure({"process.args": [INSIDE, "true"]})
    box.succeed(*box.running())


def test_the_json_log_has_the_failure_and_the_warnings(box: Box) -> None:
    """A line an object: containerd shows the last one."""
    hooks: dict[str, Json] = {"createRuntime": [box.hook("createRuntime", "exit", "3", 'a "b"')]}
    box.configure({"hooks": hooks})
    log = box.calls / "log"
    command = [box.program, "--root", str(box.root), "--log", str(log), "--log-format", "json", *box.creating()]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    message = f'createRuntime hook #0 ({box.bundle.payload}): exit status 3: a "b"'
    assert (done.returncode, done.stderr) == (1, f"slinger: {message}\n")
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["level"], text(last["msg"])) == ("error", message)
