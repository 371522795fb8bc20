"""What injecting needs of the machine: directories of hooks.d files and CDI specifications, and device nodes."""

from __future__ import annotations

import os
import stat

from slinger.errors import ConfigError, HostError
from slinger.inject.cdi import HostNode
from slinger.spec.jsontext import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from slinger.spec.jsontext import Json

HOOK_FILES = (".json",)
CDI_FILES = (".json", ".yaml")
LARGEST = 16 << 20
KINDS = {stat.S_IFBLK: "b", stat.S_IFCHR: "c", stat.S_IFIFO: "p"}


def files_of(directory: str, endings: tuple[str, ...], what: str) -> tuple[str, ...] | None:
    """The absolute paths of the files of a directory with such a name, sorted; None if there is no directory."""
    directory = os.path.abspath(directory)
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError.of(what, error) from error
    paths = [f"{directory.rstrip('/')}/{name}" for name in names if name.endswith(endings)]
    return tuple(path for path in paths if not os.path.isdir(path))


def read_file(path: str) -> bytes:
    """A whole file. HostError; also for one that is no regular file, or larger than any can be meant to be."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode) or info.st_size > LARGEST:
                raise HostError(f"{path}: not a regular file of at most {LARGEST >> 20} MiB")
            return b"".join(iter(lambda: os.read(fd, 1 << 20), b""))
        finally:
            os.close(fd)
    except OSError as error:
        raise HostError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def read_document(path: str) -> Json:
    """The value of a JSON or YAML file. ConfigError or HostError naming it."""
    text = read_file(path)
    if path.endswith(".json"):
        return load(text, path)
    from slinger.host.yamltext import load_yaml  # noqa: PLC0415 - few have one, and it costs 30 ms

    return load_yaml(text, path)


def host_nodes(paths: Iterable[str]) -> dict[str, HostNode]:
    """The device nodes and FIFOs among the paths, symlinks not followed."""
    found: dict[str, HostNode] = {}
    for path in paths:
        try:
            info = os.lstat(path)
        except OSError:
            continue  # whether it had to be there is decided where it is used
        kind = KINDS.get(stat.S_IFMT(info.st_mode))
        if kind is not None:
            found[path] = HostNode(kind, os.major(info.st_rdev), os.minor(info.st_rdev), stat.S_IMODE(info.st_mode))
    return found


def check_program(path: str, file: str) -> None:
    """ConfigError, naming the hooks.d file, unless the hook's program is there."""
    if not os.path.exists(path):
        raise ConfigError("", f"{file}: hook.path: {path}: no such file or directory")
