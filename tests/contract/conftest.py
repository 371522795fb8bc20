"""A small root file system for each test, with the payload in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundles import make_rootfs
from tests.payload.build import build_payload


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    """See tests/bundles.py for what is in it."""
    directory = tmp_path / "rootfs"
    directory.mkdir()
    make_rootfs(directory)
    return directory


@pytest.fixture
def payload() -> Path:
    """The payload on the host."""
    return build_payload()
