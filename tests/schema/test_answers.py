"""What slinger writes is what the schemas of the runtime-spec want: state, features, and the config of `spec`."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from slinger.spec.default import default_config
from slinger.spec.features import features
from slinger.spec.jsontext import dump
from slinger.spec.state import State, hook_state_parts, process_state_text, state_text
from tests.requires import requires
from tests.schema.schemas import properties, verdict

pytestmark = requires("shared-samples")

STATE: Final = "state-schema.json"
FEATURES: Final = "features-schema.json"
STATUSES: Final = ("creating", "created", "running", "stopped")


def a_state(status: str, annotations: tuple[tuple[str, str], ...] = (("com.example.key", ""),)) -> State:
    """The state of a container; only a stopped one has no process."""
    pid = None if status == "stopped" else 4422
    return State("1.3.0", "box", status, pid, "/b", annotations, "/b/rootfs", "2026-01-01T00:00:00Z", "root")


@pytest.mark.spec("runtime.md#state/schema")
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("annotations", [(), (("com.example.key", "value"), ("empty", ""))])
def test_the_answer_of_state(status: str, annotations: tuple[tuple[str, str], ...]) -> None:
    """With annotations and without."""
    answer = json.loads(state_text(a_state(status, annotations)))
    assert verdict(STATE, answer) == ""
    assert answer["annotations"] == dict(annotations)


def test_paused_is_the_one_status_that_the_schema_does_not_know() -> None:
    """By runtime.md a runtime may have more of them; runc has this one, and callers read it."""
    answer = json.loads(state_text(a_state("paused")))
    assert verdict(STATE, answer) == f"$.status: 'paused' is not one of {list(STATUSES)}"
    assert verdict(STATE, answer | {"status": "running"}) == ""


@pytest.mark.parametrize("with_pid", [True, False])
@pytest.mark.parametrize("root", ["/b/rootfs", None])
def test_the_state_that_hooks_read(root: str | None, *, with_pid: bool) -> None:
    """In each of its forms."""
    head, tail = hook_state_parts(
        id="box", status="created", bundle="/b", annotations=(("a", "b"),), root=root, with_pid=with_pid
    )
    state = json.loads(f"{head}7{tail}" if with_pid else head)
    assert verdict(STATE, state) == ""
    assert ("pid" in state, state.get("root")) == (with_pid, root)


def test_the_state_that_an_agent_of_seccomp_reads() -> None:
    """The schema is that of the state in it (config-linux.md, "The Container Process State")."""
    sent = json.loads(process_state_text(a_state("creating"), 7, "data"))
    assert verdict(STATE, sent["state"]) == ""


@pytest.mark.spec("features.md#specification-version/known", "features.md#features-structure/null")
def test_the_features_are_those_of_the_schema() -> None:
    """And there is a value for each property that the schema knows."""
    answer: Any = json.loads(dump(features(libseccomp="2.5.4")))
    assert verdict(FEATURES, answer) == ""
    for path in properties({"$ref": FEATURES}, FEATURES):
        if path.endswith(("[]", "[*]")):
            continue
        value = answer
        for name in path.split("."):
            assert name in value, path
            value = value[name]


def test_a_wrong_answer_would_be_seen() -> None:
    """The judge reads the parts of the schema that lie in other files."""
    answer: Any = copy.deepcopy(features())
    answer["linux"]["seccomp"]["actions"].append("SCMP_ACT_NOTHING")
    assert verdict(FEATURES, answer).startswith("$.linux.seccomp.actions[9]: 'SCMP_ACT_NOTHING' is not one of")


@pytest.mark.parametrize("rootless", [None, (1000, 1000)])
@pytest.mark.parametrize("cgroup_v2", [True, False])
def test_the_config_that_spec_writes(rootless: tuple[int, int] | None, *, cgroup_v2: bool) -> None:
    """For root and for a plain user."""
    assert verdict("config-schema.json", json.loads(default_config(rootless=rootless, cgroup_v2=cgroup_v2))) == ""


def test_the_command_says_so_too(slinger: str, tmp_path: Path) -> None:
    """What arrives on stdout and in config.json."""
    done = subprocess.run([slinger, "features"], capture_output=True, check=True, timeout=30)
    assert verdict(FEATURES, json.loads(done.stdout)) == ""
    subprocess.run([slinger, "spec", "--bundle", str(tmp_path)], check=True, timeout=30)
    assert verdict("config-schema.json", json.loads((tmp_path / "config.json").read_bytes())) == ""
