"""linux.seccomp compiled by libseccomp, and kept: the same profile is compiled once a state root.

libseccomp is loaded through ctypes (9 ms) and only when the cache has no answer.
"""

from __future__ import annotations

import _blake2
import os

from slinger.errors import HostError
from slinger.plan.facts import SeccompProgram
from slinger.record import Record
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Seccomp

CACHE = ".seccomp"  # no container's id begins with a dot


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return [_plain(each) for each in items]
    if isinstance(value, Record):
        return [_plain(each) for each in value.__dict__.values()]
    return value


def _key(seccomp: Seccomp) -> str:
    """What the filter depends on: the profile, the kernel, the library's and our version of the translation."""
    machine = os.uname()
    text = dump([3, machine.release, machine.machine, _plain(seccomp)])
    return _blake2.blake2b(text.encode(), digest_size=20).hexdigest()


def compile_filter(seccomp: Seccomp, root: str) -> SeccompProgram:
    """The program and flags for linux.seccomp. ConfigError for what libseccomp or the kernel does not know."""
    path = f"{root}/{CACHE}/{_key(seccomp)}"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        compiled = _compile(seccomp)
        _keep(path, compiled)
        return compiled
    try:
        data = os.read(fd, 1 << 20)
    finally:
        os.close(fd)
    return SeccompProgram(data[8:], int.from_bytes(data[:8], "little"))


def _keep(path: str, compiled: SeccompProgram) -> None:
    """Into the cache, whole or not at all. It lies in the state root, which only its owner can write."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.{os.getpid()}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, compiled.flags.to_bytes(8, "little") + compiled.program)
    finally:
        os.close(fd)
    os.rename(draft, path)


def _compile(seccomp: Seccomp) -> SeccompProgram:
    try:
        from slinger.host.libseccomp import build  # noqa: PLC0415 - 9 ms, for a profile seen for the first time
    except OSError as error:
        message = f"linux.seccomp: libseccomp.so.2 cannot be loaded: {error}"
        raise HostError(message, hint="apt-get install libseccomp2") from error
    return build(seccomp)
