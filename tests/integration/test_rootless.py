"""A plain user's containers: no privilege, a user namespace, and what the kernel and the helpers grant."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import DROP, Drop, Json, changed, mapping, mount, sequence
from tests.integration.box import INSIDE, STAGES
from tests.integration.plain import MANY, RANGE, SUBORDINATE, USER, PlainBox, rootless_config
from tests.requires import requires

pytestmark = requires("root", "setpriv", "unshare", "plain-userns", "common-python")

SLEEPING: Final = (INSIDE, "sleep", "88.6621")
MAP_OF_ONE: Final = [0, USER, 1]
OVERFLOW: Final = "65534:65534"


def numbers(text: Json) -> list[int]:
    """The numbers in a map of ids."""
    return [int(word) for word in str(text).split()]


def report(box: PlainBox, *words: str) -> dict[str, Json]:
    """What the program of `run` tells; `words`: what it is to look at besides."""
    box.configure({"process.args": [INSIDE, "report", *words]})
    return dict(mapping(json.loads(box.succeed(*box.running()))))


def points(told: dict[str, Json]) -> dict[str, dict[str, Json]]:
    """The mounts of a report by where they are; of several the last."""
    mounts = [dict(mapping(each)) for each in sequence(told["mounts"])]
    return {str(each["point"]): each for each in mounts}


NEW_SYS: Final = mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro")


def with_mount(new: Json) -> list[Json]:
    """The common mounts with another one at its destination."""
    mounts = [dict(mapping(each)) for each in sequence(rootless_config()["mounts"])]
    return [new if each["destination"] == mapping(new)["destination"] else each for each in mounts]


# ---- one id


def test_what_spec_writes_for_a_plain_user_runs(plain: PlainBox) -> None:
    """Without --rootless too: it sees who asks."""
    for words in (("spec",), ("spec", "--rootless")):
        (plain.directory / "config.json").unlink()
        plain.succeed(*words, "--bundle", str(plain.directory))
        config = json.loads((plain.directory / "config.json").read_text())
        assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": USER, "size": 1}]
        changes: dict[str, Json] = {"process.terminal": False, "process.args": [INSIDE, "echo", "inside"]}
        plain.bundle.write_config(changed(config, changes))
        assert plain.succeed(*plain.running()) == "inside\n"


def test_the_program_is_root_inside_and_the_user_outside(plain: PlainBox) -> None:
    """One id is mapped, groups cannot be dropped (setgroups is denied), and what it may it may only there."""
    told = report(plain)
    assert told["uid"] == told["gid"] == [0, 0, 0, 0]
    assert (numbers(told["uidMap"]), numbers(told["gidMap"]), told["setgroups"]) == (MAP_OF_ONE, MAP_OF_ONE, "deny")
    assert (told["pid"], told["hostname"], told["groups"]) == (1, "tested", [])
    own = mapping(told["namespaces"])
    differing = {kind for kind in own if own[kind] != os.readlink(f"/proc/self/ns/{kind}")}
    assert differing == {"ipc", "mnt", "pid", "pid_for_children", "user", "uts"}


def test_files_that_the_program_makes_are_the_users(plain: PlainBox) -> None:
    """Root of the container is the user to the host; and the files that slinger makes are as well."""
    plain.configure({"process.args": [INSIDE, "write", "/tmp/made", ""], "process.cwd": "/made/by/slinger"})
    plain.succeed(*plain.running())
    made = [plain.bundle.rootfs / name for name in ("tmp/made", "made", "made/by/slinger")]
    assert [(path.stat().st_uid, path.stat().st_gid) for path in made] == [(USER, USER)] * 3


def test_all_verbs_of_a_life_work_for_a_plain_user(plain: PlainBox) -> None:
    """create, state, start, exec, ps, list, kill, delete."""
    plain.configure({"process.args": SLEEPING})
    plain.create("--pid-file", str(plain.calls / "pid"))
    pid = plain.pid()
    assert (plain.status(), int((plain.calls / "pid").read_text())) == ("created", pid)
    assert f"\nUid:\t{USER}\t{USER}\t{USER}\t{USER}\n" in Path(f"/proc/{pid}/status").read_text()
    plain.start()
    assert plain.status() == "running"
    told = json.loads(plain.succeed("exec", plain.id, INSIDE, "report"))
    assert (told["uid"], numbers(told["uidMap"])) == ([0, 0, 0, 0], MAP_OF_ONE)
    assert told["namespaces"]["pid"] == os.readlink(f"/proc/{pid}/ns/pid")
    (entry,) = json.loads(plain.succeed("list", "--format", "json"))
    assert (entry["id"], entry["status"], entry["owner"]) == (plain.id, "running", f"#{USER}")
    plain.succeed("kill", plain.id, "KILL")
    plain.wait_status("stopped")
    plain.succeed("delete", plain.id)
    assert plain.fail("state", plain.id) == "container does not exist"


def test_devices_are_those_of_the_host(plain: PlainBox) -> None:
    """Nobody may make nodes in a user namespace, so they are bind mounts, of the same numbers."""
    devices = ("null", "zero", "full", "random", "urandom", "tty")
    told = report(plain, *(word for name in devices for word in ("--probe", f"/dev/{name}")))
    probes = mapping(told["probes"])
    for name in devices:
        probe = mapping(probes[f"/dev/{name}"])
        assert (probe["kind"], probe["owner"], points(told)[f"/dev/{name}"]["type"]) == (
            "character device",
            OVERFLOW,
            "devtmpfs",
        )


def test_a_device_of_the_config_is_bound_too(plain: PlainBox) -> None:
    """By its path on the host; one that the host lacks is an error that names the entry."""
    device: Json = [{"type": "c", "path": "/dev/null2", "major": 1, "minor": 3}]
    plain.configure({"linux.devices": device})
    assert plain.fail(*plain.running()) == "linux.devices[0] (/dev/null2): open_tree: no such file or directory"


def test_without_a_network_of_its_own_sys_is_the_hosts(plain: PlainBox) -> None:
    """Read-only, and masked where asked."""
    told = report(plain, "--probe", "/sys/kernel/uevent_seqnum")
    sys = points(told)["/sys"]
    assert (sys["type"], str(sys["options"]).split(",")[:4]) == ("sysfs", ["ro", "nosuid", "nodev", "noexec"])
    assert points(told)["/sys/firmware"]["type"] == "tmpfs"


def test_a_sysfs_without_a_network_of_its_own_falls_back_to_the_hosts(plain: PlainBox) -> None:
    """The kernel gives a new one only to who owns the network namespace; runc and crun bind the host's instead."""
    plain.configure({"mounts": with_mount(NEW_SYS), "process.args": [INSIDE, "report", "--list", "/sys/class/net"]})
    told = json.loads(plain.succeed(*plain.running()))
    below = [each for each in told["mounts"] if each["point"].startswith("/sys") and each["point"] != "/sys/firmware"]
    assert {tuple(each["options"].split(",")[:4]) for each in below} == {("ro", "nosuid", "nodev", "noexec")}
    assert points(told)["/sys"]["type"] == "sysfs"
    assert sorted(told["lists"]["/sys/class/net"]) == sorted(os.listdir("/sys/class/net"))


def test_with_a_network_of_its_own_sys_is_new(plain: PlainBox) -> None:
    """And shows no interface but lo."""
    changes: dict[str, Json] = {"mounts": with_mount(NEW_SYS), "linux.namespaces+": [{"type": "network"}]}
    plain.configure(changes | {"process.args": [INSIDE, "report", "--list", "/sys/class/net"]})
    told = json.loads(plain.succeed(*plain.running()))
    assert list(told["lists"]["/sys/class/net"]) == ["lo"]


@pytest.mark.parametrize("proc", [mount("/proc", "none", "/proc", "rbind"), mount("/proc", "proc", "proc")])
def test_without_a_pid_namespace_of_its_own_proc_is_the_hosts(plain: PlainBox, proc: Json) -> None:
    """Bound by the config, or where the kernel refuses a new one, as with /sys."""
    namespaces = [{"type": kind} for kind in ("user", "ipc", "uts", "mount")]
    changes: dict[str, Json] = {"mounts": with_mount(proc), "linux.namespaces": namespaces}
    plain.configure({**changes, "process.args": [INSIDE, "probe", f"/proc/{os.getpid()}/comm", "/proc/self/comm"]})
    told = json.loads(plain.succeed(*plain.running()))
    assert [probe["kind"] for probe in told.values()] == ["file", "file"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"process.user.additionalGids": [0]},
            "process.user.additionalGids: cannot be set by a rootless caller",
        ),
        (
            {
                "linux.namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")],
                "linux.uidMappings": DROP,
                "linux.gidMappings": DROP,
            },
            (
                "linux.namespaces: a rootless caller needs a user namespace (add "
                '{"type": "user"} with linux.uidMappings and linux.gidMappings, or see slinger spec --rootless)'
            ),
        ),
        (
            {"mounts+": [mount("/mnt", "tmpfs", "tmpfs", "uid=7")]},
            "mounts[7].options: uid=7 is not mapped in linux.uidMappings",
        ),
        (
            {"mounts+": [mount("/mnt", "tmpfs", "tmpfs", "gid=5")]},
            "mounts[7].options: gid=5 is not mapped in linux.gidMappings",
        ),
        ({"process.user.uid": 1}, "process.user.uid: 1 is not mapped in linux.uidMappings"),
    ],
)
def test_what_a_plain_user_cannot_have_is_refused(plain: PlainBox, changes: dict[str, Json], message: str) -> None:
    """Before anything is made, with the place in the config."""
    plain.configure(changes)
    assert plain.fail(*plain.running()) == message


# ---- root of a user namespace


@pytest.mark.parametrize("options", [("--mount",), ()], ids=["own-mounts", "hosts-mounts"])
@pytest.mark.parametrize("net", [True, False], ids=["own-network", "hosts-network"])
def test_root_of_a_user_namespace_runs_a_container(plain: PlainBox, options: tuple[str, ...], *, net: bool) -> None:
    """As rootless engines call it; setgroups may be denied there, and the host's mounts may not be copied."""
    kinds = ("pid", "ipc", "uts", "mount", *(("network",) if net else ()))
    changes: dict[str, Json | Drop] = {"linux.uidMappings": DROP, "linux.gidMappings": DROP}
    changes |= {"linux.namespaces": [{"type": kind} for kind in kinds], "mounts": with_mount(NEW_SYS)}
    plain.configure(changes | {"process.args": [INSIDE, "report", "--list", "/sys/class/net"]})
    words = [plain.program, "--root", str(plain.root), *plain.running()]
    inside = plain.become("unshare", "--user", "--map-root-user", *options, *words)
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["uid"], numbers(told["uidMap"]), told["setgroups"]) == ([0] * 4, MAP_OF_ONE, "deny")
    assert list(told["lists"]["/sys/class/net"]) == (["lo"] if net else sorted(os.listdir("/sys/class/net")))


# ---- ranges of ids


@requires("newuidmap")
def test_ranges_of_ids_are_mapped_by_the_helpers(plain: PlainBox) -> None:
    """The user's subordinate ids; then groups may be set too, and the program may be any of them."""
    plain.give_subordinate_ids()
    changes: dict[str, Json] = {"linux.uidMappings": MANY, "linux.gidMappings": MANY}
    changes |= {"process.user": {"uid": 1000, "gid": 1000}, "process.args": [INSIDE, "report"]}
    plain.configure(changes)
    told = json.loads(plain.succeed(*plain.running()))
    assert numbers(told["uidMap"]) == numbers(told["gidMap"]) == [*MAP_OF_ONE, 1, SUBORDINATE, RANGE]
    assert (told["setgroups"], told["uid"], told["gid"]) == ("allow", [1000] * 4, [1000] * 4)


@requires("newuidmap")
def test_a_devpts_may_have_a_group_that_is_mapped(plain: PlainBox) -> None:
    """As engines write it for terminals."""
    plain.give_subordinate_ids()
    pts = mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "gid=5")
    changes: dict[str, Json] = {"linux.uidMappings": MANY, "linux.gidMappings": MANY, "mounts+": [pts]}
    plain.configure(changes | {"process.args": [INSIDE, "report"]})
    told = json.loads(plain.succeed(*plain.running()))
    assert f"gid={SUBORDINATE + 4}" in str(points(told)["/dev/pts"]["super"])


@requires("newuidmap")
def test_a_range_that_the_user_does_not_have_is_refused_by_the_helper(plain: PlainBox) -> None:
    """Its own words are quoted."""
    plain.give_subordinate_ids()
    foreign: Json = [{"containerID": 0, "hostID": USER, "size": 1}, {"containerID": 1, "hostID": 5, "size": 9}]
    plain.configure({"linux.uidMappings": foreign, "linux.gidMappings": foreign})
    message = plain.fail(*plain.running())
    assert message.startswith("linux.uidMappings: newuidmap: newuidmap: uid range [1-10) -> [5-14) not allowed")
    assert message.endswith("(the ranges of this user are in /etc/subuid and /etc/subgid)")


@requires("newuidmap")
@pytest.mark.parametrize(("name", "map_name"), [("newuidmap", "uidMappings"), ("newgidmap", "gidMappings")])
def test_ranges_without_the_helpers_are_refused(plain: PlainBox, name: str, map_name: str) -> None:
    """The error names the program that is missing and where to get it."""
    plain.give_subordinate_ids()
    for place in ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"):
        if Path(place, name).exists() and not Path(place).is_symlink():
            plain.cover(f"{place}/{name}", "")
    plain.configure({"linux.uidMappings": MANY, "linux.gidMappings": MANY})
    assert plain.fail(*plain.running()) == (
        f"linux.{map_name}: mapping other ids than one's own takes {name}, "
        "which is not installed (apt-get install uidmap)"
    )


# ---- hooks, terminal, seccomp


def test_all_six_hooks_run_for_a_plain_user(plain: PlainBox) -> None:
    """Those of the runtime's namespaces as the user, those of the container's as its root."""
    plain.configure({"process.args": SLEEPING, "hooks": {stage: [plain.report_hook(stage)] for stage in STAGES}})
    plain.create()
    plain.start()
    plain.succeed("delete", "--force", plain.id)
    for stage in STAGES:
        (told,) = plain.reports(stage)
        inside = stage in {"createContainer", "startContainer"}
        assert told["uid"] == [0 if inside else USER] * 4, stage
        assert json.loads(str(told["stdin"]))["id"] == plain.id


def test_a_terminal_belongs_to_the_containers_root(plain: PlainBox) -> None:
    """`run` without a terminal of its own passes its bytes on; the program has /dev/console as well."""
    probes = [word for path in ("/dev/pts/0", "/dev/console") for word in ("--probe", path)]
    plain.configure({"process.terminal": True, "process.args": [INSIDE, "report", *probes]})
    done = plain.call(*plain.running())
    assert (done.status, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["stdio"] == ["terminal"] * 3
    for path in ("/dev/pts/0", "/dev/console"):
        probe = told["probes"][path]
        assert (probe["kind"], probe["owner"]) == ("character device", "0:0")


@requires("libseccomp")
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_seccomp_filter_is_loaded_for_a_plain_user(plain: PlainBox, *, no_new_privileges: bool) -> None:
    """With no_new_privs and, by the capability that the user namespace gives, without."""
    profile: Json = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}],
    }
    changes: dict[str, Json] = {"linux.seccomp": profile, "process.noNewPrivileges": no_new_privileges}
    plain.configure(changes | {"process.args": [INSIDE, "try-syscall", "personality", "getpid"]})
    told = json.loads(plain.succeed(*plain.running()))
    assert (told["personality"], told["getpid"]) == ("ENOSYS", None)


# ---- cgroups


@requires("cgroup")
def test_without_a_writable_cgroup_a_container_that_asks_for_none_has_none(plain: PlainBox) -> None:
    """It stays in its caller's."""
    told = report(plain)
    assert plain.id not in str(told["cgroup"])


LIMIT: Final[Json] = {"pids": {"limit": 7}}


@requires("cgroup")
@pytest.mark.parametrize("changes", [{"linux.resources": LIMIT}, {"linux.cgroupsPath": "/@ID@"}], ids=["limit", "path"])
def test_a_cgroup_that_was_asked_for_and_cannot_be_had_is_an_error(plain: PlainBox, changes: dict[str, Json]) -> None:
    """A limit must hold or be refused, never be left out."""
    plain.configure(changes)
    message = plain.fail(*plain.running())
    assert message.startswith("linux.cgroupsPath: making /sys/fs/cgroup/")
    assert message.endswith(
        "(without privilege: leave out linux.resources and linux.cgroupsPath, or have a cgroup delegated to you)"
    )


def test_device_rules_alone_are_ignored(plain: PlainBox) -> None:
    """Without privilege no device can be made anyway, and runc ignores them as well."""
    rules: Json = {"devices": [{"allow": False, "access": "rwm"}]}
    plain.configure({"process.args": [INSIDE, "echo", "ran"], "linux.resources": rules})
    assert plain.succeed(*plain.running()) == "ran\n"


def test_who_says_to_be_no_plain_user_gets_the_error(plain: PlainBox) -> None:
    """--rootless false: a cgroup that is denied is not done without. true and auto do, as runc has it."""
    plain.configure({"process.args": [INSIDE, "echo", "ran"]})
    for when in ("true", "auto"):
        assert plain.succeed("--rootless", when, *plain.running()) == "ran\n"
    message = plain.fail("--rootless", "false", *plain.running())
    assert message.startswith("linux.cgroupsPath: making /sys/fs/cgroup/")
    assert message.endswith(": permission denied")


def test_pause_without_a_cgroup_says_why_it_cannot(plain: PlainBox) -> None:
    """And the container goes on."""
    plain.configure({"process.args": SLEEPING})
    plain.create()
    plain.start()
    assert plain.fail("pause", plain.id) == (
        "container's cgroup cannot be frozen: it has no freezer (the container has no cgroup)"
    )
    assert plain.status() == "running"


def test_ps_without_a_cgroup(plain: PlainBox) -> None:
    """The pids as the host sees them."""
    plain.configure({"process.args": SLEEPING})
    plain.create()
    plain.start()
    assert json.loads(plain.succeed("ps", "--format", "json", plain.id)) == [plain.pid()]


# ---- the state root


def test_the_default_state_root_is_below_xdg_runtime_dir(plain: PlainBox) -> None:
    """Never /run/slinger, where only root may write."""
    plain.configure({"process.args": SLEEPING})
    env = {"XDG_RUNTIME_DIR": str(plain.root), "PATH": os.environ["PATH"]}
    for words in (plain.creating(), ("start", plain.id), ("delete", "--force", plain.id)):
        assert (plain.root / "slinger" / plain.id).exists() == (words[0] != "create")
        # Not a pipe: what create was given the container holds, so the pipe would not end.
        with open(plain.calls / "told", "w+b") as told:
            done = subprocess.run(plain.become(plain.program, *words), env=env, stdout=told, stderr=told, check=False)
        assert (done.returncode, (plain.calls / "told").read_text()) == (0, "")
    assert os.listdir(plain.root / "slinger") == []
    (plain.root / "slinger").rmdir()
