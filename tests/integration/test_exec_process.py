"""exec: the process as it finds itself inside: user, capabilities, environment, limits, scheduling."""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.bundles import CAPABILITIES, DROP, Drop, Json, mapping, sequence
from tests.integration.box import INSIDE, Box
from tests.integration.exec_support import of_file, process_file, refusal, report, wait_inside
from tests.requires import requires

pytestmark = requires("root")

CHOWN, KILL, NET_BIND, NET_RAW, AUDIT_WRITE = 1, 1 << 5, 1 << 10, 1 << 13, 1 << 29
OWN = KILL | NET_BIND | AUDIT_WRITE
USER: Json = {"uid": 1000, "gid": 1001, "umask": 0o27, "additionalGids": [7]}


def ids(shown: Json) -> tuple[Json, Json, Json]:
    """User, group and groups of a report, of which the four kinds agree."""
    found = mapping(shown)
    (uid,), (gid,) = set(sequence(found["uid"])), set(sequence(found["gid"]))
    return uid, gid, list(sequence(found["groups"]))


def sets(shown: Json) -> dict[str, int]:
    """The five sets of capabilities as numbers."""
    return {name: int(str(value), 16) for name, value in mapping(mapping(shown)["capabilities"]).items()}


def test_it_is_as_the_containers_own_process(box: Box) -> None:
    """Ids, umask, groups, environment, directory, limits, privileges: what config.json says."""
    members: dict[str, Json] = {
        "process.user": USER,
        "process.cwd": "/tmp",
        "process.env+": ["OWN=1"],
        "process.oomScoreAdj": 77,
    }
    shown = report(wait_inside(box, members))
    assert ids(shown) == (1000, 1001, [7])
    assert (shown["umask"], shown["cwd"], shown["oomScoreAdj"]) == ("0027", "/tmp", "77")
    assert "OWN=1" in sequence(shown["env"])
    assert "HOME=/home/user" in sequence(shown["env"])
    assert mapping(shown["rlimits"])["NOFILE"] == [1024, 1024]
    assert shown["noNewPrivileges"] == 1
    # A user other than root keeps across the exec what is ambient, and that is nothing (capabilities(7)).
    assert sets(shown) == {"effective": 0, "permitted": 0, "inheritable": 0, "bounding": OWN, "ambient": 0}


USERS: Final[list[tuple[tuple[str, ...], tuple[Json, Json, Json]]]] = [
    ((), (0, 0, [])),
    (("--user", "1000"), (1000, 0, [])),
    (("-u", "1000:5"), (1000, 5, [])),
    (("-u", "4294967294:4294967294"), (4294967294, 4294967294, [])),
    (("-u", "7:8", "-g", "9", "--additional-gids", "10"), (7, 8, [9, 10])),
]


@pytest.mark.parametrize(("options", "expected"), USERS)
def test_a_user_is_its_numbers(box: Box, options: tuple[str, ...], expected: tuple[Json, Json, Json]) -> None:
    """The container's /etc/passwd, where 1000 is root here, has no say in it (CVE-2016-3697)."""
    (box.bundle.rootfs / "etc/passwd").write_text("1000:x:0:0:evil:/evil:/bin/sh\nroot:x:0:0::/root:/bin/sh\n")
    assert ids(report(wait_inside(box), *options)) == expected


def test_home_is_the_new_users(box: Box) -> None:
    """Looked up in the container unless the environment has it."""
    wait_inside(box)
    homes = {"0": "HOME=/root", "1000": "HOME=/home/user", "4242": "HOME=/"}
    for uid, home in homes.items():
        assert home in sequence(report(box, "--user", uid)["env"])
    assert "HOME=/set" in sequence(report(box, "--env", "HOME=/set")["env"])


def test_the_environment_is_the_containers_and_more(box: Box) -> None:
    """The last of a name counts; nothing of the caller's."""
    wait_inside(box, {"process.env": ["PATH=/bin", "A=1", "B=2"]})
    shown = report(box, "-e", "A=3", "--env", "C=x=y", "-e", "D=")
    assert sequence(shown["env"]) == ["PATH=/bin", "A=3", "B=2", "C=x=y", "D=", "HOME=/root"]


def test_a_capability_more_is_neither_inheritable_nor_ambient(box: Box) -> None:
    """CVE-2022-29162: in the three other sets, and only for this process."""
    wait_inside(box)
    more = OWN | NET_RAW
    expected = {"effective": more, "permitted": more, "bounding": more, "inheritable": 0, "ambient": 0}
    assert sets(report(box, "--cap", "CAP_NET_RAW")) == expected
    assert sets(report(box))["permitted"] == OWN


def test_a_capability_more_is_ambient_where_it_is_inheritable_already(box: Box) -> None:
    """Only then the kernel lets it be; a user other than root has it for that."""
    changes: dict[str, Json | Drop] = {
        "process.capabilities.bounding+": ["CAP_NET_RAW"],
        "process.capabilities.inheritable": ["CAP_NET_RAW"],
    }
    wait_inside(box, {**changes, "process.user": USER})
    more = OWN | NET_RAW
    shown = sets(report(box, "--cap", "CAP_NET_RAW", "--cap", "CAP_CHOWN"))
    assert shown == {
        "effective": NET_RAW,
        "permitted": NET_RAW,
        "bounding": more | CHOWN,
        "inheritable": NET_RAW,
        "ambient": NET_RAW,
    }
    assert sets(report(box))["ambient"] == 0


@pytest.mark.parametrize(("options", "value"), [((), 0), (("--no-new-privs",), 1), (("--no-new-privs=false",), 0)])
def test_no_new_privileges_can_be_asked_for(box: Box, options: tuple[str, ...], value: int) -> None:
    """Where the container does not have it itself."""
    wait_inside(box, {"process.noNewPrivileges": False})
    assert report(box, *options)["noNewPrivileges"] == value


def test_a_directory_is_below_the_containers_root(box: Box) -> None:
    """A symlink is followed there; what it names outside is what it is inside."""
    (box.bundle.rootfs / "tmp/link").symlink_to("/secrets")
    (box.bundle.rootfs / "tmp/out").symlink_to("../../../../home")
    wait_inside(box)
    for cwd, found in {"/tmp": "/tmp", "/tmp/link": "/secrets", "/tmp/out": "/home", "/../..": "/"}.items():
        assert report(box, "--cwd", cwd)["cwd"] == found


def test_a_directory_is_entered_with_the_runtimes_privilege(box: Box) -> None:
    """Whoever the user is, as with the container's own process; what it may do there is another matter."""
    private = box.bundle.rootfs / "home/user/private"
    private.mkdir(mode=0o700)
    os.chown(private, 1000, 1000)
    wait_inside(box)
    for user in ("1000:1000", "5:5"):
        assert report(box, "--cwd", "/home/user/private", "-u", user)["cwd"] == "/home/user/private"


def test_a_process_file_has_all_of_its_own(box: Box) -> None:
    """Limits, capabilities, scheduling and I/O priority."""
    wait_inside(box)
    shown = of_file(
        box,
        user=USER,
        cwd="/tmp",
        env=["A=1"],
        rlimits=[
            {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        ],
        capabilities={name: ["CAP_KILL"] for name in ("bounding", "permitted", "inheritable", "ambient", "effective")},
        noNewPrivileges=True,
        oomScoreAdj=123,
        scheduler={"policy": "SCHED_BATCH", "nice": 5},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6},
    )
    assert ids(shown) == (1000, 1001, [7])
    assert (shown["umask"], shown["cwd"], shown["env"]) == ("0027", "/tmp", ["A=1", "HOME=/home/user"])
    limits = mapping(shown["rlimits"])
    assert (limits["NOFILE"], limits["CORE"]) == ([100, 200], [0, 0])
    assert set(sets(shown).values()) == {KILL}
    assert (shown["noNewPrivileges"], shown["oomScoreAdj"]) == (1, "123")
    scheduler = mapping(shown["scheduler"])
    assert (scheduler["policy"], scheduler["nice"]) == (3, 5)
    assert (shown["ioClass"], shown["ioLevel"]) == (2, 6)


def test_what_a_process_file_leaves_out_of_the_limits_is_the_containers(box: Box) -> None:
    """Its capabilities and rlimits; not its user, directory, environment and no_new_privs, which have defaults."""
    wait_inside(box, {"process.user": USER, "process.cwd": "/tmp", "process.oomScoreAdj": 77})
    shown = of_file(box)
    assert (sets(shown)["permitted"], sets(shown)["bounding"]) == (OWN, OWN)
    assert mapping(shown["rlimits"])["NOFILE"] == [1024, 1024]
    assert (shown["oomScoreAdj"], shown["noNewPrivileges"]) == ("77", 0)
    assert (ids(shown), shown["cwd"]) == ((0, 0, []), "/")
    assert sets(of_file(box, capabilities={}))["bounding"] == 0


def test_options_change_what_a_process_file_has(box: Box) -> None:
    """As they change the container's own process."""
    shown = of_file(wait_inside(box), "--user", "0:6", "--cwd", "/tmp", "--cap", "NET_RAW", "--env", "A=1")
    assert (ids(shown), shown["cwd"]) == ((0, 6, []), "/tmp")
    assert sets(shown)["permitted"] == OWN | NET_RAW
    assert "A=1" in sequence(shown["env"])


def test_a_process_file_that_is_wrong_is_named_with_its_path(box: Box) -> None:
    """And the number that setresuid(2) takes for "leave it", which would be root, is one that is wrong."""
    wait_inside(box)
    largest = 2**32 - 1
    assert refusal(box, "--process", process_file(box, user={"uid": largest, "gid": 0}), box.id) == (
        "process.user.uid: must be from 0 to 4294967294, got 4294967295"
    )
    assert refusal(box, "--process", process_file(box, cwd="tmp"), box.id) == (
        'process.cwd: must be an absolute path, got "tmp"'
    )
    assert refusal(box, "--process", process_file(box, args=[]), box.id) == (
        "process.args: must have at least one entry"
    )


def test_the_filter_of_the_container_holds_for_all_its_processes(box: Box) -> None:
    """linux.seccomp is the container's; getppid() gives the bare errno here, the C library expects no error."""
    rules: Json = [{"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77}]
    wait_inside(box, {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}})
    for shown in (report(box), of_file(box), report(box, "-u", "1000")):
        assert (shown["seccompMode"], shown["seccompFilters"], shown["ppid"]) == ("2", "1", -77)


@pytest.mark.spec("config.md#linux-process/affinity-final")
@pytest.mark.parametrize(
    ("affinity", "expected"),
    [
        ({"initial": "0"}, [0]),
        ({"final": "0"}, [0]),
        ({"initial": "0", "final": "1"}, [1]),
        ({"initial": "0-1, 60000"}, [0, 1]),
    ],
)
@requires("two-cpus")
def test_the_cpus_of_an_exec_can_be_chosen(box: Box, affinity: Json, expected: list[int]) -> None:
    """config.md, "execCPUAffinity": the container's own process keeps all of its own."""
    own: list[Json] = [*sorted(os.sched_getaffinity(0))]
    wait_inside(box)
    assert os.sched_getaffinity(box.pid()) == set(own)
    found = list(sequence(of_file(box, execCPUAffinity=affinity)["cpus"]))
    # Joining a cpuset's cgroup gives its CPUs anew, on v1 and before Linux 6.2: then initial is for the way there.
    assert found in (expected, own) if "final" not in mapping(affinity) else found == expected


@requires("two-cpus")
def test_the_containers_own_choice_of_cpus_is_for_exec_alone(box: Box) -> None:
    """From config.json, for commands and for files that say nothing of it; CPUs that there are not are an error."""
    wait_inside(box, {"process.execCPUAffinity": {"final": "1"}})
    assert os.sched_getaffinity(box.pid()) == os.sched_getaffinity(0)
    assert (report(box)["cpus"], of_file(box)["cpus"]) == ([1], [1])
    path = process_file(box, execCPUAffinity={"final": "60000"})
    assert refusal(box, "--process", path, box.id) == (
        "process.execCPUAffinity.final: sched_setaffinity: invalid argument "
        "(none of these CPUs is on line and in the cgroup's cpuset)"
    )


@requires("two-cpus")
def test_what_the_caller_is_confined_to_is_not_the_containers(box: Box) -> None:
    """Neither at create nor at exec: a service manager may keep the engine to some CPUs."""
    own = [*sorted(os.sched_getaffinity(0))]
    box.prefix = ("taskset", "--cpu-list", "0")
    wait_inside(box)
    assert sorted(os.sched_getaffinity(box.pid())) == own
    assert (report(box)["cpus"], of_file(box)["cpus"]) == (own, own)


@requires("two-cpus", "cgroup-v1")
def test_the_cpuset_of_the_container_holds_whatever_the_caller_is_confined_to(box: Box) -> None:
    """For its own process and for exec's."""
    box.prefix = ("taskset", "--cpu-list", "0")
    wait_inside(box, {"linux.resources.cpu": {"cpus": "1"}})
    assert (os.sched_getaffinity(box.pid()), report(box)["cpus"]) == ({1}, [1])


def test_a_container_without_capabilities_gives_none(box: Box) -> None:
    """And --cap gives the one that is asked for."""
    assert len(CAPABILITIES) > 0
    wait_inside(box, {"process.capabilities": DROP})
    assert set(sets(report(box)).values()) == {0}
    assert sets(report(box, "--cap", "CAP_KILL"))["effective"] == KILL


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--process-label", "process.selinuxLabel: SELinux is not enabled on this machine"),
        ("--apparmor", "process.apparmorProfile: AppArmor is not enabled on this machine"),
    ],
)
@requires("no-apparmor", "no-selinux")
def test_a_label_that_the_machine_has_not_got_is_refused(box: Box, option: str, message: str) -> None:
    """The process would run without the confinement that was asked for."""
    assert refusal(wait_inside(box), option, "label", box.id, INSIDE, "true") == message
