"""exec: where the process goes, by namespaces, by root, and by cgroup."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bundles import DROP, Drop, Json, text
from tests.integration.box import INSIDE, Box, namespaces_of
from tests.integration.exec_support import refusal, report, wait_inside
from tests.peers.anchors import anchors
from tests.peers.case import MAPPED_OWNER, USER_NAMESPACE, namespaces
from tests.requires import cgroup_layout, requires

pytestmark = requires("root")

ABSENT_HINT = "(it must be there already: mkdir)"


def opened(box: Box) -> None:
    """Let root of a user namespace reach the root file system, and own it."""
    for path in box.directory.parents:
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    for path in (box.bundle.rootfs, *box.bundle.rootfs.rglob("*")):
        os.chown(path, MAPPED_OWNER, MAPPED_OWNER, follow_symlinks=False)


def same_as_init(box: Box, *options: str) -> dict[str, Json]:
    """The report of an exec, which must be in all namespaces of init and have its root."""
    shown = dict(report(box, *options, words=("--file", "/etc/hostname")))
    assert shown["namespaces"] == namespaces_of(box.pid())
    assert shown["files"] == {"/etc/hostname": "from-rootfs"}
    return shown


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"linux.namespaces+": [{"type": "cgroup"}]},
        {"linux.namespaces": namespaces("network", "ipc", "uts", "mount")},
        {"linux.namespaces": namespaces("mount"), "hostname": DROP, "mounts": []},
    ],
    ids=["usual", "cgroup", "no pid namespace", "mount alone"],
)
def test_it_is_in_the_namespaces_of_init(box: Box, changes: dict[str, Json | Drop]) -> None:
    """In all that init has of its own, and in the host's where init is."""
    mounts: dict[str, Json | Drop] = (
        {"mounts": [{"destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind"]}]}
        if "mounts" in changes
        else {}
    )
    shown = same_as_init(wait_inside(box, {**changes, **mounts}))
    inside = shown["pid"] != 1 and "pid" not in str(changes.get("linux.namespaces", "pid"))
    assert (shown["ppid"] != 0) == inside


def test_it_is_in_the_user_namespace_as_its_root(box: Box) -> None:
    """With the container's capabilities there and no other; a user that is not mapped is an error."""
    opened(box)
    wait_inside(box, USER_NAMESPACE)
    shown = same_as_init(box)
    assert shown["uid"] == [0, 0, 0, 0]
    assert text(shown["uidMap"]).split() == ["0", str(MAPPED_OWNER), "65536"]
    assert same_as_init(box, "--user", "1000:1000")["uid"] == [1000] * 4
    message = "process.user: setresgid: invalid argument (the id is not mapped in the container's user namespace)"
    assert refusal(box, "--user", "70000:70000", box.id, INSIDE, "true") == message


def test_it_is_in_namespaces_that_the_container_has_joined(box: Box) -> None:
    """Another's network, ipc and uts."""
    with anchors() as paths:
        joined = {"network": paths["@NET@"], "ipc": paths["@IPC@"], "uts": paths["@UTS@"]}
        wait_inside(box, {"linux.namespaces": namespaces("pid", "mount", **joined), "hostname": DROP})
        shown = same_as_init(box)["namespaces"]
        assert isinstance(shown, dict)
        assert [shown[name] for name in ("net", "ipc", "uts")] == [os.readlink(path) for path in joined.values()]


def test_it_has_the_root_of_a_container_without_pivot(box: Box) -> None:
    """--no-pivot: the old root is below, out of reach."""
    box.configure({"process.args": [INSIDE, "sleep", "600"]})
    box.create("--no-pivot")
    box.start()
    same_as_init(box)
    assert report(box, "--cwd", "/../../..")["cwd"] == "/"


def test_it_has_the_root_of_a_container_without_a_mount_namespace(box: Box) -> None:
    """Then the root is chroot's: init's own."""
    changes: dict[str, Json | Drop] = {
        "linux.namespaces": namespaces("pid", "uts"),
        "mounts": [],
        "linux.maskedPaths": [],
        "linux.readonlyPaths": [],
    }
    wait_inside(box, changes)
    shown = report(box, "--cwd", "/home/user", words=("--file", "/etc/hostname"))
    assert (shown["cwd"], shown["files"]) == ("/home/user", {"/etc/hostname": "from-rootfs"})


# ---- cgroups


def cgroups(box: Box, *options: str) -> dict[str, str]:
    """The cgroup of an exec by controllers, below the container's: "" is the container's own."""
    found: dict[str, str] = {}
    for line in text(report(box, *options)["cgroup"]).splitlines():
        _, controllers, path = line.split(":", 2)
        assert path.startswith(f"/{box.id}"), line
        found[controllers] = path.removeprefix(f"/{box.id}")
    return found


def below(box: Box, name: str) -> list[Path]:
    """Make a cgroup below the container's in every hierarchy; they go with the container."""
    tops = [path for path in Path("/sys/fs/cgroup").glob(f"*/{box.id}") if not path.parent.is_symlink()]
    made = [top / name for top in (tops or [Path("/sys/fs/cgroup", box.id)])]
    for path in made:
        path.mkdir()
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (path / file).exists():
                (path / file).write_text((path.parent / file).read_text())
    return made


@requires("cgroup")
def test_it_is_in_the_containers_cgroups(box: Box) -> None:
    """So its limits hold, and the container's end is its end."""
    assert set(cgroups(wait_inside(box)).values()) == {""}


@requires("cgroup")
def test_a_path_without_controllers_is_for_every_hierarchy(box: Box) -> None:
    """It has to be there."""
    wait_inside(box)
    message = refusal(box, "--cgroup", "sub", box.id, INSIDE, "true")
    assert message.startswith("--cgroup: no cgroup /sys/fs/cgroup/")
    assert message.endswith(f"/{box.id}/sub {ABSENT_HINT}")
    below(box, "sub")
    for path in ("sub", "/sub", "./sub/"):
        assert set(cgroups(box, "--cgroup", path).values()) == {"/sub"}
    assert set(cgroups(box, "--cgroup", "/").values()) == {""}
    message = '--cgroup: "sub/../.." leads out of the container\'s cgroup'
    assert refusal(box, "--cgroup", "sub/../..", box.id, INSIDE, "true") == message


@requires("cgroup-v1")
def test_each_controller_of_v1_has_its_own_path(box: Box) -> None:
    """Those that are not named stay with the container's."""
    wait_inside(box)
    below(box, "sub")
    found = cgroups(box, "--cgroup", "memory,pids:sub", "--cgroup", "freezer:/")
    assert {name for name, path in found.items() if path == "/sub"} == {"memory", "pids"}
    assert {path for name, path in found.items() if name not in {"memory", "pids"}} == {""}
    message = '--cgroup: the container has no cgroup of the controller "nonsense"'
    assert refusal(box, "--cgroup", "nonsense:sub", box.id, INSIDE, "true") == message


@requires("cgroup-v2")
def test_v2_has_no_controllers_to_name(box: Box) -> None:
    """It is one tree."""
    wait_inside(box)
    message = '--cgroup: "memory:sub" names controllers, which cgroup v2 has no cgroups of their own for'
    assert refusal(box, "--cgroup", "memory:sub", box.id, INSIDE, "true") == f"{message} (--cgroup PATH)"


@requires("cgroup")
def test_the_processes_limit_counts_it(box: Box) -> None:
    """pids.limit: the exec's children are the container's."""
    wait_inside(box, {"linux.resources.pids": {"limit": 6}})
    limited = '"error":"EAGAIN"'
    assert limited in box.succeed("exec", box.id, INSIDE, "forks", "20")
    assert cgroup_layout() != ""
