"""Containers of a plain user to whom systemd has delegated a cgroup: limits without privilege, on cgroup v2.

Rule of the file: each call is made from a cgroup below the delegated one, as systemd wants it of whoever manages one;
the container's is beside the call's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Drop, Json, make_bundle
from tests.integration.box import INSIDE, wait_for
from tests.integration.plain import PlainBox, rootless_config
from tests.requires import MANAGED_USER, requires

pytestmark = requires("root", "gcc", "cgroup-v2", "setpriv", "plain-userns", "common-python", "user-manager")

MANAGER: Final = f"/user.slice/user-{MANAGED_USER}.slice/user@{MANAGED_USER}.service"
MAPS: Final[Json] = [{"containerID": 0, "hostID": MANAGED_USER, "size": 1}]
LIMITS: Final[Json] = {"pids": {"limit": 7}, "memory": {"limit": 64 << 20}, "cpu": {"quota": 50000}}


class ManagedBox(PlainBox):
    """A box whose calls are services of the user's manager."""

    def configure(self, changes: Mapping[str, Json | Drop]) -> None:
        """The common rootless config of that user, with these changes."""
        super().configure({"linux.uidMappings": MAPS, "linux.gidMappings": MAPS, **changes})

    def become(self, *words: str) -> list[str]:
        """The words that run these as the user, in the cgroup for calls."""
        enter = f'echo $$ >{self.unit}/calls/cgroup.procs && exec "$@"'
        return ["sh", "-c", enter, "sh", *as_user(*words)]

    @property
    def unit(self) -> Path:
        """The cgroup that is delegated."""
        return Path(f"/sys/fs/cgroup{MANAGER}/app.slice/slinger-test-{self.id.rpartition('-')[2]}.service")

    def shown(self, *names: str) -> list[str]:
        """Files of the container's cgroup."""
        return [(self.unit / self.id / name).read_text("ascii").strip() for name in names]


def as_user(*words: str) -> list[str]:
    """The words that run these as the user."""
    user = ("setpriv", f"--reuid={MANAGED_USER}", f"--regid={MANAGED_USER}", "--clear-groups")
    return [*user, "env", f"XDG_RUNTIME_DIR=/run/user/{MANAGED_USER}", *words]


@pytest.fixture
def managed(common_slinger: str) -> Iterator[ManagedBox]:
    """A box of that user's in a unit of its own; nothing is left of its container after the test."""
    base = Path(tempfile.mkdtemp(prefix="slinger-managed-"))
    bundle = make_bundle(base / "bundle", rootless_config(MAPS), owner=MANAGED_USER)
    box = ManagedBox(common_slinger, base / "state", bundle)
    (base / "state").mkdir(mode=0o700)
    for path in (base, base / "state", base / "bundle"):
        os.chown(path, MANAGED_USER, MANAGED_USER)
    hold = f"mkdir {box.unit}/calls && echo 0 >{box.unit}/calls/cgroup.procs && exec sleep infinity"
    delegated = ("systemd-run", "--user", "--quiet", "--collect", "--property=Delegate=yes", f"--unit={box.unit.name}")
    subprocess.run(as_user(*delegated, "sh", "-c", hold), check=True)
    wait_for(lambda: (box.unit / "calls/cgroup.procs").exists() and not (box.unit / "cgroup.procs").read_text(), "unit")
    yield box
    box.succeed("delete", "--force", box.id)
    left = box.left()
    subprocess.run(as_user("systemctl", "--user", "stop", box.unit.name), check=True)
    shutil.rmtree(base)
    assert left == []


def test_limits_hold_without_privilege(managed: ManagedBox) -> None:
    """Written, updated, and the fork bomb stops at the one of them."""
    managed.configure({"process.args": [INSIDE, "pause"], "linux.resources": LIMITS})
    managed.succeed(*managed.running("--detach"))
    files = ("pids.max", "memory.max", "cpu.max")
    assert managed.shown(*files) == ["7", str(64 << 20), "50000 100000"]
    assert json.loads(managed.succeed("exec", managed.id, INSIDE, "forks", "100"))["error"] == "EAGAIN"
    managed.succeed("update", "--pids-limit", "9", managed.id)
    assert managed.shown(*files) == ["9", str(64 << 20), "50000 100000"]


def test_a_container_is_frozen_and_killed_without_privilege(managed: ManagedBox) -> None:
    """pause, kill and delete work on a cgroup of the user's."""
    managed.configure({"process.args": [INSIDE, "pause"], "linux.resources": LIMITS})
    managed.succeed(*managed.running("--detach"))
    managed.succeed("pause", managed.id)
    assert (managed.status(), managed.shown("cgroup.freeze")) == ("paused", ["1"])
    managed.succeed("kill", managed.id, "KILL")
    managed.wait_status("stopped")
    managed.succeed("delete", managed.id)
    assert managed.left() == []


def test_a_controller_that_was_not_given_is_an_error(managed: ManagedBox) -> None:
    """systemd gives cpu, memory and pids to users, and keeps the rest."""
    managed.configure({"linux.resources": {"cpu": {"cpus": "0"}}})
    message = managed.fail(*managed.running())
    assert message.startswith('linux.resources.cpu.cpus: the controller "cpuset" is not available in /sys/fs/cgroup/')
