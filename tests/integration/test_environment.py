"""What create makes of a configuration, rule by rule of the specification, as the program or an exec sees it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, mapping, mount, sequence, text
from tests.integration.box import INSIDE, MAPS, OWNER, Box, namespaces_of, wait_for
from tests.requires import requires
from tests.schema.schemas import verdict

pytestmark = requires("root", "gcc")

SLEEPING: Final = (INSIDE, "sleep", "88.6623")
NAMES: Final = {"network": "net", "mount": "mnt"}  # of types, where the kernel's are others
TYPES: Final = ("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time")


def inspect(box: Box, *words: str) -> Mapping[str, Json]:
    """What one more process in the container tells."""
    return mapping(json.loads(box.succeed("exec", box.id, INSIDE, "report", *words)))


def at(report: Mapping[str, Json], *steps: str) -> Json:
    """A member of members."""
    value: Json = report
    for step in steps:
        value = mapping(value)[step]
    return value


def points(report: Mapping[str, Json]) -> list[str]:
    """The mount points, in their order."""
    return [text(mapping(line)["point"]) for line in sequence(report["mounts"])]


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


# ---- namespaces


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


# ---- the process


@pytest.mark.spec("config.md#process/console-size")
def test_the_size_of_a_terminal_is_ignored_where_there_is_none(box: Box) -> None:
    """Even one that no terminal could have."""
    box.configure({"process.consoleSize": {"height": 2**40, "width": 2**40}})
    assert box.report()["stdio"] == ["character device", "file", "file"]


@pytest.mark.spec(
    "config.md#posix-process/getrlimit",
    "config.md#posix-process/soft",
    "config.md#posix-process/hard",
)
def test_limits_are_what_was_asked_for(box: Box) -> None:
    """Every one that there is, below what the caller has."""
    names = ("CPU", "CORE", "NPROC", "MEMLOCK", "LOCKS", "SIGPENDING", "MSGQUEUE")
    wanted = {name: [1000 + index, 2000 + index] for index, name in enumerate(names)}
    # Enough for a process to live with.
    wanted |= {name: [1 << 30, 1 << 31] for name in ("FSIZE", "DATA", "STACK", "RSS", "AS", "RTTIME")}
    wanted |= {"NICE": [0, 0], "RTPRIO": [0, 0], "NOFILE": [300, 400]}
    limits: list[Json] = [
        {"type": f"RLIMIT_{name}", "soft": soft, "hard": hard} for name, (soft, hard) in wanted.items()
    ]
    box.configure({"process.rlimits": limits})
    assert box.report()["rlimits"] == wanted


@pytest.mark.spec("config.md#linux-process/io-priority-level")
@pytest.mark.parametrize(("level", "shown"), [({}, 0), ({"priority": 6}, 6)])
def test_a_level_of_io_priority_that_is_not_given_is_the_highest(box: Box, level: dict[str, Json], shown: int) -> None:
    """0, as under runc."""
    box.configure({"process.ioPriority": {"class": "IOPRIO_CLASS_BE", **level}})
    told = box.report()
    assert (told["ioClass"], told["ioLevel"]) == (2, shown)


UNCHANGED: Final[dict[str, Json]] = {}
CALLED: Final = 'echo "$1" >/proc/self/oom_score_adj; shift; exec "$@"'


@pytest.mark.spec("config.md#linux-process/oom-score", "config.md#linux-process/oom-score-unset")
@pytest.mark.parametrize(("changes", "score"), [({"process.oomScoreAdj": 500}, "500"), (UNCHANGED, "321")])
def test_the_oom_score_is_the_one_that_is_set_or_the_callers(box: Box, changes: dict[str, Json], score: str) -> None:
    """The caller's is another than the machine's default."""
    box.configure(changes)
    words = ["/bin/sh", "-c", CALLED, "sh", "321", *box.command(*box.running())]
    done = subprocess.run(words, capture_output=True, check=True, text=True, timeout=30)
    assert json.loads(done.stdout)["oomScoreAdj"] == score


@requires("setpriv")
@pytest.mark.spec("config.md#linux-process/capability-warning", "config.md#linux-process/capability-no-error")
def test_a_capability_that_cannot_be_granted_is_a_warning(box: Box) -> None:
    """The caller has not got it; the program has the others. So it is with exec."""
    sets = {name: ["CAP_KILL", "CAP_NET_RAW"] for name in ("bounding", "permitted", "effective")}
    box.configure({"process.capabilities": {**sets, "ambient": ["CAP_KILL"]}})
    lacking = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    done = subprocess.run(
        [*lacking, *box.command(*box.running())], capture_output=True, check=True, text=True, timeout=30
    )
    assert done.stderr == (
        "slinger: warning: process.capabilities: cannot be granted, ignored: CAP_KILL, CAP_NET_RAW\n"
    )
    kill = f"{1 << 5:016x}"
    assert json.loads(done.stdout)["capabilities"] == {
        **dict.fromkeys(("bounding", "permitted", "effective"), kill),
        **dict.fromkeys(("inheritable", "ambient"), "0" * 16),
    }
    box.configure({"process.args": SLEEPING, "process.capabilities": sets | {"bounding": ["CAP_KILL"]}})
    box.succeed(*box.running("--detach"))
    words = box.command("exec", "--cap", "CAP_NET_RAW", box.id, INSIDE, "true")
    done = subprocess.run([*lacking, *words], capture_output=True, check=True, text=True, timeout=30)
    assert done.stderr == "slinger: warning: process.capabilities: cannot be granted, ignored: CAP_NET_RAW\n"


@pytest.mark.spec("config.md#annotations/unknown", "config.md#annotations/keys-text")
def test_an_annotation_that_nobody_knows_changes_nothing(box: Box) -> None:
    """It comes back in the state as it was, an empty value too."""
    given = {"org.example.key": "wörth", "org.opencontainers.unheard-of": "1", "plain": ""}
    box.configure({"annotations": given, "process.args": SLEEPING})
    box.create()
    assert box.state()["annotations"] == given
    box.start()
    assert box.status() == "running"


@requires("libseccomp")
@pytest.mark.spec("features-linux.md#seccomp/supported-flags")
def test_a_flag_of_seccomp_that_is_named_as_supported_works(box: Box) -> None:
    """But the one for notifications, which test_seccomp_notify.py has in its place."""
    named = json.loads(box.succeed("features"))["linux"]["seccomp"]["supportedFlags"]
    for flag in named:
        if flag != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":
            box.configure({"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag]}})
            box.report()
    assert len(named) == 4


# ---- cgroups


@requires("cgroup-v1")
@pytest.mark.spec(
    "config-linux.md#cgroups-path/path",
    "config-linux.md#cgroups-path/absolute",
    "config-linux.md#cgroups-path/consistent",
)
def test_a_path_of_a_cgroup_is_the_same_place_each_time(box: Box) -> None:
    """An absolute one counts from where the hierarchy is mounted, a relative one from our own cgroup."""
    for path, place in ((f"/{box.id}/inner", f"/{box.id}/inner"), (f"{box.id}/inner", None)):
        seen: list[set[str]] = []
        for _ in range(2):
            box.configure({"linux.cgroupsPath": path})
            lines = text(box.report()["cgroup"]).splitlines()
            seen.append({line.split(":", 2)[2] for line in lines})
        assert seen[0] == seen[1]
        assert all(each.endswith(f"/{box.id}/inner") for each in seen[0])
        if place:
            assert seen[0] == {place}


@pytest.mark.spec("config-linux.md#cgroups-path/invalid")
def test_a_path_of_a_cgroup_that_climbs_is_an_error(box: Box) -> None:
    """It could lead to any cgroup of the host."""
    box.configure({"linux.cgroupsPath": f"/{box.id}/../other"})
    message = f'linux.cgroupsPath: must not have a ".." part, got "/{box.id}/../other"'
    assert box.fail(*box.creating()) == message
    assert box.left() == []


@requires("cgroup-v1")
@pytest.mark.spec("config-linux.md#pids/zero")
def test_a_limit_of_no_processes_is_one(box: Box) -> None:
    """The program runs, and can make no other."""
    box.configure({"linux.resources.pids": {"limit": 0}, "process.args": [INSIDE, "forks", "3"]})
    assert json.loads(box.succeed(*box.running())) == {"forks": 0, "error": "EAGAIN"}


@requires("cgroup-v1")
@pytest.mark.spec("config-linux.md#control-groups/unfit")
def test_a_cgroup_that_is_frozen_is_an_error(box: Box) -> None:
    """The container would stand still at its first step."""
    place = Path("/sys/fs/cgroup/freezer", box.id)
    place.mkdir()
    try:
        (place / "freezer.state").write_text("FROZEN")
        assert box.fail(*box.creating()) == (
            f"container's cgroup unexpectedly frozen (thaw {place}, or choose another linux.cgroupsPath)"
        )
        assert not box.home.exists()
    finally:
        place.rmdir()


@pytest.mark.spec("config-linux.md#control-groups/unfit")
def test_a_cgroup_in_which_somebody_is_is_an_error(box: Box) -> None:
    """It would be another container's, which one would limit and freeze as well."""
    box.configure({"process.args": SLEEPING})
    box.create()
    words = ("create", "--bundle", str(box.directory), f"{box.id}-second")
    message = box.fail(*words)
    assert message.startswith("container's cgroup is not empty: 1 process(es) found (")
    assert message.endswith(" belongs to something else; choose another linux.cgroupsPath)")
    assert sorted(path.name for path in box.root.iterdir()) == [box.id]
