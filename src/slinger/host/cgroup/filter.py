"""Device filters of cgroup v2: bpf(2) loads a program and ties it to a cgroup.

Only a program of ours, known by its name, is ever replaced: systemd, or who made the cgroup, may have tied one to it
too, and then both must allow. A replacement is one step for the kernel, so no moment is without a filter. The program
lives as long as the cgroup.

bpf(2) has no function in the C library and Python none either, so it is called through _ctypes, the C half of ctypes,
whose Python half would cost 2 ms of every container.
"""

from __future__ import annotations

import _ctypes
import errno
import os

from slinger.errors import HostError
from slinger.linux.ebpf import SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ORIGIN = "linux.resources.devices"
NUMBERS = {"x86_64": 321, "aarch64": 280}  # of bpf(2)
# include/uapi/linux/bpf.h: commands, and what a program is.
PROG_LOAD, PROG_ATTACH, PROG_DETACH = 5, 8, 9
PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, PROG_QUERY = 13, 15, 16
PROG_TYPE_CGROUP_DEVICE, CGROUP_DEVICE = 15, 6
F_ALLOW_MULTI, F_REPLACE = 1 << 1, 1 << 2
NAME = b"slinger_devices"
LICENSE = b"Apache-2.0\0"
# Larger than every union bpf_attr: Linux 6.17 writes an answer far behind what it was told to (fixed in 7.2).
ATTRIBUTE = 512
KNOWN = 64  # as far as our fields go: up to prog_name in that of PROG_LOAD, and all of the others
MOST_PROGRAMS = 64  # of one cgroup: BPF_CGROUP_MAX_PROGS
COUNT_AT = 24  # prog_cnt of PROG_QUERY
INFO, NAME_AT = 256, 64  # struct bpf_prog_info
LOAD_TRIES = 10  # the verifier gives up when a signal comes
LOG = 1 << 16
HINTS = {
    errno.EPERM: "it takes CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN; a cgroup above may not let others add filters",
    errno.EINVAL: "the kernel needs CONFIG_CGROUP_BPF",
    errno.ENOSYS: "the kernel needs CONFIG_BPF_SYSCALL",
}


# Generic for type checkers alone.
if TYPE_CHECKING:
    _Simple = _ctypes._SimpleCData[int]  # noqa: SLF001 - what ctypes itself makes its types of
else:
    _Simple = _ctypes._SimpleCData  # noqa: SLF001


class _Byte(_Simple):
    _type_ = "c"


class _Long(_Simple):
    _type_ = "l"


# dlopen(3): a null pointer, which the type of the function does not know, is the program itself.
_THIS_PROGRAM: Any = None


class _Syscall(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = _Long
    _argtypes_ = (_Long, _Long, _Long, _Long)


class _Memory:
    """Bytes of ours that the kernel reads and writes."""

    def __init__(self, content: bytes, size: int = 0) -> None:
        self._bytes = bytearray(content.ljust(size, b"\0"))
        self._block = (_Byte * len(self._bytes)).from_buffer(self._bytes)
        self.address = _ctypes.addressof(self._block)

    def number(self, at: int) -> int:
        """An unsigned number of 32 bits."""
        return int.from_bytes(self._bytes[at : at + 4], "little")

    def text(self, at: int = 0) -> bytes:
        """Up to the first zero byte."""
        return bytes(self._bytes[at:]).partition(b"\0")[0]


def attach(directory: str, program: bytes) -> None:
    """Tie a device program (plan/device_filter.py) to a cgroup, in place of ours; b"" is none. HostError."""
    try:
        cgroup = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise HostError.of(f"{ORIGIN}: the cgroup", error) from error
    try:
        old = _ours(cgroup)
        try:
            if program:
                _put(cgroup, program, old)
            for left in old[1:] if program else old:
                _bpf("removing an old device filter", PROG_DETACH, _words(cgroup, left, CGROUP_DEVICE))
        finally:
            for fd in old:
                os.close(fd)
    finally:
        os.close(cgroup)


def _put(cgroup: int, program: bytes, old: list[int]) -> None:
    fd = _load(program)
    try:
        flags = F_ALLOW_MULTI | (F_REPLACE if old else 0)
        _bpf("attaching the device filter", PROG_ATTACH, _words(cgroup, fd, CGROUP_DEVICE, flags, *old[:1]))
    finally:
        os.close(fd)


def _ours(cgroup: int) -> list[int]:
    """Descriptors of the programs on this cgroup itself that have our name."""
    ids = _Memory(b"", 4 * MOST_PROGRAMS)
    query = _Memory(
        _words(cgroup, CGROUP_DEVICE, 0, 0) + ids.address.to_bytes(8, "little") + _words(MOST_PROGRAMS), ATTRIBUTE
    )
    _call("asking for device filters", PROG_QUERY, query)
    count = query.number(COUNT_AT)
    fds = [_bpf("opening a device filter", PROG_GET_FD_BY_ID, _words(ids.number(4 * index))) for index in range(count)]
    ours = [fd for fd in fds if _name(fd) == NAME]
    for fd in fds:
        if fd not in ours:
            os.close(fd)
    return ours


def _name(fd: int) -> bytes:
    info = _Memory(b"", INFO)
    _bpf("looking at a device filter", OBJ_GET_INFO_BY_FD, _words(fd, INFO) + info.address.to_bytes(8, "little"))
    return info.text(NAME_AT)


def _load(program: bytes) -> int:
    """A descriptor of the program, which the kernel has verified."""
    code, licence = _Memory(program), _Memory(LICENSE)
    pointers = code.address.to_bytes(8, "little") + licence.address.to_bytes(8, "little")

    def attributes(log: _Memory | None) -> bytes:
        logging = _words(0, 0, 0, 0) if log is None else _words(1, LOG) + log.address.to_bytes(8, "little")
        head = _words(PROG_TYPE_CGROUP_DEVICE, len(program) // SIZE) + pointers
        return head + logging + _words(0, 0) + NAME.ljust(16, b"\0")

    what = "loading the device filter"
    for _ in range(LOAD_TRIES):
        try:
            return _bpf(what, PROG_LOAD, attributes(None))
        except _BpfError as error:
            if error.errno != errno.EAGAIN:
                break
    log = _Memory(b"", LOG)
    try:
        return _bpf(what, PROG_LOAD, attributes(log))
    except _BpfError as error:
        lines = log.text().decode("utf-8", "replace").splitlines()
        if lines:
            error.add_note(f"the kernel's verifier: {'; '.join(lines[-3:])}")
        raise


class _BpfError(HostError):
    errno = 0


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def _bpf(what: str, command: int, attributes: bytes) -> int:
    return _call(what, command, _Memory(attributes, ATTRIBUTE))


def _call(what: str, command: int, attributes: _Memory) -> int:
    # The size of what we know and not of the whole memory: an older kernel refuses what it does not know.
    machine = os.uname().machine
    if machine not in NUMBERS:
        raise HostError(f"{ORIGIN}: {what}: the number of bpf(2) on {machine} is not known")
    syscall = _Syscall(_ctypes.dlsym(_ctypes.dlopen(_THIS_PROGRAM, 0), "syscall"))
    result = int(syscall(NUMBERS[machine], command, attributes.address, KNOWN))
    if result < 0:
        number = _ctypes.get_errno()
        error = _BpfError(f"{ORIGIN}: {what}: {os.strerror(number).lower()}", hint=HINTS.get(number, ""))
        error.errno = number
        raise error
    return result
