"""eBPF instructions as bytes, as many of them as a device filter needs.

Sources: the kernel's bpf/standardization/instruction-set.rst; include/uapi/linux/bpf.h for the structures. An
instruction is 8 bytes: code, registers, offset of a jump or a load, constant. Little-endian, as all machines that
slinger runs on.
"""

from __future__ import annotations

LOAD_WORD = 0x61  # BPF_LDX | BPF_MEM | BPF_W: destination = *(u32 *)(source + offset)
SET = 0xB7  # BPF_ALU64 | BPF_MOV | BPF_K
COPY = 0xBF  # BPF_ALU64 | BPF_MOV | BPF_X
AND = 0x57  # BPF_ALU64 | BPF_AND | BPF_K
SHIFT_RIGHT = 0x77  # BPF_ALU64 | BPF_RSH | BPF_K
JUMP = 0x05  # BPF_JMP | BPF_JA
# Of 32 bits: a constant of the 64-bit ones is extended by its sign, and device numbers have no sign.
JUMP_UNEQUAL = 0x56  # BPF_JMP32 | BPF_JNE | BPF_K
JUMP_ANY_BIT = 0x46  # BPF_JMP32 | BPF_JSET | BPF_K
EXIT = 0x95  # BPF_JMP | BPF_EXIT

R0, R1, R2, R3, R4, R5 = range(6)  # R0 is the answer, R1 points to the context
SIZE = 8


def instruction(code: int, destination: int = 0, source: int = 0, *, offset: int = 0, constant: int = 0) -> bytes:
    """One instruction. ``constant`` has 32 bits, with or without a sign; ``offset`` 16 with one."""
    registers = destination | source << 4
    return (
        bytes((code, registers))
        + offset.to_bytes(2, "little", signed=True)
        + (constant & 0xFFFF_FFFF).to_bytes(4, "little")
    )


def answer(value: int) -> bytes:
    """End with this value."""
    return instruction(SET, R0, constant=value) + instruction(EXIT)


def unless_equal(register: int, constant: int, skipped: bytes) -> bytes:
    """``skipped``, but past it if the register's lower 32 bits are not the constant."""
    return instruction(JUMP_UNEQUAL, register, offset=len(skipped) // SIZE, constant=constant) + skipped


def if_any_bit(register: int, bits: int, then: bytes) -> bytes:
    """``then``, but past it if the register has none of the bits."""
    over = instruction(JUMP, offset=len(then) // SIZE)
    return instruction(JUMP_ANY_BIT, register, offset=1, constant=bits) + over + then
