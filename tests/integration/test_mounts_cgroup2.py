"""What is shown of cgroup v2, where a new mount of it is refused: nobody's cgroup but the container's, and read-only.

Calls see v2 alone, in a mount namespace of their own; those of a plain user are in a cgroup that is the user's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, base_config, mapping, mount, sequence
from tests.integration.box import INSIDE, Box
from tests.integration.mounting import shown
from tests.integration.plain import USER, PlainBox
from tests.leftovers import ID_PREFIX
from tests.requires import requires

pytestmark = requires("root", "gcc", "unshare", "cgroup-hybrid")

UNIFIED: Final = Path("/sys/fs/cgroup/unified")
# In the cgroup that is the first word, unless it is empty.
ALONE: Final = """
[ -z "$1" ] || echo $$ > "$1/cgroup.procs" || exit 120
umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 120
shift
exec "$@"
"""
OTHERS: Final = sequence(base_config()["mounts"])[:-1]  # without that of cgroups
CGROUPS: Final = mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev")
ATTACK: Final = (INSIDE, "attack-mkdir", "/sys/fs/cgroup")


def alone(cgroup: str = "") -> tuple[str, ...]:
    """The words before a call."""
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", ALONE, "sh", cgroup)


@pytest.fixture
def delegated(plain: PlainBox) -> Iterator[PlainBox]:
    """A plain user whose calls are in a cgroup of their own, as a session is, and see v2 alone."""
    path = UNIFIED / f"{ID_PREFIX}-user"
    path.mkdir()
    for each in (path, *(path / name for name in ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control"))):
        os.chown(each, USER, USER)
    plain.prefix = alone(str(path))
    yield plain
    plain.prefix = ()
    for folder in sorted(path.rglob("*"), reverse=True):
        if folder.is_dir():
            folder.rmdir()
    path.rmdir()


@pytest.mark.parametrize("options", [("ro",), ("rw",)])
def test_a_user_namespace_without_a_cgroup_namespace_shows_the_containers_cgroup(
    mapped: Box, options: tuple[str, ...]
) -> None:
    """The kernel refuses a new mount there; what is shown instead is read-only, whatever was asked."""
    mapped.prefix = alone()
    mapped.configure({"mounts": [*OTHERS, mount("/sys/fs/cgroup", "cgroup", "cgroup", *options)]})
    told = mapped.report("--file", "/sys/fs/cgroup/cgroup.procs")
    assert mapping(told["files"]) == {"/sys/fs/cgroup/cgroup.procs": "1"}
    (entry,) = (each for each in map(mapping, sequence(told["mounts"])) if each["point"] == "/sys/fs/cgroup")
    assert (entry["type"], str(entry["root"]).rpartition("/")[2]) == ("cgroup2", mapped.id)
    assert "ro" in str(entry["options"]).split(",")


def test_a_user_namespace_with_a_cgroup_namespace_gets_a_mount_of_its_own(mapped: Box) -> None:
    """As writable as it was asked to be."""
    mapped.prefix = alone()
    mapped.configure({"mounts": [*OTHERS, CGROUPS], "linux.namespaces+": [{"type": "cgroup"}]})
    (told,) = shown(mapped, "/sys/fs/cgroup")
    assert {"rw", "nosuid", "noexec", "nodev"} <= told["options"]


@requires("setpriv", "plain-userns", "common-python")
@pytest.mark.parametrize("own", [False, True])
def test_a_plain_users_cgroup_is_not_the_programs(delegated: PlainBox, *, own: bool) -> None:
    """CVE-2023-25809: without a cgroup namespace no cgroup can be made, although the user could and rw was asked."""
    namespaces: dict[str, Json] = {"linux.namespaces+": [{"type": "cgroup"}]} if own else {}
    delegated.configure({"mounts+": [CGROUPS], "process.args": ATTACK, **namespaces})
    made = int(delegated.succeed(*delegated.running()))
    assert (made > 0) is own


def test_what_is_asked_for_as_cgroup2_is_cgroup_v2(box: Box) -> None:
    """On a machine with both, where the type cgroup is the hierarchies of v1."""
    box.configure({"mounts+": [mount("/mnt", "cgroup2", "cgroup2", "ro")]})
    told = box.report("--file", "/mnt/cgroup.controllers", "--list", "/mnt")
    (entry,) = (each for each in map(mapping, sequence(told["mounts"])) if each["point"] == "/mnt")
    assert entry["type"] == "cgroup2"
    assert box.id in mapping(mapping(told["lists"])["/mnt"])
