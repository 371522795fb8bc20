"""The words of linux.seccomp (config-linux.md) and the numbers that libseccomp knows them by.

Sources: seccomp.h of libseccomp for actions and operators, include/uapi/linux/audit.h for
architectures, include/uapi/linux/seccomp.h for flags.
"""

from __future__ import annotations

# ERRNO and TRACE take a number of 16 bits, to be or-ed in.
ACTIONS = {
    "SCMP_ACT_KILL": 0x0000_0000,  # the older name of KILL_THREAD
    "SCMP_ACT_KILL_PROCESS": 0x8000_0000,
    "SCMP_ACT_KILL_THREAD": 0x0000_0000,
    "SCMP_ACT_TRAP": 0x0003_0000,
    "SCMP_ACT_ERRNO": 0x0005_0000,
    "SCMP_ACT_NOTIFY": 0x7FC0_0000,
    "SCMP_ACT_TRACE": 0x7FF0_0000,
    "SCMP_ACT_LOG": 0x7FFC_0000,
    "SCMP_ACT_ALLOW": 0x7FFF_0000,
}
# What a number may go with, and the largest: the kernel cuts an errno at MAX_ERRNO.
LARGEST_ERRNO = {"SCMP_ACT_ERRNO": 4095, "SCMP_ACT_TRACE": 0xFFFF}

OPERATORS = {
    "SCMP_CMP_NE": 1,
    "SCMP_CMP_LT": 2,
    "SCMP_CMP_LE": 3,
    "SCMP_CMP_EQ": 4,
    "SCMP_CMP_GE": 5,
    "SCMP_CMP_GT": 6,
    "SCMP_CMP_MASKED_EQ": 7,
}

_64BIT = 0x8000_0000
_LITTLE = 0x4000_0000
_MIPS64_N32 = 0x2000_0000

ARCHITECTURES = {
    "SCMP_ARCH_X86": 3 | _LITTLE,
    "SCMP_ARCH_X86_64": 62 | _64BIT | _LITTLE,
    "SCMP_ARCH_X32": 62 | _LITTLE,
    "SCMP_ARCH_ARM": 40 | _LITTLE,
    "SCMP_ARCH_AARCH64": 183 | _64BIT | _LITTLE,
    "SCMP_ARCH_LOONGARCH64": 258 | _64BIT | _LITTLE,
    "SCMP_ARCH_M68K": 4,
    "SCMP_ARCH_MIPS": 8,
    "SCMP_ARCH_MIPS64": 8 | _64BIT,
    "SCMP_ARCH_MIPS64N32": 8 | _64BIT | _MIPS64_N32,
    "SCMP_ARCH_MIPSEL": 8 | _LITTLE,
    "SCMP_ARCH_MIPSEL64": 8 | _64BIT | _LITTLE,
    "SCMP_ARCH_MIPSEL64N32": 8 | _64BIT | _LITTLE | _MIPS64_N32,
    "SCMP_ARCH_PPC": 20,
    "SCMP_ARCH_PPC64": 21 | _64BIT,
    "SCMP_ARCH_PPC64LE": 21 | _64BIT | _LITTLE,
    "SCMP_ARCH_S390": 22,
    "SCMP_ARCH_S390X": 22 | _64BIT,
    "SCMP_ARCH_SH": 42 | _LITTLE,
    "SCMP_ARCH_SHEB": 42,
    "SCMP_ARCH_PARISC": 15,
    "SCMP_ARCH_PARISC64": 15 | _64BIT,
    "SCMP_ARCH_RISCV64": 243 | _64BIT | _LITTLE,
}

# TSYNC is accepted and means nothing: the filter is loaded by the only thread there is.
FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": 1 << 0,
    "SECCOMP_FILTER_FLAG_LOG": 1 << 1,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": 1 << 2,
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": 1 << 5,
}
# What is no flag of a profile: the runtime asks for it where a rule notifies.
NOTIFY = "SCMP_ACT_NOTIFY"
NEW_LISTENER = 1 << 3
