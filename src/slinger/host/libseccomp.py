"""libseccomp through ctypes: linux.seccomp becomes a BPF program (seccomp_rule_add(3), seccomp_export_bpf(3))."""

from __future__ import annotations

import ctypes
import errno
import os

from slinger.errors import ConfigError, HostError
from slinger.linux.bpf import X32_BIT, unknown_calls
from slinger.linux.seccomp import ACTIONS, ARCHITECTURES, FLAGS, NEW_LISTENER, NOTIFY, OPERATORS
from slinger.plan.facts import SeccompProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from slinger.spec.config import Seccomp, SeccompArg, SeccompRule

ATTRIBUTE_NNP, ATTRIBUTE_OPTIMIZE = 3, 8
BINARY_TREE = 2
UNKNOWN_SYSCALL = -1  # __NR_SCMP_ERROR
WITH_NUMBER = frozenset({"SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"})
X32 = ARCHITECTURES["SCMP_ARCH_X32"]
# To what these do not let through, an unknown call is not to be told from a forbidden one: it is told apart.
REFUSING = frozenset(ACTIONS) - {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", NOTIFY}


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def _library() -> ctypes.CDLL:
    """The library with the argument types that we use. OSError if it is not there."""
    library = ctypes.CDLL("libseccomp.so.2")
    context, action = ctypes.c_void_p, ctypes.c_uint32
    library.seccomp_init.argtypes = (action,)
    library.seccomp_init.restype = context
    library.seccomp_release.argtypes = (context,)
    library.seccomp_release.restype = None
    library.seccomp_arch_add.argtypes = (context, ctypes.c_uint32)
    library.seccomp_attr_set.argtypes = (context, ctypes.c_int, ctypes.c_uint32)
    library.seccomp_arch_native.restype = ctypes.c_uint32
    library.seccomp_syscall_resolve_name.argtypes = (ctypes.c_char_p,)
    library.seccomp_syscall_resolve_name_arch.argtypes = (ctypes.c_uint32, ctypes.c_char_p)
    library.seccomp_rule_add_array.argtypes = (
        context, action, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Comparison),
    )  # fmt: skip
    library.seccomp_export_bpf.argtypes = (context, ctypes.c_int)
    return library


def _action(name: str, number: int | None) -> int:
    if name not in WITH_NUMBER:
        return ACTIONS[name]
    return ACTIONS[name] | ((errno.EPERM if number is None else number) & 0xFFFF)


def _check(result: int, path: str, what: str) -> None:
    if result < 0:
        raise ConfigError(path, f"libseccomp: {what}: {os.strerror(-result).lower()}")


def _groups(arguments: tuple[SeccompArg, ...]) -> list[tuple[SeccompArg, ...]]:
    """One rule where all conditions hold; several conditions on one argument are alternatives, as in runc."""
    indexes = [each.index for each in arguments]
    if len(set(indexes)) == len(indexes):
        return [arguments]
    return [(each,) for each in arguments]


class _Filter:
    """A filter context that is released in the end."""

    def __init__(self, seccomp: Seccomp) -> None:
        self.library = _library()
        self.default = _action(seccomp.default_action, seccomp.default_errno_ret)
        self.context = self.library.seccomp_init(self.default)
        if not self.context:
            raise ConfigError("linux.seccomp.defaultAction", f"libseccomp refuses {seccomp.default_action}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.library.seccomp_release(self.context)

    def add_architecture(self, path: str, name: str) -> None:
        result = self.library.seccomp_arch_add(self.context, ARCHITECTURES[name])
        if result == -errno.EINVAL:
            raise ConfigError(path, f"libseccomp: unknown architecture {name}", hint="a newer libseccomp may know it")
        if result == -errno.EDOM:
            raise ConfigError(path, f"{name} has another byte order than this machine")
        if result != -errno.EEXIST:
            _check(result, path, name)

    def add_rule(self, path: str, rule: SeccompRule, *, known_only: bool) -> None:
        action = _action(rule.action, rule.errno_ret)
        if action == self.default:
            return  # libseccomp refuses a rule that changes nothing
        for at, name in enumerate(rule.names):
            number = self.library.seccomp_syscall_resolve_name(name.encode())
            if number == UNKNOWN_SYSCALL:
                if known_only:
                    raise ConfigError(f"{path}.names[{at}]", f'libseccomp: unknown system call "{name}"')
                continue  # a profile may name calls that this library does not know yet (config-linux.md)
            for arguments in _groups(rule.args):
                self._add(f"{path}.names[{at}]", action, number, arguments)

    def _add(self, path: str, action: int, number: int, arguments: tuple[SeccompArg, ...]) -> None:
        array = (_Comparison * len(arguments))(
            *(_Comparison(each.index, OPERATORS[each.op], each.value, each.value_two) for each in arguments)
        )
        result = self.library.seccomp_rule_add_array(self.context, action, number, len(arguments), array)
        _check(result, path, "the rule is refused")

    def export(self) -> bytes:
        fd = os.memfd_create("filter", os.MFD_CLOEXEC)
        try:
            _check(self.library.seccomp_export_bpf(self.context, fd), "linux.seccomp", "export")
            os.lseek(fd, 0, os.SEEK_SET)
            return os.read(fd, 1 << 20)
        finally:
            os.close(fd)


def _answers_unknown(seccomp: Seccomp) -> bool:
    """Whether the profile's default would hide from a program that a call does not exist."""
    says_so = seccomp.default_action == "SCMP_ACT_ERRNO" and seccomp.default_errno_ret == errno.ENOSYS
    return seccomp.default_action in REFUSING and not says_so


def _unknown_calls(library: ctypes.CDLL, seccomp: Seccomp) -> bytes:
    """The head of the filter, for all its architectures: see linux/bpf.py."""
    if not _answers_unknown(seccomp):
        return b""
    names = {name.encode() for rule in seccomp.syscalls for name in rule.names}
    native: int = library.seccomp_arch_native()
    last: dict[int, int] = {}
    for architecture in dict.fromkeys((native, *(ARCHITECTURES[name] for name in seccomp.architectures))):
        numbers = [library.seccomp_syscall_resolve_name_arch(architecture, name) for name in names]
        highest = max(numbers, default=UNKNOWN_SYSCALL)  # those that it has not got are negative
        if highest >= 0:
            last[architecture] = highest
    last_x32 = last.pop(X32, None)
    return unknown_calls(last, None if last_x32 is None else last_x32 & ~X32_BIT)


def build(seccomp: Seccomp) -> SeccompProgram:
    """The compiled filter. OSError if the library is missing, ConfigError for what it refuses."""
    flags = 0
    for name in ("SECCOMP_FILTER_FLAG_SPEC_ALLOW",) if seccomp.flags is None else seccomp.flags:
        flags |= 0 if name == "SECCOMP_FILTER_FLAG_TSYNC" else FLAGS[name]
    if any(rule.action == NOTIFY for rule in seccomp.syscalls):
        flags |= NEW_LISTENER
    with _Filter(seccomp) as made:
        made.library.seccomp_attr_set(made.context, ATTRIBUTE_NNP, 0)
        # Not known before libseccomp 2.5, and only about speed.
        made.library.seccomp_attr_set(made.context, ATTRIBUTE_OPTIMIZE, BINARY_TREE)
        for at, name in enumerate(seccomp.architectures):
            made.add_architecture(f"linux.seccomp.architectures[{at}]", name)
        for at, rule in enumerate(seccomp.syscalls):
            made.add_rule(f"linux.seccomp.syscalls[{at}]", rule, known_only=seccomp.known_calls_only)
        program = made.export()
        head = _unknown_calls(made.library, seccomp)
    if not program:
        raise HostError("linux.seccomp: libseccomp made an empty filter")
    return SeccompProgram(head + program, flags)
