"""Cgroups on this machine: made, joined, removed, done without; and what that costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slinger.errors import HostError
from slinger.host import cgroup, probe
from slinger.host.cgroup import Ref
from tests.integration.cgroup.support import PREFIX, SOURCE, Make, Start, cgroups_of, existing, unified
from tests.requires import requires

pytestmark = requires("root", "cgroup")


@pytest.mark.spec("runtime.md#delete/resources")
@pytest.mark.parametrize("below", ["", "/a/b"])
def test_a_process_is_in_every_hierarchy_of_the_container(name: str, make: Make, start: Start, below: str) -> None:
    """After join, with its children to come; and the directories are gone after remove, the parents too."""
    ref = make(below=below)
    child = start()
    assert cgroup.join(ref, child.pid) == ref
    assert cgroups_of(child.pid) == {name + below}
    assert child.pid in cgroup.pids(ref)
    cgroup.remove(ref, kill=True)
    assert child.wait(2) == -signal.SIGKILL
    assert existing(ref) == []
    cgroup.remove(ref, kill=True)


def test_the_default_is_below_our_own_cgroup() -> None:
    """By the container's id, where there is no cgroupsPath."""
    container_id = f"{PREFIX}-default"
    hierarchies = probe.probe_hierarchies()
    ref = cgroup.locate("", container_id, hierarchies, rootless=False)
    cgroup.make(ref, None)
    try:
        alone = all(each.version == 2 for each in hierarchies)
        for each, place in zip(hierarchies, ref.places, strict=True):
            own = os.path.dirname(each.own) if alone else each.own
            assert place.path == os.path.normpath(f"{each.path}{own}/{container_id}")
            assert os.path.isdir(place.path)
    finally:
        cgroup.remove(ref)


def test_the_stored_record_is_enough_to_remove(make: Make, start: Start) -> None:
    """Whatever was made of it: all, or nothing."""
    ref = make()
    child = start()
    cgroup.join(ref, child.pid)
    cgroup.remove(Ref.parse(ref.text()), kill=True)
    assert existing(ref) == []
    cgroup.remove(Ref.parse(ref.text()))


def test_a_process_that_has_ended_cannot_join(make: Make) -> None:
    """The error names process and cgroup."""
    ref = make()
    child = subprocess.Popen(["true"])
    child.wait()
    with pytest.raises(HostError) as caught:
        cgroup.join(ref, child.pid)
    path = ref.places[0].path
    assert str(caught.value) == (
        f"linux.cgroupsPath: moving process {child.pid} into {path}: no such process (the process has ended)"
    )


@requires("cgroup-unified-hugetlb")
def test_where_a_container_passes_controllers_on_one_joins_its_init(make: Make, start: Start) -> None:
    """As a container with systemd does: its own cgroup takes no more processes, the one of its init does."""
    ref = make(hierarchies=unified())
    path = ref.places[0].path
    init, more = start(), start()
    cgroup.join(ref, init.pid)
    os.mkdir(f"{path}/init.scope")
    Path(path, "init.scope/cgroup.procs").write_text(str(init.pid), "utf-8")
    Path(path, "cgroup.subtree_control").write_text("+hugetlb", "utf-8")
    with pytest.raises(HostError) as caught:
        cgroup.join(ref, more.pid)
    assert str(caught.value) == (
        f"linux.cgroupsPath: moving process {more.pid} into {path}: device or resource busy"
        " (the cgroup passes controllers on to others below it and so takes no processes)"
    )
    cgroup.join(ref, more.pid, beside=init.pid)
    assert Path(path, "init.scope/cgroup.procs").read_text("utf-8").split() == [str(init.pid), str(more.pid)]
    with pytest.raises(HostError, match="device or resource busy"):
        cgroup.join(ref, more.pid, beside=os.getpid())


def test_cgroups_that_the_container_made_are_removed(make: Make, start: Start) -> None:
    """Nested, with processes in them, one frozen."""
    ref = make()
    child, other = start(), start()
    for place in ref.places:
        for path in (f"{place.path}/in", f"{place.path}/in/most"):
            os.mkdir(path)
            if "cpuset" in place.controllers:
                for file in ("cpuset.cpus", "cpuset.mems"):
                    Path(path, file).write_text(Path(place.path, file).read_text("utf-8"), "utf-8")
        Path(place.path, "in/most/cgroup.procs").write_text(str(child.pid), "utf-8")
        Path(place.path, "in/cgroup.procs").write_text(str(other.pid), "utf-8")
    assert {child.pid, other.pid} <= set(cgroup.pids(ref))
    main = ref.main()
    assert main is not None
    file, value = ("freezer.state", "FROZEN") if main.version == 1 else ("cgroup.freeze", "1")
    Path(main.path, "in/most", file).write_text(value, "utf-8")
    cgroup.remove(ref, kill=True)
    assert child.wait(2) == other.wait(2) == -signal.SIGKILL
    assert existing(ref) == []


def test_a_process_in_one_hierarchy_alone_is_found(make: Make, start: Start) -> None:
    """It left the others; in the one that is left it is in the way, and killed."""
    ref = make()
    child = start()
    last = ref.places[0]
    assert last != ref.main() or len(ref.places) == 1
    Path(last.path, "cgroup.procs").write_text(str(child.pid), "utf-8")
    cgroup.remove(ref, kill=True)
    assert child.wait(2) == -signal.SIGKILL
    assert not os.path.exists(last.path)


def test_what_is_in_use_is_told(make: Make, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kill, a process that stays is an error that names it; the rest is removed."""
    monkeypatch.setattr("slinger.host.cgroup.removal.PATIENCE", 0.01)
    ref = make()
    child = start()
    main = ref.main()
    assert main is not None
    Path(main.path, "cgroup.procs").write_text(str(child.pid), "utf-8")
    with pytest.raises(HostError) as caught:
        cgroup.remove(ref)
    assert str(caught.value) == f"removing {main.path}: still in use after 0 s (processes {child.pid} are in it)"
    assert existing(ref) == [main.path]


@pytest.mark.spec("runtime.md#delete/others")
def test_a_cgroup_that_was_there_stays(name: str, make: Make, start: Start) -> None:
    """With the children it had. What the container made in it goes, and so do its processes."""
    hierarchies = probe.probe_hierarchies()
    before = cgroup.locate(f"{name}/old", "unused", hierarchies, rootless=False)
    cgroup.make(before, None)
    for place in before.places:
        if place.version == 2:  # one that passes controllers on takes no processes
            control = Path(place.path).parent / "cgroup.subtree_control"
            control.write_text(" ".join(f"-{each}" for each in control.read_text("utf-8").split()), "utf-8")
    ref = make()
    assert {place.kept for place in ref.places} == {("old",)}
    child = start()
    cgroup.join(ref, child.pid)
    for place in ref.places:
        os.mkdir(f"{place.path}/new")
    cgroup.remove(ref, kill=True)
    assert child.wait(2) == -signal.SIGKILL
    for place in ref.places:
        assert os.path.isdir(f"{place.path}/old")
        assert not os.path.exists(f"{place.path}/new")
    cgroup.remove(before)


@pytest.mark.spec("config-linux.md#control-groups/unfit")
def test_a_cgroup_with_processes_is_not_taken(name: str, make: Make, start: Start) -> None:
    """Nor one that has them below itself."""
    ref = make(below="/in")
    child = start()
    cgroup.join(ref, child.pid)
    with pytest.raises(HostError) as caught:
        cgroup.locate(name, "unused", probe.probe_hierarchies(), rootless=False)
    path = os.path.dirname(ref.places[0].path)
    assert str(caught.value) == (
        "container's cgroup is not empty: 1 process(es) found"
        f" ({path} belongs to something else; choose another linux.cgroupsPath)"
    )


def test_a_cgroup_that_appears_meanwhile_is_looked_at(name: str, make: Make, start: Start) -> None:
    """Two creates for one path: the second one finds the first one's processes."""
    late = cgroup.locate(name, "unused", probe.probe_hierarchies(), rootless=False)
    ref = make()
    cgroup.join(ref, start().pid)
    with pytest.raises(HostError, match=r"^container's cgroup is not empty: 1 process\(es\) found "):
        cgroup.make(late, None)


def test_a_parent_that_went_away_is_made_again(name: str) -> None:
    """The last other container below it was just removed."""
    hierarchies = probe.probe_hierarchies()
    other = cgroup.locate(f"{name}/parent/other", "unused", hierarchies, rootless=False)
    cgroup.make(other, None)
    late = cgroup.locate(f"{name}/parent/late", "unused", hierarchies, rootless=False)
    cgroup.remove(other)
    cgroup.make(late, None)
    assert all(os.path.isdir(place.path) for place in late.places)
    cgroup.remove(late)
    assert not any(os.path.exists(f"{each.path}{name}") for each in hierarchies)


def test_a_parent_goes_with_the_last_container_below_it(name: str) -> None:
    """Whoever made it, and unless somebody else did."""
    hierarchies = probe.probe_hierarchies()
    theirs = [f"{each.path}{name}" for each in hierarchies]
    for path in theirs:
        os.mkdir(path)
        if "cpuset" in path:
            for file in ("cpuset.cpus", "cpuset.mems"):
                Path(path, file).write_text(Path(path).parent.joinpath(file).read_text("utf-8"), "utf-8")
    first, second = (
        cgroup.make(cgroup.locate(f"{name}/ours/{box}", "unused", hierarchies, rootless=False), None)
        for box in ("first", "second")
    )
    cgroup.remove(first)
    assert all(os.path.isdir(f"{path}/ours") for path in theirs)
    cgroup.remove(second)
    assert [os.listdir(path).count("ours") for path in theirs] == [0] * len(theirs)
    for path in theirs:
        os.rmdir(path)


@requires("setpriv")
@pytest.mark.parametrize(
    ("path", "limit", "answer"),
    [
        ("", "None", "()"),
        ("", "5", "linux.cgroupsPath: making "),
        ("/slinger-test-denied", "None", "linux.cgroupsPath: making "),
    ],
    ids=["nobody asked for a cgroup", "a limit", "a path"],
)
def test_without_permission_a_cgroup_is_done_without_only_if_nobody_asked(path: str, limit: str, answer: str) -> None:
    """Neither by cgroupsPath nor by a limit; then there is no place to be in."""
    script = f"""if True:
        from slinger.errors import HostError
        from slinger.host import cgroup, probe
        from slinger.spec.config import Resources
        ref = cgroup.locate({path!r}, "slinger-test-denied", probe.probe_hierarchies(), rootless=True)
        try:
            print(cgroup.make(ref, Resources(pids_limit={limit})).places)
        except HostError as error:
            print(error)
    """
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-B", "-c", script]
    done = subprocess.run(command, capture_output=True, check=True, text=True, env={"PYTHONPATH": SOURCE})
    assert done.stdout.startswith(answer)
    if answer != "()":
        hint = "without privilege: leave out linux.resources and linux.cgroupsPath, or have a cgroup delegated to you"
        assert done.stdout.endswith(f": permission denied ({hint})\n")


COUNTED = """if True:
    import os, subprocess
    from slinger.host import cgroup, probe
    from slinger.host.cgroup import join, make, remove, removal, setup  # the last two are loaded when first needed
    child = subprocess.Popen(["sleep", "100"])
    ref = cgroup.locate({name!r}, "unused", probe.probe_hierarchies(), rootless=False)
    ref.version, ref.main(), os.path.exists("/begin")
    join(make(ref, None), child.pid)
    os.path.exists("/middle")
    child.kill()
    child.wait()
    os.path.exists("/removal")
    remove(ref)
    os.path.exists("/end")
"""


@requires("strace", "cgroup-hybrid")
def test_a_container_costs_few_system_calls(name: str, tmp_path: Path) -> None:
    """v1: one mkdir and one write per hierarchy, two files copied for the cpuset, one read on v2; one rmdir each."""
    command = ["strace", "-o", str(tmp_path / "trace"), sys.executable, "-B", "-c", COUNTED.format(name=name)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": SOURCE})
    lines = (tmp_path / "trace").read_text("utf-8").splitlines()
    names = ("begin", "middle", "removal", "end")
    marks = [next(i for i, line in enumerate(lines) if f'"/{mark}"' in line) for mark in names]
    hierarchies = len(probe.probe_hierarchies())
    written = 3  # open, write or read, close
    assert marks[1] - marks[0] - 1 == hierarchies * (1 + written) + 4 * written + written
    assert marks[3] - marks[2] - 1 == hierarchies
