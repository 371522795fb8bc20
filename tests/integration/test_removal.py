"""Removal that leaves nothing: many containers at once, exits that race with it, and cgroups that resist.

SLINGER_CONTAINERS=200 makes the crowd larger; without it there are few enough for every run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests import leftovers
from tests.bundles import DROP, Drop, Json, sequence
from tests.integration.box import INSIDE, Box, wait_for
from tests.integration.limits import MEBI, MOUNT, run_limited
from tests.requires import requires

pytestmark = requires("root", "cgroup")

CROWD: Final = int(os.environ.get("SLINGER_CONTAINERS", "24"))
AT_ONCE: Final = 8


@pytest.fixture
def crowd(box: Box) -> Box:
    """One bundle for many containers: each has a cgroup by its id."""
    box.configure({"process.args": [INSIDE, "pause"], "linux.cgroupsPath": DROP})
    return box


def each(box: Box, live: Callable[[str], None]) -> None:
    """Many lives at once, each with an id of its own; nothing is left of any."""
    ids = [f"{box.id}-{number}" for number in range(CROWD)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(live, ids))
    assert box.left() == []
    assert os.listdir(box.root) == []


def test_containers_created_frozen_thawed_and_deleted_at_once_leave_nothing(crowd: Box) -> None:
    """No verb fails, and no cgroup is left."""

    def live(name: str) -> None:
        crowd.succeed("create", "--bundle", str(crowd.directory), name)
        crowd.succeed("start", name)
        for verb in ("pause", "resume", "pause"):
            crowd.succeed(verb, name)
        crowd.succeed("delete", "--force", name)

    each(crowd, live)


def test_containers_that_end_while_they_are_deleted_leave_nothing(crowd: Box) -> None:
    """Whether the program, its killer or its remover is first."""
    crowd.configure({"process.args": [INSIDE, "exit", "0"], "linux.cgroupsPath": DROP})

    def live(name: str) -> None:
        crowd.succeed("create", "--bundle", str(crowd.directory), name)
        crowd.succeed("start", name)
        racers = [crowd.launch(*words) for words in (("kill", name, "KILL"), ("delete", "--force", name))]
        killed, removed = (crowd.end_of(*racer) for racer in racers)
        assert (removed.status, removed.stderr) == (0, "")
        assert killed.status == 0 or killed.stderr in {
            "slinger: container not running\n",
            "slinger: container does not exist\n",
        }

    each(crowd, live)


def test_two_removers_of_one_container_are_both_content(crowd: Box) -> None:
    """The second one finds nothing, which by force is no error."""

    def live(name: str) -> None:
        crowd.succeed("create", "--bundle", str(crowd.directory), name)
        racers = [crowd.launch("delete", "--force", name) for _ in range(2)]
        done = [crowd.end_of(*racer) for racer in racers]
        assert [(each.status, each.stderr) for each in done] == [(0, ""), (0, "")]

    each(crowd, live)


def test_containers_that_share_a_parent_leave_it_to_none(crowd: Box) -> None:
    """Each makes the parent if it is not there, and the last one removes it, whoever was first."""
    config = json.loads((crowd.directory / "config.json").read_text("utf-8"))

    def live(name: str) -> None:
        config_of = crowd.calls / f"{name}.json"
        linux = config["linux"] | {"cgroupsPath": f"/{crowd.id}-pod/inner/{name}"}
        config_of.write_text(json.dumps(config | {"linux": linux}), "utf-8")
        for _ in range(2):
            crowd.succeed("create", "--bundle", str(crowd.directory), "--config", str(config_of), name)
            crowd.succeed("delete", "--force", name)

    each(crowd, live)


def namespaces_without(box: Box, kind: str) -> dict[str, Json | Drop]:
    """The change of a config that leaves one namespace out."""
    document = json.loads((box.directory / "config.json").read_text("utf-8"))
    return {"linux.namespaces": [each for each in sequence(document["linux"]["namespaces"]) if each != {"type": kind}]}


def test_processes_that_outlive_init_are_removed_with_the_container(box: Box) -> None:
    """Without a pid namespace they go on; delete of the stopped container ends them."""
    box.configure({"process.args": [INSIDE, "daemon", "60"], **namespaces_without(box, "pid")})
    assert box.call(*box.running("--detach")).status == 0
    box.wait_status("stopped")
    (pid,) = json.loads(box.succeed("ps", "--format", "json", box.id))
    assert Path("/proc", str(pid)).exists()
    box.succeed("delete", box.id)
    assert box.left() == []


@requires("cgroup-v1")
@pytest.mark.parametrize("killed", [True, False])
def test_cgroups_below_the_containers_own_are_removed_whoever_is_in_them(box: Box, *, killed: bool) -> None:
    """Nested, in several hierarchies, and frozen, where a killed process does not die."""
    run_limited(box, {}, "children", "2")
    wait_for(lambda: len(json.loads(box.succeed("ps", "--format", "json", box.id))) == 3, "the children of init")
    other = next(pid for pid in json.loads(box.succeed("ps", "--format", "json", box.id)) if pid != box.pid())
    for controller in ("freezer", "memory", "pids"):
        inner = MOUNT / controller / box.id / "outer" / "inner"
        inner.mkdir(parents=True)
        (inner / "cgroup.procs").write_text(str(other), "utf-8")
    frozen = MOUNT / "freezer" / box.id / "outer" / "inner" / "freezer.state"
    frozen.write_text("FROZEN", "utf-8")
    wait_for(lambda: frozen.read_text("utf-8") == "FROZEN\n", "the freezer")
    if killed:
        box.succeed("kill", box.id, "KILL")
        box.wait_status("stopped")
    box.succeed("delete", *(() if killed else ("--force",)), box.id)
    assert box.left() == []


def test_a_fork_bomb_is_removed_in_full_flight(box: Box) -> None:
    """Every process starts others; none escapes the removal."""
    run_limited(box, {"pids": {"limit": 60}, "memory": {"limit": 64 * MEBI}}, "bomb")
    wait_for(lambda: len(json.loads(box.succeed("ps", "--format", "json", box.id))) > 20, "the bomb to go off")
    box.succeed("delete", "--force", box.id)
    assert box.left() == []


def test_a_fork_bomb_without_a_pid_namespace_is_removed_in_full_flight(box: Box) -> None:
    """There only the cgroup holds them together."""
    box.configure(
        {"process.args": [INSIDE, "bomb"], "linux.resources.pids": {"limit": 60}, **namespaces_without(box, "pid")}
    )
    box.succeed("run", "--detach", "--bundle", str(box.directory), box.id)
    wait_for(lambda: len(json.loads(box.succeed("ps", "--format", "json", box.id))) > 20, "the bomb to go off")
    box.succeed("delete", "--force", box.id)
    assert box.left() == []


def test_a_cgroup_is_not_shared_with_another_container(box: Box) -> None:
    """The second create is refused and leaves the first one, its limits and its processes alone."""
    run_limited(box, {"pids": {"limit": 7}})
    pid = box.pid()
    second = f"{box.id}-second"
    message = box.fail("create", "--bundle", str(box.directory), second)
    assert message.startswith("container's cgroup is not empty: 1 process(es) found (")
    assert (box.status(), box.pid()) == ("running", pid)
    assert [line for line in leftovers.cgroups() if second in line] == []
    box.succeed("delete", "--force", box.id)
    box.succeed("create", "--bundle", str(box.directory), second)
    box.succeed("delete", "--force", second)


def test_a_container_below_anothers_cgroup_is_removed_first_or_with_it(box: Box) -> None:
    """Removing the outer one ends the inner one, whose own removal then finds nothing and is content."""
    run_limited(box, {})
    inner = f"{box.id}-inner"
    config = json.loads((box.directory / "config.json").read_text("utf-8"))
    config["linux"]["cgroupsPath"] = f"/{box.id}/inner"
    file = box.calls / "inner.json"
    file.write_text(json.dumps(config), "utf-8")
    box.succeed("create", "--bundle", str(box.directory), "--config", str(file), inner)
    box.succeed("delete", "--force", box.id)
    wait_for(lambda: json.loads(box.succeed("state", inner))["status"] == "stopped", "the inner one to end")
    box.succeed("delete", inner)
    assert box.left() == []
