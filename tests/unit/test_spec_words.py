"""What the specification names, property by property and word by word: REQUIRED properties, and those of features.

The properties are the rows "required:PATH" of docs/conformance.toml, so that a row cannot be without its test.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from slinger.errors import ConfigError
from slinger.linux.flags import OPTION_NAMES
from slinger.spec.features import features
from slinger.spec.parse import parse_config
from slinger.spec.validate import validate
from tests.schema.full import FULL
from tests.unit.documents import parsed, refused, warned
from tools.gen_conformance import rules

REQUIRED: Final = [rule.name.removeprefix("required:") for rule in rules() if rule.name.startswith("required:")]
OPTIONS: Final = {rule.name.removeprefix("option:") for rule in rules() if rule.name.startswith("option:")}
ANSWER: Final[dict[str, Any]] = features()


def without(path: str) -> tuple[bytes, str]:
    """The full document without a property, the first of each list on the way; and the path as errors have it."""
    document: Any = json.loads(json.dumps(FULL))
    *way, last = path.replace("[]", ".0").split(".")
    place = document
    for step in way:
        place = place[int(step) if step == "0" else step]
    del place[last]
    return json.dumps(document).encode(), path.replace("[]", "[0]")


@pytest.mark.spec("*/required:*")
@pytest.mark.parametrize("path", REQUIRED)
def test_a_configuration_without_a_required_property_is_an_error(path: str) -> None:
    """It is valid with it, and refused by the property's path without."""
    validate(parse_config(json.dumps(FULL).encode())[0])
    document, at = without(path)
    with pytest.raises(ConfigError) as caught:
        parse_config(document)
    assert caught.value.message == f"{at}: required property is missing"


@pytest.mark.spec("config.md#linux-process/io-priority-level")
def test_a_level_that_is_not_given_is_the_highest() -> None:
    """0, as in the Go types of the peers."""
    process = parsed(("process.ioPriority", {"class": "IOPRIO_CLASS_BE"})).process
    assert process is not None
    assert process.io_priority is not None
    assert process.io_priority.priority == 0


@pytest.mark.spec("config.md#linux-mount-options/as-mount")
def test_what_is_known_beyond_the_table_is_an_option_of_mount_or_of_nobody() -> None:
    """mand is mount(8)'s and may be there; tmpcopyup may be too; rnodev is the twin of nodev; the rest is crun's."""
    cruns = {"copy-symlink", "src-nofollow", "dest-nofollow"}
    assert set(OPTION_NAMES) - OPTIONS == {"mand", "nomand", "tmpcopyup", "rnodev"} | cruns
    assert OPTIONS - set(OPTION_NAMES) == set()


@pytest.mark.spec("config.md#annotations/map", "config.md#annotations/values", "config.md#annotations/keys-empty")
@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (["a"], "annotations: expected an object, got an array"),
        ({"a": 5}, 'annotations["a"]: expected a string, got 5'),
        ({"": "a"}, "annotations: keys must not be empty"),
    ],
)
def test_annotations_are_texts_by_names(annotations: object, message: str) -> None:
    """Nothing else."""
    assert refused(("annotations", annotations)) == message


# ---- features


@pytest.mark.spec("features.md#specification-version/*")
def test_configurations_of_the_versions_that_are_named_are_accepted() -> None:
    """The least and the greatest; that there is no property too many is in test_features.py and in tests/schema."""
    versions = (ANSWER["ociVersionMin"], ANSWER["ociVersionMax"])
    assert versions == ("1.0.0", "1.3.0")
    for version in versions:
        assert warned(("ociVersion", version)) == ()


@pytest.mark.spec("features-linux.md#namespaces/recognized")
@pytest.mark.parametrize("name", ANSWER["linux"]["namespaces"])
def test_a_namespace_that_is_named_is_recognized(name: str) -> None:
    """As a path, which needs no mappings."""
    joined = [{"type": name, "path": "/run/ns"}]
    assert parsed(("linux.namespaces", joined)).linux.namespaces[0].type == name
    assert warned(("linux.namespaces", joined)) == ()


@pytest.mark.spec("features-linux.md#capabilities/recognized")
@pytest.mark.parametrize("name", ANSWER["linux"]["capabilities"])
def test_a_capability_that_is_named_is_recognized(name: str) -> None:
    """An unknown one would be warned of."""
    assert warned(("process.capabilities", {"bounding": [name]})) == ()


def filtered(**members: object) -> tuple[str, object]:
    """A change of linux.seccomp."""
    return ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/agent", **members})


def rule(action: str, **more: object) -> dict[str, object]:
    """One rule."""
    return {"names": ["mkdirat"], "action": action, **more}


@pytest.mark.spec("features-linux.md#seccomp/actions")
@pytest.mark.parametrize("name", ANSWER["linux"]["seccomp"]["actions"])
def test_an_action_that_is_named_is_recognized(name: str) -> None:
    """In a rule."""
    assert warned(filtered(syscalls=[rule(name)])) == ()


@pytest.mark.spec("features-linux.md#seccomp/operators")
@pytest.mark.parametrize("name", ANSWER["linux"]["seccomp"]["operators"])
def test_an_operator_that_is_named_is_recognized(name: str) -> None:
    """In the argument of a rule."""
    argument = {"index": 0, "value": 1, "valueTwo": 1, "op": name}
    assert warned(filtered(syscalls=[rule("SCMP_ACT_ERRNO", args=[argument])])) == ()


@pytest.mark.spec("features-linux.md#seccomp/archs")
@pytest.mark.parametrize("name", ANSWER["linux"]["seccomp"]["archs"])
def test_an_architecture_that_is_named_is_recognized(name: str) -> None:
    """Whatever the machine is."""
    assert warned(filtered(architectures=[name])) == ()


@pytest.mark.spec("features-linux.md#seccomp/known-flags")
@pytest.mark.parametrize("name", ANSWER["linux"]["seccomp"]["knownFlags"])
def test_a_flag_of_seccomp_that_is_named_is_recognized(name: str) -> None:
    """One of them is for notifications."""
    assert warned(filtered(flags=[name], syscalls=[rule("SCMP_ACT_NOTIFY")])) == ()


@pytest.mark.spec("features-linux.md#memorypolicy/modes")
@pytest.mark.parametrize("name", ANSWER["linux"]["memoryPolicy"]["modes"])
def test_a_memory_policy_that_is_named_is_recognized(name: str) -> None:
    """With nodes where it takes some."""
    nodes = "" if name in {"MPOL_DEFAULT", "MPOL_LOCAL"} else "0"
    assert warned(("linux.memoryPolicy", {"mode": name, "nodes": nodes})) == ()


@pytest.mark.spec("features-linux.md#memorypolicy/flags")
@pytest.mark.parametrize("name", ANSWER["linux"]["memoryPolicy"]["flags"])
def test_a_flag_of_the_memory_policy_that_is_named_is_recognized(name: str) -> None:
    """With a mode that takes it."""
    assert warned(("linux.memoryPolicy", {"mode": "MPOL_BIND", "nodes": "0", "flags": [name]})) == ()


@pytest.mark.spec("features.md#mount-options/recognized", "features.md#mount-options/data")
@pytest.mark.parametrize("name", ANSWER["mountOptions"])
def test_a_mount_option_that_is_named_is_recognized(name: str) -> None:
    """It is no data for a file system, which a bind mount would refuse."""
    entry = {"destination": "/d", "source": "/s", "options": ["bind", name]}
    assert warned(("mounts", [entry]), ("linux.namespaces", [{"type": "mount"}, {"type": "user", "path": "/u"}])) == ()
