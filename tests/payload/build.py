"""Build the payload once per set of sources: static, small, into a cache directory.

The tests need it before and without the package's own build, so meson does not know it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wmissing-prototypes", "-Wformat=2", "-Werror")
FLAGS = ("-static", "-Os", "-std=gnu17", *WARNINGS)


def cache_directory() -> Path:
    """Say where built payloads are kept: below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slinger-tests"


def missing_tool() -> str | None:
    """Name the compiler that is missing, or None."""
    return None if shutil.which("gcc") else "gcc"


def build_payload() -> Path:
    """Return the path of the built payload; build it when these sources were not built before.

    Raises subprocess.CalledProcessError when the compiler refuses, FileNotFoundError when there is none.
    """
    sources = sorted(HERE.glob("*.c"))
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for path in (*sources, *sorted(HERE.glob("*.h"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    built = cache_directory() / f"payload-{digest.hexdigest()[:16]}"
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    unfinished = built.with_name(f"{built.name}.{os.getpid()}")  # two test runs may build at once
    subprocess.run(["gcc", *FLAGS, "-o", unfinished, *sources], check=True)
    subprocess.run(["strip", unfinished], check=True)
    unfinished.replace(built)
    return built


if __name__ == "__main__":
    sys.stdout.write(f"{build_payload()}\n")
