"""``slinger version`` and ``slinger --version``: the first three lines as callers parse runc's."""

from __future__ import annotations

import sys

from slinger.verbs import Outcome
from slinger.version import COMMIT, SPEC_VERSION, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call


def main(_call: Call) -> Outcome:
    """Answer with the versions."""
    lines = (
        f"slinger version {VERSION}",
        f"commit: {COMMIT}",
        f"spec: {SPEC_VERSION}",
        f"python: {'.'.join(str(part) for part in sys.version_info[:3])}",
        f"libseccomp: {libseccomp() or 'not installed'}",
    )
    return Outcome("\n".join(lines) + "\n")


def libseccomp() -> str:
    """The version of the library that compiles seccomp filters (seccomp_version(3)); "" without it."""
    import ctypes  # 4 ms, and only this line needs it

    class Version(ctypes.Structure):
        _fields_ = (("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("micro", ctypes.c_uint))

    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return ""
    library.seccomp_version.restype = ctypes.POINTER(Version)
    version = library.seccomp_version().contents
    return f"{version.major}.{version.minor}.{version.micro}"
