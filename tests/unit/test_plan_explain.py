"""plan/explain.py: a plan for people, and for programs."""

from __future__ import annotations

import pytest

from slinger.plan import ops
from slinger.plan.explain import data, printable, subject, text
from slinger.plan.plan import Plan


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("/plain ünicode", "/plain ünicode"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\udcff", "\\udcff"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(raw: str, shown: str) -> None:
    """Newlines, escape sequences, bytes that are no text; all else is as it is."""
    assert printable(raw) == shown


@pytest.mark.parametrize(
    ("op", "shown"),
    [
        (ops.MountNew("", type="proc", destination="/proc"), "/proc"),
        (ops.Mask("", path="/a\nb"), "/a\\nb"),
        (ops.Hostname("", name="box"), "box"),
        (ops.FindProgram("", name="sh", path="/bin"), "sh"),
        (ops.Exec("", args=("sh", "-c")), "sh"),
        (ops.Exec(""), ""),
        (ops.TimeOffsets("", text="monotonic 1 2\nboottime 3 4\n"), "monotonic 1 2; boottime 3 4"),
        (ops.AppArmor("", profile="p"), "p"),
        (ops.Session(""), ""),
        (ops.Rlimit("", resource=7), ""),
    ],
)
def test_an_op_is_about_its_path_name_or_program(op: ops.Op, shown: str) -> None:
    """What errors put in parentheses; "" where it is about the process."""
    assert subject(op) == shown


def test_a_plan_is_shown_one_op_a_line_with_its_origin() -> None:
    """Without what is long or secret: environments and states; flags in hexadecimal, filters by their size."""
    plan = Plan(
        (
            ops.Clone("linux.namespaces", by=ops.OUTER, flags=0x20000),
            ops.Seccomp("linux.seccomp", program=bytes(16)),
            ops.Exec("process.args", args=("sh", "-c", "a\nb"), env=("SECRET=1",)),
        )
    )
    assert text(plan) == (
        "  0 outer  clone            flags=0x20000                                                linux.namespaces\n"
        "  1 init   seccomp          program=<16 bytes>                                           linux.seccomp\n"
        "  2 init   exec             sh args=sh,-c,a\\nb                                           process.args\n"
    )


def test_a_plan_as_data_has_every_field() -> None:
    """For ``plan --json``."""
    plan = Plan((ops.Seccomp("linux.seccomp", program=bytes(16)), ops.SetUser("process.user", groups=("1",))))
    assert data(plan) == [
        {"index": 0, "op": "seccomp", "by": "init", "origin": "linux.seccomp", "program": 16, "flags": 0},
        {
            "index": 1,
            "op": "set_user",
            "by": "init",
            "origin": "process.user",
            "uid": 0,
            "gid": 0,
            "groups": ("1",),
            "set_groups": 1,
            "umask": 0o22,
        },
    ]
