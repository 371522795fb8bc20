"""C programs of the tests, with parts of the hands in them: built once per set of sources, under the sanitizers.

Only clang is asked for, because libFuzzer is its own; Debian has the sanitizers in libclang-rt-14-dev.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

from tests.payload.build import cache_directory

ROOT: Final = Path(__file__).parents[2]
INIT: Final = ROOT / "init"
WARNINGS: Final = ("-Wall", "-Wextra", "-Wshadow", "-Wmissing-prototypes", "-Wconversion", "-Wno-sign-conversion")
FLAGS: Final = ("-g", "-O1", "-std=gnu17", "-D_GNU_SOURCE", "-Werror", *WARNINGS, "-fno-sanitize-recover=all")


def build(*sources: Path, sanitizers: str = "address,undefined") -> Path:
    """The program of these sources, named after the first. CalledProcessError where the compiler refuses."""
    digest = hashlib.sha256(" ".join((*FLAGS, sanitizers, str(ROOT))).encode())
    headers = sorted([*INIT.glob("*.h"), *INIT.glob("*.c"), *Path(__file__).parent.glob("*.h")])
    for path in (*sources, *headers):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    built = cache_directory() / f"{sources[0].stem}-{digest.hexdigest()[:16]}"
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    unfinished = built.with_name(f"{built.name}.{os.getpid()}")  # two test runs may build at once
    command: list[str | Path] = ["clang", *FLAGS, f"-fsanitize={sanitizers}", f"-I{INIT}", "-o", unfinished, *sources]
    subprocess.run(command, check=True)
    unfinished.replace(built)
    return built
