"""What an update takes from the cgroup as it stands, and how it gets back."""

from __future__ import annotations

import pytest

from slinger.plan.cgroup_line import Write
from slinger.plan.cgroup_update import beside, filled_cpu, filled_memory, undoing
from slinger.spec.config import Cpu, Memory


@pytest.mark.parametrize(
    ("asked", "there", "full"),
    [
        (Cpu(quota=5000), "max 20000", Cpu(quota=5000, period=20000)),
        (Cpu(quota=-1), "7000 20000", Cpu(quota=-1, period=20000)),
        (Cpu(period=50000), "7000 20000", Cpu(quota=7000, period=50000)),
        (Cpu(period=50000), "max 20000", Cpu(quota=-1, period=50000)),
        (Cpu(quota=5000, period=50000), "7000 20000", Cpu(quota=5000, period=50000)),
        (Cpu(shares=5), "7000 20000", Cpu(shares=5)),
    ],
)
def test_quota_and_period_of_v2_keep_the_other_one(asked: Cpu, there: str, full: Cpu) -> None:
    """They share the file cpu.max."""
    assert filled_cpu(asked, there) == full


@pytest.mark.parametrize(
    ("asked", "there", "full"),
    [
        (Memory(swap=300), ("100", "50"), Memory(limit=100, swap=300)),
        (Memory(swap=300), ("max", "50"), Memory(swap=300)),
        (Memory(swap=-1), ("100", "50"), Memory(swap=-1)),
        (Memory(limit=80), ("100", "50"), Memory(limit=80, swap=150)),
        (Memory(limit=80), ("100", "max"), Memory(limit=80)),
        (Memory(limit=80), ("max", "50"), Memory(limit=80)),
        (Memory(limit=80), ("100", ""), Memory(limit=80)),
        (Memory(limit=-1), ("100", "50"), Memory(limit=-1)),
        (Memory(limit=80, swap=90), ("100", "50"), Memory(limit=80, swap=90)),
    ],
)
def test_memory_and_swap_of_v2_keep_their_sum(asked: Memory, there: tuple[str, str], full: Memory) -> None:
    """As v1 does, which keeps the sum in a file."""
    assert filled_memory(asked, *there) == full


def undone(file: str, value: str, before: str) -> str | None:
    """The value that takes a write back."""
    line = undoing(Write("any", file, value, "where", 2), before)
    return None if line is None else line.value


@pytest.mark.parametrize(
    ("file", "value", "before", "wanted"),
    [
        ("memory.max", "5", "max", "max"),
        ("cpu.max", "5 6", "max 100000", "max 100000"),
        ("cpuset.cpus", "0", "", "\n"),
        ("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 0", "0"),
        ("memory.oom_control", "1", "oom_kill_disable 1\nunder_oom 0\noom_kill 0", "1"),
        ("io.weight", "200", "default 100\n8:0 50", "default 100"),
        ("io.weight", "8:0 60", "default 100\n8:0 50", "8:0 50"),
        ("io.weight", "8:16 60", "default 100\n8:0 50", "8:16 default"),
        ("io.max", "8:0 rbps=5", "8:0 rbps=1 wbps=2 riops=max wiops=max", "8:0 rbps=1 wbps=2 riops=max wiops=max"),
        ("io.max", "8:0 rbps=5", "", "8:0 rbps=max wbps=max riops=max wiops=max"),
        ("blkio.throttle.read_bps_device", "8:0 5", "8:16 1", "8:0 0"),
        ("blkio.throttle.read_bps_device", "8:0 5", "8:0 1", "8:0 1"),
        ("blkio.bfq.weight_device", "8:0 5", "", "8:0 default"),
        ("rdma.max", "mlx hca_handle=1", "mlx hca_handle=2 hca_object=max", "mlx hca_handle=2 hca_object=max"),
        ("rdma.max", "mlx hca_handle=1", "", "mlx hca_handle=max hca_object=max"),
        ("misc.max", "sev 1", "", "sev max"),
        ("net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3", "eth0 3"),
        ("net_prio.ifpriomap", "eth9 5", "lo 0", None),
        ("memory.stat", "5", "anon 0\nfile 0", None),
    ],
)
def test_the_way_back_is_written_as_the_file_is_written(file: str, value: str, before: str, wanted: str | None) -> None:
    """One value, a line with a key, or a line that is not to be there; None where the file cannot say it."""
    assert undone(file, value, before) == wanted


def test_a_group_that_is_no_longer_idle_needs_its_weight_back() -> None:
    """The kernel gives it the default one."""
    assert beside(frozenset({"cpu.idle", "cpu.shares"})) == ("cpu.shares", "cpu.weight")
    assert beside(frozenset({"cpu.shares"})) == ()
