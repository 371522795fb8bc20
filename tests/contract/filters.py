"""Seccomp filters by hand, to let a system call fail that otherwise never would."""

from __future__ import annotations

import platform
import struct
from typing import Final

from slinger.plan import ops

LOAD_NUMBER: Final = (0x20, 0, 0, 0)
EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
RETURN: Final = 0x06  # BPF_RET | BPF_K
ALLOW: Final = 0x7FFF0000
ERRNO: Final = 0x00050000

# By machine: first x86-64, then aarch64.
NUMBERS: Final = {
    "clone3": (435, 435),
    "close_range": (436, 436),
    "keyctl": (250, 219),
    "personality": (135, 92),
    "prctl": (157, 167),
    "sendmsg": (46, 211),
    "socket": (41, 198),
}


def number(name: str) -> int:
    """The number of a system call on this machine."""
    return NUMBERS[name][platform.machine() == "aarch64"]


def program(*instructions: tuple[int, int, int, int]) -> bytes:
    """Encode struct sock_filter[]: code, jump if true, jump if false, constant."""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def answering(name: str, error: int) -> ops.Seccomp:
    """Let a system call fail with this errno from here on."""
    answer = (EQUAL, 0, 1, number(name)), (RETURN, 0, 0, ERRNO | error)
    return ops.Seccomp("linux.seccomp", program=program(LOAD_NUMBER, *answer, (RETURN, 0, 0, ALLOW)))
