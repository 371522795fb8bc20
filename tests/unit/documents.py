"""Configurations for tests of spec/: a small valid document, changed at one JSON path."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from slinger.errors import ConfigError
from slinger.spec.config import Config
from slinger.spec.parse import parse_config
from slinger.spec.validate import validate

MINIMAL: dict[str, Any] = {
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs"},
    "process": {"cwd": "/", "args": ["sh"], "user": {"uid": 0, "gid": 0}},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {
        "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}],
    },
}
# For the type checkers, which cannot tell what an empty literal would hold.
NONE: list[object] = []
NOTHING: dict[str, object] = {}
ROOTLESS_MAP = [{"containerID": 0, "hostID": 1000, "size": 1}]


def changed(*changes: tuple[str, object]) -> bytes:
    """The minimal document with the members at these paths (``a.b.c``) set; ... takes one away."""
    document = copy.deepcopy(MINIMAL)
    for path, value in changes:
        *parents, last = path.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return json.dumps(document).encode()


def parsed(*changes: tuple[str, object]) -> Config:
    """The changed document as a configuration, without warnings."""
    config, warnings = parse_config(changed(*changes))
    assert warnings == ()
    return config


def warned(*changes: tuple[str, object]) -> tuple[str, ...]:
    """All warnings about the changed document, which must be valid."""
    config, warnings = parse_config(changed(*changes))
    return (*warnings, *validate(config))


def refused(*changes: tuple[str, object], rootless: bool = False) -> str:
    """The error about the changed document, which must be invalid."""
    with pytest.raises(ConfigError) as caught:
        validate(parse_config(changed(*changes))[0], rootless=rootless)
    return caught.value.message
