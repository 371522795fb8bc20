"""Invariant tested: whatever the bytes, parsing ends with a configuration or with a ConfigError."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from slinger.errors import ConfigError
from slinger.spec.jsonfault import find_fault
from slinger.spec.jsontext import dump, dump_pretty, load
from slinger.spec.parse import parse_config, parse_process, parse_resources
from slinger.spec.validate import validate
from tests.unit.documents import MINIMAL

settings.register_profile("house", database=None, deadline=None, max_examples=100, derandomize=True)
settings.load_profile("house")

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
# Members of the size and kind that the readers look for, so that more than the first check is reached.
NAMES = st.sampled_from(
    "ociVersion root path process cwd args env user uid gid mounts destination options source type hooks prestart "  # noqa: SIM905  words
    "poststop timeout linux namespaces uidMappings containerID hostID size resources memory limit cpu seccomp "
    "syscalls names action rdma sysctl timeOffsets devices major minor annotations".split()
)
LIKELY = st.recursive(
    st.none() | st.integers(-2, 2**64) | st.sampled_from(["", "/", "1.0.0", "c", "user", "\0", "ro", "SCMP_ACT_ALLOW"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


def try_all(text: bytes) -> None:
    """Give the text to each parser, and what comes out to the checks."""
    with suppress(ConfigError):
        parse_process(text)
    with suppress(ConfigError):
        parse_resources(text)
    with suppress(ConfigError):
        validate(parse_config(text)[0])
    with suppress(ConfigError):
        validate(parse_config(text)[0], rootless=True)


@given(st.binary(max_size=40))
def test_arbitrary_bytes(text: bytes) -> None:
    """Most are not even JSON."""
    try_all(text)


@given(VALUES)
def test_arbitrary_json(value: object) -> None:
    """Any value, any names."""
    try_all(json.dumps(value).encode())


@given(st.dictionaries(NAMES, LIKELY, max_size=8))
def test_likely_members_with_unlikely_values(members: dict[str, object]) -> None:
    """Known names with values of all kinds, alone and on top of a valid document."""
    try_all(json.dumps(members).encode())
    try_all(json.dumps({**MINIMAL, **members}).encode())


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    """Compact or pretty, the value is the same, for us and for the standard library."""
    for text in (dump(value), dump_pretty(value, "\t")):
        assert load(text.encode(), "x.json") == json.loads(text) == value


@given(VALUES, st.integers(0, 10_000), st.sampled_from('{}[],:"\\ \n0-e.tn'))
def test_a_fault_is_found_where_and_only_where_there_is_one(value: object, place: int, mark: str) -> None:
    """With one character put in, there is a fault exactly when the standard library refuses the text."""
    text = json.dumps(value)
    place %= len(text) + 1
    text = text[:place] + mark + text[place:]
    try:
        json.loads(text)
        is_json = True
    except ValueError:
        is_json = False
    assert (find_fault(text) == (-1, "")) is is_json
