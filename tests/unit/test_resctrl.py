"""host/resctrl.py: where the tree is found, and when a group is as it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from slinger.errors import ConfigError, HostError
from slinger.host.resctrl import Groups, find_tree, locate
from slinger.spec.config import IntelRdt

PROC = "35 24 0:30 / /proc rw,relatime shared:5 - proc proc rw"


def line(path: str, root: str = "/", kind: str = "resctrl") -> str:
    """A line of mountinfo."""
    return f"40 24 0:39 {root} {path} rw,relatime shared:9 master:2 - {kind} resctrl rw"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((), ""),
        ((line("/sys/fs/resctrl"),), "/sys/fs/resctrl"),
        ((line("/mnt/a"), line("/mnt/b")), "/mnt/a"),
        ((line("/mnt/a"), line("/sys/fs/resctrl")), "/sys/fs/resctrl"),
        ((line("/mnt/with\\040space"),), "/mnt/with space"),
        ((line("/mnt/group", root="/group"),), ""),
        ((line("/sys/fs/resctrl", kind="tmpfs"), line("/resctrl", kind="resctrlfs")), ""),
    ],
)
def test_the_tree_is_found_by_its_type(lines: tuple[str, ...], found: str) -> None:
    """The usual place first; a bind mount of one group is not the tree."""
    assert find_tree("\n".join((PROC, *lines, ""))) == found


class Fixed:
    """Directories that stand for a tree whose groups have these schemata."""

    def __init__(self, folder: Path, **groups: str) -> None:
        self.tree = folder / "tree"
        (self.tree / "info" / "MB").mkdir(parents=True)
        for name, schemata in groups.items():
            (self.tree / name).mkdir()
            (self.tree / name / "schemata").write_text(schemata, "ascii")
        self.mountinfo = folder / "mountinfo"
        self.mountinfo.write_text(f"{PROC}\n{line(str(self.tree))}\n", "utf-8")

    def locate(self, rdt: IntelRdt) -> Groups:
        """The groups of a container called box."""
        return locate(rdt, "box", str(self.mountinfo))


def test_what_is_looked_for_and_whose_it_is(tmp_path: Path) -> None:
    """The container's own only without closID, and if it is not there."""
    fixed = Fixed(tmp_path, there="L3:0=f\n")
    tree = str(fixed.tree)
    assert fixed.locate(IntelRdt()) == Groups(tree, f"{tree}/box", own=True)
    assert fixed.locate(IntelRdt(enable_monitoring=True)).monitor == f"{tree}/box/mon_groups/box"
    assert fixed.locate(IntelRdt(clos_id="there")) == Groups(tree, f"{tree}/there")
    assert fixed.locate(IntelRdt(clos_id="new", schemata=("L3:0=f",))) == Groups(tree, f"{tree}/new")
    assert fixed.locate(IntelRdt(clos_id="/", enable_monitoring=True)) == Groups(
        tree, tree, monitor=f"{tree}/mon_groups/box"
    )
    (fixed.tree / "box").mkdir()
    assert fixed.locate(IntelRdt()) == Groups(tree, f"{tree}/box")


@pytest.mark.parametrize(
    ("there", "asked", "fits"),
    [
        ("L3:0=00ff;1=00ff\n", IntelRdt(l3_cache_schema="L3:0=FF"), True),
        ("    L3:0=ff;1=ff\n    MB:0=30\n", IntelRdt(l3_cache_schema="L3: 01=ff ; 0=0ff"), True),
        ("L3CODE:0=f\nL3DATA:0=3\n", IntelRdt(l3_cache_schema="L3DATA:0=3\nL3CODE:0=f"), True),
        ("L3:0=ff\n", IntelRdt(l3_cache_schema="L3:0=fe"), False),
        ("L3:0=ff\n", IntelRdt(l3_cache_schema="L3:1=ff"), False),
        ("L3:0=ff\n", IntelRdt(l3_cache_schema="L3:0=10"), False),
        ("L3:0=ff\n", IntelRdt(l3_cache_schema="L3:0=zz"), False),
        ("L3:0=ff\n", IntelRdt(l3_cache_schema="nonsense"), False),
        ("MB:0=30;1=70\n", IntelRdt(mem_bw_schema="MB:0=21;1=70"), True),
        ("MB:0=5001\n", IntelRdt(mem_bw_schema="MB:0=5001"), True),
        ("MB:0=30\n", IntelRdt(mem_bw_schema="MB:0=20"), False),
        ("MB:0=30\n", IntelRdt(mem_bw_schema="MB:0=31"), False),
        ("L3:0=ff\n", IntelRdt(schemata=("L3:0=1",)), True),
    ],
)
def test_a_named_group_must_have_the_values_that_are_asked_for(
    tmp_path: Path, there: str, asked: IntelRdt, fits: bool
) -> None:
    """Masks are numbers to the base 16, bandwidth is rounded up as the kernel does; schemata is not compared."""
    fixed = Fixed(tmp_path, shared=there)
    (fixed.tree / "info" / "MB" / "bandwidth_gran").write_text("10\n", "ascii")
    if fits:
        assert fixed.locate(asked.replace(clos_id="shared")).path == f"{fixed.tree}/shared"
        return
    with pytest.raises(ConfigError, match="is asked for, but the group"):
        fixed.locate(asked.replace(clos_id="shared"))


def test_a_group_that_appears_meanwhile_is_not_ours(tmp_path: Path) -> None:
    """Whoever made it keeps it."""
    fixed = Fixed(tmp_path)
    groups = fixed.locate(IntelRdt())
    (fixed.tree / "box").mkdir()
    made = groups.make(IntelRdt())
    assert made == groups.replace(own=False)
    made.remove()
    assert (fixed.tree / "box").exists()


def test_a_monitoring_group_that_appears_meanwhile_is_an_error(tmp_path: Path) -> None:
    """And is left alone, with the group above it."""
    fixed = Fixed(tmp_path, there="")
    groups = fixed.locate(IntelRdt(clos_id="there", enable_monitoring=True))
    (fixed.tree / "there" / "mon_groups" / "box").mkdir(parents=True)
    with pytest.raises(HostError) as caught:
        groups.make(IntelRdt(clos_id="there", enable_monitoring=True))
    assert str(caught.value) == f"linux.intelRdt.enableMonitoring: making {groups.monitor}: file exists"
    assert (fixed.tree / "there" / "mon_groups" / "box").exists()


def test_removing_what_is_gone_is_no_error(tmp_path: Path) -> None:
    """Any number of times."""
    groups = Groups(str(tmp_path), f"{tmp_path}/box", own=True, monitor=f"{tmp_path}/box/mon_groups/box")
    groups.remove()
    groups.remove()


def test_a_process_that_has_ended_is_told_from_other_failures(tmp_path: Path) -> None:
    """By its cause; and a process is never put into a group that somebody removed, unless it must."""
    groups = Groups(str(tmp_path), f"{tmp_path}/box")
    groups.join(1, if_there=True)
    with pytest.raises(HostError) as caught:
        groups.join(1)
    assert str(caught.value) == f'linux.intelRdt: writing "1" to {tmp_path}/box/tasks: no such file or directory'
    assert isinstance(caught.value.__cause__, FileNotFoundError)


@pytest.mark.spec(
    "config-linux.md#intelrdt/both", "config-linux.md#intelrdt/both-order", "config-linux.md#intelrdt/schemata"
)
def test_schemata_are_written_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache, the bandwidth, then all others, as a kernel would see it."""
    written: list[tuple[str, str]] = []

    def record(path: str, text: str) -> None:
        written.append((path, text))

    monkeypatch.setattr("slinger.host.cgroup.files.write", record)
    fixed = Fixed(tmp_path)
    rdt = IntelRdt(mem_bw_schema="MB:0=30", schemata=("L2:0=1", "L3:0=1"), l3_cache_schema="L3:0=3")
    groups = fixed.locate(rdt).make(rdt)
    assert {path for path, _ in written} == {f"{groups.path}/schemata"}
    assert [text for _, text in written] == ["L3:0=3\n", "MB:0=30\n", "L2:0=1\nL3:0=1\n"]
