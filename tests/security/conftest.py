"""What an attack needs: a box, a canary that must stay as it is, and a neighbour who swaps two names."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.bundles import base_config, make_bundle, make_rootfs
from tests.integration.box import Box
from tests.payload.build import build_payload

Swap = Callable[[Path, Path], AbstractContextManager[None]]


@pytest.fixture
def box(slinger: str, tmp_path: Path, tmp_root: Path) -> Iterator[Box]:
    """A bundle with the common config, and the command; of its container nothing is left after the test."""
    box = Box(slinger, tmp_root, make_bundle(tmp_path / "bundle", base_config()))
    yield box
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left()) == (0, "", [])


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    """A root file system for the hands alone; see tests/bundles.py for what is in it."""
    directory = tmp_path / "rootfs"
    directory.mkdir()
    make_rootfs(directory)
    return directory


def picture(directory: Path) -> list[tuple[str, int, int, int, bytes]]:
    """All that is in a directory of the host: names, modes, owners, contents."""
    found: list[tuple[str, int, int, int, bytes]] = []
    for path in sorted((directory, *directory.rglob("*"))):
        info = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found.append((str(path), info.st_mode, info.st_uid, info.st_gid, content))
    return found


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A directory of the host's, outside any container, with a file in it. The test fails if an attack changes it."""
    directory = tmp_path / "canary"
    directory.mkdir()
    (directory / "precious").write_text("of the host\n")
    before = picture(directory)
    yield directory
    assert picture(directory) == before, "the host was reached"


@contextlib.contextmanager
def _swapping(one: Path, other: Path) -> Generator[None]:
    names = ("attack-swap", str(one), str(other))
    attacker = subprocess.Popen([build_payload(), *names], stderr=subprocess.PIPE)
    try:
        yield
        assert attacker.poll() is None, "the attacker gave up"
    finally:
        attacker.kill()
        attacker.communicate()


@pytest.fixture
def swap() -> Swap:
    """Have two names exchanged by renameat2(2) as fast as it goes, for the length of a with statement."""
    return _swapping


@pytest.fixture
def host_mounts() -> Iterator[None]:
    """The host's own mount table is the same afterwards, but for what others mount elsewhere."""
    mine = os.getpid()
    before = Path(f"/proc/{mine}/mountinfo").read_text().count("raced")
    yield
    assert Path(f"/proc/{mine}/mountinfo").read_text().count("raced") == before
