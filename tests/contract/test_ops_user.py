"""Ops that say who the program is and what it may, as /proc/PID/status shows it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from slinger.linux.flags import CLONE_NEWUSER
from slinger.plan import ops
from slinger.plan.ops import Op
from tests.contract.covers import works
from tests.contract.filters import ALLOW, EQUAL, LOAD_NUMBER, RETURN, answering, number, program
from tests.contract.look import status
from tests.contract.walk import CLONE, LOOK, Walk, cloned, look, write_maps
from tests.requires import requires

pytestmark = requires("root", "gcc")

CHOWN, KILL, NET_BIND, SYS_ADMIN = 1 << 0, 1 << 5, 1 << 10, 1 << 21


def sets(pid: int) -> dict[str, int]:
    """The five sets by their names in /proc/PID/status."""
    return {name: int(value, 16) for name, value in status(pid).items() if name.startswith("Cap")}


@works(ops.NoNewPrivileges)
@pytest.mark.parametrize(("plan", "value"), [((), "0"), ((ops.NoNewPrivileges("process.noNewPrivileges"),), "1")])
def test_no_new_privileges_is_shown_by_the_kernel(plan: tuple[Op, ...], value: str) -> None:
    """And is not there unasked."""
    with look(*cloned(), *plan).reach() as walk:
        assert status(walk.pid)["NoNewPrivs"] == value


@works(ops.Bounding)
@pytest.mark.parametrize("mask", [0, CHOWN | KILL, 2**64 - 1])
def test_the_bounding_set_keeps_what_the_mask_has(mask: int) -> None:
    """And nothing that was not there before; bits beyond the kernel's last are no error."""
    own = sets(os.getpid())["CapBnd"]
    with look(*cloned(), ops.Bounding("process.capabilities.bounding", mask=mask)).reach() as walk:
        assert sets(walk.pid)["CapBnd"] == mask & own
        assert sets(walk.hands.pid)["CapBnd"] == own


@works(ops.StdioOwner)
def test_stdio_is_given_to_the_user_but_never_a_device(tmp_path: Path) -> None:
    """A pipe, a file and a terminal; a group where one is given; /dev/zero stays everybody's."""
    reader, writer = os.pipe()
    master, terminal = os.openpty()
    fds = (reader, writer, master, terminal, os.open(tmp_path / "f", os.O_CREAT), os.open("/dev/zero", os.O_RDWR))
    try:
        pipe, tty, file, device = fds[1], terminal, fds[4], fds[5]
        groups = [os.fstat(fd).st_gid for fd in (tty, file)]
        before = os.fstat(device)
        owner = ops.StdioOwner("process.user", uid=1001)
        with Walk(*cloned(), owner, LOOK, stdio=(tty, file, device)) as walk:
            walk.reach("look")
            assert [(os.fstat(fd).st_uid, os.fstat(fd).st_gid) for fd in (tty, file)] == [(1001, gid) for gid in groups]
            assert os.fstat(device) == before
        with Walk(*cloned(), owner.replace(gid=1002), LOOK, stdio=(pipe, pipe, pipe)) as walk:
            walk.reach("look")
            assert (os.fstat(pipe).st_uid, os.fstat(pipe).st_gid) == (1001, 1002)
    finally:
        for fd in fds:
            os.close(fd)


@works(ops.StdioOwner)
def test_stdio_of_the_host_stays_as_it_is_where_the_user_namespace_does_not_know_its_owner(tmp_path: Path) -> None:
    """No error: outer has to give it, by the host's ids."""
    file = os.open(tmp_path / "f", os.O_CREAT | os.O_RDWR)
    os.fchown(file, 4242, 4242)
    try:
        plan = (*cloned(CLONE_NEWUSER), ops.Gate("", name="ids"), ops.StdioOwner("process.user", uid=1), LOOK)
        with Walk(*plan, stdio=(file, file, file)) as walk:
            walk.reach("ids")
            write_maps(walk.pid, size=10)
            walk.hands.go()
            walk.reach("look")
            assert os.fstat(file).st_uid == 4242
    finally:
        os.close(file)


@works(ops.SetUser)
def test_the_user_has_its_ids_groups_and_umask_and_no_other() -> None:
    """All four of each id; the caller's groups are gone; the permitted set is kept for the next op."""
    user = ops.SetUser("process.user", uid=1001, gid=1002, groups=("7", "4242424"), umask=0o27)
    with look(*cloned(), user).reach() as walk:
        shown = status(walk.pid)
        assert shown["Uid"].split() == ["1001"] * 4
        assert shown["Gid"].split() == ["1002"] * 4
        assert shown["Groups"].split() == ["7", "4242424"]
        assert shown["Umask"] == "0027"
        assert sets(walk.pid)["CapPrm"] == sets(os.getpid())["CapPrm"]
        assert sets(walk.pid)["CapEff"] == 0


@works(ops.SetUser)
@pytest.mark.parametrize(("keep", "expected"), [(0, ["5", "6"]), (1, [])])
def test_groups_are_set_unless_the_namespace_forbids_it(keep: int, expected: list[str]) -> None:
    """``set_groups`` 0 leaves them as they are."""
    first = ops.SetUser("", uid=0, gid=0, groups=("5", "6"))
    with look(*cloned(), first, ops.SetUser("process.user", uid=0, gid=0, set_groups=keep)).reach() as walk:
        assert status(walk.pid)["Groups"].split() == expected


@works(ops.Capabilities)
@pytest.mark.parametrize("uid", [0, 1000])
def test_four_sets_are_as_they_are_asked_for(uid: int) -> None:
    """For root and for others, who can only have them because SetUser kept them; ``hold`` is permitted for now."""
    caps = ops.Capabilities(
        "process.capabilities",
        effective=CHOWN,
        permitted=CHOWN | KILL,
        inheritable=KILL | NET_BIND,
        ambient=KILL | NET_BIND,
        hold=SYS_ADMIN,
    )
    with look(*cloned(), ops.SetUser("", uid=uid, gid=uid), caps).reach() as walk:
        shown = sets(walk.pid)
        assert shown.pop("CapBnd") == sets(os.getpid())["CapBnd"]
        assert shown == {
            "CapEff": CHOWN,
            "CapPrm": CHOWN | KILL | SYS_ADMIN,
            "CapInh": KILL | NET_BIND,
            "CapAmb": KILL,
        }, "ambient is what is both permitted and inheritable (capabilities(7))"


@works(ops.Seccomp)
def test_a_filter_is_loaded_and_answers() -> None:
    """Mode 2, one filter; personality(2) is refused by it and setsid(2) is not."""
    plan = (*cloned(), answering("personality", errno.EDOM), ops.Session("process"))
    with look(*plan).reach() as walk:
        shown = status(walk.pid)
        assert (shown["Seccomp"], shown["Seccomp_filters"]) == ("2", "1")
    with look(*plan, ops.Personality("linux.personality.domain", domain=8)) as walk:
        assert walk.error() == "linux.personality.domain: personality: numerical argument out of domain"


@works(ops.Seccomp, ops.Capabilities)
def test_the_held_capability_is_for_the_filter_alone() -> None:
    """Without no_new_privs loading takes CAP_SYS_ADMIN, which the exec takes back: the filter may forbid capset."""
    jump = (EQUAL, 0, 1, 126 if number("prctl") == 157 else 91), (RETURN, 0, 0, 0)  # capset: kill
    code = program(LOAD_NUMBER, *jump, (RETURN, 0, 0, ALLOW))
    plan = (
        CLONE,
        ops.SetUser("", uid=1000, gid=1000),
        ops.Capabilities("", effective=KILL, permitted=KILL, hold=SYS_ADMIN),
        ops.Seccomp("linux.seccomp", program=code),
    )
    with look(*plan).reach() as walk:
        assert sets(walk.pid)["CapPrm"] == KILL | SYS_ADMIN, "which the exec drops: neither ambient nor the file's"
        assert status(walk.pid)["Seccomp"] == "2"
