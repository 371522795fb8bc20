"""linux.seccomp with SCMP_ACT_NOTIFY: somebody on the host answers for system calls of the container."""

from __future__ import annotations

import json
import os
from errno import EADDRNOTAVAIL
from pathlib import Path

import pytest

from tests.bundles import Json
from tests.integration.box import INSIDE, Box
from tests.integration.exec_support import wait_inside
from tests.integration.notify_agent import Agent
from tests.requires import requires

pytestmark = requires("root", "gcc", "libseccomp")


def profile(path: Path, *names: str) -> dict[str, Json]:
    """linux.seccomp that notifies of these calls."""
    rules = [{"names": list(names), "action": "SCMP_ACT_NOTIFY"}]
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": str(path),
        "listenerMetadata": "for the agent",
        "syscalls": rules,
    }


@pytest.fixture
def path(box: Box) -> Path:
    """Where the agent listens."""
    return box.calls / "agent"


@pytest.mark.spec(
    "config-linux.md#seccomp/listener-socket",
    "config-linux.md#seccomp/listener-one",
    "config-linux.md#seccomp/listener-not-reused",
    "config-linux.md#seccomp/listener-closed",
    "config-linux.md#seccomp/seccomp-fd",
    "config-linux.md#the-container-process-state/payload",
    "config-linux.md#the-container-process-state/descriptors",
    "config-linux.md#the-container-process-state/first-call",
    "config-linux.md#the-container-process-state/oci-version",
    "config-linux.md#the-container-process-state/pid",
    "config-linux.md#the-container-process-state/state",
)
def test_an_agent_answers_for_a_call_of_the_program(box: Box, path: Path) -> None:
    """It gets one message with the state of the process and the descriptor, and its answer is what the program sees."""
    box.configure(
        {
            "process.args": [INSIDE, "try-syscall", "mkdirat", "getpid"],
            "linux.seccomp": profile(path, "mkdirat"),
            "annotations": {"a": "b"},
        }
    )
    box.create()
    pid = box.pid()
    with Agent(path, EADDRNOTAVAIL) as agent:
        box.start()
        box.wait_status("stopped")
    assert agent.answered == 1
    assert agent.messages == [
        {
            "ociVersion": "1.3.0",
            "fds": ["seccompFd"],
            "pid": pid,
            "metadata": "for the agent",
            "state": {
                "ociVersion": "1.3.0",
                "id": box.id,
                "status": "creating",
                "pid": pid,
                "bundle": str(box.directory),
                "annotations": {"a": "b"},
            },
        }
    ]


@pytest.mark.parametrize("new_privileges", [True, False])
def test_the_answer_arrives_whatever_calls_are_notified(box: Box, path: Path, *, new_privileges: bool) -> None:
    """Also those that a runtime makes between the filter and the exec: none waits for an agent without a descriptor."""
    names = ("mkdirat", "sendmsg", "recvfrom", "recvmsg", "close", "futex", "sched_yield")
    box.configure(
        {
            "process.args": [INSIDE, "try-syscall", "mkdirat", "getpid"],
            "process.noNewPrivileges": not new_privileges,
            "linux.seccomp": profile(path, *names),
        }
    )
    with Agent(path, EADDRNOTAVAIL):
        shown = json.loads(box.succeed(*box.running()))
    assert shown == {"mkdirat": "EADDRNOTAVAIL", "getpid": None}


def test_the_program_has_no_descriptor_of_the_notifications(box: Box, path: Path) -> None:
    """Who has it could answer for itself."""
    box.configure({"process.args": [INSIDE, "report"], "linux.seccomp": profile(path, "mkdirat")})
    with Agent(path, EADDRNOTAVAIL):
        shown = json.loads(box.succeed(*box.running()))
    assert sorted(shown["descriptors"]) == ["0", "1", "2"]


@pytest.mark.spec("config-linux.md#seccomp/listener-not-reused")
def test_exec_has_its_own_descriptor_and_tells_that_the_container_runs(box: Box, path: Path) -> None:
    """One more process has a filter of its own, and is known by its own pid."""
    with Agent(path, EADDRNOTAVAIL):
        wait_inside(box, {"linux.seccomp": profile(path, "mkdirat")})
    path.unlink()
    with Agent(path, EADDRNOTAVAIL) as agent:
        shown = json.loads(box.succeed("exec", box.id, INSIDE, "try-syscall", "mkdirat"))
    assert shown == {"mkdirat": "EADDRNOTAVAIL"}
    (message,) = agent.messages
    state = message["state"]
    assert isinstance(state, dict)
    assert (state["status"], state["pid"]) == ("running", box.pid())
    assert message["pid"] != state["pid"]


@pytest.mark.spec("config-linux.md#seccomp/listener-failure")
def test_without_an_agent_start_fails_and_the_program_does_not_run(box: Box, path: Path) -> None:
    """And the container is taken down, as after any failure of start."""
    box.configure({"process.args": [INSIDE, "write", "/tmp/ran", "x"], "linux.seccomp": profile(path, "mkdirat")})
    box.create()
    assert box.fail("start", box.id) == f"linux.seccomp.listenerPath {path}: no such file or directory"
    assert not (box.bundle.rootfs / "tmp/ran").exists()
    assert box.left() == []


def test_without_an_agent_exec_fails_and_the_program_does_not_run(box: Box, path: Path) -> None:
    """With exec's own exit status."""
    with Agent(path, EADDRNOTAVAIL):
        wait_inside(box, {"linux.seccomp": profile(path, "mkdirat")})
    path.unlink()
    message = box.fail("exec", box.id, INSIDE, "write", "/tmp/ran", "x", status=255)
    assert message == f"linux.seccomp.listenerPath {path}: no such file or directory"
    assert not (box.bundle.rootfs / "tmp/ran").exists()


def test_an_agent_that_ends_lets_the_exec_fail(box: Box, path: Path) -> None:
    """Nothing of ours holds the descriptor, so nobody waits for ever: the kernel answers ENOSYS."""
    box.configure({"process.args": [INSIDE, "exit", "0"], "linux.seccomp": profile(path, "execve")})
    box.create()
    with Agent(path, None):
        assert box.fail("start", box.id) == f'process.args: exec: "{INSIDE}": function not implemented'
    assert box.left() == []


@pytest.mark.parametrize("by", ["annotation", "environment"])
def test_the_listener_can_be_named_beside_the_configuration(box: Box, path: Path, by: str) -> None:
    """As crun lets it, where listenerPath is not given: by an annotation, or by the caller's environment."""
    receiver = "run.oci.seccomp.receiver"
    box.configure(
        {
            "process.args": [INSIDE, "try-syscall", "mkdirat"],
            "linux.seccomp": {**profile(path, "mkdirat"), "listenerPath": "", "listenerMetadata": ""},
            "annotations": {receiver: str(path)} if by == "annotation" else {},
        }
    )
    env = {"RUN_OCI_SECCOMP_RECEIVER": str(path)} if by == "environment" else {}
    with Agent(path, EADDRNOTAVAIL) as agent:
        assert json.loads(box.succeed(*box.running(), env={**os.environ, **env})) == {"mkdirat": "EADDRNOTAVAIL"}
    assert agent.answered == 1


def test_a_listener_of_an_annotation_has_an_absolute_path(box: Box) -> None:
    """The error names the annotation."""
    config = {"linux.seccomp": profile(Path(), "mkdirat") | {"listenerPath": ""}}
    box.configure({**config, "annotations": {"run.oci.seccomp.receiver": "agent"}})
    message = box.fail(*box.running())
    assert message == 'annotations["run.oci.seccomp.receiver"]: must be an absolute path, got "agent"'


@pytest.mark.parametrize("strict", [False, True])
def test_an_unknown_system_call_is_an_error_where_an_annotation_says_so(box: Box, *, strict: bool) -> None:
    """Else the rest of the profile holds."""
    rules: list[Json] = [{"names": ["mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]
    box.configure(
        {
            "process.args": [INSIDE, "try-syscall", "mkdirat"],
            "linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules},
            "annotations": {"run.oci.seccomp_fail_unknown_syscall": "1"} if strict else {},
        }
    )
    if strict:
        expected = 'linux.seccomp.syscalls[0].names[1]: libseccomp: unknown system call "no_such_call"'
        assert box.fail(*box.running()) == expected
    else:
        assert json.loads(box.succeed(*box.running())) == {"mkdirat": "EADDRNOTAVAIL"}
