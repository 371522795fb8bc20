"""Containers on cgroup v2 alone, on a machine that has v1 too: each call sees nothing but the v2 mount.

Rule of the file: the controllers of v1 are hidden in a mount namespace of the call, so what is left for v2 is few
(hugetlb), but every way of v2 is gone along: the filter for devices, freezing, killing, pressure, limits and their
errors.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import DROP, Drop, Json, base_config, find_runtime, make_bundle, mapping
from tests.integration.box import INSIDE, Box, wait_for
from tests.requires import requires

pytestmark = requires("root", "cgroup-hybrid", "cgroup-unified-hugetlb")

UNIFIED = Path("/sys/fs/cgroup/unified")
ALONE = 'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 120; exec "$@"'
NOTHING: dict[str, Json] = {"allow": False, "access": "rwm"}
LOOP: dict[str, Json] = {"type": "b", "major": 7, "minor": 7}  # an empty disk
PAGES = 4 << 20


class V2Box(Box):
    """A box whose calls see cgroup v2 alone."""

    def command(self, *arguments: str) -> list[str]:
        """The words of such a call."""
        private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ALONE, "sh"]
        return [*private, *super().command(*arguments)]

    def run(self, resources: dict[str, Json], *words: str, **changes: Json | Drop) -> None:
        """A container with these limits that waits, or runs the payload with these words."""
        program = [INSIDE, *(words or ("pause",))]
        self.configure({"process.args": program, "linux.resources": resources, **changes})
        self.succeed(*self.running("--detach"))

    def file(self, name: str) -> str:
        """A file of the container's cgroup."""
        return (UNIFIED / self.id / name).read_text("utf-8").strip()


@pytest.fixture
def v2(slinger: str, tmp_path: Path, tmp_root: Path) -> Iterator[V2Box]:
    """A box on v2 with the node of a disk in its root; afterwards nothing is left, and v2 passes on what it did."""
    control = UNIFIED / "cgroup.subtree_control"
    before = control.read_text("utf-8").split()
    box = V2Box(slinger, tmp_root, make_bundle(tmp_path / "bundle", base_config()))
    os.mknod(box.bundle.rootfs / "data/disk", 0o60666, os.makedev(7, 7))
    yield box
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left()) == (0, "", [])
    for more in sorted(set(control.read_text("utf-8").split()) - set(before)):
        with contextlib.suppress(OSError):  # somebody else's container needs it now
            control.write_text(f"-{more}", "utf-8")


RULES: dict[str, tuple[Json, bool, bool]] = {
    "none": ([], True, True),
    "all denied": ([NOTHING], False, False),
    "read allowed": ([NOTHING, LOOP | {"allow": True, "access": "r"}], True, False),
    "exception of an exception": (
        [NOTHING, {"allow": True, "type": "b", "major": 7, "access": "rw"}, LOOP | {"allow": False, "access": "r"}],
        False,
        True,
    ),
    "denied alone": ([LOOP | {"allow": False, "access": "w"}], False, False),
    "write allowed alone": ([LOOP | {"allow": True, "access": "w"}], False, True),
    "all but one": ([{"allow": True, "access": "rwm"}, LOOP | {"allow": False, "access": "w"}], True, False),
}


def opened(v2: V2Box) -> list[tuple[Json, Json]]:
    """The errors of reading and of opening for writing the disk, and /dev/null, in a process of exec."""
    told = json.loads(v2.succeed("exec", v2.id, INSIDE, "probe", "/data/disk", "/dev/null"))
    return [(each["read"], each["write"]) for each in (told["/data/disk"], told["/dev/null"])]


@pytest.mark.parametrize("case", RULES)
def test_a_program_opens_the_devices_that_the_rules_allow(v2: V2Box, case: str) -> None:
    """And no others; the default devices are always there."""
    rules, reads, writes = RULES[case]
    v2.run({"devices": rules})
    assert opened(v2) == [(None if reads else "EPERM", None if writes else "EPERM"), (None, None)]


# runc denies all without any rule too, where crun and slinger do nothing, and refuses exceptions of exceptions.
@requires("runc")
@pytest.mark.parametrize("case", sorted(set(RULES) - {"none", "exception of an exception"}))
def test_runc_lets_the_same_devices_through(v2: V2Box, case: str) -> None:
    """Its filter is made in another way."""
    rules, reads, writes = RULES[case]
    v2.program = find_runtime("runc") or ""
    v2.run({"devices": rules})
    try:
        assert opened(v2) == [(None if reads else "EPERM", None if writes else "EPERM"), (None, None)]
    finally:
        v2.succeed("delete", "--force", v2.id)


def test_a_container_lives_on_v2(v2: V2Box) -> None:
    """Created, frozen, listed, thawed, killed and deleted."""
    v2.run({})
    v2.succeed("pause", v2.id)
    assert (v2.status(), v2.file("cgroup.freeze")) == ("paused", "1")
    v2.succeed("resume", v2.id)
    assert json.loads(v2.succeed("ps", "--format", "json", v2.id)) == [v2.pid()]
    v2.succeed("pause", v2.id)
    v2.succeed("kill", v2.id, "KILL")
    v2.wait_status("stopped")
    v2.succeed("delete", v2.id)
    assert v2.left() == []


def test_limits_are_written_and_updated_or_stay(v2: V2Box) -> None:
    """The one controller that is left here; an update that fails at another one takes it back."""
    v2.run({"hugepageLimits": [{"pageSize": "2MB", "limit": PAGES}]})
    files = ("hugetlb.2MB.max", "hugetlb.2MB.rsvd.max")
    assert [v2.file(name) for name in files] == [str(PAGES)] * 2
    document = v2.calls / "limits.json"
    limits: dict[str, Json] = {"hugepageLimits": [{"pageSize": "2MB", "limit": 2 * PAGES}]}
    document.write_text(json.dumps(limits), "utf-8")
    v2.succeed("update", "--resources", str(document), v2.id)
    assert [v2.file(name) for name in files] == [str(2 * PAGES)] * 2
    limits |= {"unified": {"hugetlb.2MB.max": str(PAGES), "memory.high": "5"}}
    document.write_text(json.dumps(limits | {"hugepageLimits": [{"pageSize": "2MB", "limit": 3 * PAGES}]}), "utf-8")
    message = v2.fail("update", "--resources", str(document), v2.id)
    assert message == (
        f'resources.unified["memory.high"]: the controller "memory" is not available in /sys/fs/cgroup/{v2.id}'
        " (a cgroup above has processes of its own or was not given the controller, so it cannot pass it on)"
    )
    assert [v2.file(name) for name in files] == [str(2 * PAGES)] * 2


def test_unified_has_the_last_word(v2: V2Box) -> None:
    """Over the converted limit of the same file."""
    v2.run({"hugepageLimits": [{"pageSize": "2MB", "limit": PAGES}], "unified": {"hugetlb.2MB.max": str(2 * PAGES)}})
    assert (v2.file("hugetlb.2MB.max"), v2.file("hugetlb.2MB.rsvd.max")) == (str(2 * PAGES), str(PAGES))


@pytest.mark.spec("config-linux.md#unified/written", "config-linux.md#unified/controllers")
def test_a_file_that_nobody_knows_is_written(v2: V2Box) -> None:
    """Its name and value are the kernel's affair; the controller of the other one is enabled on the way down."""
    v2.run({"unified": {"cgroup.max.depth": "5", "hugetlb.2MB.max": str(PAGES)}})
    assert (v2.file("cgroup.max.depth"), v2.file("hugetlb.2MB.max")) == ("5", str(PAGES))


@pytest.mark.spec("config-linux.md#unified/absent", "config-linux.md#unified/conversion")
@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            {"memory": {"limit": 1 << 26}},
            (
                'linux.resources.memory.limit: the controller "memory" is not available in /sys/fs/cgroup/{id}'
                " (a cgroup above has processes of its own or was not given the controller, so it cannot pass it on)"
            ),
        ),
        (
            {"memory": {"swappiness": 5}},
            "linux.resources.memory.swappiness: cgroup v2 has nothing like it (leave it out)",
        ),
        (
            {"cpu": {"realtimeRuntime": 5}},
            "linux.resources.cpu.realtimeRuntime: cgroup v2 has nothing like it (leave it out)",
        ),
        (
            {"unified": {"hugetlb.2MB.max": "much"}},
            (
                'linux.resources.unified["hugetlb.2MB.max"]: writing "much" to /sys/fs/cgroup/{id}/hugetlb.2MB.max:'
                " invalid argument"
            ),
        ),
        (
            {"unified": {"hugetlb.9MB.max": "5"}},
            (
                'linux.resources.unified["hugetlb.9MB.max"]: writing "5" to /sys/fs/cgroup/{id}/hugetlb.9MB.max:'
                " no such file or directory"
            ),
        ),
    ],
)
def test_what_v2_cannot_do_is_refused_by_name(v2: V2Box, resources: dict[str, Json], message: str) -> None:
    """And nothing is left of the create."""
    v2.configure({"linux.resources": resources})
    assert v2.fail(*v2.creating()) == message.format(id=v2.id)
    assert v2.left() == []


@requires("psi")
def test_statistics_of_v2_tell_time_and_pressure(v2: V2Box) -> None:
    """cpu.stat and the pressure files are there without any controller; the stream ends with the container."""
    v2.run({})
    data = mapping(json.loads(v2.succeed("events", "--stats", v2.id))["data"])
    assert ["psi" in mapping(data[name]) for name in ("cpu", "memory", "blkio")] == [True, True, True]
    assert data["pids"] == {"current": 1}
    process, name = v2.launch("events", "--interval", "10ms", v2.id)
    wait_for(lambda: os.path.getsize(f"{name}.out") > 0, "statistics")
    v2.succeed("kill", v2.id, "KILL")
    done = v2.end_of(process, name)
    assert (done.status, done.stderr) == (0, "")


def test_cgroups_that_the_container_made_go_with_it(v2: V2Box) -> None:
    """Nested and frozen, with a process in them, in its own mount of the hierarchy or from outside."""
    v2.run({}, "children", "2")
    listed = ("ps", "--format", "json", v2.id)
    wait_for(lambda: len(json.loads(v2.succeed(*listed))) == 3, "children")
    inner = UNIFIED / v2.id / "outer" / "inner"
    inner.mkdir(parents=True)
    other = next(pid for pid in json.loads(v2.succeed(*listed)) if pid != v2.pid())
    (inner / "cgroup.procs").write_text(str(other), "utf-8")
    (inner / "cgroup.freeze").write_text("1", "utf-8")
    v2.succeed("delete", "--force", v2.id)
    assert v2.left() == []


def test_the_default_place_is_beside_the_caller(v2: V2Box) -> None:
    """A cgroup with processes passes no controllers on, so it is below the parent of the caller's own."""
    v2.run({}, **{"linux.cgroupsPath": DROP})
    own = next(line for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines() if line.startswith("0::"))
    parent = own.removeprefix("0::").rpartition("/")[0]
    shown = Path("/proc", str(v2.pid()), "cgroup").read_text("utf-8").splitlines()
    assert f"0::{parent}/{v2.id}" in shown
