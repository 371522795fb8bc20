"""How the command finds its own modules: with a quarter of the system calls that Python's finder makes.

A verb loads a hundred modules. Python's finder asks for the directory's time, for the source twice, and reads the
compiled file in eleven calls; here it is one look at the source, and open, read and close of the compiled file.

Rule of this file: what is loaded is what Python would load. A compiled file counts by Python's own rule, the time and
the size of the source that it was made from; for whatever else it may be, Python's loader is asked.
"""

from __future__ import annotations

import marshal  # noqa: TID251 - a compiled module, as Python reads it: it is as trusted as the source beside it
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec, SourceFileLoader
    from types import CodeType, ModuleType

    MAGIC = b""
else:
    # importlib's own, which every Python has loaded; the module of that name is not free.
    ModuleSpec = type(sys.__spec__)
    SourceFileLoader = sys.modules["_frozen_importlib_external"].SourceFileLoader
    MAGIC = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER

MOST = 1 << 16  # bytes of a compiled module; Python's loader reads a longer one
HEADER = 16  # bytes: magic number, flags, time and size of the source, little-endian
SUFFIX = f".{sys.implementation.cache_tag}.pyc"
LOW = 0xFFFF_FFFF


class Loader(SourceFileLoader):
    """Python's loader, which has looked at the source already."""

    def __init__(self, name: str, path: str, compiled: str, header: bytes) -> None:
        """``compiled``: where Python keeps the compiled module; ``header``: how that begins if it is current."""
        super().__init__(name, path)
        self._compiled = compiled
        self._header = header

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code; ImportError or SyntaxError as Python's loader raises them."""
        try:
            fd = os.open(self._compiled, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return super().get_code(fullname)
        try:
            data = os.read(fd, MOST)
        finally:
            os.close(fd)
        if len(data) == MOST or data[:HEADER] != self._header:
            return super().get_code(fullname)
        try:
            code: CodeType = marshal.loads(memoryview(data)[HEADER:])  # noqa: S302 - as above
        except (EOFError, ValueError, TypeError):  # cut short: Python's loader says so, or makes it anew
            return super().get_code(fullname)
        return code


class Finder:
    """Finds the modules of one package, in one directory."""

    def __init__(self, directory: str, package: str) -> None:
        """``directory``: the one that holds the package, as it stands on sys.path."""
        self._directory = directory
        self._package = f"{package}."

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What importlib asks; None for a module of others, or one that is not there."""
        if not name.startswith(self._package):
            return None
        base = f"{self._directory}/{name.replace('.', '/')}"
        folder, _, last = base.rpartition("/")
        return _found(name, f"{base}.py", f"{folder}/__pycache__/{last}{SUFFIX}") or _found(
            name, f"{base}/__init__.py", f"{base}/__pycache__/__init__{SUFFIX}", base
        )


def _found(name: str, source: str, compiled: str, package: str = "") -> ModuleSpec | None:
    try:
        seen = os.stat(source)
    except OSError:
        return None
    stamps = (int(seen.st_mtime) & LOW).to_bytes(4, "little") + (seen.st_size & LOW).to_bytes(4, "little")
    loader = Loader(name, source, compiled, MAGIC + b"\0\0\0\0" + stamps)
    spec = ModuleSpec(name, loader, origin=source, is_package=bool(package))
    spec.has_location = True
    spec.cached = compiled
    if package:
        spec.submodule_search_locations = [package]
    return spec


def install(directory: str, package: str = "slinger") -> None:
    """Find ``package``'s modules below ``directory`` so from now on, unless compiled files are kept elsewhere."""
    if not sys.flags.optimize and sys.pycache_prefix is None:
        sys.meta_path.insert(0, Finder(directory, package))
