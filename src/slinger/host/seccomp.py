"""linux.seccomp compiled by libseccomp, and kept: the same profile is compiled once a state root.

libseccomp is loaded through ctypes (9 ms) and only when the cache has no answer. An entry of the cache is used only
if it is whole and nobody else could have written it; anything else is as good as none.
"""

from __future__ import annotations

import _blake2
import os
import stat

from slinger.errors import HostError
from slinger.plan.facts import SeccompProgram
from slinger.record import Record
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.config import Seccomp

CACHE = ".seccomp"  # no container's id begins with a dot
FORMAT = 5  # of an entry, and of our translation
DIGEST_BYTES, FLAGS_BYTES, INSTRUCTION_BYTES = 20, 8, 8
ENTRIES = 256  # kept at most; a filter is some KiB
LARGEST = DIGEST_BYTES + FLAGS_BYTES + 4096 * INSTRUCTION_BYTES  # BPF_MAXINSNS
# Where Debian, Fedora and Arch have it; elsewhere a new library is noticed with the next kernel.
LIBRARIES = ("/usr/lib/{}-linux-gnu/libseccomp.so.2", "/usr/lib64/libseccomp.so.2", "/usr/lib/libseccomp.so.2")


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return [_plain(each) for each in items]
    if isinstance(value, Record):
        return [_plain(each) for each in value.__dict__.values()]
    return value


def _library(machine: str) -> str:
    """What tells one version of the library from another, without loading it: its file."""
    for pattern in LIBRARIES:
        try:
            return os.readlink(pattern.format(machine))  # libseccomp.so.2.5.4
        except OSError:
            continue
    return ""


def _digest(data: bytes) -> bytes:
    return _blake2.blake2b(data, digest_size=DIGEST_BYTES).digest()


def _key(seccomp: Seccomp) -> str:
    """What the filter depends on: the profile, the kernel, the library's and our version of the translation."""
    machine = os.uname()
    text = dump([FORMAT, machine.release, machine.machine, _library(machine.machine), _plain(seccomp)])
    return _digest(text.encode()).hex()


def compile_filter(seccomp: Seccomp, root: str) -> SeccompProgram:
    """The program and flags for linux.seccomp. ConfigError for what libseccomp or the kernel does not know."""
    folder, name = f"{root}/{CACHE}", _key(seccomp)
    compiled = _kept(f"{folder}/{name}")
    if compiled is None:
        compiled = _compile(seccomp)
        _keep(folder, name, compiled)
    return compiled


def _kept(path: str) -> SeccompProgram | None:
    """What the cache has; None for nothing, and for what is damaged or could be somebody else's."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        is_ours = stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022
        data = os.read(fd, LARGEST) if is_ours and info.st_size <= LARGEST else b""
    finally:
        os.close(fd)
    digest, body = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    if len(body) < FLAGS_BYTES + INSTRUCTION_BYTES or _digest(body) != digest:
        return None
    return SeccompProgram(body[FLAGS_BYTES:], int.from_bytes(body[:FLAGS_BYTES], "little"))


def _keep(folder: str, name: str, compiled: SeccompProgram) -> None:
    """Into the cache, whole or not at all. Where there is no state root yet, or it is not ours to write, not at all."""
    body = compiled.flags.to_bytes(FLAGS_BYTES, "little") + compiled.program
    draft = f"{folder}/{name}.{os.urandom(8).hex()}"
    try:
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
        _make_room(folder)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        os.write(fd, _digest(body) + body)
        os.rename(draft, f"{folder}/{name}")
    except OSError:
        _forget(draft)
    finally:
        os.close(fd)


def _make_room(folder: str) -> None:
    """All anew once in a while: profiles, kernels and drafts of killed processes come and go."""
    names = os.listdir(folder)
    if len(names) >= ENTRIES:
        for name in names:
            _forget(f"{folder}/{name}")


def _forget(path: str) -> None:
    """Remove what another process may remove at the same moment."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _compile(seccomp: Seccomp) -> SeccompProgram:
    try:
        from slinger.host.libseccomp import build  # noqa: PLC0415 - 9 ms, for a profile seen for the first time
    except OSError as error:
        message = f"linux.seccomp: libseccomp.so.2 cannot be loaded: {error}"
        raise HostError(message, hint="apt-get install libseccomp2") from error
    return build(seccomp)
