"""events and stats of containers that run: what the kernel counts, kills for lack of memory, and the end."""

from __future__ import annotations

import json
import os
import pty
import select
import time
from collections.abc import Mapping
from pathlib import Path

from tests.bundles import Json, mapping
from tests.integration.box import INSIDE, Box, wait_for
from tests.integration.limits import MEBI, path_of, run_limited
from tests.requires import requires

pytestmark = requires("root", "cgroup")

TIGHT: dict[str, Json] = {"memory": {"limit": 32 * MEBI, "swap": 32 * MEBI}, "pids": {"limit": 20}}
OOM = '{{"type":"oom","id":"{id}"}}'


def told(file: Path) -> list[str]:
    """The lines that events has written so far."""
    return file.read_text("utf-8").splitlines()


def test_statistics_are_those_of_the_kernel(box: Box) -> None:
    """In one line of runc's form."""
    run_limited(box, TIGHT)
    (line,) = box.succeed("events", "--stats", box.id).splitlines()
    event = mapping(json.loads(line))
    data = mapping(event["data"])
    assert (event["type"], event["id"]) == ("stats", box.id)
    assert list(event) == ["type", "id", "data"]
    names = ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"]
    assert list(data) == names
    assert data["pids"] == {"current": 1, "limit": 20}
    assert mapping(mapping(data["memory"])["usage"])["limit"] == 32 * MEBI


def test_statistics_come_at_every_interval_until_the_container_ends(box: Box) -> None:
    """Then the stream ends by itself, and well."""
    run_limited(box, {})
    process, name = box.launch("events", "--interval", "20ms", box.id)
    wait_for(lambda: len(told(Path(f"{name}.out"))) > 2, "three statistics")
    box.succeed("kill", box.id, "KILL")
    done = box.end_of(process, name)
    assert (done.status, done.stderr) == (0, "")
    assert {json.loads(line)["type"] for line in done.stdout.splitlines()} == {"stats"}


def test_the_stream_of_a_deleted_container_ends_well(box: Box) -> None:
    """Its cgroups go while they are read."""
    run_limited(box, {})
    process, name = box.launch("events", "--interval", "1ms", box.id)
    wait_for(lambda: len(told(Path(f"{name}.out"))) > 2, "three statistics")
    box.succeed("delete", "--force", box.id)
    done = box.end_of(process, name)
    assert (done.status, done.stderr) == (0, "")


def test_a_memory_hog_is_told_of_and_the_container_goes_on(box: Box) -> None:
    """The process that takes too much is killed; the notice comes at once, not at the next interval."""
    run_limited(box, TIGHT)
    process, name = box.launch("events", "--interval", "1h", box.id)
    wait_for(lambda: watched(box), "events to watch")
    assert box.call("exec", box.id, INSIDE, "mem", str(64 * MEBI)).status == 128 + 9
    wait_for(lambda: OOM.format(id=box.id) in told(Path(f"{name}.out")), "the notice")
    assert box.status() == "running"
    box.succeed("delete", "--force", box.id)
    done = box.end_of(process, name)
    assert (done.status, done.stderr, set(done.stdout.splitlines())) == (0, "", {OOM.format(id=box.id)})


@requires("cgroup-v1")
def test_without_the_killer_a_hog_waits_and_is_told_of_and_can_be_removed(box: Box) -> None:
    """disableOOMKiller: the process stands still in the kernel until there is memory, or until it is killed."""
    tight = {"memory": {"limit": 32 * MEBI, "swap": 32 * MEBI, "disableOOMKiller": True}}
    run_limited(box, tight)
    process, name = box.launch("events", "--interval", "1h", box.id)
    wait_for(lambda: watched(box), "events to watch")
    hog, hog_name = box.launch("exec", box.id, INSIDE, "mem", str(64 * MEBI))
    wait_for(lambda: OOM.format(id=box.id) in told(Path(f"{name}.out")), "the notice")
    control = path_of(box.id, "memory/memory.oom_control")
    wait_for(lambda: "under_oom 1" in control.read_text("utf-8"), "the hog to wait")
    box.succeed("delete", "--force", box.id)
    assert box.end_of(hog, hog_name).status == 128 + 9
    assert box.end_of(process, name).status == 0
    assert box.left() == []


def watched(box: Box) -> bool:
    """Whether a process holds the container's memory events: an eventfd, or the file of v2."""
    return any("eventfd" in link or link.endswith(f"{box.id}/memory.events") for link in links_of_children())


def links_of_children() -> list[str]:
    """What our children have open."""
    links: list[str] = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text("ascii").split():
            for fd in Path("/proc", pid, "fd").glob("*"):
                try:
                    links.append(os.readlink(fd))
                except OSError:
                    continue  # it has ended, or closed it
    return links


def test_an_init_that_is_killed_for_memory_is_told_of_before_the_end(box: Box) -> None:
    """The last line tells why it ended."""
    box.configure(
        {
            "process.args": [INSIDE, "mem", str(64 * MEBI)],
            **{f"linux.resources.{key}": value for key, value in TIGHT.items()},
        }
    )
    box.create()
    process, name = box.launch("events", "--interval", "1h", box.id)
    wait_for(lambda: watched(box), "events to watch")
    box.start()
    done = box.end_of(process, name)
    assert (done.status, done.stderr, set(done.stdout.splitlines())) == (0, "", {OOM.format(id=box.id)})
    box.wait_status("stopped")


def test_a_fork_bomb_stops_at_the_limit(box: Box) -> None:
    """The machine lives, the container is gone afterwards, and its processes with it."""
    run_limited(box, TIGHT)
    told = json.loads(box.succeed("exec", box.id, INSIDE, "forks", "1000"))
    assert told == {"forks": 18, "error": "EAGAIN"}
    assert box.status() == "running"


def test_a_stopped_container_has_no_events(box: Box) -> None:
    """The text is runc's."""
    run_limited(box, {}, "true")
    box.wait_status("stopped")
    message = f"container with id {box.id} is not running"
    for words in (("events", box.id), ("events", "--stats", box.id), ("stats", "--once", box.id)):
        assert box.fail(*words) == message
    assert box.succeed("stats", "--once").splitlines()[1:] == []


@requires("cgroup-unified", "psi")
def test_pressure_is_told_where_v2_is_mounted(box: Box) -> None:
    """Beside v1's controllers too: every process is in the v2 hierarchy."""
    run_limited(box, {})
    data = mapping(json.loads(box.succeed("events", "--stats", box.id))["data"])
    assert ["psi" in mapping(data[name]) for name in ("cpu", "memory", "blkio")] == [True, True, True]


def test_the_table_shows_containers_and_their_limits(box: Box) -> None:
    """All, or those that are named; the same as JSON."""
    run_limited(box, TIGHT)
    for names in ((), (box.id,)):
        head, line = box.succeed("stats", "--once", *names).splitlines()
        assert head.split()[:2] == ["ID", "STATUS"]
        cells = line.split()
        assert (cells[:2], cells[4], cells[6]) == ([box.id, "running"], "32.0M", "1/20")
    (entry,) = json.loads(box.succeed("stats", "--once", "--json"))
    wanted: Mapping[str, Json] = {"id": box.id, "memoryLimit": 32 * MEBI, "pids": 1, "pidsLimit": 20}
    assert {name: entry[name] for name in wanted} == wanted


def test_on_a_terminal_the_table_is_redrawn_in_place_until_the_container_ends(box: Box) -> None:
    """By rich, with the cursor going up."""
    run_limited(box, TIGHT)
    pid, master = pty.fork()
    if pid == 0:
        os.execve(box.program, box.command("stats", "--interval", "50ms"), os.environ | {"TERM": "xterm"})  # noqa: S606
    shown = b""
    try:
        end = time.monotonic() + 20
        while shown.count(box.id.encode()) < 3 and time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                shown += os.read(master, 4096)
        box.succeed("kill", box.id, "KILL")
        while select.select([master], [], [], 20)[0]:
            shown += os.read(master, 4096)
    except OSError:
        pass  # the terminal's end
    finally:
        os.close(master)
    _, status = os.waitpid(pid, 0)
    assert (os.waitstatus_to_exitcode(status), shown.count(box.id.encode()) >= 3) == (0, True), shown
    assert b"\x1b[1A" in shown
