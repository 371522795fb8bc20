"""The tests that the second machine runs: those for which cgroup v2 alone, systemd or AppArmor make a difference."""

from __future__ import annotations

from typing import Final

# podman takes seconds a call in there; hooks, terminals and volumes are the same on any machine.
PODMAN: Final = (
    "a_container_is_created_started_stopped_and_removed",
    "a_running_container_is_told_of",
    "exec_runs_as_asked_and_exits_as_the_program_does",
    "kill_sends_the_signal",
    "pause_stops_and_unpause_goes_on",
    "podmans_own_profile_confines",
    "stats_tells_what_a_container_uses",
    "update_changes_limits_of_a_running_container",
)
TESTS: Final = (
    "tests/contract/test_ops_labels.py",
    "tests/integration/cgroup",
    "tests/integration/test_apparmor.py",
    "tests/integration/test_events.py",
    "tests/integration/test_pause.py",
    *(f"tests/integration/test_podman.py::test_{name}" for name in PODMAN),
    "tests/integration/test_removal.py",
    "tests/integration/test_v2_limits.py",
    "tests/integration/test_v2_rootless.py",
    "tests/peers/test_limits_v2.py",
)
