"""What create makes of a configuration, rule by rule of the specification: the whole, mounts, devices."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, mapping, mount, sequence, text
from tests.integration.box import INSIDE, Box, namespaces_of, wait_for
from tests.integration.telling import SLEEPING, at, inspect, points
from tests.requires import requires
from tests.schema.schemas import verdict

pytestmark = requires("root", "gcc")


# ---- the whole


@requires("cgroup-v1")
@pytest.mark.spec(
    "runtime.md#lifecycle/environment",
    "runtime.md#lifecycle/resources",
    "runtime.md#lifecycle/no-program",
    "runtime.md#create/properties",
    "runtime.md#create/no-args",
)
def test_all_but_the_process_is_there_before_start(box: Box) -> None:
    """One property of each kind, seen by an exec while the program has not begun."""
    box.configure(
        {
            "process.args": [INSIDE, "write", "/tmp/ran", ""],
            "root.readonly": True,
            "hostname": "made",
            "mounts+": [mount("/tmp", "tmpfs", "tmpfs", "size=16k")],
            "linux.devices": [{"type": "c", "path": "/dev/made", "major": 1, "minor": 3, "fileMode": 0o640}],
            "linux.sysctl": {"net.ipv4.ip_forward": "1"},
            "linux.maskedPaths": ["/secret"],
            "linux.readonlyPaths": ["/proc/sys"],
            "linux.resources.pids": {"limit": 77},
        }
    )
    box.create()
    asked = ("--probe", "/", "--probe", "/secret", "--probe", "/tmp", "--probe", "/tmp/ran", "--list", "/dev")
    files = ("--file", "/proc/sys/net/ipv4/ip_forward", "--file", "/sys/fs/cgroup/pids/pids.max")
    told = inspect(box, *asked, *files)
    own = {name for name, identity in mapping(told["namespaces"]).items() if identity != namespaces_of()[name]}
    assert own == {"ipc", "mnt", "net", "pid", "pid_for_children", "uts"}
    assert told["hostname"] == "made"
    assert at(told, "probes", "/", "write") == "EROFS"
    assert at(told, "probes", "/secret", "text") == ""
    assert at(told, "probes", "/tmp", "write") is None
    assert at(told, "lists", "/dev", "made", "device") == "1:3"
    assert at(told, "lists", "/dev", "made", "mode") == "0640"
    assert at(told, "files", "/proc/sys/net/ipv4/ip_forward") == "1"
    assert at(told, "files", "/sys/fs/cgroup/pids/pids.max") == "77"
    assert "error" in mapping(at(told, "probes", "/tmp/ran"))
    box.start()
    box.wait_status("stopped")


@pytest.mark.spec("runtime.md#lifecycle/later-changes")
def test_a_configuration_that_changes_after_create_changes_nothing(box: Box) -> None:
    """The program is that of create, and so are its arguments."""
    box.configure({"process.args": [INSIDE, "write", "/tmp/first", "x"]})
    box.create()
    box.configure({"process.args": [INSIDE, "write", "/tmp/second", "x"], "hostname": "other", "root.path": "none"})
    box.start()
    box.wait_status("stopped")
    assert sorted(path.name for path in (box.bundle.rootfs / "tmp").iterdir()) == ["first"]


@requires("shared-samples")
@pytest.mark.spec("runtime.md#state/schema")
def test_the_state_is_valid_by_the_schema_all_its_life(box: Box) -> None:
    """But for the word paused, which is a status that the schema does not know."""
    box.configure({"process.args": SLEEPING, "annotations": {"org.example.key": "value"}})
    box.create()
    seen = [box.state()]
    box.start()
    seen.append(box.state())
    box.succeed("pause", box.id)
    paused = box.state()
    box.succeed("resume", box.id)
    box.succeed("kill", box.id, "KILL")
    box.wait_status("stopped")
    seen.append(box.state())
    assert [state["status"] for state in seen] == ["created", "running", "stopped"]
    assert [verdict("state-schema.json", state) for state in seen] == ["", "", ""]
    assert verdict("state-schema.json", {**paused, "status": "running"}) == ""


def output_is(name: Path, expected: str) -> None:
    """Wait until a launched call has written so much."""
    wait_for(lambda: Path(f"{name}.out").read_text() == expected, f"{expected!r}")


@pytest.mark.spec("runtime.md#kill/not-running", "runtime.md#state/status-more")
def test_a_signal_to_a_paused_container_arrives_when_it_is_resumed(box: Box) -> None:
    """Not before."""
    box.configure({"process.args": [INSIDE, "pause", "1"]})
    process, name = box.launch(*box.running())
    output_is(name, "ready\n")
    box.succeed("pause", box.id)
    assert box.status() == "paused"
    box.succeed("kill", box.id, "USR1")
    assert Path(f"{name}.out").read_text() == "ready\n"
    box.succeed("resume", box.id)
    output_is(name, "ready\nsignal 10\n")
    assert box.end_of(process, name).status == 0


@pytest.mark.spec("runtime.md#kill/not-running")
def test_a_paused_container_is_killed_at_once(box: Box) -> None:
    """Without being resumed first."""
    box.configure({"process.args": SLEEPING})
    box.create()
    box.start()
    box.succeed("pause", box.id)
    box.succeed("kill", box.id, "KILL")
    box.wait_status("stopped")


# Reads the state, and writes down where the container's init is: its mounts and its namespaces.
LOOK: Final = """
read -r state
pid=$(printf %s "$state" | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
cat /proc/$pid/mountinfo >@OUT@
readlink /proc/$pid/ns/* >>@OUT@
"""


@pytest.mark.spec("config.md#prestart/when", "config.md#createruntime-hooks/when")
@pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
def test_a_hook_of_the_runtime_finds_namespaces_and_mounts_and_no_pivot(box: Box, stage: str) -> None:
    """The mounts are where the root file system lies on the host, so / is still the host's."""
    out = box.calls / "out"
    words = ["sh", "-c", LOOK.replace("@OUT@", str(out))]
    hook: Json = {"path": "/bin/sh", "args": words, "env": ["PATH=/usr/bin:/bin"]}
    box.configure({f"hooks.{stage}": [hook], "process.args": SLEEPING})
    box.create()
    lines = out.read_text().splitlines()
    mounted = {line.split()[4] for line in lines if " - " in line}
    assert {"/", *(f"{box.bundle.rootfs}{path}" for path in ("", "/proc", "/dev", "/dev/pts", "/sys"))} <= mounted
    assert {line for line in lines if " - " not in line} == set(namespaces_of(box.pid()).values())


# ---- root and mounts


@pytest.mark.spec("config.md#root/readonly")
@pytest.mark.parametrize("readonly", [True, False])
def test_the_root_can_be_written_unless_it_is_read_only(box: Box, *, readonly: bool) -> None:
    """What is mounted on it is another matter."""
    box.configure({"root.readonly": readonly, "mounts+": [mount("/mnt", "tmpfs", "tmpfs")]})
    told = box.report("--probe", "/", "--probe", "/data/kept", "--probe", "/mnt")
    expected = "EROFS" if readonly else None
    assert [at(told, "probes", path, "write") for path in ("/", "/data/kept", "/mnt")] == [expected, expected, None]


@pytest.mark.spec("config.md#mounts/order")
def test_mounts_are_made_in_their_order(box: Box) -> None:
    """The later covers the earlier; what is mounted before its parent is hidden, what comes after it is not."""
    entries = [
        mount("/mnt/early", "tmpfs", "one"),
        mount("/mnt", "tmpfs", "two"),
        mount("/mnt/late", "tmpfs", "three"),
        mount("/data", "tmpfs", "four", "size=4k"),
        mount("/data", "tmpfs", "five", "size=8k"),
    ]
    box.configure({"mounts+": entries})
    told = box.report("--list", "/mnt", "--probe", "/data")
    made = [point for point in points(told) if point.startswith(("/mnt", "/data"))]
    assert made == ["/mnt/early", "/mnt", "/mnt/late", "/data", "/data"]
    assert [*mapping(at(told, "lists", "/mnt"))] == ["late"]
    sources = [mapping(line)["source"] for line in sequence(told["mounts"]) if mapping(line)["point"] == "/data"]
    assert sources == ["four", "five"]


@pytest.mark.spec("config.md#mounts/relative", "runtime.md#warnings/goes-on")
def test_a_relative_destination_counts_from_the_root(box: Box) -> None:
    """Whatever the working directory is; it is a warning, and the container runs."""
    box.configure({"mounts+": [mount("mnt/deep", "tmpfs", "relative")], "process.cwd": "/home"})
    done = box.call(*box.running())
    assert (done.status, done.stderr) == (
        0,
        'slinger: warning: mounts[7].destination: relative path "mnt/deep", taken relative to / (deprecated)\n',
    )
    assert "/mnt/deep" in points(mapping(json.loads(done.stdout)))


@pytest.mark.spec(
    "config-linux.md#default-filesystems/proc",
    "config-linux.md#default-filesystems/sys",
    "config-linux.md#default-filesystems/pts",
    "config-linux.md#default-filesystems/shm",
)
def test_a_container_by_the_default_configuration_has_the_usual_file_systems(box: Box) -> None:
    """The one that `spec` writes."""
    (box.directory / "config.json").unlink()
    box.succeed("spec", "--bundle", str(box.directory))
    config = json.loads((box.directory / "config.json").read_text())
    config["process"] |= {"args": [INSIDE, "report"], "terminal": False}
    (box.directory / "config.json").write_text(json.dumps(config))
    told = mapping(json.loads(box.succeed(*box.running())))
    types = {text(mapping(line)["point"]): mapping(line)["type"] for line in sequence(told["mounts"])}
    assert {path: types[path] for path in ("/proc", "/sys", "/dev/pts", "/dev/shm")} == {
        "/proc": "proc",
        "/sys": "sysfs",
        "/dev/pts": "devpts",
        "/dev/shm": "tmpfs",
    }


# ---- devices

DEVICES: Final = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0"}
LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


@pytest.mark.spec(
    "config-linux.md#default-devices/null",
    "config-linux.md#default-devices/zero",
    "config-linux.md#default-devices/full",
    "config-linux.md#default-devices/random",
    "config-linux.md#default-devices/urandom",
    "config-linux.md#default-devices/tty",
    "config-linux.md#default-devices/ptmx",
    "runtime-linux.md#dev-symbolic-links/links",
)
def test_the_default_devices_and_links_are_there(box: Box) -> None:
    """Every user may use them, root here and another there."""
    box.configure({"process.user": {"uid": 1000, "gid": 1000}})
    probes = [word for name in ("null", "zero", "random", "urandom") for word in ("--probe", f"/dev/{name}")]
    told = box.report("--list", "/dev", *probes)
    listed = {name: mapping(entry) for name, entry in mapping(at(told, "lists", "/dev")).items()}
    assert {name: listed[name]["device"] for name in DEVICES} == DEVICES
    assert {text(listed[name]["mode"]) for name in DEVICES} == {"0666"}
    assert {name: listed[name]["target"] for name in (*LINKS, "ptmx")} == LINKS | {"ptmx": "pts/ptmx"}
    assert {name: at(told, "probes", name, "read") for name in mapping(told["probes"])} == dict.fromkeys(
        probes[1::2], None
    )


@pytest.mark.spec("config-linux.md#devices/available")
def test_devices_are_as_they_are_listed(box: Box) -> None:
    """Type, number, mode, owner; below /dev or not."""
    devices: list[Json] = [
        {"type": "c", "path": "/dev/one", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 1, "gid": 2},
        {"type": "b", "path": "/dev/deep/two", "major": 7, "minor": 200, "fileMode": 0o600},
        {"type": "p", "path": "/data/three", "fileMode": 0o622},
        {"type": "u", "path": "/dev/four", "major": 1, "minor": 3},
    ]
    box.configure({"linux.devices": devices})
    lists = at(box.report("--list", "/dev", "--list", "/dev/deep", "--list", "/data"), "lists")
    assert isinstance(lists, Mapping)
    assert mapping(at(lists, "/dev", "one")) == {
        "kind": "character device",
        "mode": "0640",
        "owner": "1:2",
        "device": "1:5",
    }
    assert at(lists, "/dev/deep", "two") == {
        "kind": "block device",
        "mode": "0600",
        "owner": "0:0",
        "device": "7:200",
    }
    assert (at(lists, "/data", "three", "kind"), at(lists, "/data", "three", "mode")) == ("fifo", "0622")
    assert (at(lists, "/dev", "four", "kind"), at(lists, "/dev", "four", "device")) == ("character device", "1:3")


@requires("cgroup-v1")
@pytest.mark.spec("config-linux.md#allowed-device-list/order")
@pytest.mark.parametrize(("allowed_last", "answer"), [(True, "ENXIO"), (False, "EPERM")])
def test_of_two_rules_for_a_device_the_later_counts(box: Box, *, allowed_last: bool, answer: str) -> None:
    """The kernel has no such device: who may open it is told so, who may not is told that."""
    all_denied: Json = {"allow": False, "access": "rwm"}
    one_allowed: Json = {"allow": True, "type": "c", "major": 1, "minor": 200, "access": "rwm"}
    box.configure(
        {
            "linux.resources.devices": [all_denied, one_allowed] if allowed_last else [one_allowed, all_denied],
            "linux.devices": [{"type": "c", "path": "/dev/none", "major": 1, "minor": 200}],
        }
    )
    assert at(box.report("--probe", "/dev/none"), "probes", "/dev/none", "read") == answer
