"""spec/validate_seccomp.py: what linux.seccomp may ask for."""

from __future__ import annotations

import pytest

from slinger.linux.seccomp import ACTIONS, ARCHITECTURES, FLAGS, OPERATORS
from tests.unit.documents import refused, warned

ALLOW = {"defaultAction": "SCMP_ACT_ALLOW"}
WAIT_KILLABLE = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"


def rule(**members: object) -> dict[str, object]:
    """One rule that is valid but for these members."""
    return {"names": ["read"], "action": "SCMP_ACT_ERRNO", **members}


def argument(index: int, operator: str) -> dict[str, object]:
    """One condition."""
    return {"index": index, "value": 0, "op": operator}


@pytest.mark.spec(
    "config-linux.md#seccomp/default-errno",
    "config-linux.md#seccomp/errno",
    "config-linux.md#seccomp/names",
    "config-linux.md#seccomp/metadata",
)
@pytest.mark.parametrize(
    ("seccomp", "message"),
    [
        ({"defaultAction": ""}, '.defaultAction: unknown action ""'),
        ({"defaultAction": "SCMP_ACT_DENY"}, '.defaultAction: unknown action "SCMP_ACT_DENY"'),
        ({"defaultAction": "SCMP_ACT_NOTIFY"}, ".defaultAction: must not be SCMP_ACT_NOTIFY"),
        ({**ALLOW, "defaultErrnoRet": 1}, ".defaultErrnoRet: SCMP_ACT_ALLOW takes no errno"),
        (
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096},
            ".defaultErrnoRet: must be from 0 to 4095, got 4096",
        ),
        ({**ALLOW, "architectures": ["X86"]}, '.architectures[0]: unknown architecture "X86"'),
        ({**ALLOW, "flags": ["SECCOMP_FILTER_FLAG_LOG", "F"]}, '.flags[1]: unknown flag "F"'),
        ({**ALLOW, "flags": [WAIT_KILLABLE]}, f".flags[0]: {WAIT_KILLABLE} needs a rule with SCMP_ACT_NOTIFY"),
        ({**ALLOW, "listenerMetadata": "x"}, ".listenerMetadata: needs listenerPath"),
        ({**ALLOW, "listenerPath": "sock"}, '.listenerPath: must be an absolute path, got "sock"'),
        ({**ALLOW, "syscalls": [rule(names=[])]}, ".syscalls[0].names: must have at least one entry"),
        ({**ALLOW, "syscalls": [rule(names=["a", ""])]}, ".syscalls[0].names[1]: must not be empty"),
        ({**ALLOW, "syscalls": [rule(names=["a\0"])]}, ".syscalls[0].names[0]: must not hold a NUL character"),
        ({**ALLOW, "syscalls": [rule(), rule(action="X")]}, '.syscalls[1].action: unknown action "X"'),
        (
            {**ALLOW, "syscalls": [rule(action="SCMP_ACT_LOG", errnoRet=0)]},
            ".syscalls[0].errnoRet: SCMP_ACT_LOG takes no errno",
        ),
        (
            {**ALLOW, "syscalls": [rule(action="SCMP_ACT_TRACE", errnoRet=65536)]},
            ".syscalls[0].errnoRet: must be from 0 to 65535, got 65536",
        ),
        (
            {**ALLOW, "syscalls": [rule(args=[argument(6, "SCMP_CMP_EQ")])]},
            ".syscalls[0].args[0].index: must be from 0 to 5, got 6",
        ),
        ({**ALLOW, "syscalls": [rule(args=[argument(0, "EQ")])]}, '.syscalls[0].args[0].op: unknown operator "EQ"'),
        (
            {**ALLOW, "syscalls": [rule(action="SCMP_ACT_NOTIFY")]},
            ".syscalls[0].action: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath",
        ),
        (
            {**ALLOW, "listenerPath": "/s", "syscalls": [rule(action="SCMP_ACT_NOTIFY", names=["a", "write"])]},
            ".syscalls[0].names[1]: write must not be SCMP_ACT_NOTIFY",
        ),
    ],
)
def test_an_impossible_filter_is_refused(seccomp: object, message: str) -> None:
    """With its path below linux.seccomp."""
    assert refused(("linux.seccomp", seccomp)) == f"linux.seccomp{message}"


@pytest.mark.parametrize(
    "seccomp",
    [
        *({**ALLOW, "architectures": [name]} for name in ARCHITECTURES),
        *({**ALLOW, "flags": [name]} for name in FLAGS if name != WAIT_KILLABLE),
        *({**ALLOW, "syscalls": [rule(args=[argument(5, name)])]} for name in OPERATORS),
        *({"defaultAction": name} for name in ACTIONS if name != "SCMP_ACT_NOTIFY"),
        {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38},
        {**ALLOW, "syscalls": [rule(names=["no_such_call"], action="SCMP_ACT_TRACE", errnoRet=65535)]},
        {**ALLOW, "listenerPath": "/s", "listenerMetadata": "m", "syscalls": [rule(action="SCMP_ACT_NOTIFY")]},
        {**ALLOW, "flags": [WAIT_KILLABLE], "listenerPath": "/s", "syscalls": [rule(action="SCMP_ACT_NOTIFY")]},
    ],
)
def test_a_possible_filter_is_accepted(seccomp: object) -> None:
    """Every word of the specification, and unknown system calls, which are skipped."""
    assert warned(("linux.seccomp", seccomp)) == ()
