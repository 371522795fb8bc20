"""The house itself: what is written in two places is the same in both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
C_FILES = sorted(path.name for path in (REPOSITORY / "init").glob("*.c"))


def text_of(path: str) -> str:
    """The text of a file of the repository."""
    return (REPOSITORY / path).read_text(encoding="utf-8")


def test_the_package_and_the_build_have_one_version() -> None:
    """VERSION in slinger/version.py is what meson.build gives to the wheel."""
    build = re.search(r"version: '([^']+)'", text_of("meson.build"))
    package = re.search(r'^VERSION = "([^"]+)"', text_of("src/slinger/version.py"), re.MULTILINE)
    assert build is not None
    assert package is not None
    assert build[1] == package[1]


@pytest.mark.parametrize("name", C_FILES)
def test_every_c_file_is_built(name: str) -> None:
    """A file in init/ that meson.build does not name is dead."""
    assert f"'init/{name}'" in text_of("meson.build")
