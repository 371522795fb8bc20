"""failures.py: a report of the hands as an error for a person. What the hands really report is in tests/contract."""

from __future__ import annotations

import errno

import pytest

from slinger.failures import HINTS, explain
from slinger.plan import ops
from slinger.plan.ops import Op
from slinger.plan.wire import Failed


def error(op: Op, number: int, syscall: str, detail: str = "") -> str:
    """The text of the error."""
    return str(explain({5: op}, Failed(5, number, syscall, detail)))


@pytest.mark.parametrize(
    ("op", "number", "syscall", "detail", "text"),
    [
        (
            ops.Clone("linux.namespaces"),
            errno.ENOSPC,
            "clone3",
            "",
            (
                "linux.namespaces: clone3: no space left on device "
                "(a limit in /proc/sys/user/max_*_namespaces, or namespaces nested too deeply)"
            ),
        ),
        (
            ops.MountNew("mounts[3]", destination="/proc"),
            errno.EPERM,
            "fsconfig",
            "proc",
            (
                "mounts[3] (/proc): fsconfig proc: operation not permitted (in a user namespace this takes an own "
                "namespace of the kind that is shown (network for sysfs, pid for proc), and nothing may cover the "
                "host's own mount of it)"
            ),
        ),
        (
            ops.Mask("linux.maskedPaths[0]", path="/x"),
            errno.EIO,
            "openat2",
            "/x",
            "linux.maskedPaths[0] (/x): openat2: input/output error",
        ),
        (
            ops.MakeLink("", path="/x\x1b[2J"),
            errno.EIO,
            "openat2",
            "/x\x1b[2J",
            "make_link (/x\\x1b[2J): openat2: input/output error",
        ),
        (
            ops.Hook("hooks.prestart[0]", path="/h"),
            0,
            "hook",
            "/h",
            "hooks.prestart[0] (/h): hook: failed",
        ),
        (
            ops.Chdir("process.cwd", path="/x"),
            errno.ENOENT,
            "getcwd",
            "the working directory is outside the container",
            (
                "process.cwd (/x): getcwd the working directory is outside the container: no such file or directory "
                "(possible attempt to leave the container)"
            ),
        ),
        (
            ops.Chdir("process.cwd", path="/x"),
            errno.ENOENT,
            "chdir",
            "/x",
            "process.cwd (/x): chdir: no such file or directory",
        ),
        (
            ops.FindProgram("process.args[0]", name="sh"),
            errno.ENOENT,
            "lookup",
            "sh",
            'process.args[0]: exec: "sh": executable file not found in $PATH',
        ),
        (
            ops.Exec("process.args", args=("sh",)),
            errno.ENOENT,
            "execve",
            "/bin/sh",
            'process.args: exec: "/bin/sh": its interpreter or loader: no such file or directory',
        ),
        (
            ops.CloseOnExec("process"),
            errno.EINVAL,
            "close_range",
            "",
            "process: close_range: invalid argument",
        ),
    ],
)
def test_an_error_names_origin_object_call_and_cause(op: Op, number: int, syscall: str, detail: str, text: str) -> None:
    """The detail only where it says more than the object; a hint for the famous errnos."""
    assert error(op, number, syscall, detail) == text


def test_an_error_carries_its_parts() -> None:
    """For who handles it in a program."""
    found = explain({5: ops.Rlimit("process.rlimits[2]")}, Failed(5, errno.EPERM, "prlimit64", ""))
    assert (found.origin, found.syscall, found.errno) == ("process.rlimits[2]", "prlimit64", errno.EPERM)
    assert found.hint == "raising a hard limit takes CAP_SYS_RESOURCE"


def test_a_plan_that_was_not_read_has_no_op() -> None:
    """The hands then say what it was."""
    assert str(explain({}, Failed(0, errno.EINVAL, "plan_read", ""))) == "plan: plan_read: invalid argument"


@pytest.mark.parametrize("hint", sorted(HINTS.values()))
def test_a_hint_is_a_clause(hint: str) -> None:
    """No capital, no full stop: it goes into parentheses."""
    assert not hint[0].isupper()
    assert not hint.endswith(".")
    assert hint.count("(") == hint.count(")")
