"""Reading the machine: hierarchies out of mountinfo and /proc/self/cgroup, and the small facts."""

from __future__ import annotations

import os

import pytest

from slinger.errors import HostError
from slinger.host import probe
from slinger.plan.facts import Hierarchy

V1 = """\
23 1 253:0 / / rw,relatime - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
"""
UNIFIED = "35 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
V2 = "35 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
OWN_V1 = "4:cpu,cpuacct:/a\n3:memory:/a/b\n2:pids:/\n1:name=systemd:/\n"

V1_FOUND = (
    Hierarchy("/sys/fs/cgroup/cpu,cpuacct", ("cpu", "cpuacct"), 1, "/a"),
    Hierarchy("/sys/fs/cgroup/memory", ("memory",), 1, "/a/b"),
    Hierarchy("/sys/fs/cgroup/systemd", ("name=systemd",), 1, "/"),
)


@pytest.mark.parametrize(
    ("mountinfo", "own", "found"),
    [
        (V1, OWN_V1, V1_FOUND),
        (V1 + UNIFIED, f"0::/u\n{OWN_V1}", (*V1_FOUND, Hierarchy("/sys/fs/cgroup/unified", (), 2, "/u"))),
        (V2, "0::/user.slice/x.scope\n", (Hierarchy("/sys/fs/cgroup", (), 2, "/user.slice/x.scope"),)),
        ("", "0::/\n", ()),
        (V2, "", ()),
    ],
    ids=["v1", "hybrid", "v2", "nothing mounted", "no cgroups"],
)
def test_a_hierarchy_is_what_is_mounted_and_joined(mountinfo: str, own: str, found: tuple[Hierarchy, ...]) -> None:
    """A line of /proc/self/cgroup finds its mount by its controllers; what is not mounted is left out."""
    assert probe.hierarchies(mountinfo, own) == found


@pytest.mark.parametrize(
    ("root", "own", "below"),
    [
        ("/", "/x", "/x"),
        ("/docker/1", "/docker/1", "/"),
        ("/docker/1", "/docker/1/y", "/y"),
        ("/docker/1", "/docker/12", "/"),
        ("/..", "/", "/"),
        ("/", "/../z", "/"),
    ],
)
def test_the_own_cgroup_is_below_the_mount(root: str, own: str, below: str) -> None:
    """A mount of a part of the hierarchy shows the own cgroup relative to that part, or else only its top."""
    line = f"33 31 0:33 {root} /cg rw - cgroup2 cgroup2 rw\n"
    assert probe.hierarchies(line, f"0::{own}\n") == (Hierarchy("/cg", (), 2, below),)


def test_of_two_mounts_the_one_of_the_root_is_taken() -> None:
    """A bind mount of a container's cgroup, listed first, does not hide the hierarchy."""
    bind = "33 31 0:33 /docker/1 /var/lib/c rw - cgroup2 cgroup2 rw\n"
    assert probe.hierarchies(bind + V2, "0::/\n") == (Hierarchy("/sys/fs/cgroup", (), 2, "/"),)


def test_octal_escapes_of_mountinfo_are_undone() -> None:
    """A mount point may have spaces and backslashes in its name."""
    line = "33 31 0:33 / /c\\040g\\134x rw - cgroup2 cgroup2 rw\n"
    assert probe.hierarchies(line, "0::/\n") == (Hierarchy("/c g\\x", (), 2, "/"),)


def test_an_unreadable_line_is_an_error() -> None:
    """What does not look like mountinfo is not guessed at."""
    with pytest.raises(HostError) as caught:
        probe.hierarchies("rubbish - cgroup\n", "0::/\n")
    assert str(caught.value) == "/proc/self/mountinfo: cannot read the line 'rubbish - cgroup'"


def test_the_kernel_version_is_two_numbers() -> None:
    """The release may have any ending."""
    major, minor = probe.kernel_version()
    assert os.uname().release.startswith(f"{major}.{minor}")


def test_a_release_without_a_version_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for an old kernel."""
    fake = os.uname_result(("Linux", "host", "next", "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: fake)
    with pytest.raises(HostError) as caught:
        probe.kernel_version()
    assert str(caught.value) == "the kernel's release 'next': no version number"


def test_the_small_facts_agree_with_the_kernel() -> None:
    """Each function reads its file as the kernel writes it."""
    assert 37 <= probe.last_capability() < 64
    assert probe.permitted_capabilities() >> (probe.last_capability() + 1) == 0
    with open("/proc/self/uid_map", encoding="ascii") as file:
        assert probe.in_user_namespace() == (file.read().split() != ["0", "0", "4294967295"])
    with open("/proc/self/setgroups", encoding="ascii") as file:
        assert probe.may_set_groups() == (file.read() == "allow\n")
    assert isinstance(probe.apparmor_enabled(), bool)
    assert isinstance(probe.selinux_enabled(), bool)
