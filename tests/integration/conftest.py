"""Fixtures for tests that run containers by the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import base_config, make_bundle
from tests.integration.box import Box


@pytest.fixture
def box(slinger: str, tmp_path: Path, tmp_root: Path) -> Iterator[Box]:
    """A bundle with the common config, and the command; of its container nothing is left after the test."""
    box = Box(slinger, tmp_root, make_bundle(tmp_path / "bundle", base_config()))
    yield box
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left()) == (0, "", [])
