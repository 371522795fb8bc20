"""What a filter answers to calls newer than its profile, run by a machine for BPF in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slinger.host.seccomp import compile_filter
from slinger.linux.bpf import AUDIT_ARCH_X86_64, RETURN, X32_BIT, unknown_calls
from slinger.spec.config import Seccomp, SeccompRule
from tests.bpf_machine import INSTRUCTION, answer
from tests.requires import requires

I386: Final = 0x40000003
AARCH64: Final = 0xC00000B7
S390: Final = 22
ENOSYS: Final = 0x50000 | 38
EPERM: Final = 0x50000 | 1
ALLOW: Final = 0x7FFF0000
KILL: Final = 0
THE_FILTER: Final = 0xABCD
END: Final = INSTRUCTION.pack(RETURN, 0, 0, THE_FILTER)

NUMBERS: Final = st.integers(0, 2**31 - 1) | st.integers(0, 600) | st.integers(X32_BIT, X32_BIT + 600)


@given(
    last=st.dictionaries(st.sampled_from([AUDIT_ARCH_X86_64, I386, AARCH64]), st.integers(0, 500)),
    last_x32=st.none() | st.integers(0, 600),
    architecture=st.sampled_from([AUDIT_ARCH_X86_64, I386, AARCH64, S390]),
    number=NUMBERS,
)
def test_only_what_is_above_the_highest_named_number_of_its_architecture_does_not_exist(
    last: dict[int, int], last_x32: int | None, architecture: int, number: int
) -> None:
    """Everything else is left to the filter that follows."""
    highest = last.get(architecture)
    if architecture == AUDIT_ARCH_X86_64 and number >= X32_BIT:
        highest = None if last_x32 is None else last_x32 | X32_BIT
    expected = ENOSYS if highest is not None and number > highest else THE_FILTER
    assert answer(unknown_calls(last, last_x32) + END, number, architecture) == expected


def test_a_profile_that_names_no_call_gets_no_head() -> None:
    """Nothing is known of what it was written for."""
    assert unknown_calls({}) == b""


def compiled(root: Path, default: str, errno: int | None = None, architectures: tuple[str, ...] = ()) -> bytes:
    """The whole filter of a profile for x86-64 that names read (0), openat2 (437) and clone3 (435)."""
    action = "SCMP_ACT_ERRNO" if default == "SCMP_ACT_ALLOW" else "SCMP_ACT_ALLOW"
    rule = SeccompRule(names=("read", "openat2", "clone3", "no_such_call"), action=action)
    profile = Seccomp(default_action=default, default_errno_ret=errno, architectures=architectures, syscalls=(rule,))
    return compile_filter(profile, str(root)).program


@requires("libseccomp", "x86-64")
@pytest.mark.parametrize(
    ("default", "errno", "answers"),
    [
        ("SCMP_ACT_ERRNO", None, (ALLOW, EPERM, ENOSYS)),
        ("SCMP_ACT_ERRNO", 13, (ALLOW, 0x50000 | 13, ENOSYS)),
        ("SCMP_ACT_ERRNO", 38, (ALLOW, ENOSYS, ENOSYS)),
        ("SCMP_ACT_KILL", None, (ALLOW, KILL, ENOSYS)),
        ("SCMP_ACT_KILL_PROCESS", None, (ALLOW, 0x80000000, ENOSYS)),
        ("SCMP_ACT_TRAP", None, (ALLOW, 0x30000, ENOSYS)),
        ("SCMP_ACT_TRACE", None, (ALLOW, 0x7FF00001, 0x7FF00001)),
        ("SCMP_ACT_LOG", None, (ALLOW, 0x7FFC0000, 0x7FFC0000)),
        ("SCMP_ACT_ALLOW", None, (EPERM, ALLOW, ALLOW)),
    ],
)
def test_a_refusing_default_is_told_from_a_call_that_does_not_exist(
    tmp_path: Path, default: str, errno: int | None, answers: tuple[int, ...]
) -> None:
    """A named call, one that is older than the newest named and not named (mkdir, 83), and a newer one."""
    program = compiled(tmp_path, default, errno)
    assert tuple(answer(program, number, AUDIT_ARCH_X86_64) for number in (0, 83, 438)) == answers


@requires("libseccomp", "x86-64")
def test_each_architecture_has_its_own_newest_call(tmp_path: Path) -> None:
    """The numbers of i386 and x32 beside those of x86-64; an architecture that is not listed stays forbidden."""
    names = ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32")
    program = compiled(tmp_path, "SCMP_ACT_ERRNO", architectures=names)
    calls = [(438, AUDIT_ARCH_X86_64), (438, I386), (X32_BIT | 438, AUDIT_ARCH_X86_64), (X32_BIT, AUDIT_ARCH_X86_64)]
    assert [answer(program, *call) for call in calls] == [ENOSYS, ENOSYS, ENOSYS, ALLOW]
    assert answer(program, 438, AARCH64) == KILL
    assert answer(compiled(tmp_path, "SCMP_ACT_ERRNO"), X32_BIT | 438, AUDIT_ARCH_X86_64) == KILL
