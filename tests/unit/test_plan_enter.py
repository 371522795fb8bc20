"""plan/enter.py: the order in which one more process gets into a container."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.plan import ops
from slinger.plan.enter import Target, enter_plan
from slinger.plan.facts import Facts, Options
from slinger.plan.ops import Op
from slinger.spec.config import CpuAffinity, Process
from tests.unit.documents import parsed

OPTIONS = Options(container_id="box", bundle="/bundle")
FACTS = Facts(rootfs="/r")
PROCESS = Process(cwd="/", args=("sh",), env=("PATH=/bin",))
TYPES = ("user", "pid", "mount", "network")


def plan(process: Process = PROCESS, facts: Facts = FACTS, types: tuple[str, ...] = TYPES) -> list[Op]:
    """The ops for a container whose init is 7."""
    return list(enter_plan(parsed(), process, OPTIONS, facts, Target(7, types)).ops)


def named(found: list[Op]) -> list[str]:
    """Kinds alone."""
    return [type(op).__name__ for op in found]


@pytest.mark.parametrize(("euid", "last"), [(0, "user"), (1000, "net")])
def test_the_user_namespace_is_last_with_privilege_and_first_without(euid: int, last: str) -> None:
    """Entering it gives up the privilege over the host, or gives the one over the others."""
    facts = FACTS.replace(euid=euid)
    paths = {op.flag: op.path for op in plan(facts=facts) if isinstance(op, ops.OpenNamespace)}
    joins = [paths[op.flag] for op in plan(facts=facts) if isinstance(op, ops.Join)]
    assert joins[-1] == f"/proc/7/ns/{last}"
    assert len(joins) == len(TYPES)


def test_nothing_of_ours_is_within_reach_before_it_is_concealed() -> None:
    """Outer before it makes who enters, and init again after what may have undone it (CVE-2016-9962)."""
    names = named(plan())
    assert names.index("Conceal") < min(names.index("Fork"), names.index("Join"))
    assert names[names.index("Clone") + 1] == "Conceal"


@pytest.mark.parametrize("types", [(), ("pid",), TYPES])
def test_the_process_is_in_the_cgroup_before_it_runs_anything_of_the_containers(types: tuple[str, ...]) -> None:
    """And the caller may write its pid down before the exec."""
    gates = [op.name for op in plan(types=types) if isinstance(op, ops.Gate)]
    assert gates == [ops.GATE_CGROUP, ops.GATE_CREATED]
    assert named(plan(types=types))[-2:] == ["Announce", "Exec"]


def test_without_a_mount_namespace_the_root_is_inits() -> None:
    """Init was put there by chroot alone."""
    found = plan(types=("pid",))
    at = named(found).index("OpenRoot")
    assert found[at : at + 2] == [ops.OpenRoot("root.path", path="/proc/7/root"), ops.Pivot("root.path", how=2)]
    assert [op.path for op in plan() if isinstance(op, ops.OpenRoot)] == ["/"]


@pytest.mark.parametrize(
    ("affinity", "expected"),
    [
        (None, [("process", 0)]),
        (CpuAffinity(None, None), []),
        (CpuAffinity("", " "), []),
        (CpuAffinity("0-1, 3", None), [("initial", 0b1011)]),
        (CpuAffinity(None, "64"), [("final", 1 << 64)]),
        (CpuAffinity("1", "0"), [("initial", 2), ("final", 1)]),
    ],
)
def test_the_cpus_are_set_before_and_after_the_cgroup(
    affinity: CpuAffinity | None, expected: list[tuple[str, int]]
) -> None:
    """config.md, "execCPUAffinity": initial until the process is in the cgroup, final from then on. Without it all."""
    found = plan(PROCESS.replace(exec_cpu_affinity=affinity))
    gate = next(at for at, op in enumerate(found) if isinstance(op, ops.Gate))
    shown: list[tuple[str, int]] = []
    for at, op in enumerate(found):
        if isinstance(op, ops.Affinity):
            name = op.origin.rpartition(".")[2]
            assert (name == "initial") == (at < gate)
            shown.append((name, int.from_bytes(op.cpus, "little")))
    assert shown == expected


@pytest.mark.parametrize(
    ("process", "facts", "message"),
    [
        (
            PROCESS.replace(apparmor_profile="p"),
            FACTS,
            "process.apparmorProfile: AppArmor is not enabled on this machine",
        ),
        (PROCESS.replace(selinux_label="l"), FACTS, "process.selinuxLabel: SELinux is not enabled on this machine"),
    ],
)
def test_a_label_that_cannot_be_had_is_refused(process: Process, facts: Facts, message: str) -> None:
    """Never left out: the process would run without the confinement that was asked for."""
    with pytest.raises(ConfigError) as caught:
        plan(process, facts)
    assert str(caught.value) == message
