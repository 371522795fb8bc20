"""linux.resources.devices as an eBPF program for cgroup v2 (config-linux.md, "Allowed Device list").

The kernel asks it about every mknod and open of a device (BPF_PROG_TYPE_CGROUP_DEVICE), with a
``struct bpf_cgroup_dev_ctx``: access_type (kind below, letters above), major, minor. What counts for a letter is
the last rule about that device and that letter, so rules are walked from the last to the first, and each takes
its letters off what is still asked. Unlike the lists of v1 this can say an exception of an exception. What no rule
is about is denied, as runc and crun have it on v2; without any rule there is no program.
"""

from __future__ import annotations

from slinger.linux import ebpf
from slinger.linux.ebpf import R1, R2, R3, R4, R5
from slinger.plan.device_rules import ALL, DEFAULTS, ORIGIN, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.device_rules import CheckedRule
    from slinger.spec.config import DeviceRule

KINDS = {"b": 1, "c": 2}  # BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR
LETTERS = {"m": 1, "r": 2, "w": 4}  # BPF_DEVCG_ACC_*
EVERY_LETTER = 7
ALLOW, DENY = ebpf.answer(1), ebpf.answer(0)
KIND, ASKED, MAJOR, MINOR = R2, R3, R4, R5
ACCESS_TYPE_AT, MAJOR_AT, MINOR_AT = 0, 4, 8

HEAD = b"".join(
    (
        ebpf.instruction(ebpf.LOAD_WORD, KIND, R1, offset=ACCESS_TYPE_AT),
        ebpf.instruction(ebpf.COPY, ASKED, KIND),
        ebpf.instruction(ebpf.SHIFT_RIGHT, ASKED, constant=16),
        ebpf.instruction(ebpf.AND, KIND, constant=0xFFFF),
        ebpf.instruction(ebpf.LOAD_WORD, MAJOR, R1, offset=MAJOR_AT),
        ebpf.instruction(ebpf.LOAD_WORD, MINOR, R1, offset=MINOR_AT),
    )
)


def device_program(rules: tuple[DeviceRule, ...]) -> bytes:
    """The program (struct bpf_insn[]); b"" where all is allowed and none is needed. ConfigError for a wrong rule."""
    table = [checked(rule, f"{ORIGIN}[{index}]") for index, rule in enumerate(rules)]
    last_word = max((index for index, rule in enumerate(table) if _is_last_word(rule)), default=-1)
    heard = table[max(last_word, 0) :]  # the verifier refuses what is out of reach
    if all(rule.allow for rule in heard) and (last_word >= 0 or not heard):
        return b""
    blocks = [_block(rule) for rule in reversed((*heard, *(checked(rule, ORIGIN) for rule in DEFAULTS)))]
    return b"".join((HEAD, *blocks, *(() if last_word >= 0 else (DENY,))))


def _is_last_word(rule: CheckedRule) -> bool:
    return rule.type == "a" and rule.major is None and rule.minor is None and rule.access == ALL


def _block(rule: CheckedRule) -> bytes:
    """The answer of one rule, or on to the next."""
    letters = sum(LETTERS[letter] for letter in rule.access)
    if letters == EVERY_LETTER:
        block = ALLOW if rule.allow else DENY
    elif rule.allow:
        rest = ebpf.instruction(ebpf.AND, ASKED, constant=EVERY_LETTER & ~letters)
        block = rest + ebpf.unless_equal(ASKED, 0, ALLOW)
    else:
        block = ebpf.if_any_bit(ASKED, letters, DENY)
    if rule.minor is not None:
        block = ebpf.unless_equal(MINOR, rule.minor, block)
    if rule.major is not None:
        block = ebpf.unless_equal(MAJOR, rule.major, block)
    if rule.type != "a":
        block = ebpf.unless_equal(KIND, KINDS[rule.type], block)
    return block
