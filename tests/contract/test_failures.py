"""A failure of each op comes home with its origin, its object, the system call and the cause: the whole text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slinger.linux.flags import CLONE_NEWUSER, CLONE_NEWUTS
from slinger.plan import ops
from slinger.plan.ops import Op
from tests.contract.covers import fails
from tests.contract.failing import ROOTLESS
from tests.contract.failing_in_root import ROOTED, Build
from tests.contract.walk import (
    NOTHING,
    Walk,
    cloned,
    entered,
    failure,
    joined,
    mapped,
    payload_hook,
    write_maps,
)
from tests.requires import requires

pytestmark = requires("root", "gcc")


def label(row: tuple[Op, tuple[Op, ...], str]) -> str:
    """The name of the op that fails, for the name of the test."""
    return ops.op_name(type(row[0]))


@pytest.mark.parametrize("row", ROOTLESS, ids=label)
def test_a_failure_comes_home_with_its_origin(row: tuple[Op, tuple[Op, ...], str]) -> None:
    """The text that a person reads, as a whole; and all processes end."""
    op, before, text = row
    with Walk(*before, op) as walk:
        assert walk.error() == text
        assert walk.ended()


@pytest.mark.parametrize("row", ROOTED, ids=lambda row: row[1].partition(" ")[0])
def test_a_failure_below_the_root_comes_home_with_its_origin(row: tuple[Build, str], rootfs: Path) -> None:
    """The text that a person reads, as a whole; and all processes end."""
    build, text = row
    with Walk(*build(rootfs)) as walk:
        assert walk.error() == text
        assert walk.ended()


@fails(ops.Join)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/nowhere", "linux.namespaces[2] (/nowhere): open: no such file or directory"),
        (
            "/proc/self/ns/net",
            (
                "linux.namespaces[2] (/proc/self/ns/net): setns: invalid argument "
                "(the file is not a namespace of that type)"
            ),
        ),
        (
            "/etc/passwd",
            "linux.namespaces[2] (/etc/passwd): setns: invalid argument (the file is not a namespace of that type)",
        ),
    ],
)
def test_a_failure_of_the_joiner_comes_home(path: str, text: str) -> None:
    """Outer ends with it."""
    with Walk(*joined(path, CLONE_NEWUTS)) as walk:
        assert walk.error() == text
        assert walk.ended()


@fails(ops.TakeRoot)
def test_a_user_namespace_without_root_has_no_root_to_become() -> None:
    """The ids were not mapped."""
    assert failure(*mapped(), ops.TakeRoot("linux.uidMappings")) == ("linux.uidMappings: setresgid 0: invalid argument")


@fails(ops.StdioOwner)
def test_stdio_that_cannot_be_given_says_so(tmp_path: Path) -> None:
    """Not a matter of rights, which is no error: a descriptor that only names a file."""
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", os.O_PATH)
    try:
        with Walk(*cloned(), ops.StdioOwner("process.user", uid=1), stdio=(fd, fd, fd)) as walk:
            assert walk.error() == "process.user: fchown stdio: bad file descriptor"
    finally:
        os.close(fd)


@fails(ops.SetUser)
def test_an_id_that_is_not_mapped_cannot_be_become() -> None:
    """With what to do about it."""
    with Walk(*cloned(CLONE_NEWUSER), ops.Gate("", name="ids"), ops.SetUser("process.user", uid=10)) as walk:
        walk.reach("ids")
        write_maps(walk.pid, size=10)
        walk.hands.go()
        assert walk.error() == (
            "process.user: setresuid: invalid argument (the id is not mapped in the container's user namespace)"
        )


@fails(ops.Hook)
def test_a_failed_hook_names_its_origin_and_program(payload: Path) -> None:
    """What its run left is told by its record (hooks/records.py), which comes first."""
    with Walk(*cloned(), payload_hook(payload, "exit", "3")) as walk:
        assert walk.error() == f"hooks.createContainer[0] ({payload}): hook: failed"
        assert [ran.value for ran in walk.hooks] == [3]


@fails(ops.Chdir)
def test_a_working_directory_outside_the_root_is_refused(rootfs: Path) -> None:
    """Reached through a descriptor of the host's that leaked (CVE-2024-21626)."""
    outside = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        plan = (*entered(rootfs), ops.Chdir("process.cwd", path="/proc/self/fd/0"))
        with Walk(*plan, stdio=(outside, NOTHING, NOTHING)) as walk:
            assert walk.error() == (
                "process.cwd (/proc/self/fd/0): chdir: too many levels of symbolic links "
                "(a link such as /proc/self/fd/N leads out of the container and is not followed)"
            )
    finally:
        os.close(outside)


@fails(ops.Exec)
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("#!/none\n", 'process.args: exec: "/bin/script": its interpreter or loader: no such file or directory'),
        ("neither\n", 'process.args: exec: "/bin/script": exec format error'),
    ],
)
def test_a_program_that_cannot_be_run_is_named(rootfs: Path, content: str, text: str) -> None:
    """The file was found and may be executed; the kernel says what is wrong."""
    (rootfs / "bin/script").write_text(content, encoding="ascii")
    (rootfs / "bin/script").chmod(0o755)
    find = ops.FindProgram("process.args[0]", name="script", path="/bin")
    assert failure(*entered(rootfs), find, ops.Exec("process.args", args=("script",))) == text
