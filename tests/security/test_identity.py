"""Who the program is: what an image's files and a caller's options can and cannot make of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.bundles import Json, mapping
from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root")

NONE = f"{0:016x}"
EVIL_PASSWD = "1000:x:0:0:root:/evil:/bin/sh\n1000abc:x:2000:0::/evil:/bin/sh\nroot:x:0:0::/root:/bin/sh\n"


def status_of(text: str) -> dict[str, str]:
    """/proc/self/status by name."""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def sleeping(box: Box) -> None:
    """A running container."""
    box.configure({"process.args": [INSIDE, "sleep", "60"]})
    box.create()
    box.start()


def report(text: str) -> Mapping[str, Json]:
    """What `payload report` said."""
    return mapping(json.loads(text))


def test_a_number_is_a_number_whatever_the_image_calls_so(box: Box) -> None:
    """CVE-2016-3697: a user by the name of 1000 with the id 0 makes nobody root, and gives no home."""
    (box.bundle.rootfs / "etc/passwd").write_text(EVIL_PASSWD)
    box.configure({"process.user": {"uid": 1000, "gid": 1000}, "process.args": [INSIDE, "cat", "/proc/self/status"]})
    assert status_of(box.succeed(*box.running()))["Uid"] == "\t".join(["1000"] * 4)
    box.configure({"process.user": {"uid": 1000, "gid": 1000}})
    env = report(box.succeed(*box.running()))["env"]
    assert isinstance(env, list)
    assert "HOME=/" in env


def test_exec_takes_a_number_for_a_number(box: Box) -> None:
    """CVE-2016-3697 by exec --user."""
    (box.bundle.rootfs / "etc/passwd").write_text(EVIL_PASSWD)
    sleeping(box)
    said = box.succeed("exec", "--user", "1000:1000", box.id, INSIDE, "cat", "/proc/self/status")
    assert status_of(said)["Uid"] == "\t".join(["1000"] * 4)


@pytest.mark.parametrize(
    "user", ["1000abc", "0x10", ":5", "99999999999", "-1", "4294967295", "root", "1:", " 1", "1.0"]
)
def test_a_user_that_is_no_number_is_an_error_and_not_root(box: Box, user: str) -> None:
    """CVE-2026-30892."""
    sleeping(box)
    done = box.call("exec", "--user", user, box.id, INSIDE, "true")
    assert (done.status, done.stdout) == (255, "")
    assert "--user: must be a number" in done.stderr


def test_capabilities_are_not_inheritable_unless_asked_for(box: Box) -> None:
    """CVE-2022-24769: neither by what `spec` writes, nor by what runs."""
    subprocess.run([box.program, "spec", "--bundle", str(box.calls)], check=True, timeout=30)
    caps = mapping(mapping(mapping(json.loads((box.calls / "config.json").read_text()))["process"])["capabilities"])
    assert not caps.get("inheritable")
    assert not caps.get("ambient")
    box.configure({"process.args": [INSIDE, "cat", "/proc/self/status"]})
    status = status_of(box.succeed(*box.running()))
    assert (status["CapInh"], status["CapAmb"]) == (NONE, NONE)
    assert status["CapPrm"] != NONE


@pytest.mark.parametrize("options", [(), ("--cap", "CAP_NET_ADMIN")])
def test_a_process_of_exec_has_no_inheritable_capabilities(box: Box, options: tuple[str, ...]) -> None:
    """CVE-2022-29162, CVE-2022-27650: what --cap adds is bounding, effective and permitted."""
    sleeping(box)
    status = status_of(box.succeed("exec", *options, box.id, INSIDE, "cat", "/proc/self/status"))
    assert (status["CapInh"], status["CapAmb"]) == (NONE, NONE)
    assert bool(int(status["CapPrm"], 16) >> 12 & 1) == bool(options)


def test_groups_of_the_caller_are_not_the_programs(box: Box) -> None:
    """CVE-2014-8989 and its kin: supplementary groups are exactly those of the config."""
    box.configure({"process.args": [INSIDE, "cat", "/proc/self/status"], "process.user": {"uid": 7, "gid": 7}})
    command = ["setpriv", "--groups", "4,5,6", *box.command(*box.running())]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, stdin=subprocess.DEVNULL)
    assert status_of(done.stdout)["Groups"] == ""


def test_state_is_closed_to_others(box: Box) -> None:
    """The state root and what is in it: no user but root connects to start, or reads the configuration."""
    box.configure({"process.args": [INSIDE, "true"]})
    box.create()
    modes = {path.name: path.stat().st_mode & 0o077 for path in box.home.iterdir() if not path.is_socket()}
    assert set(modes.values()) == {0}
    assert Path(box.home).stat().st_mode & 0o066 == 0
    box.start()


def test_a_user_namespace_without_a_cgroup_namespace_cannot_write_to_the_hosts_cgroups(box: Box) -> None:
    """CVE-2023-25809: no directory can be made in what is shown of the cgroups, although they were asked for rw."""
    for path in (box.bundle.rootfs, *box.bundle.rootfs.rglob("*")):
        os.chown(path, 100_000, 100_000, follow_symlinks=False)
    for folder in (box.directory, *box.directory.parents):
        if folder.stat().st_mode & 0o011 == 0:
            folder.chmod(0o711)
    maps: Json = [{"containerID": 0, "hostID": 100_000, "size": 65536}]
    kinds = ("user", "pid", "network", "ipc", "uts", "mount")
    box.configure(
        {
            "process.args": [INSIDE, "attack-mkdir", "/sys/fs/cgroup"],
            "linux.namespaces": [{"type": kind} for kind in kinds],
            "linux.uidMappings": maps,
            "linux.gidMappings": maps,
        }
    )
    assert box.succeed(*box.running()) == "0\n"
