"""`pytest tests/golden --golden-update` writes the plans anew, for a person to read in the diff."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where this folder is named on the command line."""
    parser.addoption("--golden-update", action="store_true", help="write tests/golden/plans/ anew")
