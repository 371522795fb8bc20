"""What a function of the program's must not do inside a container: have the container's files become its own code.

Two guards, since neither is enough. Python's own doors are closed by an audit hook (sys.addaudithook), which cannot be
taken out again: no module that is not loaded yet, no shared library, no program. What the C library loads by itself
(its name services, CVE-2019-14271, and character sets) is stopped by a seccomp filter, where the container's files are
in reach: no file is mapped as code, and no program executed.
"""

from __future__ import annotations

import ctypes
import sys

from slinger.host.inside.entering import prctl
from slinger.spec.config import Seccomp, SeccompArg, SeccompRule

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
EACCES, PROT_EXEC = 13, 4
PROGRAMS = frozenset({"os.exec", "os.posix_spawn", "os.system", "subprocess.Popen", "pty.spawn"})
# Codecs that the standard library loads when they are first needed, which inside is too late.
CODECS = ("ascii", "latin-1", "utf-8", "utf-16", "idna", "punycode")

_sealed_programs = False


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("size", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def profile() -> Seccomp:
    """The filter: nothing but what is loaded is code."""
    code = SeccompArg(index=2, value=PROT_EXEC, value_two=PROT_EXEC, op="SCMP_CMP_MASKED_EQ")
    code_calls, run_calls = ("mmap", "mprotect", "pkey_mprotect"), ("execve", "execveat")
    return Seccomp(
        default_action="SCMP_ACT_ALLOW",
        syscalls=(
            SeccompRule(code_calls, "SCMP_ACT_ERRNO", EACCES, (code,)),
            SeccompRule(run_calls, "SCMP_ACT_ERRNO", EACCES),
        ),
    )


def load_codecs() -> None:
    """What is to be there before a process enters."""
    import codecs  # noqa: PLC0415 - loaded at Python's start already

    for name in CODECS:
        codecs.lookup(name)


def seal(program: bytes) -> None:
    """From here on nothing becomes code; with a filter (struct sock_filter[]) no program is executed either."""
    global _sealed_programs  # noqa: PLW0603 - of this process, which was forked for one call
    _sealed_programs = bool(program)
    if program:
        count = len(program) // 8
        buffer = ctypes.create_string_buffer(program, len(program))
        head = _Program(count, ctypes.addressof(buffer))
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(head))
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[object, ...]) -> None:
    if event == "import":
        message = f"{args[0]}: nothing is imported inside a container; import it at the top of the program"
        raise ImportError(message)
    if event == "ctypes.dlopen" and args[0] is not None:
        message = f"{args[0]}: nothing is loaded inside a container; load it before"
        raise PermissionError(message)
    if _sealed_programs and event in PROGRAMS:
        message = f"{event}: a Python hook runs no program of the container's; a command hook may"
        raise PermissionError(message)
