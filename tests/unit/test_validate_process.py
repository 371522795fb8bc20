"""spec/validate_process.py: what a process may ask for."""

from __future__ import annotations

import pytest

from tests.unit.documents import refused, warned


def rlimit(name: str, soft: int, hard: int) -> dict[str, object]:
    """One limit."""
    return {"type": name, "soft": soft, "hard": hard}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cwd", "", 'cwd: must be an absolute path, got ""'),
        ("cwd", "tmp", 'cwd: must be an absolute path, got "tmp"'),
        ("cwd", "/\0", "cwd: must not hold a NUL character"),
        ("args", [], "args: must have at least one entry"),
        ("args", None, "args: must have at least one entry"),
        ("args", ["a", "b\0c"], "args[1]: must not hold a NUL character"),
        ("env", ["A=1", "x"], 'env[1]: expected NAME=VALUE, got "x"'),
        ("env", ["=x"], 'env[0]: empty variable name in "=x"'),
        ("env", ["A=1", "A=\0"], "env[1]: must not hold a NUL character"),
        ("apparmorProfile", "a\0", "apparmorProfile: must not hold a NUL character"),
        ("selinuxLabel", "a\0", "selinuxLabel: must not hold a NUL character"),
        ("oomScoreAdj", 1001, "oomScoreAdj: must be from -1000 to 1000, got 1001"),
        ("oomScoreAdj", -1001, "oomScoreAdj: must be from -1000 to 1000, got -1001"),
        ("user", {"uid": 0, "gid": 0, "umask": 512}, "user.umask: must be from 0 to 511, got 512"),
        (
            "ioPriority",
            {"class": "BE"},
            'ioPriority.class: expected one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, got "BE"',
        ),
        ("ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 8}, "ioPriority.priority: must be from 0 to 7, got 8"),
        (
            "ioPriority",
            {"class": "IOPRIO_CLASS_BE", "priority": -1},
            "ioPriority.priority: must be from 0 to 7, got -1",
        ),
        (
            "execCPUAffinity",
            {"initial": "a"},
            'execCPUAffinity.initial: expected a list of numbers and ranges such as 0-3,8, got "a"',
        ),
        (
            "execCPUAffinity",
            {"final": "3-1"},
            'execCPUAffinity.final: expected a list of numbers and ranges such as 0-3,8, got "3-1"',
        ),
        ("execCPUAffinity", {"final": "0-65536"}, "execCPUAffinity.final: must be from 0 to 65535, got 65536"),
        ("user", {"uid": 2**32 - 1, "gid": 0}, "user.uid: must be from 0 to 4294967294, got 4294967295"),
        ("user", {"uid": 0, "gid": 2**32 - 1}, "user.gid: must be from 0 to 4294967294, got 4294967295"),
        (
            "user",
            {"uid": 0, "gid": 0, "additionalGids": [1, 2**32 - 1]},
            "user.additionalGids[1]: must be from 0 to 4294967294, got 4294967295",
        ),
    ],
)
def test_an_impossible_value_is_refused(name: str, value: object, message: str) -> None:
    """With its path below process."""
    assert refused((f"process.{name}", value)) == f"process.{message}"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([rlimit("RLIMIT_FOO", 1, 1)], '[0].type: unknown limit "RLIMIT_FOO"'),
        ([rlimit("NOFILE", 1, 1)], '[0].type: unknown limit "NOFILE"'),
        ([rlimit("RLIMIT_CPU", 5, 4)], "[0].soft: 5 is above the hard limit 4"),
        (
            [rlimit("RLIMIT_NOFILE", 1, 1), rlimit("RLIMIT_CPU", 1, 1), rlimit("RLIMIT_NOFILE", 1, 1)],
            '[2].type: duplicate limit "RLIMIT_NOFILE"',
        ),
    ],
)
def test_an_impossible_limit_is_refused(limits: object, message: str) -> None:
    """config.md: unknown and duplicate types MUST be errors."""
    assert refused(("process.rlimits", limits)) == f"process.rlimits{message}"


POLICIES = "SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE"
FLAGS = (
    "SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, "
    "SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX"
)


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        ({"policy": "FIFO"}, f'.policy: expected one of {POLICIES}, got "FIFO"'),
        ({"policy": "SCHED_ISO"}, f'.policy: expected one of {POLICIES}, got "SCHED_ISO"'),
        ({"policy": "SCHED_OTHER", "nice": 20}, ".nice: must be from -20 to 19, got 20"),
        ({"policy": "SCHED_BATCH", "nice": -21}, ".nice: must be from -20 to 19, got -21"),
        ({"policy": "SCHED_OTHER", "flags": ["X"]}, f'.flags[0]: expected one of {FLAGS}, got "X"'),
        ({"policy": "SCHED_OTHER", "priority": 1}, ".priority: only SCHED_FIFO and SCHED_RR take one, got 1"),
        ({"policy": "SCHED_FIFO"}, ".priority: must be from 1 to 99, got 0"),
        ({"policy": "SCHED_RR", "priority": 100}, ".priority: must be from 1 to 99, got 100"),
        ({"policy": "SCHED_IDLE", "runtime": 1}, ".runtime: only SCHED_DEADLINE takes one, got 1"),
        ({"policy": "SCHED_IDLE", "deadline": 1}, ".deadline: only SCHED_DEADLINE takes one, got 1"),
        ({"policy": "SCHED_IDLE", "period": 1}, ".period: only SCHED_DEADLINE takes one, got 1"),
        ({"policy": "SCHED_DEADLINE"}, ": SCHED_DEADLINE needs 0 < runtime <= deadline <= period"),
        (
            {"policy": "SCHED_DEADLINE", "runtime": 2, "deadline": 1, "period": 3},
            ": SCHED_DEADLINE needs 0 < runtime <= deadline <= period",
        ),
    ],
)
def test_an_impossible_scheduler_is_refused(scheduler: object, message: str) -> None:
    """sched_setattr(2)."""
    assert refused(("process.scheduler", scheduler)) == f"process.scheduler{message}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rlimits", [rlimit("RLIMIT_CORE", 0, 0), rlimit("RLIMIT_NOFILE", 1024, 2**64 - 1)]),
        ("env", ["A=", "A=b=c", "A=1"]),
        ("scheduler", {"policy": "SCHED_OTHER", "nice": 19, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}),
        ("scheduler", {"policy": "SCHED_FIFO", "priority": 99}),
        ("scheduler", {"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 1}),
        ("ioPriority", {"class": "IOPRIO_CLASS_IDLE"}),
        ("execCPUAffinity", {"initial": "0-3, 8", "final": ""}),
        ("oomScoreAdj", -1000),
        ("consoleSize", {"height": 2**40, "width": 2**40}),
    ],
)
def test_a_possible_value_is_accepted(name: str, value: object) -> None:
    """Without a warning; the size of a terminal that is not asked for is ignored."""
    assert warned((f"process.{name}", value)) == ()


@pytest.mark.parametrize("name", ["height", "width"])
def test_the_size_of_a_terminal_fits_the_kernel(name: str) -> None:
    """struct winsize has 16 bits."""
    size = {"height": 1, "width": 1, name: 65536}
    assert refused(("process.terminal", True), ("process.consoleSize", size)) == (
        f"process.consoleSize.{name}: must be from 0 to 65535, got 65536"
    )


def test_an_unknown_capability_is_a_warning() -> None:
    """config.md: it SHOULD NOT be an error; each is named."""
    sets = {"bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_X"], "ambient": ["cap_kill"]}
    assert warned(("process.capabilities", sets)) == (
        'process.capabilities.bounding[2]: unknown capability "CAP_X", ignored',
        'process.capabilities.ambient[0]: unknown capability "cap_kill", ignored',
    )
