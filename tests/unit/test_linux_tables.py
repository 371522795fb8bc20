"""The small tables of linux/: limits, namespaces, seccomp words, kernel parameters."""

from __future__ import annotations

import resource

import pytest

from slinger.linux.flags import NAMESPACES
from slinger.linux.rlimits import RLIMITS
from slinger.linux.seccomp import ACTIONS, ARCHITECTURES, FLAGS, OPERATORS
from slinger.linux.sysctl import path_of

PYTHON_HAS = {name: getattr(resource, name) for name in RLIMITS if hasattr(resource, name)}


def test_limits_are_numbered_without_a_gap() -> None:
    """RLIM_NLIMITS is 16."""
    assert sorted(RLIMITS.values()) == list(range(16))


def test_limits_are_those_of_the_platform() -> None:
    """Where Python knows a limit, the number is the same."""
    assert {name: RLIMITS[name] for name in PYTHON_HAS} == PYTHON_HAS
    assert len(PYTHON_HAS) > 10


def test_namespaces_have_their_clone_flags() -> None:
    """The eight types of the spec, as include/uapi/linux/sched.h numbers them."""
    assert NAMESPACES == {
        "cgroup": 0x02000000,
        "ipc": 0x08000000,
        "mount": 0x00020000,
        "network": 0x40000000,
        "pid": 0x20000000,
        "time": 0x00000080,
        "user": 0x10000000,
        "uts": 0x04000000,
    }


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("X86", 0x40000003),
        ("X86_64", 0xC000003E),
        ("X32", 0x4000003E),
        ("ARM", 0x40000028),
        ("AARCH64", 0xC00000B7),
        ("LOONGARCH64", 0xC0000102),
        ("M68K", 0x00000004),
        ("MIPS", 0x00000008),
        ("MIPS64", 0x80000008),
        ("MIPS64N32", 0xA0000008),
        ("MIPSEL", 0x40000008),
        ("MIPSEL64", 0xC0000008),
        ("MIPSEL64N32", 0xE0000008),
        ("PPC", 0x00000014),
        ("PPC64", 0x80000015),
        ("PPC64LE", 0xC0000015),
        ("S390", 0x00000016),
        ("S390X", 0x80000016),
        ("SH", 0x4000002A),
        ("SHEB", 0x0000002A),
        ("PARISC", 0x0000000F),
        ("PARISC64", 0x8000000F),
        ("RISCV64", 0xC00000F3),
    ],
)
def test_an_architecture_is_its_audit_number(name: str, number: int) -> None:
    """As libseccomp's seccomp.h has it."""
    assert ARCHITECTURES[f"SCMP_ARCH_{name}"] == number


def test_all_words_of_the_specification_are_known() -> None:
    """config-linux.md, "Seccomp": 23 architectures, 9 actions, 7 operators, 4 flags."""
    assert (len(ARCHITECTURES), len(ACTIONS), len(OPERATORS), len(FLAGS)) == (23, 9, 7, 4)
    assert ACTIONS["SCMP_ACT_KILL"] == ACTIONS["SCMP_ACT_KILL_THREAD"] == 0
    assert ACTIONS["SCMP_ACT_ERRNO"] | 1 == 0x00050001
    assert OPERATORS["SCMP_CMP_MASKED_EQ"] == 7
    assert FLAGS["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] == 32


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("user", "user"),
        ("", ""),
        (".", ""),
        ("/proc/sys/kernel", ""),
        ("net..ipv4", ""),
        ("net/../kernel/core_pattern", ""),
        ("net.//.kernel.core_pattern", ""),
        ("net/./x", ""),
        ("net/x/", ""),
    ],
)
def test_the_first_separator_of_a_parameter_decides(name: str, path: str) -> None:
    """As in sysctl(8); no name leads out of /proc/sys or around a prefix."""
    assert path_of(name) == path
