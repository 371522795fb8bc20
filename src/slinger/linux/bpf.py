"""Classic BPF as seccomp runs it, and the part of a filter that libseccomp does not make.

Sources: include/uapi/linux/bpf_common.h for the codes, struct seccomp_data in seccomp(2) for the offsets.
"""

from __future__ import annotations

LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP = 0x05  # BPF_JMP | BPF_JA
JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP_GREATER = 0x25  # BPF_JMP | BPF_JGT | BPF_K
JUMP_NOT_LESS = 0x35  # BPF_JMP | BPF_JGE | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K

NUMBER_AT, ARCHITECTURE_AT = 0, 4  # in struct seccomp_data
AUDIT_ARCH_X86_64 = 0xC000_003E
X32_BIT = 0x4000_0000  # x32 has the architecture of x86-64 and its own range of numbers
RETURN_ENOSYS = 0x0005_0000 | 38  # SECCOMP_RET_ERRNO with ENOSYS

# struct sock_filter: code, jump if true, jump if false, operand
_Instruction = tuple[int, int, int, int]


def _encoded(instruction: _Instruction) -> bytes:
    code, if_true, if_false, operand = instruction
    return code.to_bytes(2, "little") + bytes((if_true, if_false)) + operand.to_bytes(4, "little")


def _refuse_above(last: int) -> list[_Instruction]:
    """ENOSYS for a number above ``last``; otherwise on to what follows."""
    return [(JUMP_GREATER, 0, 1, last), (RETURN, 0, 0, RETURN_ENOSYS)]


def _answer(last: int | None, last_x32: int | None, *, has_x32: bool) -> list[_Instruction]:
    """The comparisons of one architecture, the number being loaded; None: no call of it is named."""
    plain = [] if last is None else _refuse_above(last)
    if not has_x32:
        return plain
    x32 = [] if last_x32 is None else _refuse_above(last_x32 | X32_BIT)
    # Past the plain ones and the jump behind them.
    return [(JUMP_NOT_LESS, len(plain) + 1, 0, X32_BIT), *plain, (JUMP, 0, 0, len(x32)), *x32]


def unknown_calls(last: dict[int, int], last_x32: int | None = None) -> bytes:
    """The head of a filter (struct sock_filter[]) that answers ENOSYS to calls newer than the profile.

    ``last`` maps an architecture (AUDIT_ARCH_*) to the highest number that the profile names there, ``last_x32``
    is that of x32, without its bit. A C library asks for a new call first and falls back when it hears ENOSYS;
    EPERM would make it give up.
    """
    architectures: dict[int, int | None] = {**last} if last_x32 is None else {AUDIT_ARCH_X86_64: None, **last}
    blocks: list[list[_Instruction]] = []
    for architecture, number in architectures.items():
        has_x32 = architecture == AUDIT_ARCH_X86_64
        answer = [(LOAD_WORD, 0, 0, NUMBER_AT), *_answer(number, last_x32, has_x32=has_x32)]
        blocks.append([(JUMP_EQUAL, 0, len(answer) + 1, architecture), *answer])
    # Each block ends with a jump over those behind it to the filter itself.
    behind = 0
    program: list[_Instruction] = []
    for block in reversed(blocks):
        program = [*block, (JUMP, 0, 0, behind), *program]
        behind = len(program)
    if program:
        program.insert(0, (LOAD_WORD, 0, 0, ARCHITECTURE_AT))
    return b"".join(map(_encoded, program))
