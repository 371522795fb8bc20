"""spec/validate_resources.py: what resources may ask for."""

from __future__ import annotations

import pytest

from tests.unit.documents import refused, warned

NUMBERS = {"major": 8, "minor": 0}


@pytest.mark.spec(
    "config-linux.md#cpu/quota",
    "config-linux.md#cpu/burst",
    "config-linux.md#block-io/weight",
    "config-linux.md#rdma/limits",
)
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("devices", [{"allow": False}], 'devices[0].access: expected one or more of r, w and m, got ""'),
        (
            "devices",
            [{"allow": True, "access": "rx"}],
            'devices[0].access: expected one or more of r, w and m, got "rx"',
        ),
        ("devices", [{"allow": True, "access": "r", "type": "p"}], 'devices[0].type: expected a, b or c, got "p"'),
        (
            "devices",
            [{"allow": True, "access": "r", "major": -2}],
            "devices[0].major: must be from 0 to 4294967295, got -2",
        ),
        ("memory", {"limit": -2}, "memory.limit: must be from -1 to 9223372036854775807, got -2"),
        ("memory", {"reservation": -2}, "memory.reservation: must be from -1 to 9223372036854775807, got -2"),
        ("memory", {"swap": -2}, "memory.swap: must be from -1 to 9223372036854775807, got -2"),
        ("memory", {"swappiness": 101}, "memory.swappiness: must be from 0 to 100, got 101"),
        (
            "memory",
            {"limit": 10, "swap": 9},
            "memory.swap: memory and swap together must be at least the limit 10, got 9",
        ),
        ("cpu", {"quota": 10, "burst": 11}, "cpu.burst: must be at most the quota 10, got 11"),
        ("cpu", {"idle": 2}, "cpu.idle: must be from 0 to 1, got 2"),
        ("cpu", {"cpus": "0-"}, 'cpu.cpus: expected a list of numbers and ranges such as 0-3,8, got "0-"'),
        ("cpu", {"mems": "a"}, 'cpu.mems: expected a list of numbers and ranges such as 0-3,8, got "a"'),
        (
            "cpu",
            {"mems": "9" * 5000},
            f'cpu.mems: expected a list of numbers and ranges such as 0-3,8, got "{"9" * 5000}"',
        ),
        ("blockIO", {"weight": 9}, "blockIO.weight: must be from 10 to 1000, got 9"),
        ("blockIO", {"leafWeight": 1001}, "blockIO.leafWeight: must be from 10 to 1000, got 1001"),
        (
            "blockIO",
            {"weightDevice": [NUMBERS]},
            "blockIO.weightDevice[0]: at least one of weight and leafWeight is required",
        ),
        (
            "blockIO",
            {"weightDevice": [{**NUMBERS, "weight": 5}]},
            "blockIO.weightDevice[0].weight: must be from 10 to 1000, got 5",
        ),
        (
            "blockIO",
            {"weightDevice": [{"major": -1, "minor": 0, "weight": 10}]},
            "blockIO.weightDevice[0].major: must be from 0 to 4294967295, got -1",
        ),
        (
            "blockIO",
            {"throttleWriteIOPSDevice": [{"major": 8, "minor": -1, "rate": 1}]},
            "blockIO.throttleWriteIOPSDevice[0].minor: must be from 0 to 4294967295, got -1",
        ),
        (
            "hugepageLimits",
            [{"pageSize": "64kB", "limit": 1}],
            'hugepageLimits[0].pageSize: expected a size such as 64KB, 2MB or 1GB, got "64kB"',
        ),
        (
            "hugepageLimits",
            [{"pageSize": "02MB", "limit": 1}],
            'hugepageLimits[0].pageSize: expected a size such as 64KB, 2MB or 1GB, got "02MB"',
        ),
        (
            "hugepageLimits",
            [{"pageSize": "MB", "limit": 1}],
            'hugepageLimits[0].pageSize: expected a size such as 64KB, 2MB or 1GB, got "MB"',
        ),
        (
            "hugepageLimits",
            [{"pageSize": "", "limit": 1}],
            'hugepageLimits[0].pageSize: expected a size such as 64KB, 2MB or 1GB, got ""',
        ),
        (
            "network",
            {"priorities": [{"name": "", "priority": 1}]},
            'network.priorities[0].name: expected the name of an interface, got ""',
        ),
        (
            "network",
            {"priorities": [{"name": "a b", "priority": 1}]},
            'network.priorities[0].name: expected the name of an interface, got "a b"',
        ),
        (
            "network",
            {"priorities": [{"name": "a\0", "priority": 1}]},
            "network.priorities[0].name: must not hold a NUL character",
        ),
        ("rdma", {"mlx": {}}, 'rdma["mlx"]: at least one of hcaHandles and hcaObjects is required'),
        ("rdma", {"a b": {"hcaHandles": 1}}, 'rdma["a b"]: expected the name of a device'),
        ("unified", {"a/b": "1"}, 'unified["a/b"]: expected the name of a file of the cgroup'),
        ("unified", {"": "1"}, 'unified[""]: expected the name of a file of the cgroup'),
        ("unified", {"..": "1"}, 'unified[".."]: expected the name of a file of the cgroup'),
        ("unified", {"cpu.max": "1\0"}, 'unified["cpu.max"]: must not hold a NUL character'),
    ],
)
def test_an_impossible_value_is_refused(name: str, value: object, message: str) -> None:
    """With its path below linux.resources."""
    assert refused((f"linux.resources.{name}", value)) == f"linux.resources.{message}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "devices",
            [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": -1, "minor": 5, "access": "m"}],
        ),
        ("memory", {"limit": -1, "reservation": 0, "swap": -1, "swappiness": 100}),
        ("memory", {"swappiness": 2**64 - 1}),
        ("memory", {"limit": 10, "swap": 10}),
        ("memory", {"limit": 10, "swap": 0}),
        ("memory", {"swap": 5}),
        ("memory", {"kernel": -1, "kernelTCP": -1}),
        ("cpu", {"quota": -1, "burst": 100, "idle": 1, "cpus": "0-3,5", "mems": ""}),
        ("cpu", {"quota": 10, "burst": 10}),
        ("pids", {"limit": 0}),
        ("pids", {}),
        ("blockIO", {"weight": 0, "leafWeight": 1000, "weightDevice": [{**NUMBERS, "leafWeight": 10}]}),
        ("hugepageLimits", [{"pageSize": "64KB", "limit": 0}, {"pageSize": "1GB", "limit": 2**64 - 1}]),
        ("rdma", {"mlx": {"hcaObjects": 0}}),
        ("unified", {"cpu.weight": "5", "unknown.file": ""}),
    ],
)
def test_a_possible_value_is_accepted(name: str, value: object) -> None:
    """Without a warning."""
    assert warned((f"linux.resources.{name}", value)) == ()


@pytest.mark.spec("config-linux.md#memory/kernel", "config-linux.md#memory/kernel-tcp")
def test_a_limit_on_kernel_memory_is_a_warning() -> None:
    """Deprecated by the specification."""
    assert warned(("linux.resources.memory", {"kernel": 1, "kernelTCP": 0})) == (
        "linux.resources.memory.kernel: deprecated, ignored",
        "linux.resources.memory.kernelTCP: deprecated, ignored",
    )
