"""A machine for classic BPF, so that filters are tested without a kernel: what seccomp would answer to a call."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from operator import eq, ge, gt
from typing import Final

INSTRUCTION: Final = struct.Struct("=HBBI")
DATA: Final = struct.Struct("=IIQ6Q")  # struct seccomp_data: number, architecture, instruction pointer, arguments


def _bit_set(accumulator: int, operand: int) -> bool:
    return accumulator & operand != 0


# BPF_JEQ, BPF_JGT, BPF_JGE and BPF_JSET against a constant.
COMPARE: Final[Mapping[int, Callable[[int, int], bool]]] = {0x15: eq, 0x25: gt, 0x35: ge, 0x45: _bit_set}


def answer(program: bytes, number: int, architecture: int, arguments: tuple[int, ...] = ()) -> int:
    """SECCOMP_RET_* with its data. KeyError for an instruction that is not here, IndexError past the end."""
    data = DATA.pack(number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    unpacked: Iterable[tuple[int, int, int, int]] = INSTRUCTION.iter_unpack(program)
    instructions = list(unpacked)
    memory: dict[int, int] = {}
    accumulator = at = 0
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        match code:
            case 0x06:  # BPF_RET | BPF_K
                return operand
            case 0x20:  # BPF_LD | BPF_W | BPF_ABS
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x00:  # BPF_LD | BPF_IMM
                accumulator = operand
            case 0x02:  # BPF_ST
                memory[operand] = accumulator
            case 0x60:  # BPF_LD | BPF_MEM
                accumulator = memory[operand]
            case 0x54:  # BPF_ALU | BPF_AND | BPF_K
                accumulator &= operand
            case 0x05:  # BPF_JMP | BPF_JA
                at += operand
            case _:
                at += if_true if COMPARE[code](accumulator, operand) else if_false
