"""host/machine.py: where root.path is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slinger.errors import ConfigError, HostError
from slinger.host.machine import find_rootfs
from tests.unit.documents import parsed


def test_the_root_is_the_bundles_unless_it_is_absolute(tmp_path: Path) -> None:
    """And links in its path are resolved."""
    (tmp_path / "real").mkdir()
    (tmp_path / "rootfs").symlink_to("real")
    assert find_rootfs(parsed(), str(tmp_path)) == str(tmp_path / "real")
    assert find_rootfs(parsed(("root.path", "/usr/../etc")), str(tmp_path)) == "/etc"


@pytest.mark.parametrize(("kind", "why"), [("none", "no such file or directory"), ("file", "not a directory")])
def test_a_root_that_is_no_directory_is_refused(tmp_path: Path, kind: str, why: str) -> None:
    """With the path where it was looked for."""
    if kind == "file":
        (tmp_path / "rootfs").write_text("", encoding="ascii")
    with pytest.raises(ConfigError) as caught:
        find_rootfs(parsed(), str(tmp_path))
    assert str(caught.value) == (f"root.path: {tmp_path}/rootfs: {why} (the bundle needs its root file system there)")


def test_a_bundle_whose_path_is_no_text_is_refused(tmp_path: Path) -> None:
    """The state of a container is JSON, which could not be read again."""
    bundle = f"{tmp_path}/\udcff"
    os.makedirs(f"{bundle}/rootfs")
    with pytest.raises(HostError) as caught:
        find_rootfs(parsed(), bundle)
    assert str(caught.value) == f"the bundle '{tmp_path}/\\udcff': its path is not UTF-8 (rename it)"
