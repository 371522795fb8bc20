"""The sample configurations of the runtime-spec: the good ones are valid, the bad ones are refused.

They lie beside the repository, in ../shared/oci/examples, or where SLINGER_SHARED says; without them nothing is run.
"""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.spec.parse import parse_config
from slinger.spec.validate import validate
from tests.requires import SHARED, requires

EXAMPLES = SHARED / "oci" / "examples"

# What the schema, which looks at one property at a time, calls good; the reason why we do not.
GOOD = {
    "linux-netdevice.json": "linux.netDevices: needs a network namespace (new or joined) in linux.namespaces",
    "linux-rdma.json": "",
    "minimal-for-start.json": "",
    "minimal.json": "",
    "spec-example.json": 'ociVersion: unsupported version "0.5.0-dev", expected 1.x',
}
BAD = {
    "invalid-json.json": (
        'config.json: invalid JSON at line 1 column 2: expecting a member name in double quotes or "}"'
    ),
    "linux-hugepage.json": (
        'linux.resources.hugepageLimits[0].pageSize: expected a size such as 64KB, 2MB or 1GB, got "64kB"'
    ),
    "linux-netdevice.json": 'linux.netDevices["eth0"].name: expected a string, got 23',
    "linux-rdma.json": 'linux.resources.rdma["mlx5_1"].hcaHandles: expected an integer, got "not a uint32"',
}


def sample(kind: str, name: str) -> bytes:
    """The text of a sample."""
    return (EXAMPLES / kind / name).read_bytes()


def outcome(text: bytes) -> str:
    """The error about a document, or "" for a valid one without a warning."""
    try:
        config, warnings = parse_config(text)
        assert (*warnings, *validate(config)) == ()
    except ConfigError as error:
        return error.message
    return ""


@requires("shared-samples")
@pytest.mark.parametrize(("name", "reason"), GOOD.items())
def test_a_good_sample_is_valid_or_refused_for_a_listed_reason(name: str, reason: str) -> None:
    """The whole text of the reason."""
    assert outcome(sample("good", name)) == reason


@requires("shared-samples")
@pytest.mark.parametrize(("name", "message"), BAD.items())
def test_a_bad_sample_is_refused(name: str, message: str) -> None:
    """With the property that is bad."""
    assert outcome(sample("bad", name)) == message


@requires("shared-samples")
def test_the_long_sample_of_today_is_valid() -> None:
    """The example of config.md but for its version, which is from before 1.0."""
    text = sample("good", "spec-example.json").replace(b'"0.5.0-dev"', b'"1.3.0"')
    assert outcome(text) == ""


@requires("shared-samples")
def test_no_sample_is_forgotten() -> None:
    """The tables name every file."""
    assert {path.name for path in (EXAMPLES / "good").iterdir()} == set(GOOD)
    assert {path.name for path in (EXAMPLES / "bad").iterdir()} == set(BAD)
