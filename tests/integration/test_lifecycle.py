"""The verbs of a container's life: what each does, what it answers, and which statuses it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import DROP, mapping, unique_id
from tests.integration.box import INSIDE, Box, processes_with, wait_for
from tests.requires import requires

pytestmark = requires("root")

SLEEPING: Final = (INSIDE, "sleep", "88.6621")
NO_PID_NAMESPACE: Final = [{"type": kind} for kind in ("mount", "uts", "ipc", "network")]


@pytest.fixture
def sleeper(box: Box) -> Box:
    """A container that is not created yet, whose program sleeps."""
    box.configure({"process.args": SLEEPING})
    return box


@pytest.mark.spec(
    "runtime.md#scope-of-a-container/same-container",
    "runtime.md#operations/supported",
    "runtime.md#create/creates",
    "runtime.md#lifecycle/destroyed",
    "runtime.md#delete/resources",
    "runtime.md#query-state/answer",
)
def test_a_container_is_created_then_running_then_stopped_then_gone(sleeper: Box) -> None:
    """And its init is the process that becomes the program: the pid stays."""
    sleeper.create()
    pid = sleeper.pid()
    assert sleeper.status() == "created"
    assert Path(f"/proc/{pid}/comm").read_text() == "slinger-init\n"
    sleeper.start()
    assert (sleeper.status(), sleeper.pid()) == ("running", pid)
    assert Path(f"/proc/{pid}/comm").read_text() == "payload\n"
    sleeper.succeed("kill", sleeper.id, "KILL")
    sleeper.wait_status("stopped")
    assert sleeper.state()["pid"] == 0
    sleeper.succeed("delete", sleeper.id)
    assert sleeper.fail("state", sleeper.id) == "container does not exist"
    assert sleeper.left() == []


@pytest.mark.spec(
    "runtime.md#query-state/answer",
    "runtime.md#state/oci-version",
    "runtime.md#state/id",
    "runtime.md#state/status",
    "runtime.md#state/pid",
    "runtime.md#state/bundle",
    "config.md#annotations/keys-text",
)
def test_state_is_the_whole_state(sleeper: Box) -> None:
    """That of the specification and what runc adds."""
    sleeper.configure({"process.args": SLEEPING, "annotations": {"a": "1"}})
    sleeper.create("--pid-file", str(sleeper.calls / "pid"))
    state = dict(sleeper.state())
    created = state.pop("created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", str(created))
    assert state == {
        "ociVersion": "1.3.0",
        "id": sleeper.id,
        "status": "created",
        "pid": int((sleeper.calls / "pid").read_text()),
        "bundle": str(sleeper.directory),
        "rootfs": str(sleeper.bundle.rootfs),
        "annotations": {"a": "1"},
        "owner": "",
    }


@pytest.mark.spec(
    "runtime.md#lifecycle/no-program",
    "runtime.md#lifecycle/program",
    "runtime.md#create/no-args",
    "runtime.md#start/program",
)
def test_the_program_does_not_run_before_start(box: Box) -> None:
    """Its first word comes after it."""
    box.configure({"process.args": [INSIDE, "write", "/tmp/ran", ""]})
    box.create()
    assert not (box.bundle.rootfs / "tmp/ran").exists()
    box.start()
    box.wait_status("stopped")
    assert (box.bundle.rootfs / "tmp/ran").exists()


@pytest.mark.spec("runtime.md#kill/not-running", "runtime.md#state/status")
def test_while_hooks_run_the_status_is_creating(box: Box) -> None:
    """There is a state already, but nothing to start or to kill."""
    box.configure({"hooks": {"createRuntime": [box.hook("createRuntime", "sleep", "1")]}})
    process, name = box.launch(*box.creating())
    wait_for((box.home / "state.json").exists, "the record")
    assert box.status() == "creating"
    assert box.fail("kill", box.id) == "container not running"
    assert box.end_of(process, name).status == 0
    assert box.status() == "created"


def test_while_start_container_hooks_run_the_status_is_created(box: Box) -> None:
    """Running begins with the program."""
    hooks = {"startContainer": [box.report_hook("startContainer"), box.hook("startContainer", "sleep", "0.5")]}
    box.configure({"process.args": SLEEPING, "hooks": hooks})
    box.create()
    process, name = box.launch("start", box.id)
    wait_for(lambda: box.reports("startContainer") != [], "the first hook")
    assert box.status() == "created"
    assert box.end_of(process, name).status == 0
    assert box.status() == "running"


EXISTS: Final = "container with given ID already exists"
REFUSED: Final = {
    "start, running": ("running", ("start", "@ID@"), "cannot start an already running container"),
    "start, stopped": ("stopped", ("start", "@ID@"), "cannot start a container that has stopped"),
    "kill, stopped": ("stopped", ("kill", "@ID@", "TERM"), "container not running"),
    "delete, running": ("running", ("delete", "@ID@"), "cannot delete container @ID@ that is not stopped: running"),
    "create, created": (
        "created",
        ("create", "--bundle", "@BUNDLE@", "@ID@"),
        "container with given ID already exists",
    ),
    "create, running": (
        "running",
        ("create", "--bundle", "@BUNDLE@", "@ID@"),
        "container with given ID already exists",
    ),
    "create, stopped": (
        "stopped",
        ("create", "--bundle", "@BUNDLE@", "@ID@"),
        "container with given ID already exists",
    ),
    "run, running": ("running", ("run", "--bundle", "@BUNDLE@", "@ID@"), "container with given ID already exists"),
}


@pytest.mark.spec(
    "runtime.md#start/not-created",
    "runtime.md#start/not-created-no-effect",
    "runtime.md#kill/not-running",
    "runtime.md#kill/not-running-no-effect",
    "runtime.md#delete/not-stopped",
    "runtime.md#delete/not-stopped-no-effect",
    "runtime.md#create/id-in-use-nothing",
)
@pytest.mark.parametrize(("status", "arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_a_verb_that_the_status_forbids_has_no_effect(
    sleeper: Box, status: str, arguments: tuple[str, ...], message: str
) -> None:
    """The container is as it was, with the same init."""
    sleeper.create()
    if status != "created":
        sleeper.start()
    pid = sleeper.pid()
    if status == "stopped":
        sleeper.succeed("kill", sleeper.id, "KILL")
        sleeper.wait_status("stopped")
        pid = 0
    words = [word.replace("@ID@", sleeper.id).replace("@BUNDLE@", str(sleeper.directory)) for word in arguments]
    assert sleeper.fail(*words) == message.replace("@ID@", sleeper.id)
    assert (sleeper.status(), sleeper.pid()) == (status, pid)


@pytest.mark.parametrize("arguments", [("state",), ("start",), ("kill",), ("delete",)])
def test_an_unknown_id_is_told(box: Box, arguments: tuple[str, ...]) -> None:
    """The words that engines look for."""
    assert box.fail(*arguments, box.id) == "container does not exist"


@pytest.mark.parametrize("started", [False, True])
def test_delete_by_force_kills_first(sleeper: Box, started: bool) -> None:
    """Created or running; twice is no error."""
    sleeper.create()
    if started:
        sleeper.start()
    sleeper.succeed("delete", "--force", sleeper.id)
    assert sleeper.left() == []
    sleeper.succeed("delete", "--force", sleeper.id)


@pytest.mark.spec("runtime.md#delete/not-stopped")
def test_a_created_container_can_be_deleted(sleeper: Box) -> None:
    """As with the other runtimes: engines do so when a start was called off."""
    sleeper.create()
    sleeper.succeed("delete", sleeper.id)
    assert sleeper.left() == []


def test_an_id_is_free_after_delete(sleeper: Box) -> None:
    """Three times the same."""
    for _ in range(3):
        sleeper.create()
        sleeper.succeed("delete", sleeper.id)


@pytest.mark.spec("runtime.md#state/id-unique")
def test_of_two_creates_of_one_id_one_succeeds(sleeper: Box) -> None:
    """At the same moment; the other one says why, and harms nothing."""
    for _ in range(8):
        calls = [sleeper.launch(*sleeper.creating()) for _ in range(2)]
        done = [sleeper.end_of(*call) for call in calls]
        assert sorted(each.status for each in done) == [0, 1]
        assert sorted(each.stderr for each in done) == ["", "slinger: container with given ID already exists\n"]
        sleeper.start()
        sleeper.succeed("delete", "--force", sleeper.id)


def test_list_shows_the_containers_of_the_root(sleeper: Box) -> None:
    """As ids, as JSON with whole states, and as a table."""
    sleeper.create()
    assert sleeper.succeed("list", "--quiet") == f"{sleeper.id}\n"
    (listed,) = json.loads(sleeper.succeed("list", "--format", "json"))
    assert listed == {**sleeper.state(), "owner": "root"}
    head, row = sleeper.succeed("list").splitlines()
    assert head.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    state = sleeper.state()
    assert row.split() == [str(state[key]) for key in ("id", "pid", "status", "bundle", "created")] + ["root"]
    sleeper.succeed("delete", sleeper.id)
    assert (sleeper.succeed("list", "-q"), sleeper.succeed("list", "-f", "json")) == ("", "null\n")


def test_list_shows_the_others_where_a_record_cannot_be_read(sleeper: Box) -> None:
    """One of another version of slinger, say: a warning names it."""
    sleeper.create()
    other = sleeper.root / "another"
    other.mkdir()
    (other / "state.json").write_text("{}")
    done = sleeper.call("list", "--quiet")
    warning = f"slinger: warning: {other}/state.json: not a record of this version of slinger\n"
    assert (done.status, done.stdout, done.stderr) == (0, f"{sleeper.id}\n", warning)
    shutil.rmtree(other)


def test_a_pid_file_has_the_pid_and_nothing_else(sleeper: Box) -> None:
    """No newline, as its readers expect; no other file beside it."""
    folder = sleeper.calls / "pids"
    folder.mkdir()
    sleeper.create("--pid-file", str(folder / "pid"))
    assert (folder / "pid").read_bytes() == str(sleeper.pid()).encode()
    assert [path.name for path in folder.iterdir()] == ["pid"]


def test_a_pid_file_that_cannot_be_written_fails_create(sleeper: Box) -> None:
    """And then there is no container."""
    path = f"{sleeper.calls}/missing/pid"
    expected = f"--pid-file {path} '{sleeper.calls}/missing/.pid': no such file or directory"
    assert sleeper.fail(*sleeper.creating("--pid-file", path)) == expected
    assert sleeper.left() == []


@pytest.mark.parametrize("code", [0, 1, 2, 42, 125, 126, 127, 128, 129, 137, 200, 254, 255])
def test_run_exits_as_the_program_does(box: Box, code: int) -> None:
    """And leaves nothing."""
    box.configure({"process.args": [INSIDE, "exit", str(code)]})
    done = box.call(*box.running())
    assert (done.status, done.stdout, done.stderr, box.left()) == (code, "", "", [])


@pytest.mark.parametrize("number", [1, 2, 6, 9, 11, 13, 15, 31, 34, 64])
def test_run_exits_with_128_and_the_signal_that_killed_the_program(box: Box, number: int) -> None:
    """As a shell. Process 1 of a pid namespace cannot kill itself, so there is none here."""
    box.configure({"process.args": [INSIDE, "kill", str(number)], "linux.namespaces": NO_PID_NAMESPACE, "mounts": []})
    done = box.call(*box.running())
    assert (done.status, done.stdout, done.stderr, box.left()) == (128 + number, "", "", [])


def test_run_detached_returns_at_once(sleeper: Box) -> None:
    """The container runs on."""
    sleeper.succeed(*sleeper.running("--detach"))
    assert sleeper.status() == "running"


def test_run_keeps_the_container_when_asked(box: Box) -> None:
    """Stopped, to be looked at and deleted."""
    box.configure({"process.args": [INSIDE, "true"]})
    box.succeed(*box.running("--keep"))
    assert box.status() == "stopped"
    box.succeed("delete", box.id)


def output_is(name: Path, text: str) -> None:
    """Wait until a launched call has written so much."""
    wait_for(lambda: Path(f"{name}.out").read_text() == text, f"{text!r}")


def test_run_relays_signals(box: Box) -> None:
    """What is sent to slinger arrives in the container, as the same signal."""
    numbers = [signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGRTMIN + 3]
    box.configure({"process.args": [INSIDE, "pause", str(len(numbers))]})
    process, name = box.launch(*box.running())
    expected = "ready\n"
    output_is(name, expected)
    for number in numbers:
        process.send_signal(number)
        expected += f"signal {int(number)}\n"
        output_is(name, expected)
    done = box.end_of(process, name)
    assert (done.status, done.stderr) == (0, "")


@pytest.mark.spec("runtime.md#kill/signal")
def test_kill_sends_the_signal_that_is_named(box: Box) -> None:
    """By name, with SIG, by number; TERM without one."""
    box.configure({"process.args": [INSIDE, "pause", "4"]})
    process, name = box.launch(*box.running())
    expected = "ready\n"
    output_is(name, expected)
    for words, number in ((("USR1",), 10), (("SIGHUP",), 1), (("12",), 12), ((), 15)):
        box.succeed("kill", box.id, *words)
        expected += f"signal {number}\n"
        output_is(name, expected)
    assert box.end_of(process, name).status == 0


@pytest.mark.parametrize("signal", ["HUP", "INT", "QUIT", "TERM"])
def test_what_ends_a_program_ends_a_container_that_waits_for_its_start(sleeper: Box, signal: str) -> None:
    """Though the first process of a pid namespace is deaf to it; then it cannot be started."""
    sleeper.create()
    sleeper.succeed("kill", sleeper.id, "USR1")
    assert sleeper.status() == "created"
    sleeper.succeed("kill", sleeper.id, signal)
    sleeper.wait_status("stopped")
    assert sleeper.fail("start", sleeper.id) == "cannot start a container that has stopped"


def test_sigkill_reaches_processes_that_have_outlived_init(box: Box) -> None:
    """Once nobody is left it is an error again."""
    hooks = {"startContainer": [box.hook("startContainer", "daemon", SLEEPING[2])]}
    box.configure({"process.args": SLEEPING, "linux.namespaces": NO_PID_NAMESPACE, "mounts": [], "hooks": hooks})
    box.create()
    box.start()
    box.succeed("kill", box.id, "TERM")
    box.wait_status("stopped")
    assert box.fail("kill", box.id, "TERM") == "container not running"
    assert len(processes_with(SLEEPING[2])) == 1
    box.succeed("kill", box.id, "KILL")
    wait_for(lambda: processes_with(SLEEPING[2]) == [], "the end of all processes")
    assert box.fail("kill", box.id, "KILL") == "container not running"


def test_sigkill_reaches_all_processes_without_a_pid_namespace(box: Box) -> None:
    """There no process dies with init; the daemon is one that a hook has left in the container."""
    hooks = {"startContainer": [box.hook("startContainer", "daemon", SLEEPING[2])]}
    box.configure({"process.args": SLEEPING, "linux.namespaces": NO_PID_NAMESPACE, "mounts": [], "hooks": hooks})
    box.create()
    box.start()
    assert len(processes_with(SLEEPING[2])) == 2
    box.succeed("kill", box.id, "KILL")
    wait_for(lambda: processes_with(SLEEPING[2]) == [], "the end of all processes")


@pytest.mark.spec("runtime.md#kill/signal")
def test_other_signals_reach_init_alone(box: Box) -> None:
    """What it does about its children is its own affair; delete ends what is left."""
    hooks = {"startContainer": [box.hook("startContainer", "daemon", SLEEPING[2])]}
    box.configure({"process.args": SLEEPING, "linux.namespaces": NO_PID_NAMESPACE, "mounts": [], "hooks": hooks})
    box.create()
    box.start()
    box.succeed("kill", box.id, "TERM")
    box.wait_status("stopped")
    assert len(processes_with(SLEEPING[2])) == 1
    box.succeed("delete", box.id)
    assert processes_with(SLEEPING[2]) == []


def test_preserved_descriptors_reach_the_program(box: Box) -> None:
    """So many from 3 on, and no other, neither of the caller's nor of ours."""
    for asked, given in ((0, 3), (2, 3), (3, 3)):
        box.configure({"process.args": [INSIDE, "fds"]})
        done = box.call(*box.running("--preserve-fds", str(asked)), open_fds=given)
        assert (done.status, done.stderr) == (0, "")
        assert [*mapping(json.loads(done.stdout)["descriptors"])] == [str(fd) for fd in range(3 + asked)]


def test_sockets_of_the_service_manager_reach_the_program(box: Box) -> None:
    """sd_listen_fds(3): LISTEN_FDS descriptors from 3 on, LISTEN_PID is the program; --preserve-fds come behind."""
    box.configure({"process.args": [INSIDE, "report"]})
    words = box.command(*box.running("--preserve-fds", "1"))
    script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3</dev/null 4</dev/zero 5</dev/null'
    out = box.calls / "out"
    with out.open("wb") as file:
        status = os.waitstatus_to_exitcode(_spawn(["/bin/sh", "-c", script, "sh", *words], file.fileno()))
    report = json.loads(out.read_text())
    assert status == 0
    assert [*report["descriptors"]] == ["0", "1", "2", "3", "4"]
    assert [report["descriptors"][fd]["target"] for fd in ("3", "4")] == ["/dev/null", "/dev/zero"]
    assert {word for word in report["env"] if word.startswith("LISTEN_")} == {"LISTEN_FDS=1", "LISTEN_PID=1"}


def _spawn(words: list[str], out: int) -> int:
    """Run a command with this standard output; its wait status."""
    null = os.open("/dev/null", os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1)]
    try:
        return os.waitpid(os.posix_spawn(words[0], words, os.environ, file_actions=actions), 0)[1]
    finally:
        os.close(null)


def test_descriptors_that_are_not_open_are_refused(box: Box) -> None:
    """Else a file of ours would take their place in the container."""
    done = box.call(*box.running("--preserve-fds", "2"), open_fds=1)
    expected = "slinger: --preserve-fds 2: file descriptor 4 is not open\n"
    assert (done.status, done.stderr, box.left()) == (1, expected, [])


def test_containers_of_one_program_are_made_at_the_same_time(sleeper: Box) -> None:
    """Six at once, each with its id and cgroup."""
    names = [unique_id() for _ in range(6)]
    failures: list[str] = []

    def live(name: str) -> None:
        for words in (("create", "--bundle", str(sleeper.directory), name), ("start", name), ("delete", "-f", name)):
            done = sleeper.call(*words)
            if done.status != 0:
                failures.append(done.stderr)

    config = json.loads((sleeper.directory / "config.json").read_text())
    del config["linux"]["cgroupsPath"]
    (sleeper.directory / "config.json").write_text(json.dumps(config))
    threads = [threading.Thread(target=live, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(sleeper.root.iterdir()) == []


@pytest.mark.spec("runtime.md#start/without-process", "config.md#process/process")
def test_a_container_without_a_process_can_be_created_and_not_started(box: Box) -> None:
    """runtime.md, start: an error if process was not set; the container stays."""
    box.configure({"process": DROP})
    box.create()
    message = "process: required property is missing: there is nothing to start"
    assert box.fail("start", box.id) == message
    assert box.status() == "created"
    box.succeed("delete", box.id)
