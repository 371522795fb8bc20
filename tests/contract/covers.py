"""Which op a test is about: read by test_every_op.py, and by people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from slinger.plan.ops import Op

Test = TypeVar("Test", bound=Callable[..., None])


def works(*kinds: type[Op]) -> Callable[[Test], Test]:
    """The test shows that these ops do what their docstrings say."""
    assert kinds
    return lambda test: test


def fails(*kinds: type[Op]) -> Callable[[Test], Test]:
    """The test shows where a failure of these ops ends up; for all others see FAILURES in test_failures.py."""
    assert kinds
    return lambda test: test
