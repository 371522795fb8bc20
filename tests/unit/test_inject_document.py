"""inject/document.py. Invariant tested: what is written parses to the configuration that was injected into."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slinger.inject.cdi import HostNode, Request, find_devices, inject_devices
from slinger.inject.cdi_spec import parse_spec
from slinger.inject.document import rewritten
from slinger.inject.draft import Draft, Source
from slinger.spec.config import Config, Device, DeviceRule, Hook, IdMapping, IntelRdt, Mount, NetDevice
from slinger.spec.jsontext import load
from slinger.spec.parse import parse_config
from tests.unit.documents import NOTHING, changed

settings.register_profile("house", database=None, deadline=None, max_examples=60, derandomize=True)
settings.load_profile("house")

FULL = changed(
    ("hooks", {"createRuntime": [{"path": "/own", "args": ["a"]}], "x-other": [{"path": "/kept"}]}),
    ("mounts", [{"destination": "/m", "type": "bind", "source": "/s", "options": ["ridmap"],
                 "uidMappings": [{"containerID": 0, "hostID": 5, "size": 1}], "x": 1}]),
    ("process.env", ["A=b"]),
    ("process.user.umask", 18),
    ("linux.devices", [{"type": "p", "path": "/dev/p"}]),
    ("linux.resources", {"pids": {"limit": 3}, "devices": [{"allow": False, "access": "rwm"}]}),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW"}),
    ("x-vendor", {"kept": True}),
)  # fmt: skip
BARE = changed(("linux", ...), ("mounts", ...), ("process.user", ...))
SOURCE = Source("/f", "x", "y")
WORDS = st.text("ab/=\u00e9", min_size=1, max_size=4)
LISTS = st.lists(WORDS, max_size=2).map(tuple)
SOME = st.lists(WORDS, min_size=1, max_size=2).map(tuple)
NUMBERS = st.integers(0, 2**31)
HOOKS = st.builds(Hook, WORDS, st.none() | SOME, st.none() | LISTS, st.none() | st.integers(1, 9))
MAPS = st.lists(st.builds(IdMapping, NUMBERS, NUMBERS, NUMBERS), max_size=1).map(tuple)
ADDING: dict[str, st.SearchStrategy[Any]] = {
    "set_variable": WORDS,
    "add_group": NUMBERS,
    "add_mount": st.builds(Mount, WORDS, WORDS, WORDS, LISTS, MAPS, MAPS),
    "add_device": st.builds(
        Device, st.sampled_from("cbup"), WORDS, NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS
    ),
    "add_rule": st.builds(DeviceRule, st.booleans(), st.sampled_from("acb"), NUMBERS, NUMBERS, WORDS),
    "add_net_device": st.builds(NetDevice, WORDS, WORDS),
    "set_intel_rdt": st.builds(IntelRdt, st.none() | WORDS, LISTS, WORDS, WORDS, st.booleans()),
}
STEPS = st.one_of(*(st.tuples(st.just(name), strategy) for name, strategy in ADDING.items()))


@given(st.sampled_from([FULL, BARE]), st.lists(STEPS, max_size=6), st.lists(HOOKS, max_size=2))
def test_what_is_written_reads_as_what_was_injected(
    text: bytes, steps: list[tuple[str, Any]], hooks: list[Hook]
) -> None:
    """Whatever was added to whatever was there."""
    before, _ = parse_config(text)
    draft = Draft(before)
    for name, item in steps:
        getattr(draft, name)(item, SOURCE)
    for stage, hook in zip(("createRuntime", "poststop"), hooks, strict=False):
        draft.add_hook(stage, hook, SOURCE)
    after = draft.finish().config
    assert by_stage(parse_config(rewritten(load(text, "x"), before, after))[0]) == by_stage(after)


def by_stage(config: Config) -> tuple[object, dict[str, tuple[Hook, ...]]]:
    """Stages have no order among themselves."""
    return config.replace(hooks=Config("", config.root).hooks), dict(config.hooks.lists)


@pytest.mark.parametrize("name", ["x-vendor", "linux.seccomp", "hooks.x-other", "process.user.umask"])
def test_what_is_not_ours_is_kept(name: str) -> None:
    """Properties that nobody here knows, and those that injecting does not touch."""
    before, _ = parse_config(FULL)
    edits = {"env": ["X=y"], "additionalGids": [4], "deviceNodes": [{"path": "/dev/x"}],
             "hooks": [{"hookName": "poststop", "path": "/x"}]}  # fmt: skip
    document: Any = {"cdiVersion": "1.1.0", "kind": "v.com/c", "devices": [{"name": "d", "containerEdits": edits}]}
    found = find_devices((Request("v.com/c=d", "x"),), (parse_spec("/f", 0, document),), ())
    after = inject_devices(before, found, {"/dev/x": HostNode("c", 1, 3, 0o600)}).config

    def at(text: bytes) -> object:
        value: Any = load(text, "x")
        for part in name.split("."):
            value = value[part]
        return value

    assert at(rewritten(load(FULL, "x"), before, after)) == at(FULL)


def test_the_document_itself_is_not_changed() -> None:
    """It is somebody's."""
    document = load(changed(("hooks", NOTHING)), "x")
    before, _ = parse_config(changed(("hooks", NOTHING)))
    draft = Draft(before)
    draft.add_hook("poststop", Hook("/x"), SOURCE)
    rewritten(document, before, draft.finish().config)
    assert document == load(changed(("hooks", NOTHING)), "x")
