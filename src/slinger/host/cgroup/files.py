"""Reading and writing the files of cgroupfs: one open, one read or write, one close, and nothing else.

The functions raise OSError with the path in it; who calls them knows what was meant and says so.
A file is never created: a controller that is missing must be ENOENT.
"""

from __future__ import annotations

import os

from slinger.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

READ_SIZE = 1 << 16
# Users may set the first on what is theirs, but not on every kernel's v1; root may set the second everywhere.
MARKS = ("user.slinger.parent", "trusted.slinger.parent")


def write(path: str, value: str) -> None:
    """Hand the value to the kernel in one piece, as it demands."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(fd)


def read(path: str) -> str:
    """The whole file, without the last newline."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(fd, READ_SIZE)
        if text and not text.endswith(b"\n"):
            while part := os.read(fd, READ_SIZE):
                text += part
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(fd)
    return text.decode().removesuffix("\n")


def exists(path: str) -> bool:
    """Whether there is such a file or directory; OSError where that cannot be told."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True


def children(path: str) -> tuple[str, ...]:
    """The names of the cgroups right below this one; () if it is gone."""
    try:
        with os.scandir(path) as entries:
            return tuple(sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False)))
    except FileNotFoundError:
        return ()


def mark(path: str) -> None:
    """Note on a cgroup that it was made for the containers below it, so that whoever is last there may remove it.

    Best effort: where attributes cannot be set, only the container that made it knows.
    """
    for name in MARKS:
        try:
            os.setxattr(path, name, b"1")
        except OSError:
            continue
        return


def marked(path: str) -> bool:
    """Whether there is such a note; False if the cgroup is gone."""
    for name in MARKS:
        try:
            os.getxattr(path, name)
        except OSError:
            continue
        return True
    return False


def sizes(path: str, ending: str) -> tuple[str, ...]:
    """The sizes of huge pages that have a file ``hugetlb.SIZE<ending>`` in this cgroup; () if it is gone."""
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return ()
    found = (name.removeprefix("hugetlb.").removesuffix(ending) for name in names if name.startswith("hugetlb."))
    return tuple(sorted(size for size in found if "." not in size))


def tree(path: str, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """The cgroups below this one, children before parents, then itself. ``skip``: children left out."""
    for name in children(path):
        if name not in skip:
            yield from tree(f"{path}/{name}")
    yield path


def refused(what: str, error: OSError, hint: str = "") -> HostError:
    """``what: why``, the path being in ``what``."""
    return HostError(f"{what}: {(error.strerror or str(error)).lower()}", hint=hint)
