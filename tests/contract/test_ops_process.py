"""Ops that make init and its namespaces, and those that say who it is on the host."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from slinger.linux.flags import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from slinger.plan import ops
from slinger.plan.ops import JOINER, OUTER, Op
from tests.contract.covers import works
from tests.contract.look import namespace, stat_field, status
from tests.contract.walk import (
    CLONE,
    LOOK,
    Walk,
    cloned,
    entered,
    joined,
    look,
    mapped,
    payload_hook,
    write_maps,
)
from tests.requires import requires

pytestmark = requires("root", "gcc")


@works(ops.Clone)
@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("ipc", CLONE_NEWIPC),
        ("mnt", CLONE_NEWNS),
        ("net", CLONE_NEWNET),
        ("pid", CLONE_NEWPID),
        ("user", CLONE_NEWUSER),
        ("uts", CLONE_NEWUTS),
    ],
)
def test_clone_makes_the_namespaces_that_are_asked_for_and_no_other(name: str, flag: int) -> None:
    """And tells the brain the pid of init, the child of outer."""
    names = ("ipc", "mnt", "net", "pid", "user", "uts", "cgroup", "time")
    with look(*cloned(flag)).reach() as walk:
        differing = {each for each in names if namespace(walk.pid, each) != namespace("self", each)}
        assert differing == {name}
        assert stat_field(walk.pid, 4) == walk.hands.pid
        assert status(walk.pid)["NSpid"].split()[-1] == ("1" if name == "pid" else str(walk.pid))


@works(ops.Fork, ops.Join)
def test_a_joiner_enters_a_namespace_and_leaves_init_to_outer() -> None:
    """Init is in the joined namespace, a child of outer (CLONE_PARENT); the joiner is gone; outer is where it was."""
    with look(*cloned(CLONE_NEWUTS)).reach() as other:
        path = f"/proc/{other.pid}/ns/uts"
        with Walk(*joined(path, CLONE_NEWUTS), LOOK).reach() as walk:
            assert namespace(walk.pid, "uts") == namespace(other.pid, "uts") != namespace("self", "uts")
            assert namespace(walk.hands.pid, "uts") == namespace("self", "uts")
            assert stat_field(walk.pid, 4) == walk.hands.pid
            children = Path(f"/proc/{walk.hands.pid}/task/{walk.hands.pid}/children").read_text(encoding="ascii")
            assert children.split() == [str(walk.pid)]


@works(ops.OpenNamespace, ops.Join)
def test_a_namespace_that_was_opened_is_joined_although_its_path_is_gone() -> None:
    """It is kept by type: entering a mount namespace, or the end of a process, may hide the path."""
    with look(*cloned(CLONE_NEWUTS)).reach() as other:
        opened = ops.OpenNamespace("", by=OUTER, path=f"/proc/{other.pid}/ns/uts", flag=CLONE_NEWUTS)
        uts = namespace(other.pid, "uts")
        with Walk(opened, ops.Gate("", by=OUTER, name="opened"), *joined("", CLONE_NEWUTS), LOOK) as walk:
            walk.reach("opened")
            os.kill(other.pid, 9)
            assert other.receive() is None
            walk.hands.go()
            walk.reach()
            assert namespace(walk.pid, "uts") == uts


@works(ops.Gate)
@pytest.mark.parametrize("by", ops.ACTORS)
def test_a_gate_stops_its_process_until_the_brain_answers(by: str) -> None:
    """The op after it has not been done while they stand there, whoever stands there."""
    plan: tuple[Op, ...] = (
        ops.Fork("", by=OUTER),
        ops.Clone("", by=ops.JOINER),
        ops.OomScore("", value=77),
        LOOK,
    )
    at = {ops.OUTER: 0, ops.JOINER: 1, ops.INIT: 2}[by]
    with Walk(*plan[:at], ops.Gate("hooks", by=by, name="stop"), *plan[at:]).reach("stop") as walk:
        assert walk.gates == ["stop"]
        if by == ops.INIT:
            assert Path(f"/proc/{walk.pid}/oom_score_adj").read_text(encoding="ascii") != "77\n"
        else:
            assert walk.pid == 0
        walk.hands.go()
        walk.reach()
        assert Path(f"/proc/{walk.pid}/oom_score_adj").read_text(encoding="ascii") == "77\n"


@works(ops.TakeRoot)
def test_take_root_becomes_root_of_the_new_user_namespace() -> None:
    """Uid and gid 0 of the namespace, which are the mapped ones outside; the host's groups are dropped."""
    with look(*mapped(), ops.TakeRoot("linux.uidMappings")).reach(ops.GATE_IDS) as walk:
        write_maps(walk.pid)
        walk.hands.go()
        walk.reach()
        shown = status(walk.pid)
        assert shown["Uid"].split() == ["100000"] * 4
        assert shown["Gid"].split() == ["100000"] * 4
        assert shown["Groups"] == ""


@works(ops.Unshare)
@pytest.mark.parametrize(("name", "flag"), [("uts", CLONE_NEWUTS), ("ipc", CLONE_NEWIPC), ("cgroup", 0x02000000)])
def test_unshare_leaves_a_namespace_for_a_new_one(name: str, flag: int) -> None:
    """Init alone: outer stays."""
    with look(*cloned(), ops.Unshare("linux.namespaces", flags=flag)).reach() as walk:
        assert namespace(walk.pid, name) != namespace("self", name)
        assert namespace(walk.hands.pid, name) == namespace("self", name)


@works(ops.TimeOffsets)
def test_time_offsets_are_those_of_the_new_time_namespace() -> None:
    """Written before anybody is in it, then entered (time_namespaces(7))."""
    plan = (
        *cloned(),
        ops.Unshare("linux.namespaces", flags=CLONE_NEWTIME),
        ops.TimeOffsets("linux.timeOffsets", text="monotonic 86400 5\nboottime 259200 0\n"),
        ops.Join("linux.namespaces", path="/proc/self/ns/time_for_children", flag=CLONE_NEWTIME),
    )
    with look(*plan).reach() as walk:
        assert namespace(walk.pid, "time") != namespace("self", "time")
        lines = Path(f"/proc/{walk.pid}/timens_offsets").read_text(encoding="ascii").splitlines()
        assert [line.split() for line in lines] == [["monotonic", "86400", "5"], ["boottime", "259200", "0"]]


@works(ops.Session)
def test_init_leads_a_session_of_its_own() -> None:
    """Its session and process group are its own pid, and it has no terminal."""
    with look(*cloned(), ops.Session("process")).reach() as walk:
        assert [stat_field(walk.pid, number) for number in (5, 6, 7)] == [walk.pid, walk.pid, 0]


@works(ops.OomScore)
@pytest.mark.parametrize("value", [500, 1000])
def test_the_oom_score_is_what_the_kernel_shows(value: int) -> None:
    """Raised ones: to lower it takes a capability that even root may lack."""
    with look(*cloned(), ops.OomScore("process.oomScoreAdj", value=value)).reach() as walk:
        assert int(Path(f"/proc/{walk.pid}/oom_score_adj").read_text(encoding="ascii")) == value


@works(ops.Conceal, ops.TakeRoot)
@pytest.mark.parametrize(
    ("plan", "owner"),
    [
        ((ops.TakeRoot("", visible=1),), 100_000),
        ((ops.TakeRoot(""),), 0),
        ((ops.TakeRoot("", visible=1), ops.Conceal("process")), 0),
    ],
)
def test_a_concealed_init_cannot_be_looked_into(plan: tuple[Op, ...], owner: int) -> None:
    """Non-dumpable: what is in /proc/PID belongs to the host's root, not to the container's (proc_pid(5))."""
    with look(*mapped(), *plan).reach(ops.GATE_IDS) as walk:
        write_maps(walk.pid)
        walk.hands.go()
        walk.reach()
        assert Path(f"/proc/{walk.pid}/status").stat().st_uid == owner


@works(ops.Keyring)
def test_init_joins_a_session_keyring_of_its_own(payload: Path, tmp_path: Path) -> None:
    """With the permissions of runc's: all for who holds it, view, read, search and link for its owner."""
    report = tmp_path / "report"
    program = ops.FindProgram("process.args[0]", name=str(payload))
    run = ops.Exec("process.args", args=("payload", "report"))
    plan = (CLONE, ops.Keyring("process", name="_ses.x"), program, run)
    with report.open("wb") as stdout, Walk(*plan, stdio=(0, stdout.fileno(), 2), mode="supervise") as walk:
        assert walk.finish().exited == 0
    keyring = json.loads(report.read_bytes())["keyring"]
    assert keyring["description"] == "keyring;0;0;3f1b0000;_ses.x"


@works(ops.Hostname, ops.Domainname)
def test_names_are_set_in_the_namespace_of_init_alone(rootfs: Path) -> None:
    """uname(2) inside; outside nothing has changed."""
    before = os.uname().nodename
    names = (ops.Hostname("hostname", name="box"), ops.Domainname("domainname", name="example.org"))
    with Walk(*entered(rootfs), *names, payload_hook("/bin/payload", "hook-report", "/out"), LOOK).reach():
        report = json.loads((rootfs / "out").read_bytes())
        assert (report["hostname"], report["domainname"]) == ("box", "example.org")
    assert os.uname().nodename == before


@works(ops.Sysctl)
def test_a_sysctl_is_written_in_the_namespace_of_init(rootfs: Path) -> None:
    """Even where the container's own /proc is read-only or missing: through a procfs of init's own."""
    change = ops.Sysctl('linux.sysctl["net.ipv4.ip_default_ttl"]', path="sys/net/ipv4/ip_default_ttl", value="33")
    before = Path("/proc/sys/net/ipv4/ip_default_ttl").read_text(encoding="ascii")
    # procfs shows the network namespace of who looks, so a process of the container has to.
    hook = payload_hook("/bin/payload", "hook-cat", "/proc/sys/net/ipv4/ip_default_ttl")
    with Walk(*entered(rootfs, CLONE_NEWNET), change, hook, LOOK).reach() as walk:
        assert walk.hooks[0].stdout == b"33\n"
    assert Path("/proc/sys/net/ipv4/ip_default_ttl").read_text(encoding="ascii") == before


@works(ops.Loopback)
def test_lo_is_up_in_the_namespace_of_init(rootfs: Path) -> None:
    """It gets its address with that, and the kernel a route to it."""
    routes = payload_hook("/bin/payload", "hook-cat", "/proc/net/fib_trie")
    with Walk(*entered(rootfs, CLONE_NEWNET), routes, ops.Loopback("linux.namespaces"), routes, LOOK).reach() as walk:
        assert [b"127.0.0.1" in each.stdout for each in walk.hooks] == [False, True]


@works(ops.Rlimit)
@pytest.mark.parametrize(
    ("soft", "hard", "shown"),
    [
        (10, 20, ["10", "20", "files"]),
        (7, 2**64 - 1, ["7", "unlimited", "bytes"]),
    ],
)
def test_a_limit_of_init_is_set_from_outside(soft: int, hard: int, shown: list[str]) -> None:
    """By outer, whose own stays; 2**64-1 is no limit."""
    resource = 7 if shown[2] == "files" else 4  # RLIMIT_NOFILE, RLIMIT_CORE
    name = "Max open files" if resource == 7 else "Max core file size"
    limit = ops.Rlimit("process.rlimits[0]", by=OUTER, resource=resource, soft=soft, hard=hard)

    def limits(pid: int) -> list[str]:
        lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
        return next(line for line in lines if line.startswith(name))[len(name) :].split()

    with look(*cloned(), limit).reach() as walk:
        assert limits(walk.pid) == shown
        assert limits(walk.hands.pid) == limits(os.getpid())


@works(ops.Personality)
def test_the_execution_domain_is_what_the_kernel_shows() -> None:
    """PER_LINUX32 is 8 (personality(2))."""
    with look(*cloned(), ops.Personality("linux.personality.domain", domain=8)).reach() as walk:
        assert Path(f"/proc/{walk.pid}/personality").read_text(encoding="ascii") == "00000008\n"


@works(ops.Scheduler)
@pytest.mark.parametrize(("policy", "nice"), [(os.SCHED_BATCH, 5), (os.SCHED_IDLE, 0), (os.SCHED_OTHER, 19)])
def test_the_scheduling_policy_is_that_of_init(policy: int, nice: int) -> None:
    """And outer's stays."""
    with look(*cloned(), ops.Scheduler("process.scheduler", policy=policy, nice=nice)).reach() as walk:
        assert os.sched_getscheduler(walk.pid) == policy
        assert os.getpriority(os.PRIO_PROCESS, walk.pid) == nice
        assert os.sched_getscheduler(walk.hands.pid) == os.sched_getscheduler(0)


@works(ops.NetworkSocket)
def test_the_brain_gets_a_socket_of_the_namespace_that_who_opens_it_is_in() -> None:
    """By the joiner that of the joined one, by init its own: the namespace is asked of the socket (SIOCGSKNS)."""

    def of(sock: socket.socket) -> str:
        fd = fcntl.ioctl(sock.fileno(), 0x894C)
        try:
            return os.readlink(f"/proc/self/fd/{fd}")
        finally:
            os.close(fd)

    with look(*cloned(CLONE_NEWNET)).reach() as other:
        opened = ops.NetworkSocket("linux.netDevices", by=JOINER)
        plan = (*joined(f"/proc/{other.pid}/ns/net", CLONE_NEWNET, opened), ops.Unshare("", flags=CLONE_NEWNET))
        with look(*plan, ops.NetworkSocket("linux.netDevices")).reach() as walk:
            theirs, own = walk.sockets
            assert (of(theirs), of(own)) == (namespace(other.pid, "net"), namespace(walk.pid, "net"))
            assert (theirs.family, theirs.proto) == (socket.AF_NETLINK, 0)


@works(ops.IoPriority, ops.MemoryPolicy)
def test_io_priority_and_memory_policy_are_inherited_from_init(payload: Path, tmp_path: Path) -> None:
    """Class 2 (best effort) level 7; MPOL_BIND is 2."""
    plan = (
        ops.IoPriority("process.ioPriority", value=2 << 13 | 7),
        ops.MemoryPolicy("linux.memoryPolicy", mode=2, nodes=(1).to_bytes(8, "little")),
        payload_hook(payload, "hook-report", str(tmp_path / "out")),
    )
    with look(*cloned(), *plan).reach():
        report = json.loads((tmp_path / "out").read_bytes())
        assert (report["ioClass"], report["ioLevel"], report["memoryPolicy"]) == (2, 7, 2)


@works(ops.Affinity)
def test_init_runs_on_the_cpus_of_the_mask_alone() -> None:
    """Those that the machine has not got are no error beside one that it has."""
    cpu = max(os.sched_getaffinity(0))
    mask = (1 << cpu | 1 << 4000).to_bytes(512, "little")
    with look(*cloned(), ops.Affinity("process.execCPUAffinity.initial", cpus=mask)).reach() as walk:
        assert os.sched_getaffinity(walk.pid) == {cpu}
        assert os.sched_getaffinity(walk.hands.pid) == os.sched_getaffinity(0)
