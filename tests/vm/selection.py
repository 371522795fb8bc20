"""The tests that the second machine runs: those for which cgroup v2 alone, systemd or AppArmor make a difference."""

from __future__ import annotations

from typing import Final

TESTS: Final = (
    "tests/integration/cgroup",
    "tests/integration/test_events.py",
    "tests/integration/test_lifecycle.py",
    "tests/integration/test_on_v2.py",
    "tests/integration/test_pause.py",
    "tests/integration/test_podman.py",
    "tests/integration/test_podman_hooks.py",
    "tests/integration/test_removal.py",
    "tests/integration/test_update.py",
    "tests/peers/test_events.py",
    "tests/peers/test_limits.py",
)
