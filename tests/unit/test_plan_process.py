"""plan/process.py and plan/privileges.py: environment, limits, scheduling, and what the program may."""

from __future__ import annotations

import pytest

from slinger.linux.capabilities import CAPABILITIES
from slinger.plan import ops
from slinger.plan.facts import Facts, Options, SeccompProgram
from slinger.plan.privileges import no_new_privileges_ops, privilege_ops, seccomp_ops
from slinger.plan.process import (
    early_ops,
    environment,
    exec_op,
    keep_op,
    program_ops,
    rlimit_ops,
    scheduling_ops,
    search_path,
)
from slinger.spec.config import Config, Process
from tests.unit.documents import parsed

OPTIONS = Options(container_id="box", bundle="/bundle")
FACTS = Facts(rootfs="/r")
ALL = (1 << 41) - 1
PROGRAM = SeccompProgram(b"\6\0\0\0\0\0\xff\x7f", 3)


def process(*changes: tuple[str, object]) -> Process:
    """The process of the minimal document with its members changed."""
    found = parsed(*((f"process.{name}", value) for name, value in changes)).process
    assert found is not None
    return found


def bits(*names: str) -> int:
    """The mask of capabilities without their prefix."""
    return sum(1 << CAPABILITIES[f"CAP_{name}"] for name in names)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ([], ()),
        (["A=1", "B=2"], ("A=1", "B=2")),
        (["A=1", "B=2", "A=3"], ("A=3", "B=2")),
        (["A=1=2", "A="], ("A=",)),
        (["HOME=", "A=1"], ("A=1",)),
        (["HOME=/h"], ("HOME=/h",)),
        (["HOME=/h", "HOME="], ()),
        (["NOVALUE"], ("NOVALUE",)),
    ],
)
def test_the_last_entry_of_a_name_counts_and_an_empty_home_is_none(env: list[str], expected: tuple[str, ...]) -> None:
    """In the place of the first, so that the order says nothing new."""
    assert environment(process(("env", env)), OPTIONS) == expected


def test_systemds_sockets_are_announced_to_pid_1() -> None:
    """sd_listen_fds(3): whatever the document says of them."""
    env = environment(process(("env", ["LISTEN_PID=7", "A=1"])), OPTIONS.replace(listen_fds=2))
    assert env == ("LISTEN_PID=1", "A=1", "LISTEN_FDS=2")


@pytest.mark.parametrize(("env", "expected"), [([], ("TERM=xterm",)), (["TERM=dumb"], ("TERM=dumb",))])
def test_a_terminal_has_a_type(env: list[str], expected: tuple[str, ...]) -> None:
    """As runc has it; without a terminal none is made up."""
    assert environment(process(("env", env), ("terminal", True)), OPTIONS) == expected


@pytest.mark.parametrize(
    ("env", "path"), [((), ""), (("A=1", "PATH=/a:/b"), "/a:/b"), (("PATH=",), ""), (("XPATH=/x",), "")]
)
def test_the_program_is_searched_in_its_own_path(env: tuple[str, ...], path: str) -> None:
    """PATH of process.env, not the runtime's."""
    assert search_path(env) == path


def test_the_oom_score_is_set_first_and_only_if_asked() -> None:
    """0 is asked for; absent is not."""
    assert early_ops(process()) == []
    assert early_ops(process(("oomScoreAdj", 0))) == [ops.OomScore("process.oomScoreAdj", value=0)]


def test_limits_are_set_by_outer() -> None:
    """Who has the privilege to raise them; each with its origin."""
    limits = [
        {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2},
        {"type": "RLIMIT_RTTIME", "soft": 0, "hard": 2**64 - 1},
    ]
    assert rlimit_ops(process(("rlimits", limits))) == [
        ops.Rlimit("process.rlimits[0]", by=ops.OUTER, resource=7, soft=1, hard=2),
        ops.Rlimit("process.rlimits[1]", by=ops.OUTER, resource=15, soft=0, hard=2**64 - 1),
    ]


def test_scheduler_and_io_priority_are_the_kernels_numbers() -> None:
    """sched_setattr(2), ioprio_set(2)."""
    scheduler = {
        "policy": "SCHED_DEADLINE",
        "flags": ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"],
        "runtime": 1,
        "deadline": 2,
        "period": 3,
    }
    changed = process(("scheduler", scheduler), ("ioPriority", {"class": "IOPRIO_CLASS_IDLE", "priority": 5}))
    assert scheduling_ops(changed) == [
        ops.Scheduler("process.scheduler", policy=6, flags=6, runtime=1, deadline=2, period=3),
        ops.IoPriority("process.ioPriority", value=3 << 13 | 5),
    ]
    assert scheduling_ops(process()) == []


@pytest.mark.parametrize(
    ("env", "kinds"),
    [(["HOME=/x"], [ops.FindProgram]), (["HOME="], [ops.Home, ops.FindProgram]), ([], [ops.Home, ops.FindProgram])],
)
def test_home_is_looked_up_unless_the_document_has_one(env: list[str], kinds: list[type[ops.Op]]) -> None:
    """Of the process's uid."""
    plan = program_ops(process(("env", [*env, "PATH=/p"]), ("user.uid", 5), ("args", ["a", "b"])), OPTIONS)
    assert [type(op) for op in plan] == kinds
    assert plan[-1] == ops.FindProgram("process.args[0]", name="a", path="/p")
    assert plan[0] in {ops.Home("process.user.uid", uid=5), plan[-1]}


def test_the_program_keeps_what_it_was_given() -> None:
    """Preserved descriptors and systemd's."""
    options = OPTIONS.replace(preserve_fds=2, listen_fds=1)
    op = exec_op(process(("args", ["a", ""]), ("env", ["A=1"])), options)
    assert op == ops.Exec("process.args", args=("a", ""), env=("A=1", "LISTEN_FDS=1", "LISTEN_PID=1"))
    assert keep_op(options) == ops.CloseOnExec("process", keep_fds=3)


def privileges(
    *changes: tuple[str, object], facts: Facts = FACTS
) -> tuple[ops.Bounding, ops.SetUser, ops.Capabilities]:
    """The three ops, in this order."""
    config: Config = parsed(*changes)
    assert config.process is not None
    bounding, user, sets = privilege_ops(config, config.process, facts)
    assert isinstance(bounding, ops.Bounding)
    assert isinstance(user, ops.SetUser)
    assert isinstance(sets, ops.Capabilities)
    return bounding, user, sets


def test_absent_capabilities_are_none() -> None:
    """The spec is silent; as runc and crun."""
    bounding, _, sets = privileges()
    assert bounding.mask == 0
    assert sets == ops.Capabilities("process.capabilities")


def test_effective_must_be_permitted_and_ambient_inheritable_too() -> None:
    """capabilities(7); the kernel would refuse the rest."""
    names = {
        "bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_FOWNER"],
        "permitted": ["CAP_KILL", "CAP_CHOWN"],
        "effective": ["CAP_KILL", "CAP_FOWNER"],
        "inheritable": ["CAP_CHOWN", "CAP_FOWNER"],
        "ambient": ["CAP_KILL", "CAP_CHOWN", "CAP_FOWNER"],
    }
    bounding, _, sets = privileges(("process.capabilities", names))
    assert bounding.mask == bits("KILL", "CHOWN", "FOWNER")
    assert (sets.permitted, sets.effective) == (bits("KILL", "CHOWN"), bits("KILL"))
    assert (sets.inheritable, sets.ambient) == (bits("CHOWN", "FOWNER"), bits("CHOWN"))


CAPS = ("process.capabilities", {"bounding": ["CAP_KILL", "CAP_BPF"], "permitted": ["CAP_KILL", "CAP_BPF"]})
USER = ("linux.namespaces", [{"type": "user"}, {"type": "mount"}])
MAPS = [(f"linux.{kind}Mappings", [{"containerID": 0, "hostID": 1000, "size": 1}]) for kind in ("uid", "gid")]


@pytest.mark.parametrize(
    ("own", "last", "user_namespace", "expected"),
    [
        (ALL, 40, False, bits("KILL", "BPF")),
        (bits("KILL"), 40, False, bits("KILL")),
        (ALL, 38, False, bits("KILL")),
        (0, 40, True, bits("KILL", "BPF")),
        (0, 38, True, bits("KILL")),
    ],
)
def test_only_what_one_has_and_the_kernel_knows_can_be_given(
    own: int, last: int, expected: int, *, user_namespace: bool
) -> None:
    """Except in another user namespace, where the full set is had."""
    changes = (CAPS, USER, *MAPS) if user_namespace else (CAPS,)
    bounding, _, sets = privileges(*changes, facts=FACTS.replace(capabilities=own, last_capability=last))
    assert bounding.mask == sets.permitted == expected


@pytest.mark.parametrize(
    ("seccomp", "nnp", "hold"),
    [(None, False, 0), (PROGRAM, True, 0), (PROGRAM, False, bits("SYS_ADMIN"))],
)
def test_a_filter_without_no_new_privileges_holds_a_capability(
    seccomp: SeccompProgram | None, hold: int, *, nnp: bool
) -> None:
    """seccomp(2): one of the two it takes."""
    _, _, sets = privileges(("process.noNewPrivileges", nnp), facts=FACTS.replace(seccomp=seccomp))
    assert sets.hold == hold
    assert bool(no_new_privileges_ops(process(("noNewPrivileges", nnp)))) is nnp


def test_the_user_has_the_umask_of_engines_unless_told() -> None:
    """0022, as runc and crun."""
    _, user, _ = privileges()
    assert user == ops.SetUser("process.user", umask=0o22)
    _, user, _ = privileges(("process.user", {"uid": 1, "gid": 2, "umask": 0, "additionalGids": [3, 4]}))
    assert user == ops.SetUser("process.user", uid=1, gid=2, groups=("3", "4"), umask=0)


@pytest.mark.parametrize(
    ("facts", "changes", "set_groups"),
    [
        (FACTS, (), 1),
        (FACTS, (USER, *MAPS), 1),
        (FACTS.replace(euid=1000), (USER, *MAPS), 0),
        (FACTS.replace(euid=1000), (), 1),
        (FACTS.replace(may_set_groups=False), (), 0),
        (FACTS.replace(may_set_groups=False), (USER, *MAPS), 0),
    ],
)
def test_groups_are_left_alone_where_the_kernel_denies_setting_them(
    facts: Facts, changes: tuple[tuple[str, object], ...], set_groups: int
) -> None:
    """A user namespace made without privilege, and those below it (user_namespaces(7))."""
    _, user, _ = privileges(*changes, facts=facts)
    assert user.set_groups == set_groups


def test_the_filter_is_the_compiled_one() -> None:
    """With its flags."""
    assert seccomp_ops(FACTS) == []
    assert seccomp_ops(FACTS.replace(seccomp=PROGRAM)) == [
        ops.Seccomp("linux.seccomp", program=PROGRAM.program, flags=3)
    ]
