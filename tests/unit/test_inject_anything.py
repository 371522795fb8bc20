"""Invariant tested: whatever a hooks.d file, a CDI specification or the settings hold, reading ends or is refused.

Refused means a SlingerError that names the file; and what was read can be applied.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slinger.errors import ConfigError, SlingerError
from slinger.host.settings import read_settings
from slinger.host.yamltext import load_yaml
from slinger.inject.cdi import Request, find_devices, inject_devices
from slinger.inject.cdi_spec import VERSIONS, parse_spec
from slinger.inject.hooks_d import inject_hooks, parse_hook_file
from tests.unit.documents import parsed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

settings.register_profile("house", database=None, deadline=None, max_examples=100, derandomize=True)
settings.load_profile("house")

FILE = "/f.json"
CONFIG = parsed()
WORDS = st.sampled_from(
    [
        "",
        "/",
        "/x",
        "1.0.0",
        "1.1.0",
        "A=b",
        "=",
        "v.com/c",
        "d",
        "prestart",
        "createRuntime",
        "(",
        ".*",
        "$",
        "\0",
        "rwm",
        "c",
    ]
)
NAMES = st.sampled_from(
    "version hook when stages path args env timeout always annotations commands hasBindMounts cdiVersion kind devices "  # noqa: SIM905  words
    "name containerEdits deviceNodes hostPath type major minor permissions mounts containerPath options hooks hookName "
    "intelRdt closID schemata netDevices hostInterfaceName additionalGids".split()
)
LIKELY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**64) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
MEMBERS = st.dictionaries(NAMES, LIKELY, max_size=5)


@contextmanager
def refusing(file: str) -> Generator[None]:
    """An error that names the file is as good as none."""
    refusal = ""
    try:
        yield
    except SlingerError as error:
        refusal = str(error)
    assert not refusal or refusal.startswith(f"{file}: ")


@given(MEMBERS, st.booleans())
def test_any_hooks_d_file(members: dict[str, Any], whole: bool) -> None:
    """Of the likely names, with what is demanded or without."""
    if whole:
        members = {"version": "1.0.0", "hook": {"path": "/x"}, "when": {}, "stages": ["prestart"], **members}
    with refusing(FILE):
        found, _ = parse_hook_file(FILE, json.dumps(members).encode())
        inject_hooks(CONFIG, (found,))


@given(MEMBERS, MEMBERS, st.sampled_from(VERSIONS))
def test_any_cdi_specification(members: dict[str, Any], edits: dict[str, Any], version: str) -> None:
    """In the file and in its edits."""
    device: Any = {"name": "d", "containerEdits": edits}
    with refusing(FILE):
        spec = parse_spec(FILE, 0, {"cdiVersion": version, "kind": "v.com/c", "devices": [device], **members})
        with suppress(ConfigError):
            inject_devices(CONFIG, find_devices((Request("v.com/c=d", "x"),), (spec,), ()), {})


@given(st.binary(max_size=40) | LIKELY.map(lambda value: json.dumps(value).encode()))
def test_any_yaml(text: bytes) -> None:
    """JSON is YAML, nearly."""
    with refusing(FILE):
        load_yaml(text, FILE)


@pytest.mark.parametrize(
    "text", [b"", b"[", b"\xff", b"a.b.c=1", b"hooks=[]", b"[[cdi]]", b"hooks.dirs=[1]", b"x=" + b"[" * 5000]
)
def test_any_settings(tmp_path: Path, text: bytes) -> None:
    """As a file of the machine's."""
    file = tmp_path / "x"
    file.write_bytes(text)
    with refusing(str(file)):
        read_settings(str(file))
