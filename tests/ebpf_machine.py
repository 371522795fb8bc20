"""A machine for eBPF, so that device filters are tested without a kernel: what one answers to a request.

It is as strict as the kernel's verifier about what ours can get wrong: every instruction must be within reach, every
jump inside and forward, and a register must have been written before it is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

INSTRUCTION: Final = struct.Struct("<BBhi")
CONTEXT: Final = struct.Struct("<III")  # struct bpf_cgroup_dev_ctx: access_type, major, minor
WORD: Final = (1 << 32) - 1
LONG: Final = (1 << 64) - 1
EXIT: Final = 0x95
JUMP: Final = 0x05
BRANCHES: Final = {0x46, 0x56}


@dataclass(frozen=True)
class Instruction:
    """One of a program."""

    code: int
    destination: int
    source: int
    offset: int
    constant: int


def disassembled(program: bytes) -> list[Instruction]:
    """All instructions; struct.error for a part of one."""
    found: list[Instruction] = []
    for code, registers, offset, constant in INSTRUCTION.iter_unpack(program):
        found.append(Instruction(code, registers & 15, registers >> 4, offset, constant))
    return found


def verify(program: bytes) -> None:
    """AssertionError for what the kernel would refuse: the end run over, a jump out of it, a part out of reach."""
    code = disassembled(program)
    reached = {0}
    for at, each in enumerate(code):
        assert at in reached, f"instruction {at} is out of reach"
        targets: set[int] = set()
        if each.code in BRANCHES | {JUMP}:
            assert each.offset >= 0
            targets.add(at + 1 + each.offset)
        if each.code not in {EXIT, JUMP}:
            targets.add(at + 1)
        assert all(target < len(code) for target in targets), f"instruction {at} leads out of the program"
        reached |= targets


def answer(program: bytes, kind: int, access: int, major: int, minor: int) -> int:
    """What the program returns for a request. KeyError for a register that was not written."""
    context = CONTEXT.pack(access << 16 | kind, major, minor)
    registers: dict[int, int] = {1: 0}
    code = disassembled(program)
    at = 0
    while (each := code[at]).code != EXIT:
        at += 1 + (each.offset if each.code == JUMP or taken(each, registers) else 0)
        calculate(each, registers, context)
    return registers[0]


def taken(each: Instruction, registers: dict[int, int]) -> bool:
    """Whether this is a branch, and its condition holds."""
    if each.code not in BRANCHES:
        return False
    value, constant = registers[each.destination] & WORD, each.constant & WORD
    return value != constant if each.code == 0x56 else value & constant != 0  # BPF_JNE, else BPF_JSET


def calculate(each: Instruction, registers: dict[int, int], context: bytes) -> None:
    """Loads and arithmetic; AssertionError for an instruction that this machine has not got."""
    match each.code:
        case 0x61:  # BPF_LDX | BPF_MEM | BPF_W
            assert registers[each.source] == 0
            (registers[each.destination],) = struct.unpack_from("<I", context, each.offset)
        case 0xB7:  # BPF_ALU64 | BPF_MOV | BPF_K
            registers[each.destination] = each.constant & LONG
        case 0xBF:  # BPF_ALU64 | BPF_MOV | BPF_X
            registers[each.destination] = registers[each.source]
        case 0x57:  # BPF_ALU64 | BPF_AND | BPF_K
            registers[each.destination] &= each.constant & LONG
        case 0x77:  # BPF_ALU64 | BPF_RSH | BPF_K
            registers[each.destination] >>= each.constant
        case _:
            assert each.code in BRANCHES | {JUMP}, f"no instruction {each.code:#x} in this machine"
