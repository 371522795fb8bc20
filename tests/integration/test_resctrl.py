"""linux.intelRdt: the container's groups in resctrl, of which this file has an imitation (resctrl_fuse.py).

Only create looks where resctrl is mounted, and is called here as a library, with another mountinfo; every other verb
goes by the container's record, and is called as a command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from slinger import ConfigError, Container, HookError, HostError, SlingerError
from slinger.host import resctrl
from tests.bundles import Drop, Json
from tests.integration.box import Box, processes_with, wait_for
from tests.requires import requires

pytestmark = requires("root", "dev-fuse", "libfuse3")

FAILS: Final[Json] = {"createRuntime": [{"path": "/bin/false"}]}
SLEEP: Final = "66.9155"
LONG: Final[dict[str, Json | Drop]] = {"process.args": ["/bin/payload", "sleep", SLEEP]}
HALF: Final = "L3:0=7e0;1=1f"
SLOW: Final = "MB:0=25;1=70"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where it is mounted, as create is told; unmounted afterwards."""
    place = tmp_path / "resctrl tree"
    place.mkdir()
    program = Path(__file__).with_name("resctrl_fuse.py")
    with subprocess.Popen([sys.executable, str(program), str(place)]) as process:
        wait_for(lambda: os.path.ismount(place) or process.poll() is not None, "the imitation of resctrl")
        escaped = str(place).replace(" ", "\\040")
        text = f"35 24 0:30 / /proc rw - proc proc rw\n40 24 0:39 / {escaped} rw,relatime - resctrl resctrl rw\n"
        mountinfo = tmp_path / "mountinfo"
        mountinfo.write_text(text, "utf-8")
        monkeypatch.setattr(resctrl, "MOUNTINFO", str(mountinfo))
        yield place
        subprocess.run(["umount", str(place)], check=True)


def create(box: Box, rdt: dict[str, Json] | None, **changes: Any) -> None:
    """Create it with this linux.intelRdt; detached, so that the command can go on with it."""
    box.configure({**({} if rdt is None else {"linux.intelRdt": rdt}), **LONG, **changes})
    null = os.open("/dev/null", os.O_RDWR)
    try:
        Container.create(
            box.id, box.directory, root=str(box.root), supervise=False, subreaper=False, stdio=(null, null, null)
        ).close()
    finally:
        os.close(null)


def failure(box: Box, kind: type[SlingerError], rdt: dict[str, Json], **changes: Any) -> str:
    """The text of the error that create ends in; nothing is left of the container."""
    with pytest.raises(kind) as caught:
        create(box, rdt, **changes)
    assert not box.home.exists()
    return str(caught.value)


def groups(tree: Path) -> list[str]:
    """The control groups that there are beside the default one, and all monitoring groups, by their paths."""
    own = {each.name for each in tree.iterdir() if each.is_dir()} - {"info", "mon_groups", "mon_data"}
    monitors = [str(each.relative_to(tree)) for each in tree.glob("**/mon_groups/*")]
    return sorted([*own, *monitors])


def lines(file: Path) -> list[str]:
    """Its lines without the padding."""
    return [line.strip() for line in file.read_text("ascii").splitlines()]


@pytest.mark.spec(
    "config-linux.md#intelrdt/tasks",
    "config-linux.md#intelrdt/both",
    "config-linux.md#intelrdt/own-group",
    "config-linux.md#intelrdt/removed",
)
def test_without_closid_the_group_is_the_containers_own(box: Box, tree: Path) -> None:
    """Named by the id, with init in it before the program starts; delete removes it."""
    create(box, {"l3CacheSchema": HALF, "memBwSchema": SLOW})
    assert groups(tree) == [box.id]
    assert lines(tree / box.id / "schemata") == ["L3:0=7e0;1=01f", "MB:0=30;1=70"]
    assert lines(tree / box.id / "tasks") == [str(box.pid())]
    box.start()
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == []


@pytest.mark.spec("config-linux.md#intelrdt/absent")
def test_without_intelrdt_resctrl_is_not_touched(box: Box, tree: Path) -> None:
    """No group, no task, no word."""
    before = {path: path.read_text("ascii") for path in tree.rglob("*") if path.is_file()}
    create(box, None)
    assert {path: path.read_text("ascii") for path in tree.rglob("*") if path.is_file()} == before


@pytest.mark.spec("config-linux.md#intelrdt/no-schema", "config-linux.md#intelrdt/own-group")
def test_without_any_schema_nothing_is_written(box: Box, tree: Path) -> None:
    """The group is made all the same: a group of default values."""
    create(box, {})
    assert lines(tree / box.id / "schemata") == lines(tree / "schemata")
    assert lines(tree / box.id / "tasks") == [str(box.pid())]


@pytest.mark.spec("config-linux.md#intelrdt/both", "config-linux.md#intelrdt/schemata")
def test_schemata_are_written_last(box: Box, tree: Path) -> None:
    """After l3CacheSchema and memBwSchema, in this order: what comes later may narrow what came before."""
    create(box, {"schemata": ["L3:0=3", "MB:1=40"], "memBwSchema": SLOW, "l3CacheSchema": f"{HALF}\nMB:0=90;1=90"})
    assert lines(tree / box.id / "schemata") == ["L3:0=003;1=01f", "MB:0=30;1=40"]


@pytest.mark.spec(
    "config-linux.md#intelrdt/made", "config-linux.md#intelrdt/schemata", "config-linux.md#intelrdt/not-removed"
)
def test_a_group_with_a_name_is_made_and_stays(box: Box, tree: Path) -> None:
    """closID belongs to who chose it: delete does not remove it (config-linux.md)."""
    create(box, {"closID": "guaranteed", "schemata": [HALF]})
    assert lines(tree / "guaranteed" / "tasks") == [str(box.pid())]
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == ["guaranteed"]


@pytest.mark.parametrize("schema", [{}, {"l3CacheSchema": "L3:1=1F;0=07e0", "memBwSchema": SLOW}, {"schemata": [HALF]}])
@pytest.mark.spec(
    "config-linux.md#intelrdt/compared",
    "config-linux.md#intelrdt/prepared",
    "config-linux.md#intelrdt/assigned",
    "config-linux.md#intelrdt/not-removed",
)
def test_a_group_that_is_there_is_joined(box: Box, tree: Path, schema: dict[str, Json]) -> None:
    """If it has the values that are asked for, however they are written; it stays."""
    (tree / "shared").mkdir()
    (tree / "shared" / "schemata").write_text(f"{HALF}\n{SLOW}\n")
    create(box, {"closID": "shared", **schema})
    assert lines(tree / "shared" / "tasks") == [str(box.pid())]
    assert lines(tree / "shared" / "schemata") == ["L3:0=7e0;1=01f", "MB:0=30;1=70"]
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == ["shared"]


@pytest.mark.parametrize(
    ("name", "schema", "has"),
    [
        ("l3CacheSchema", "L3:0=7f0", 'has "L3:0=7e0;1=01f"'),
        ("l3CacheSchema", "L3:2=7e0", 'has "L3:0=7e0;1=01f"'),
        ("l3CacheSchema", "L3CODE:0=7e0", "has no L3CODE"),
        ("memBwSchema", "MB:0=31", 'has "MB:0=30;1=70"'),
    ],
)
@pytest.mark.spec("config-linux.md#intelrdt/compared")
def test_a_group_with_other_values_is_refused(box: Box, tree: Path, name: str, schema: str, has: str) -> None:
    """Others may be in it."""
    (tree / "shared").mkdir()
    (tree / "shared" / "schemata").write_text(f"{HALF}\n{SLOW}\n")
    said = failure(box, ConfigError, {"closID": "shared", name: schema})
    assert said == f'linux.intelRdt.{name}: "{schema}" is asked for, but the group {tree}/shared {has}'
    assert lines(tree / "shared" / "tasks") == []


@pytest.mark.spec("config-linux.md#intelrdt/prepared")
def test_a_group_must_be_there_when_nothing_is_said_about_it(box: Box, tree: Path) -> None:
    """closID alone names one that somebody has prepared."""
    said = failure(box, ConfigError, {"closID": "absent", "enableMonitoring": True})
    hint = "without a schema the group must be there already: mkdir"
    assert said == f"linux.intelRdt.closID: there is no group {tree}/absent ({hint})"


@pytest.mark.spec("config-linux.md#intelrdt/default-class")
def test_the_default_group_is_named_by_a_slash(box: Box, tree: Path) -> None:
    """And never removed; the monitoring group is the container's own there too."""
    create(box, {"closID": "/", "enableMonitoring": True})
    assert groups(tree) == [f"mon_groups/{box.id}"]
    assert lines(tree / "mon_groups" / box.id / "tasks") == [str(box.pid())]
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == []


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.spec(
    "config-linux.md#intelrdt/either",
    "config-linux.md#intelrdt/monitoring",
    "config-linux.md#intelrdt/monitoring-name",
    "config-linux.md#intelrdt/monitoring-removed",
)
def test_a_monitoring_group_goes_with_the_container(box: Box, tree: Path, *, named: bool) -> None:
    """Also where the group above it stays."""
    create(box, {"enableMonitoring": True, "l3CacheSchema": HALF, **({"closID": "shared"} if named else {})})
    above = "shared" if named else box.id
    assert groups(tree) == [above, f"{above}/mon_groups/{box.id}"]
    assert lines(tree / above / "mon_groups" / box.id / "tasks") == [str(box.pid())]
    assert lines(tree / above / "tasks") == [str(box.pid())]
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == (["shared"] if named else [])


@pytest.mark.spec("config-linux.md#intelrdt/either", "config-linux.md#intelrdt/not-removed")
def test_a_group_of_the_id_that_is_there_is_used_and_not_removed(box: Box, tree: Path) -> None:
    """Somebody else has made it: "the runtime MUST NOT remove the sub-directory" that it has not created."""
    (tree / box.id).mkdir()
    create(box, {"l3CacheSchema": HALF})
    assert lines(tree / box.id / "schemata")[0] == "L3:0=7e0;1=01f"
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == [box.id]


def test_exec_joins_the_groups(box: Box, tree: Path) -> None:
    """As if init had forked it."""
    create(box, {"enableMonitoring": True})
    box.start()
    box.succeed("exec", "--detach", "--pid-file", str(box.calls / "pid"), box.id, "/bin/payload", "sleep", SLEEP)
    pid = int((box.calls / "pid").read_text())
    both = sorted([str(box.pid()), str(pid)])
    assert sorted(lines(tree / box.id / "tasks")) == both
    assert sorted(lines(tree / box.id / "mon_groups" / box.id / "tasks")) == both
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)  # we have inherited it


def test_exec_goes_on_where_the_group_was_removed(box: Box, tree: Path) -> None:
    """Its tasks have fallen to the default group, and so does what comes after."""
    create(box, {"closID": "shared", "l3CacheSchema": HALF})
    box.start()
    (tree / "shared").rmdir()
    box.succeed("exec", box.id, "/bin/payload", "exit", "0")


def test_update_writes_other_schemata(box: Box, tree: Path) -> None:
    """One or both; what the kernel refuses leaves all as it was, limits of the cgroup too."""
    create(box, {"l3CacheSchema": HALF, "memBwSchema": SLOW})
    box.start()
    box.succeed("update", "--l3-cache-schema", "L3:0=3", box.id)
    assert lines(tree / box.id / "schemata") == ["L3:0=003;1=01f", "MB:0=30;1=70"]
    box.succeed("update", "--l3-cache-schema", "L3:0=7", "--mem-bw-schema", "MB:0=10", "--pids-limit", "77", box.id)
    wanted = ["L3:0=007;1=01f", "MB:0=10;1=70"]
    assert lines(tree / box.id / "schemata") == wanted
    said = box.fail("update", "--l3-cache-schema", "L3:0=1", "--mem-bw-schema", "MB:0=1", box.id)
    why = "invalid argument (MB value 1 out of range [10,100])"
    assert said == f'--mem-bw-schema: writing "MB:0=1" to {tree}/{box.id}/schemata: {why}'
    assert lines(tree / box.id / "schemata") == wanted
    said = box.fail("update", "--l3-cache-schema", "L3:0=1", "--cpuset-cpus", "999", box.id)
    assert said.startswith("--cpuset-cpus: ")
    assert lines(tree / box.id / "schemata") == wanted
    said = box.fail("update", "--mem-bw-schema", "L3:0=1", box.id)
    assert said == '--mem-bw-schema: must be one line that begins with "MB:", got "L3:0=1"'


def test_update_needs_a_container_that_was_made_with_a_group(box: Box) -> None:
    """None is made later."""
    box.configure(LONG)
    box.create()
    said = box.fail("update", "--l3-cache-schema", "L3:0=1", box.id)
    assert said == "--l3-cache-schema: the container has no linux.intelRdt (it gets its group in resctrl at create)"


@pytest.mark.parametrize("monitored", [True, False])
def test_statistics_tell_of_the_group(box: Box, tree: Path, *, monitored: bool) -> None:
    """Under runc's names: of the container alone if it is monitored, else of the group. What is not counted is 0."""
    (tree / "shared").mkdir()
    (tree / "shared" / "schemata").write_text(f"{HALF}\n{SLOW}\n")
    (tree / "shared" / "tasks").write_text("1")
    create(box, {"closID": "shared", "enableMonitoring": monitored})
    said = json.loads(box.succeed("events", "--stats", box.id))["data"]["intel_rdt"]
    tasks = 1 if monitored else 2
    assert said == {
        "l3_cache_info": {"cbm_mask": "7ff", "min_cbm_bits": 1, "num_closids": 4},
        "l3_cache_schema_root": "L3:0=7ff;1=7ff",
        "l3_cache_schema": "L3:0=7e0;1=01f",
        "mem_bw_info": {"bandwidth_gran": 10, "delay_linear": 1, "min_bandwidth": 10, "num_closids": 4},
        "mem_bw_schema_root": "MB:0=100;1=100",
        "mem_bw_schema": "MB:0=30;1=70",
        "schemata": ["L3:0=7e0;1=01f", "    MB:0=30;1=70"],  # as the kernel pads them, and runc
        "mbm_stats": [
            {"mbm_total_bytes": 1000 * tasks, "mbm_local_bytes": 600 * tasks},
            {"mbm_total_bytes": 0, "mbm_local_bytes": 0},
        ],
        "cmt_stats": [{"llc_occupancy": 4096 * tasks}, {"llc_occupancy": 0}],
    }


def test_statistics_go_on_where_the_group_was_removed(box: Box, tree: Path) -> None:
    """What is left to tell is what the machine has."""
    create(box, {"closID": "shared", "l3CacheSchema": HALF})
    (tree / "shared").rmdir()
    data = json.loads(box.succeed("events", "--stats", box.id))["data"]
    assert (data["intel_rdt"]["cmt_stats"], data["pids"]["current"]) == ([], 1)
    assert not {"schemata", "l3_cache_schema", "mem_bw_schema"} & set(data["intel_rdt"])


# ---- a create that fails


@pytest.mark.parametrize("rdt", [{}, {"enableMonitoring": True}, {"closID": "shared", "enableMonitoring": True}])
def test_a_create_that_fails_removes_what_is_its_own(box: Box, tree: Path, rdt: dict[str, Json]) -> None:
    """At any later step; a named group stays, as after delete."""
    (tree / "shared").mkdir()
    said = failure(box, HookError, rdt, hooks=FAILS)
    assert said == "createRuntime hook #0 (/bin/false): exit status 1"
    assert groups(tree) == ["shared"]


@pytest.mark.parametrize("name", [None, "new"])
def test_what_the_kernel_refuses_is_told_and_the_group_not_left(box: Box, tree: Path, name: str | None) -> None:
    """With its own words beside the errno. A named group that nobody could use yet goes too."""
    rdt: dict[str, Json] = {"schemata": [HALF, "L2:0=f"], **({"closID": name} if name else {})}
    said = failure(box, HostError, rdt)
    path = f"{tree}/{name or box.id}/schemata"
    assert said == (
        f'linux.intelRdt.schemata: writing "{HALF}; L2:0=f" to {path}: invalid argument '
        "(Unknown or unsupported resource name 'L2')"
    )
    assert groups(tree) == []


@pytest.mark.spec("config-linux.md#intelrdt/monitoring-failure")
def test_running_out_of_groups_is_an_error(box: Box, tree: Path) -> None:
    """Of classes and of monitors: the hardware has some few."""
    for name in ("a", "b"):
        (tree / name).mkdir()
    said = failure(box, HostError, {"enableMonitoring": True})
    path = f"{tree}/{box.id}/mon_groups/{box.id}"
    assert said == f"linux.intelRdt.enableMonitoring: making {path}: no space left on device (Out of RMIDs)"
    assert groups(tree) == ["a", "b"]
    (tree / "c").mkdir()
    said = failure(box, HostError, {})
    assert said == f"linux.intelRdt.closID: making {tree}/{box.id}: no space left on device (Out of CLOSIDs)"


@pytest.mark.spec("config-linux.md#intelrdt/monitoring-failure")
def test_a_monitoring_group_must_be_the_containers_own(box: Box, tree: Path) -> None:
    """It would count what others do."""
    (tree / "mon_groups" / box.id).mkdir()
    said = failure(box, ConfigError, {"closID": "/", "enableMonitoring": True})
    begin = "linux.intelRdt.enableMonitoring: there is a monitoring group"
    assert said == f"{begin} {tree}/mon_groups/{box.id} already (rmdir, if it was left behind)"
    assert groups(tree) == [f"mon_groups/{box.id}"]


@pytest.mark.parametrize("again", [True, False])
def test_a_create_that_is_killed_leaves_groups_to_whoever_comes_next(box: Box, tree: Path, *, again: bool) -> None:
    """To delete --force, or to a new create of the same id."""
    hook: Json = {"path": str(box.bundle.payload), "args": ["payload", "sleep", SLEEP]}
    box.configure({"linux.intelRdt": {"enableMonitoring": True}, "hooks": {"createRuntime": [hook]}})
    script = (
        "import sys; from slinger import Container; from slinger.host import resctrl; "
        "resctrl.MOUNTINFO = sys.argv[1]; Container.create(sys.argv[2], sys.argv[3], root=sys.argv[4])"
    )
    words = (resctrl.MOUNTINFO, box.id, str(box.directory), str(box.root))
    with subprocess.Popen([sys.executable, "-c", script, *words], stdin=subprocess.DEVNULL) as process:
        wait_for(lambda: len(processes_with(SLEEP)) == 1, "the hook")
        process.send_signal(signal.SIGKILL)
    assert groups(tree) == [box.id, f"{box.id}/mon_groups/{box.id}"]
    wait_for(lambda: processes_with(SLEEP) == [], "the end of the hook")
    if again:
        create(box, {"enableMonitoring": True})
        assert lines(tree / box.id / "mon_groups" / box.id / "tasks") == [str(box.pid())]
    box.succeed("delete", "--force", box.id)
    assert groups(tree) == []


@requires("no-resctrl")
@pytest.mark.spec("config-linux.md#intelrdt/no-resctrl")
def test_without_resctrl_it_is_refused_by_name(box: Box) -> None:
    """By create and by plan."""
    box.configure({"linux.intelRdt": {"closID": "/"}})
    hint = "mount -t resctrl resctrl /sys/fs/resctrl, on a machine that has it"
    said = f"linux.intelRdt: no resctrl file system is mounted ({hint})"
    assert box.fail(*box.creating()) == said
    assert box.fail("plan", str(box.directory)) == said
