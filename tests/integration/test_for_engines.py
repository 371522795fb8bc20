"""What engines ask for beside the plain verbs: pidfds over a socket, crun's annotations, a configuration elsewhere."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import Json, mapping
from tests.integration.box import INSIDE, STAGES, Box
from tests.requires import requires

pytestmark = requires("root")

PATIENCE = 10.0
TAIL = 8192


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that waits for a pidfd, as an engine opens it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "pidfd"))
        listener.listen(1)
        listener.settimeout(PATIENCE)
        yield listener


def taken(listener: socket.socket) -> tuple[bytes, int]:
    """The word and the descriptor of the one message that comes."""
    connection, _ = listener.accept()
    with connection:
        word, fds, _, _ = socket.recv_fds(connection, 4096, 2)
    (fd,) = fds
    return word, fd


def pid_of(pidfd: int) -> int:
    """Whose pidfd it is: proc_pid_fdinfo(5)."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pid:")).split()[1])


def ended(pidfd: int) -> bool:
    """Whether the process ends in time: pidfd_open(2)."""
    return bool(select.select([pidfd], [], [], PATIENCE)[0])


def test_a_pidfd_socket_gets_a_descriptor_of_init(box: Box, listener: socket.socket) -> None:
    """create: with the word that runc has for it; it is of use to signal, and to wait for the end."""
    box.configure({"process.args": [INSIDE, "sleep", "1000"]})
    box.create("--pidfd-socket", listener.getsockname())
    word, pidfd = taken(listener)
    try:
        assert (word, pid_of(pidfd)) == (b"standard", box.pid())
        box.start()
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        assert ended(pidfd)
    finally:
        os.close(pidfd)


def test_a_pidfd_of_a_run_is_of_its_init(box: Box, listener: socket.socket) -> None:
    """run: whoever holds it sees the end."""
    box.configure({"process.args": [INSIDE, "true"]})
    box.succeed(*box.running("--pidfd-socket", listener.getsockname()))
    word, pidfd = taken(listener)
    try:
        assert (word, ended(pidfd)) == (b"standard", True)
    finally:
        os.close(pidfd)


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_pidfd_socket_of_exec_gets_a_descriptor_of_the_process(
    box: Box, listener: socket.socket, options: tuple[str, ...]
) -> None:
    """With another word; it is the pid that the pid file holds."""
    box.configure({"process.args": [INSIDE, "sleep", "1000"]})
    box.create()
    box.start()
    file = box.calls / "pid"
    wanted = ("--pidfd-socket", listener.getsockname(), "--pid-file", str(file))
    box.succeed("exec", *options, *wanted, box.id, INSIDE, "true")
    word, pidfd = taken(listener)
    try:
        assert (word, ended(pidfd)) == (b"setns", True)
        assert file.read_text() != str(box.pid())
        if options:  # it is ours now; and init does not end before all of its namespace are waited for
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    finally:
        os.close(pidfd)


def test_a_pidfd_socket_that_nobody_listens_on_fails_create(box: Box) -> None:
    """And nothing is left."""
    path = f"{box.calls}/no-socket"
    assert box.fail(*box.creating("--pidfd-socket", path)) == f"--pidfd-socket {path}: no such file or directory"
    assert box.left() == []


def test_a_pidfd_socket_that_nobody_listens_on_fails_exec(box: Box) -> None:
    """The command does not run."""
    box.configure({"process.args": [INSIDE, "sleep", "1000"]})
    box.create()
    box.start()
    path = f"{box.calls}/no-socket"
    failure = box.fail("exec", "--pidfd-socket", path, box.id, INSIDE, "write", "/tmp/ran", "x", status=255)
    assert failure == f"--pidfd-socket {path}: no such file or directory"
    assert not (box.bundle.rootfs / "tmp/ran").exists()


def talking(stage: str, *, inside: bool) -> dict[str, Json]:
    """A hook that says its stage on both streams."""
    if inside:
        return {"path": INSIDE, "args": ["hook", "exit", "0", stage]}
    return {"path": "/bin/sh", "args": ["sh", "-c", f"echo out {stage}; echo err {stage} >&2"], "env": []}


@pytest.mark.complaint("failures/output-lost")
def test_the_hooks_output_goes_to_the_files_of_the_annotations(box: Box) -> None:
    """Of every stage, in order, behind what was there; a relative path begins at the bundle."""
    stages = [stage for stage in STAGES if stage != "startContainer"]
    out, err = box.calls / "hooks.out", box.directory / "hooks.err"
    out.write_text("before\n")
    hooks: dict[str, Json] = {stage: [talking(stage, inside=False)] for stage in stages}
    hooks["startContainer"] = [talking("startContainer", inside=True)]
    annotations = {"run.oci.hooks.stdout": str(out), "run.oci.hooks.stderr": "hooks.err"}
    box.configure({"process.args": [INSIDE, "true"], "hooks": hooks, "annotations": annotations})
    box.succeed(*box.running())
    assert out.read_text().splitlines() == ["before", *(f"out {stage}" for stage in stages)]
    told = [line.replace("err ", "") for line in err.read_text().splitlines()]
    assert told == list(STAGES)
    assert err.stat().st_mode & 0o777 == 0o600


def test_of_long_output_the_file_gets_the_end_and_says_so(box: Box) -> None:
    """As much as a record keeps."""
    long = {"path": "/bin/sh", "args": ["sh", "-c", "printf %010000d 7"], "env": ["PATH=/usr/bin:/bin"]}
    annotations = {"run.oci.hooks.stdout": "long"}
    box.configure({"process.args": [INSIDE, "true"], "hooks": {"prestart": [long]}, "annotations": annotations})
    box.succeed(*box.running())
    note, _, tail = (box.directory / "long").read_text().partition("\n")
    assert (note, tail) == (f"[{10000 - TAIL} bytes left out]", f"{7:0{TAIL}}")


def test_a_file_that_cannot_be_written_is_a_warning(box: Box) -> None:
    """The hooks have done their work; one that nobody reads, a fifo, does not hold the create up either."""
    os.mkfifo(box.directory / "fifo")
    annotations = {"run.oci.hooks.stdout": "no/such", "run.oci.hooks.stderr": "fifo"}
    hooks: dict[str, Json] = {"prestart": [talking("prestart", inside=False)]}
    box.configure({"process.args": [INSIDE, "true"], "hooks": hooks, "annotations": annotations})
    done = box.call(*box.running())
    assert done.status == 0
    assert done.stderr.splitlines() == [
        f"slinger: warning: the hooks' output '{box.directory}/no/such': no such file or directory",
        f"slinger: warning: the hooks' output '{box.directory}/fifo': no such device or address",
    ]


@requires("setpriv")
@pytest.mark.parametrize(("value", "groups"), [("1", [71, 72]), ("0", [73])])
def test_the_callers_groups_are_kept_where_an_annotation_says_so(box: Box, value: str, groups: list[int]) -> None:
    """run.oci.keep_original_groups, in the container and for exec."""
    box.configure(
        {
            "process.args": [INSIDE, "sleep", "1000"],
            "process.user": {"uid": 0, "gid": 0, "additionalGids": [73]},
            "annotations": {"run.oci.keep_original_groups": value},
        }
    )
    as_member = ["setpriv", "--groups", "71,72"]
    subprocess.run([*as_member, *box.command(*box.creating())], check=True, stdout=subprocess.DEVNULL)
    box.start()
    lines = Path(f"/proc/{box.pid()}/status").read_text().splitlines()
    assert [int(word) for word in next(line for line in lines if line.startswith("Groups:")).split()[1:]] == groups
    words = [*as_member, *box.command("exec", box.id, INSIDE, "report")]
    report = mapping(json.loads(subprocess.run(words, check=True, capture_output=True).stdout))
    assert report["groups"] == groups


def test_the_configuration_may_be_another_file(box: Box) -> None:
    """--config of create, run and plan; the root stays the bundle's."""
    elsewhere = box.calls / "elsewhere.json"
    box.configure({"process.args": [INSIDE, "exit", "7"]})
    (box.directory / "config.json").rename(elsewhere)
    assert "JSON specification file config.json not found" in box.fail("plan", str(box.directory))
    steps = json.loads(box.succeed("plan", "--json", "--config", str(elsewhere), str(box.directory)))["ops"]
    assert [step["args"] for step in steps if step["op"] == "exec"] == [[INSIDE, "exit", "7"]]
    done = box.call(*box.running("--config", str(elsewhere)))
    assert (done.status, done.stderr) == (7, "")
