"""Whether a file can be run as a program, and what else it needs: looked at, not tried.

Paths are resolved below a root, as the process that runs there would; / is the host. It is advice and no guard: what
is looked at may be changed at once.
"""

from __future__ import annotations

import os
import stat

from slinger.record import Record

LINKS = 40  # path_resolution(7): more is ELOOP
HEAD = 4096
# elf(5): where the program headers are, their size and number, by class; and the fields of one.
ELF = b"\x7fELF"
PT_INTERP = 3
HEADERS_MOST = 1 << 16  # in bytes, all of them: the kernel takes no more (load_elf_phdrs)


class Mounted(Record):
    """Where something else than the root's own file is seen: a host's path below, or "" where nobody can tell."""

    destination: str
    source: str


class Look(Record):
    """What a path leads to. ``why`` "" is a program that can be run; ``unknown``: it is where nobody can tell."""

    why: str = ""
    unknown: bool = False
    real: str = ""  # where it is on the host


def look_at(path: str, root: str = "/", mounts: tuple[Mounted, ...] = ()) -> Look:
    """Whether ``path`` names a program in a container of this root and mounts, and its interpreter does too."""
    found = _file(path, root, mounts)
    if found.why or found.unknown:
        return found
    try:
        with open(found.real, "rb") as file:
            head = file.read(HEAD)
            wanted = _interpreter(file.fileno(), head)
    except OSError:
        return found  # who may not read it may still run it
    if not wanted:
        return found
    there = _file(wanted, root, mounts)
    if there.unknown or not there.why:
        return found.replace(unknown=there.unknown)
    kind = "interpreter" if head.startswith(b"#!") else "loader"
    return found.replace(why=f"its {kind} {wanted}: {there.why}")


def writable_by_others(path: str) -> str:
    """The file, or the directory that it is in, that every user may write to; "" for neither."""
    for place in (path, os.path.dirname(path)):
        try:
            info = os.stat(place)
        except OSError:
            continue
        sticky = stat.S_ISDIR(info.st_mode) and info.st_mode & stat.S_ISVTX
        if info.st_mode & stat.S_IWOTH and not sticky:
            return place
    return ""


def _file(path: str, root: str, mounts: tuple[Mounted, ...]) -> Look:
    """The file itself."""
    try:
        real = resolve(path, root, mounts)
        if real is None:
            return Look(unknown=True)
        info = os.lstat(real)
    except OSError as error:
        return Look((error.strerror or str(error)).lower())
    if not stat.S_ISREG(info.st_mode):
        return Look("is a directory" if stat.S_ISDIR(info.st_mode) else "not a regular file", real=real)
    if not info.st_mode & 0o111:
        return Look("permission denied: it is not executable", real=real)
    return Look(real=real)


def resolve(path: str, root: str, mounts: tuple[Mounted, ...]) -> str | None:
    """Where a path below a root leads on the host, symlinks followed inside; None where nobody can tell.

    Raises OSError.
    """
    inside: list[str] = []
    rest = _parts(path)
    links = 0
    while rest:
        part = rest.pop(0)
        if part == "..":
            inside = inside[:-1]
            continue
        place = _place([*inside, part], root, mounts)
        if place is None:
            return None
        if not os.path.islink(place):
            os.lstat(place)  # raises where it is not there
            inside.append(part)
            continue
        links += 1
        if links > LINKS:
            raise OSError(40, "Too many levels of symbolic links")
        target = os.readlink(place)
        inside = [] if target.startswith("/") else inside
        rest = [*_parts(target), *rest]
    return _place(inside, root, mounts)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _place(inside: list[str], root: str, mounts: tuple[Mounted, ...]) -> str | None:
    """A path of the container on the host, by the last mount that covers it."""
    for mount in reversed(mounts):
        covered = _parts(mount.destination)
        if inside[: len(covered)] == covered:
            return os.path.join(mount.source, *inside[len(covered) :]) if mount.source else None
    return os.path.join(root, *inside)


def _interpreter(fd: int, head: bytes) -> str:
    """What the kernel runs instead of a script, or beside a dynamic program; "" for none."""
    if head.startswith(b"#!"):
        words = head[2:].partition(b"\n")[0].split()
        return os.fsdecode(words[0]) if words else "/bin/sh"
    if not head.startswith(ELF) or len(head) < 64:  # noqa: PLR2004 - the size of its header
        return ""
    wide, order = head[4] == 2, "little" if head[5] == 1 else "big"  # noqa: PLR2004 - ELFCLASS64

    def number(data: bytes, at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]  # one of the two

    at, size, count = (
        (number(head, 32, 8), number(head, 54, 2), number(head, 56, 2))
        if wide
        else (number(head, 28, 4), number(head, 42, 2), number(head, 44, 2))
    )
    end = os.fstat(fd).st_size
    if size * count > HEADERS_MOST or at >= end:
        return ""  # the kernel refuses it, whatever loader it names
    table = os.pread(fd, size * count, at)
    for index in range(count):
        row = table[index * size : (index + 1) * size]
        if len(row) == size and number(row, 0, 4) == PT_INTERP:
            where, length = (number(row, 8, 8), number(row, 32, 8)) if wide else (number(row, 4, 4), number(row, 16, 4))
            name = os.pread(fd, min(length, HEAD), where) if where < end else b""
            return os.fsdecode(name.partition(b"\0")[0])
    return ""
