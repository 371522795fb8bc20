"""What is made once and kept between runs, in $XDG_CACHE_HOME/slinger/vm (~/.cache/slinger/vm): KIND-DIGEST.

Rule of the file: a directory that has its name is whole. It is made under another one and renamed, one maker at a
time, whoever runs tests on this machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

UNUSED: Final = 7 * 86400  # seconds after which an old one goes when a new one comes


def cache_directory() -> Path:
    """Where they are."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slinger" / "vm"


def digest(parts: Iterable[bytes]) -> str:
    """A short name for these parts, in this order."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:16]


def kept(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The directory of this kind and key, which `make` fills if it is not there. What `make` raises goes on."""
    home = cache_directory()
    home.mkdir(parents=True, exist_ok=True)
    place, unfinished = home / f"{kind}-{key}", home / f".{kind}-{key}"
    with open(home / f".{kind}.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _remove_unused(home, kind)
            shutil.rmtree(unfinished, ignore_errors=True)  # of a maker that was killed
            unfinished.mkdir()
            try:
                make(unfinished)
            except BaseException:
                shutil.rmtree(unfinished)
                raise
            unfinished.rename(place)
        os.utime(place)
    return place


def _remove_unused(home: Path, kind: str) -> None:
    for old in home.glob(f"{kind}-*"):
        if time.time() - old.stat().st_mtime > UNUSED:
            shutil.rmtree(old)
