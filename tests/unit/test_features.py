"""spec/features.py: what ``slinger features`` tells."""

from __future__ import annotations

from typing import Any

import pytest

from slinger.lifecycle import STAGE_NAMES
from slinger.linux.flags import OPTION_NAMES
from slinger.spec.features import features
from slinger.spec.jsontext import dump, load


@pytest.mark.spec("features.md#features-structure/compile-time")
def test_the_answer_is_made_from_the_tables() -> None:
    """What the code knows is what it tells."""
    answer: dict[str, Any] = features()
    linux = answer["linux"]
    assert (answer["ociVersionMin"], answer["ociVersionMax"]) == ("1.0.0", "1.3.0")
    assert tuple(answer["hooks"]) == STAGE_NAMES
    assert tuple(answer["mountOptions"]) == OPTION_NAMES
    assert linux["namespaces"] == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]
    assert (linux["capabilities"][0], len(linux["capabilities"])) == ("CAP_CHOWN", 41)
    assert linux["seccomp"]["operators"] == [
        f"SCMP_CMP_{name}" for name in ("EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE")
    ]
    assert "SCMP_ACT_NOTIFY" in linux["seccomp"]["actions"]
    assert linux["memoryPolicy"]["modes"][0] == "MPOL_DEFAULT"
    assert "MPOL_F_STATIC_NODES" in linux["memoryPolicy"]["flags"]
    assert answer["potentiallyUnsafeConfigAnnotations"] == [
        "org.systemd.property.",
        "run.oci.hooks.",
        "run.oci.keep_original_groups",
        "run.oci.seccomp.receiver",
        "cdi.k8s.io/",
    ]


@pytest.mark.spec("features.md#specification-version/known")
def test_the_answer_has_all_members_and_no_others_than_the_specification_defines() -> None:
    """features.md and features-linux.md of runtime-spec 1.3."""
    answer: dict[str, Any] = features()
    assert set(answer) == {
        *("ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations"),
        "potentiallyUnsafeConfigAnnotations",
    }
    assert set(answer["linux"]) == {
        *("namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "mountExtensions"),
        *("memoryPolicy", "netDevices"),
    }
    assert set(answer["linux"]["intelRdt"]) == {"enabled", "schemata", "monitoring"}
    assert set(answer["linux"]["memoryPolicy"]) == {"modes", "flags"}
    assert set(answer["linux"]["cgroup"]) == {"v1", "v2", "systemd", "systemdUser", "rdma"}
    assert set(answer["linux"]["seccomp"]) == {
        "enabled",
        "actions",
        "operators",
        "archs",
        "knownFlags",
        "supportedFlags",
    }


@pytest.mark.spec("features.md#annotations/map", "features.md#features-structure/null")
def test_versions_are_annotations() -> None:
    """An unknown one is left out."""
    assert features(version="1.2", commit="", libseccomp="2.5.4")["annotations"] == {
        "org.opencontainers.slinger.version": "1.2",
        "org.opencontainers.slinger.checkpoint.enabled": "false",
        "org.opencontainers.slinger.hooks.d.version": "1.0.0",
        "org.opencontainers.slinger.cdi.version": "1.1.0",
        "io.github.seccomp.libseccomp.version": "2.5.4",
    }


def test_the_answer_is_json() -> None:
    """It is written as it is."""
    assert load(dump(features()).encode(), "features") == features()
