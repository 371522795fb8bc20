"""Namespaces: new, joined, and the runtime's own."""

from __future__ import annotations

import subprocess
from typing import Final

import pytest

from tests.bundles import Json, mount
from tests.integration.box import MAPS, OWNER, Box, namespaces_of, wait_for
from tests.integration.telling import SLEEPING, at
from tests.requires import requires

pytestmark = requires("root", "gcc")

NAMES: Final = {"network": "net", "mount": "mnt"}  # of types, where the kernel's are others
TYPES: Final = ("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time")


def kernel_name(kind: str) -> str:
    """As in /proc/PID/ns."""
    return NAMES.get(kind, kind)


def alone(kind: str) -> dict[str, Json]:
    """The changes for a container with one namespace."""
    more: dict[str, Json] = {"linux.uidMappings": MAPS, "linux.gidMappings": MAPS} if kind == "user" else {}
    return {
        "hostname": "",
        "mounts": [],
        "linux.namespaces": [{"type": kind}],
        "linux.maskedPaths": [],
        "linux.readonlyPaths": [],
        **more,
    }


@pytest.mark.spec(
    "config-linux.md#namespaces/pid",
    "config-linux.md#namespaces/network",
    "config-linux.md#namespaces/mount",
    "config-linux.md#namespaces/ipc",
    "config-linux.md#namespaces/uts",
    "config-linux.md#namespaces/user",
    "config-linux.md#namespaces/cgroup",
    "config-linux.md#namespaces/time",
    "config-linux.md#namespaces/new",
    "config-linux.md#namespaces/inherit",
)
@pytest.mark.parametrize("kind", TYPES)
def test_a_namespace_is_new_and_the_others_are_the_runtimes(mapped: Box, kind: str) -> None:
    """Seen from the host, for a container may have no procfs of its own."""
    mapped.common = {}
    mapped.configure({"process.args": SLEEPING, **alone(kind)})
    mapped.create()
    mapped.start()
    own = namespaces_of(mapped.pid())
    ours = namespaces_of()
    expected = {kernel_name(kind), *([f"{kind}_for_children"] if kind in {"pid", "time"} else [])}
    assert {name for name in own if own[name] != ours[name]} == expected


@pytest.mark.spec("config-linux.md#namespaces/path")
@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind not in {"mount", "user"}])
def test_a_namespace_with_a_path_is_entered(box: Box, kind: str) -> None:
    """One that somebody else keeps."""
    flag = {"network": "--net", "pid": "--pid"}.get(kind, f"--{kind}")
    words = ["unshare", flag, *(["--fork", "--kill-child"] if kind in {"pid", "time"} else []), "sleep", "1000"]
    with subprocess.Popen(words) as keeper:
        try:
            pid = str(keeper.pid)
            kept = f"{kind}_for_children" if kind in {"pid", "time"} else kernel_name(kind)
            ours = namespaces_of()
            wait_for(lambda: namespaces_of(pid)[kept] != ours[kept], f"the {kind} namespace")
            others = [each for each in ("pid", "network", "ipc", "uts", "mount") if each != kind]
            spaces: list[Json] = [{"type": each} for each in others]
            box.configure({"linux.namespaces": [*spaces, {"type": kind, "path": f"/proc/{pid}/ns/{kept}"}]})
            told = box.report()
            assert at(told, "namespaces", kernel_name(kind)) == namespaces_of(pid)[kept]
        finally:
            keeper.kill()


@pytest.mark.spec("config-linux.md#namespaces/path-type")
@pytest.mark.parametrize("kind", TYPES)
def test_a_path_to_a_namespace_of_another_type_is_an_error(box: Box, kind: str) -> None:
    """And nothing is left."""
    other = "uts" if kind != "uts" else "ipc"
    kinds: list[str] = [each for each in ("pid", "network", "ipc", "uts", "mount") if each != kind]
    spaces: list[Json] = [{"type": kind, "path": f"/proc/self/ns/{other}"}, *({"type": each} for each in kinds)]
    box.configure({"linux.namespaces": spaces})
    message = box.fail(*box.creating())
    assert message.startswith("linux.namespaces[0]")
    assert message.endswith("(the file is not a namespace of that type)")
    assert box.left() == []


@pytest.mark.spec("config-linux.md#user-namespace-mappings/ownership")
def test_a_user_namespace_changes_no_owner_of_a_file(mapped: Box) -> None:
    """Neither in the root file system nor of what is bound from the host."""
    folder = mapped.directory / "volume"
    folder.mkdir()
    (folder / "file").write_text("")
    paths = [mapped.bundle.rootfs, *mapped.bundle.rootfs.rglob("*"), folder, folder / "file"]
    before = {path: (path.lstat().st_uid, path.lstat().st_gid) for path in paths}
    mapped.configure({"mounts+": [mount("/mnt", "bind", str(folder), "rbind")]})
    assert at(mapped.report("--probe", "/bin/payload"), "probes", "/bin/payload", "owner") == "0:0"
    assert {path: (path.lstat().st_uid, path.lstat().st_gid) for path in paths} == before
    assert before[mapped.bundle.payload] == (OWNER, OWNER)
