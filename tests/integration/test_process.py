"""The process of a container as config.json describes it: limits, score, privileges, annotations; and its cgroup."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Json, text
from tests.integration.box import INSIDE, Box
from tests.integration.telling import SLEEPING
from tests.requires import requires

pytestmark = requires("root", "gcc")


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


def test_an_inheritable_capability_beyond_the_bounding_set_is_a_warning(box: Box) -> None:
    """The kernel would refuse all sets for it (capset(2))."""
    box.configure({"process.capabilities": {"bounding": ["CAP_KILL"], "inheritable": ["CAP_KILL", "CAP_NET_RAW"]}})
    done = box.call(*box.running())
    assert done.stderr == "slinger: warning: process.capabilities: cannot be granted, ignored: CAP_NET_RAW\n"
    assert json.loads(done.stdout)["capabilities"]["inheritable"] == f"{1 << 5:016x}"


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


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_what_the_caller_ignores_is_not_ignored_by_the_program(box: Box, verb: str) -> None:
    """nohup, and a shell that starts something in the background: signals would never reach the program (signal(7))."""
    status: tuple[str, ...] = (INSIDE, "cat", "/proc/self/status")
    box.configure({"process.args": status if verb == "run" else [INSIDE, "sleep", "600"]})
    if verb == "exec":
        box.create()
        box.start()
    words = box.running() if verb == "run" else ("exec", box.id, *status)
    ignoring = ["sh", "-c", "trap '' HUP INT QUIT TERM USR1; exec \"$@\"", "sh", *box.command(*words)]
    done = subprocess.run(ignoring, capture_output=True, text=True, check=True)
    assert f"SigIgn:\t{0:016x}\n" in done.stdout
