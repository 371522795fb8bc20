"""Fixtures for tests that run containers by the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import base_config, make_bundle
from tests.integration.box import OWNER, USER_NAMESPACE, Box
from tests.integration.plain import USER, PlainBox, install, rootless_config
from tests.integration.shop import Shop, children


@pytest.fixture
def box(slinger: str, tmp_path: Path, tmp_root: Path) -> Iterator[Box]:
    """A bundle with the common config, and the command; of its container nothing is left after the test."""
    box = Box(slinger, tmp_root, make_bundle(tmp_path / "bundle", base_config()))
    yield box
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left()) == (0, "", [])


@pytest.fixture
def volume(box: Box) -> Iterator[Path]:
    """Two file systems of the host's, one below the other, shared as those of a host are."""
    path = box.directory / "volume"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "volume", path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    (path / "below").mkdir()
    (path / "kept").write_text("of the volume\n")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "below", path / "below"], check=True)
    yield path
    subprocess.run(["umount", "--recursive", path], check=True)


@pytest.fixture
def mapped(slinger: str) -> Iterator[Box]:
    """A box of root's whose containers are in a user namespace of their own, OWNER is its root."""
    base = Path(tempfile.mkdtemp(prefix="slinger-mapped-"))
    base.chmod(0o711)
    (base / "state").mkdir(mode=0o700)
    box = Box(slinger, base / "state", make_bundle(base / "bundle", base_config(), owner=OWNER))
    box.common = USER_NAMESPACE
    box.configure({})
    yield box
    done = box.call("delete", "--force", box.id)
    left = box.left()
    shutil.rmtree(base)
    assert (done.status, done.stderr, left) == (0, "", [])


@pytest.fixture(scope="session")
def common_slinger(slinger: str) -> Iterator[str]:
    """A copy of the command that everybody may read and run."""
    prefix = Path(tempfile.mkdtemp(prefix="slinger-common-"))
    yield install(slinger, prefix)
    shutil.rmtree(prefix)


@pytest.fixture
def plain(common_slinger: str) -> Iterator[PlainBox]:
    """A box of a plain user, with the common rootless config; nothing is left of its container after the test."""
    base = Path(tempfile.mkdtemp(prefix="slinger-plain-"))
    box = PlainBox(common_slinger, base / "state", make_bundle(base / "bundle", rootless_config(), owner=USER))
    (base / "state").mkdir(mode=0o700)
    for path in (base, base / "state", base / "bundle"):
        os.chown(path, USER, USER)
    yield box
    box.succeed("delete", "--force", box.id)
    left = box.left()
    shutil.rmtree(base)
    assert left == []


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Nothing is left of what was made in it: no directory, no cgroup, no child of ours, no open descriptor."""
    shop = Shop(tmp_path)
    descriptors, before = os.listdir("/proc/self/fd"), children()
    yield shop
    assert shop.left() == []
    assert set(children()) <= set(before)
    assert os.listdir("/proc/self/fd") == descriptors


@pytest.fixture(scope="module")
def podman_home() -> Iterator[Path]:
    """Where a podman keeps everything: pytest's directories are longer than the 50 characters that it takes."""
    home = Path(tempfile.mkdtemp(prefix="slinger-podman-"))
    yield home
    shutil.rmtree(home)
