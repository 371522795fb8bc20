"""The end of init's way: working directory, home, program, exec."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from slinger.plan import ops
from slinger.plan.ops import Op
from tests.contract.covers import fails, works
from tests.contract.walk import NOTHING, Walk, cloned, entered, look, payload_hook
from tests.requires import requires

pytestmark = requires("root", "gcc")

FIND = ops.FindProgram("process.args[0]", name="/bin/payload")


@works(ops.Chdir)
def test_the_working_directory_is_entered_and_made_if_asked(rootfs: Path) -> None:
    """The first op that succeeds counts; the second attempt, as the user, is then none."""
    cwd = ops.Chdir("process.cwd", path="/work/here", create=1, may_fail=1)
    with look(*entered(rootfs), cwd, ops.Chdir("process.cwd", path="/tmp")).reach() as walk:
        assert os.readlink(f"/proc/{walk.pid}/cwd") == "/work/here"
        assert (rootfs / "work/here").is_dir()


@works(ops.Chdir)
def test_a_directory_that_root_may_not_enter_is_tried_again_as_the_user(rootfs: Path) -> None:
    """Root without capabilities stands for root on a network file system."""
    (rootfs / "data").chmod(0o700)
    os.chown(rootfs / "data", 1000, 1000)
    plan = (
        ops.Capabilities("", permitted=(1 << 6) | (1 << 7)),  # CAP_SETGID, CAP_SETUID, to be raised below
        ops.Chdir("process.cwd", path="/data", may_fail=1),
        ops.Capabilities("", effective=(1 << 6) | (1 << 7), permitted=(1 << 6) | (1 << 7)),
        ops.SetUser("process.user", uid=1000, gid=1000),
        ops.Chdir("process.cwd", path="/data"),
    )
    with look(*entered(rootfs), *plan).reach() as walk:
        assert os.readlink(f"/proc/{walk.pid}/cwd") == "/data"


def home_of(rootfs: Path, uid: int) -> list[str]:
    """The environment of a hook that wants HOME."""
    hook = payload_hook("/bin/payload", "hook-report", "/out", env=["A=1"], with_home=1)
    with look(*entered(rootfs), ops.Home("process.user.uid", uid=uid), hook).reach():
        env: list[str] = json.loads((rootfs / "out").read_bytes())["env"]
        return env


@works(ops.Home)
@pytest.mark.parametrize(
    ("passwd", "home"),
    [
        ("root:x:0:0::/root:/bin/sh\nuser:x:1000:1000:User:/home/user:/bin/sh\n", "/home/user"),
        ("0:x:0:0::/zero:\n1000:x:0:0::/wrong:\nuser:x:1000:0::/by/number:\n", "/by/number"),
        ("+::::::\n#1000:x\n\nuser:x:1000:0::/last/line:/bin/sh", "/last/line"),
        ("user:x:1000:0:::/bin/sh\n", "/"),
        ("user:x:10000:0::/other:/bin/sh\n", "/"),
    ],
)
def test_home_is_that_of_the_uid_in_the_containers_passwd(rootfs: Path, passwd: str, home: str) -> None:
    """Numbers only, never names (CVE-2016-3697); / where there is none."""
    (rootfs / "etc/passwd").write_text(passwd, encoding="ascii")
    assert home_of(rootfs, 1000) == ["A=1", f"HOME={home}"]


@fails(ops.Home)
@pytest.mark.parametrize("kind", ["missing", "fifo", "directory"])
def test_home_without_a_passwd_is_the_root_and_no_failure(rootfs: Path, kind: str) -> None:
    """The op has no failure: an image without users is common, and a fifo of the image's does not hang us."""
    (rootfs / "etc/passwd").unlink()
    if kind == "fifo":
        os.mkfifo(rootfs / "etc/passwd")
    elif kind == "directory":
        (rootfs / "etc/passwd").mkdir()
    assert home_of(rootfs, 1000) == ["A=1", "HOME=/"]


def run(*plan: Op, keep_fds: int = 0, output: Path) -> int | None:
    """The wait status of a program whose stdout goes to a file."""
    with output.open("wb") as stdout:
        stdio = (NOTHING, stdout.fileno(), NOTHING)
        with Walk(*plan, stdio=stdio, mode="supervise", keep_fds=keep_fds) as walk:
            status = walk.finish().exited
            assert walk.failed is None, walk.error()
            return status


def report_of(output: Path) -> Any:
    """What `payload report` said."""
    return json.loads(output.read_bytes())


@works(ops.FindProgram)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/bin/payload", ""),
        ("payload", "/none:/etc:/bin"),
        ("payload", "/secret:/tmp:/bin"),
        ("./payload", "/none"),
        ("payload", "/none:"),
        ("payload", ":/none"),
    ],
)
def test_the_program_is_looked_up_as_execvp_does(rootfs: Path, tmp_path: Path, name: str, path: str) -> None:
    """With a slash as it is; else along PATH, an empty entry being the working directory; what cannot run is passed."""
    (rootfs / "tmp/payload").write_text("not executable", encoding="ascii")
    plan = (
        *entered(rootfs),
        ops.Chdir("process.cwd", path="/bin"),
        ops.FindProgram("process.args[0]", name=name, path=path),
        ops.Exec("process.args", args=("x", "echo", "ran")),
    )
    assert run(*plan, output=tmp_path / "out") == 0
    assert (tmp_path / "out").read_bytes() == b"ran\n"


@works(ops.Exec)
def test_the_program_has_its_arguments_and_environment_and_nothing_of_ours(rootfs: Path, tmp_path: Path) -> None:
    """Exact argv and env; no descriptor beside stdio; no signal blocked or ignored; no signal at our death."""
    plan = (*entered(rootfs), FIND, ops.Exec("process.args", args=("any", "report", "b c", ""), env=("A=1", "B=")))
    assert run(*plan, output=tmp_path / "out") == 0
    report = report_of(tmp_path / "out")
    assert report["argv"] == ["report", "b c", ""]
    assert report["env"] == ["A=1", "B="]
    assert sorted(report["descriptors"]) == ["0", "1", "2"]
    assert report["signalsBlocked"] == "0000000000000000"
    assert report["signalsIgnored"] == "0000000000000000"
    assert report["dumpable"] == 1
    assert report["pid"] == 1


@works(ops.CloseOnExec)
@pytest.mark.parametrize(("keep", "expected"), [(0, ["0", "1", "2"]), (1, ["0", "1", "2", "3"])])
def test_the_program_keeps_the_descriptors_that_it_was_given(
    rootfs: Path, tmp_path: Path, keep: int, expected: list[str]
) -> None:
    """3 up to 2 + ``keep_fds``, and no more (CVE-2024-21626)."""
    saved = os.dup(3) if os.path.lexists("/proc/self/fd/3") else -1
    os.dup2(NOTHING, 3, inheritable=True)
    try:
        kept = ops.CloseOnExec("process", keep_fds=keep)
        plan = (*entered(rootfs), FIND, kept, ops.Exec("process.args", args=("payload", "fds")))
        assert run(*plan, keep_fds=keep, output=tmp_path / "out") == 0
    finally:
        if saved >= 0:
            os.dup2(saved, 3, inheritable=False)
            os.close(saved)
        else:
            os.close(3)
    assert sorted(report_of(tmp_path / "out")["descriptors"]) == expected


@works(ops.Exec)
@pytest.mark.parametrize(
    ("words", "status"),
    [(("exit", "0"), 0), (("exit", "7"), 7 << 8), (("kill", "9"), int(signal.SIGKILL))],
)
def test_a_supervising_outer_reports_how_init_ended(payload: Path, words: tuple[str, ...], status: int) -> None:
    """The wait status as it is."""
    program = ops.FindProgram("process.args[0]", name=str(payload))
    plan = (*cloned(), program, ops.Exec("process.args", args=("payload", *words)))
    with Walk(*plan, mode="supervise") as walk:
        assert walk.finish().exited == status
        assert walk.ended()
