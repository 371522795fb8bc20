"""Whose the container's cgroup is: config-linux.md, "Cgroup ownership".

Calls that shall see v2 alone are made in a mount namespace of their own, where nothing else is mounted.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from slinger.errors import HostError
from slinger.host import cgroup
from slinger.host.cgroup import ownership
from tests.bundles import Drop, Json, base_config, make_bundle, mapping, mount, sequence
from tests.integration.box import INSIDE, OWNER, USER_NAMESPACE, Box
from tests.integration.cgroup.support import Make, unified
from tests.requires import requires

pytestmark = requires("root", "gcc", "unshare", "cgroup-unified")

ALONE: Final = 'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 120; exec "$@"'
USER: Final = 7  # of the container
DELEGATED: Final = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"}
OTHERS: Final = sequence(base_config()["mounts"])[:-1]  # without that of cgroups
SLEEPING: Final[dict[str, Json | Drop]] = {
    "process.args": [INSIDE, "sleep", "88.6624"],
    "process.user": {"uid": USER, "gid": USER},
}


class AloneBox(Box):
    """A box whose calls see cgroup v2 and nothing else, unless it is told otherwise."""

    alone = True

    def command(self, *arguments: str) -> list[str]:
        """The words of a call."""
        words = super().command(*arguments)
        return ["unshare", "--mount", "sh", "-c", ALONE, "sh", *words] if self.alone else words

    def wants(self, *options: str, **changes: Json) -> None:
        """A config with a cgroup namespace, cgroups mounted with these options, and more changes."""
        shown = mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", *options)
        more: dict[str, Json | Drop] = {"mounts": [*OTHERS, shown], "linux.namespaces+": [{"type": "cgroup"}]}
        self.configure({**SLEEPING, **more, **changes})

    def owners(self) -> tuple[int, set[str]]:
        """The owner of the cgroup on v2 after create, and which of its files are not root's."""
        self.create()
        path = Path(unified()[0].path, self.id)
        owner = path.stat().st_uid
        files = {file.name for file in path.iterdir() if file.is_file() and file.stat().st_uid != 0}
        return owner, files


@pytest.fixture
def alone(slinger: str) -> Iterator[AloneBox]:
    """With a user namespace for each container."""
    base = Path(tempfile.mkdtemp(prefix="slinger-alone-"))
    base.chmod(0o711)
    (base / "state").mkdir(mode=0o700)
    box = AloneBox(slinger, base / "state", make_bundle(base / "bundle", base_config(), owner=OWNER))
    box.common = USER_NAMESPACE
    yield box
    done = box.call("delete", "--force", box.id)
    left = box.left()
    shutil.rmtree(base)
    assert (done.status, done.stderr, left) == (0, "", [])


@pytest.mark.spec(
    "config-linux.md#cgroup-ownership/writable",
    "config-linux.md#cgroup-ownership/delegate",
    "config-linux.md#cgroup-ownership/present",
    "config-linux.md#cgroup-ownership/no-other",
)
def test_a_cgroup_that_can_be_written_belongs_to_the_user_of_the_container(alone: AloneBox) -> None:
    """The directory and what the kernel lists; the program makes a cgroup in it, and cannot change its limits."""
    listed = set(ownership.delegated())
    assert listed >= DELEGATED
    alone.wants("rw")
    owner, files = alone.owners()
    path = Path(unified()[0].path, alone.id)
    assert (owner, files) == (OWNER + USER, {name for name in listed if (path / name).exists()})
    asked = ("--probe", "/sys/fs/cgroup", "--probe", "/sys/fs/cgroup/cgroup.procs")
    words = ("exec", alone.id, INSIDE, "report", *asked, "--probe", "/sys/fs/cgroup/cgroup.max.depth")
    told = mapping(mapping(json.loads(alone.succeed(*words)))["probes"])
    writes = [mapping(told[name])["write"] for name in told]
    assert writes == [None, None, "EACCES"]


@pytest.mark.spec("config-linux.md#cgroup-ownership/not-mounted")
@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (("ro",), {}),
        (("rw", "rro"), {}),
        (("rw",), {"mounts": OTHERS}),
        (("rw",), {"mounts": [*OTHERS, mount("/cgroups", "cgroup", "cgroup")]}),
    ],
)
def test_a_cgroup_that_cannot_be_written_keeps_its_owner(
    alone: AloneBox, options: tuple[str, ...], changes: dict[str, Json]
) -> None:
    """Mounted read-only, not at all, or elsewhere."""
    alone.wants(*options, **changes)
    assert alone.owners() == (0, set())


@pytest.mark.spec("config-linux.md#cgroup-ownership/namespace")
def test_without_a_cgroup_namespace_a_cgroup_keeps_its_owner(alone: AloneBox) -> None:
    """What is mounted is the whole tree then; a user namespace would not let it be mounted at all."""
    alone.common = {}
    shown = mount("/sys/fs/cgroup", "cgroup", "cgroup", "rw")
    alone.configure({**SLEEPING, "mounts": [*OTHERS, shown]})
    assert alone.owners() == (0, set())


@requires("cgroup-v1")
@pytest.mark.spec("config-linux.md#cgroup-ownership/v1")
def test_where_v1_is_in_use_cgroups_keep_their_owner(alone: AloneBox) -> None:
    """Those on v1, and the one on v2 beside them."""
    alone.alone = False
    alone.wants("rw")
    assert alone.owners() == (0, set())
    assert {path.stat().st_uid for path in Path("/sys/fs/cgroup").glob(f"*/{alone.id}")} == {0}


@pytest.mark.spec("config-linux.md#cgroup-ownership/absent", "config-linux.md#cgroup-ownership/fallback")
@pytest.mark.parametrize(
    ("listed", "given"),
    [(None, DELEGATED), ("cgroup.procs\nno.such.file\n", {"cgroup.procs"}), ("", set[str]())],
)
def test_the_files_are_those_of_the_kernels_list_that_there_are(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listed: str | None, given: set[str]
) -> None:
    """Or three that everybody knows."""
    file = tmp_path / "delegate"
    if listed is not None:
        file.write_text(listed)
    monkeypatch.setattr(ownership, "DELEGATE", str(file))
    ref = make(hierarchies=unified())
    cgroup.give(ref, OWNER)
    path = Path(ref.places[0].path)
    assert path.stat().st_uid == OWNER
    assert {each.name for each in path.iterdir() if each.is_file() and each.stat().st_uid == OWNER} == given


def test_a_cgroup_that_is_gone_cannot_be_given(make: Make) -> None:
    """The error names it."""
    ref = make(hierarchies=unified())
    cgroup.remove(ref)
    path = ref.places[0].path
    with pytest.raises(HostError) as caught:
        cgroup.give(ref, OWNER)
    assert str(caught.value) == f"linux.cgroupsPath: giving {path} to user {OWNER}: no such file or directory"
