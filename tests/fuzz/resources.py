"""The document of `update --resources`.

Invariant tested: the parser and the checks raise ConfigError or nothing, for any bytes; and for resources that pass,
the conversion to the files of v1 and of v2, and the device program, raise ConfigError or nothing.
"""

from __future__ import annotations

import contextlib
import json

from slinger.errors import ConfigError
from slinger.plan.cgroup import writes
from slinger.plan.device_filter import device_program
from slinger.spec.parse_resources import parse_resources, unknown_members
from slinger.spec.validate_resources import check_resources
from tests.ebpf_machine import verify

FULL: dict[str, object] = {
    "devices": [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "r"},
        {"allow": True, "type": "b", "major": 8, "access": "m"},
    ],
    "memory": {
        "limit": 67108864,
        "reservation": 1048576,
        "swap": -1,
        "kernel": -1,
        "swappiness": 10,
        "disableOOMKiller": False,
        "useHierarchy": True,
        "checkBeforeUpdate": True,
    },
    "cpu": {
        "shares": 1024,
        "quota": 50000,
        "period": 100000,
        "burst": 1000,
        "realtimeRuntime": 950000,
        "realtimePeriod": 1000000,
        "cpus": "0-1,3",
        "mems": "0",
        "idle": 0,
    },
    "pids": {"limit": 0},
    "blockIO": {
        "weight": 500,
        "leafWeight": 10,
        "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}],
        "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 16, "rate": 0}],
    },
    "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
    "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
    "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
    "unified": {"memory.high": "1000\n", "io.max": "8:0 rbps=1\n8:16 rbps=2"},
}


def corpus() -> list[bytes]:
    """All of it, and each part alone."""
    return [json.dumps(part).encode() for part in (FULL, *({name: value} for name, value in FULL.items()))]


def one(data: bytes) -> None:
    """What update does with a document, as far as no machine is asked."""
    with contextlib.suppress(ConfigError):
        resources = parse_resources(data)
        unknown_members(data)
        check_resources(resources, "linux.resources")
        for version in (1, 2):
            with contextlib.suppress(ConfigError):
                for line in writes(resources, version):
                    assert "/" not in line.file
        program = device_program(resources.devices)
        if program:
            verify(program)
