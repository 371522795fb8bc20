"""A create that fails at any step leaves no process, cgroup, mount or directory.

What "nothing" is: Box.left(), which is the container's directory, cgroups, mounts, and processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from tests.bundles import Drop, Json, mount
from tests.integration.box import Box
from tests.peers.case import USER_NAMESPACE
from tests.requires import requires

pytestmark = requires("root")

FAILURES: Final[Mapping[str, tuple[dict[str, Json | Drop], str]]] = {
    "a root out of reach": (
        dict(USER_NAMESPACE),
        "root.path (@BUNDLE@/rootfs): move_mount: permission denied",
    ),
    "a bind source": (
        {"mounts+": [mount("/mnt", "bind", "/no/such", "rbind")]},
        "mounts[7] (/no/such): open_tree: no such file or directory",
    ),
    "a file system": (
        {"mounts+": [mount("/mnt", "nofs", "x")]},
        "mounts[7] (/mnt): fsopen nofs: no such device (the kernel does not know this file system)",
    ),
    "an option of a mount": (
        {"mounts+": [mount("/mnt", "tmpfs", "x", "nosuch=1")]},
        "mounts[7] (/mnt): fsconfig nosuch=1: invalid argument",
    ),
    "a mount point": (
        {"mounts+": [mount("/secret/below", "bind", "/etc", "rbind")]},
        "mounts[7] (/secret/below): openat2: not a directory",
    ),
    "what is copied up": (
        {"mounts+": [mount("/secret", "tmpfs", "x", "tmpcopyup")]},
        "mounts[7] (/secret): copying up: not a directory",
    ),
    "a namespace of another type": (
        {"linux.namespaces+": [{"type": "user", "path": "/proc/self/ns/net"}]},
        "linux.namespaces[5]: setns: invalid argument (the file is not a namespace of that type)",
    ),
    "a device": (
        {"linux.devices": [{"type": "c", "path": "/secret", "major": 1, "minor": 3}]},
        "linux.devices[0] (/secret): mknodat: file exists (the image has a file there that is not this device)",
    ),
    "a resource limit": (
        {"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1 << 40, "hard": 1 << 40}]},
        "process.rlimits[0]: prlimit64: operation not permitted (raising a hard limit takes CAP_SYS_RESOURCE)",
    ),
    "a sysctl": (
        {"linux.sysctl": {"net.ipv4.nosuch": "1"}},
        'linux.sysctl["net.ipv4.nosuch"] (sys/net/ipv4/nosuch): openat2: no such file or directory',
    ),
    "the value of a sysctl": (
        {"linux.sysctl": {"net.ipv4.ip_forward": "x"}},
        'linux.sysctl["net.ipv4.ip_forward"] (sys/net/ipv4/ip_forward): write: invalid argument',
    ),
    "the working directory": (
        {"process.cwd": "/secret"},
        "process.cwd (/secret): chdir: not a directory",
    ),
    "a program that is nowhere": (
        {"process.args": ["nope"]},
        'process.args[0]: exec: "nope": executable file not found in $PATH',
    ),
    "a program that is none": (
        {"process.args": ["/secret"]},
        'process.args[0]: exec: "/secret": permission denied',
    ),
    "a hook": (
        {"hooks.createRuntime": [{"path": "/no/such"}]},
        "createRuntime hook #0 (/no/such): not started: execve: no such file or directory",
    ),
    "a hook inside": (
        {"hooks.createContainer": [{"path": "/no/such"}]},
        "createContainer hook #0 (/no/such): not started: execve: no such file or directory",
    ),
    "the memory policy": (
        {"linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "63", "flags": []}},
        "linux.memoryPolicy: set_mempolicy: invalid argument",
    ),
}


@pytest.mark.spec(
    "runtime.md#lifecycle/environment-error",
    "runtime.md#create/cannot-apply",
    "runtime.md#create/cannot-apply-nothing",
    "runtime.md#errors/no-trace",
    "config-linux.md#devices/existing",
)
@pytest.mark.parametrize(("changes", "message"), FAILURES.values(), ids=FAILURES)
def test_a_create_that_fails_leaves_nothing(box: Box, changes: dict[str, Json | Drop], message: str) -> None:
    """Whichever op it is; its poststop hooks run, and the id is free."""
    box.configure({**changes, "hooks.poststop": [box.report_hook("poststop")]})
    assert box.fail(*box.creating()) == message.replace("@BUNDLE@", str(box.directory))
    assert box.left() == []
    assert len(box.reports("poststop")) == 1
    box.configure({})
    box.create()


@pytest.mark.spec("runtime.md#create/cannot-apply")
@requires("cgroup-v1")
def test_a_limit_that_is_refused_leaves_nothing(box: Box) -> None:
    """The cgroups were made already, in every hierarchy."""
    box.configure({"linux.resources.cpu": {"cpus": "999"}})
    hint = "a list such as 0-2,4 of cpus that the machine has"
    assert box.fail(*box.creating()) == (
        f'linux.resources.cpu.cpus: writing "999" to /sys/fs/cgroup/cpuset/{box.id}/cpuset.cpus: '
        f"numerical result out of range ({hint})"
    )
    assert box.left() == []


@pytest.mark.spec("runtime.md#errors/no-trace")
def test_a_failed_create_leaves_what_was_there(box: Box) -> None:
    """The bundle, its root file system and the state root."""
    before = sorted(box.directory.rglob("*"))
    box.configure({"process.args": ["nope"]})
    box.fail(*box.creating())
    assert sorted(box.directory.rglob("*")) == before
    assert box.root.is_dir()
