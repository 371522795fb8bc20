"""The systemd driver with a real systemd: its units, their limits in the kernel, and that nothing is left of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.bundles import Drop, Json, base_config, changed, make_bundle
from tests.integration.box import INSIDE, Box
from tests.integration.engine import IMAGE, Podman
from tests.integration.plain import rootless_config
from tests.requires import MANAGED_USER, requires

pytestmark = requires("root", "systemd", "cgroup-v2", "gcc")

PREFIX: Final = "slinger-test"
USER: Final = MANAGED_USER
FILES: Final = ("memory.max", "memory.low", "memory.swap.max", "cpu.weight", "cpu.max", "pids.max", "cpuset.cpus")
RESOURCES: Final[Mapping[str, Json | Drop]] = {
    "linux.resources": {
        "memory": {"limit": 50 << 20, "reservation": 20 << 20, "swap": 70 << 20},
        "cpu": {"shares": 512, "quota": 20000, "period": 50000, "cpus": "0"},
        "pids": {"limit": 33},
        "unified": {"memory.high": str(40 << 20)},
        "devices": [{"allow": False, "access": "rwm"}],
    }
}
LIMITED: Final = {
    "memory.max": str(50 << 20),
    "memory.low": str(20 << 20),
    "memory.swap.max": str(20 << 20),
    "cpu.weight": "59",
    "cpu.max": "20000 50000",
    "pids.max": "33",
    "cpuset.cpus": "0",
}


class UnitBox(Box):
    """A box whose containers are scopes; `manager`: words that ask its systemd."""

    manager: tuple[str, ...] = ("systemctl",)

    @property
    def unit(self) -> str:
        """The scope's name."""
        return f"{PREFIX}-{self.id}.scope"

    def configure(self, changes: Mapping[str, Json | Drop]) -> None:
        """See Box; the path is one for systemd."""
        super().configure({"linux.cgroupsPath": f":{PREFIX}:{self.id}", **changes})

    def command(self, *arguments: str) -> list[str]:
        """With the option, as engines send it with every verb."""
        return super().command("--systemd-cgroup", *arguments)

    def ask(self, *words: str) -> str:
        """What systemctl says."""
        done = subprocess.run([*self.manager, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def shown(self, *names: str) -> dict[str, str]:
        """Properties of the unit."""
        lines = self.ask("show", self.unit, *(f"--property={name}" for name in names)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def units(self) -> str:
        """The loaded units of this name, failed ones too; "" for none."""
        return self.ask("list-units", "--all", "--no-legend", "--plain", self.unit)

    def cgroup(self) -> Path:
        """Where the kernel has its init."""
        line = Path(f"/proc/{self.pid()}/cgroup").read_text("utf-8").strip()
        return Path("/sys/fs/cgroup", line.removeprefix("0::/"))


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Until the condition holds, on a machine that is ten times slower than others; AssertionError after a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"waited a minute for {what}"
        time.sleep(0.05)


def members(cgroup: Path) -> list[str]:
    """The processes in it."""
    return (cgroup / "cgroup.procs").read_text("utf-8").split()


def limits(cgroup: Path) -> dict[str, str]:
    """What the kernel keeps."""
    return {name: (cgroup / name).read_text("utf-8").strip() for name in FILES}


@pytest.fixture
def box(slinger: str, tmp_path: Path, tmp_root: Path) -> Iterator[UnitBox]:
    """A bundle; of its container, and of its unit, nothing is left after the test."""
    box = UnitBox(slinger, tmp_root, make_bundle(tmp_path / "bundle", base_config()))
    yield box
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left(), box.units()) == (0, "", [], "")


def run_limited(box: UnitBox, **more: Json) -> None:
    """A container with RESOURCES that waits."""
    box.configure({"process.args": [INSIDE, "pause"], **RESOURCES, **more})
    box.succeed(*box.running("--detach"))


def test_a_container_is_a_scope_with_its_limits(box: UnitBox) -> None:
    """systemd knows them, and the kernel has them."""
    run_limited(box, annotations={"org.systemd.property.TimeoutStopSec": "uint64 7"})
    assert box.cgroup() == Path("/sys/fs/cgroup/system.slice", box.unit)
    assert limits(box.cgroup()) == LIMITED
    assert box.shown("ActiveState", "Slice", "Delegate", "TimeoutStopUSec", "DevicePolicy", "Description") == {
        "ActiveState": "active",
        "Slice": "system.slice",
        "Delegate": "yes",
        "TimeoutStopUSec": "7s",
        "DevicePolicy": "strict",
        "Description": f"container {box.id} of slinger in {box.root}",
    }
    wanted = {
        "MemoryMax": str(50 << 20),
        "MemoryHigh": str(40 << 20),
        "MemoryLow": str(20 << 20),
        "MemorySwapMax": str(20 << 20),
        "CPUWeight": "59",
        "CPUQuotaPerSecUSec": "400ms",
        "CPUQuotaPeriodUSec": "50ms",
        "AllowedCPUs": "0",
        "TasksMax": "33",
    }
    assert box.shown(*wanted) == wanted


def test_the_slice_is_made_where_its_name_says(box: UnitBox) -> None:
    """A dash parts a slice from the one above."""
    box.configure({"process.args": [INSIDE, "pause"], "linux.cgroupsPath": f"slinger-test.slice:{PREFIX}:{box.id}"})
    box.succeed(*box.running("--detach"))
    assert box.cgroup() == Path("/sys/fs/cgroup/slinger.slice/slinger-test.slice", box.unit)


@requires("runc")
@pytest.mark.parametrize("peer", ["runc"])
def test_the_kernel_has_what_the_peers_write(box: UnitBox, tmp_path: Path, peer: str) -> None:
    """For the same config. These versions have the older curve from shares to weight: 512 came to 20."""
    run_limited(box, **{"ociVersion": "1.0.2", "linux.cgroupsPath": f"system.slice:{PREFIX}:{box.id}"})
    ours = limits(box.cgroup())
    box.succeed("delete", "--force", box.id)
    words = [peer, "--root", str(tmp_path / "peer"), "--systemd-cgroup"]
    run = [*words, "run", "--detach", "--bundle", str(box.directory), box.id]
    with open(tmp_path / "told", "wb") as told:  # a container holds what it is given
        done = subprocess.run(run, check=False, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
    assert done.returncode == 0, (tmp_path / "told").read_text("utf-8")
    try:
        theirs = limits(Path("/sys/fs/cgroup/system.slice", box.unit))
    finally:
        subprocess.run([*words, "delete", "--force", box.id], check=True)
    assert theirs.pop("cpu.weight") == "20"
    assert ours.pop("cpu.weight") == "59"
    assert theirs == ours


def test_limits_of_an_update_stay_when_systemd_looks_again(box: UnitBox) -> None:
    """It is told of them, so that daemon-reload and a change of somebody else's do not undo them."""
    run_limited(box)
    box.succeed("update", "--pids-limit", "44", "--cpu-quota", "30000", box.id)
    wanted = LIMITED | {"pids.max": "44", "cpu.max": "30000 50000"}
    assert limits(box.cgroup()) == wanted
    box.ask("daemon-reload")
    box.ask("set-property", "--runtime", box.unit, "CPUAccounting=yes")
    assert limits(box.cgroup()) == wanted
    assert box.shown("TasksMax", "CPUQuotaPerSecUSec") == {"TasksMax": "44", "CPUQuotaPerSecUSec": "600ms"}


def test_after_a_failed_update_systemd_has_the_old_limits_too(box: UnitBox) -> None:
    """Both are taken back."""
    run_limited(box)
    message = box.fail("update", "--pids-limit", "44", "--cpuset-cpus", "4000", box.id)
    assert message.startswith(f'--cpuset-cpus: writing "4000" to {box.cgroup()}/cpuset.cpus: ')
    box.ask("daemon-reload")
    assert limits(box.cgroup()) == LIMITED
    assert box.shown("TasksMax", "AllowedCPUs") == {"TasksMax": "33", "AllowedCPUs": "0"}


def test_verbs_work_on_the_scope(box: UnitBox) -> None:
    """exec joins it; pause, ps, events and kill find what is in it."""
    run_limited(box)
    process, name = box.launch("exec", box.id, INSIDE, "pause")
    eventually(lambda: len(members(box.cgroup())) == 2, "the process of exec")
    pids = members(box.cgroup())
    assert box.succeed("ps", "--format", "json", box.id).strip() == f"[{','.join(sorted(pids, key=int))}]"
    box.succeed("pause", box.id)
    assert (box.status(), (box.cgroup() / "cgroup.freeze").read_text("utf-8")) == ("paused", "1\n")
    assert f'"id":"{box.id}"' in box.succeed("events", "--stats", box.id)
    box.succeed("resume", box.id)
    box.succeed("kill", "--all", box.id, "KILL")
    assert box.end_of(process, name).status == 137
    eventually(lambda: box.status() == "stopped", "its end")
    box.succeed("delete", box.id)
    assert box.units() == ""


def test_a_failed_create_leaves_no_unit(box: UnitBox) -> None:
    """Its hook has failed after the unit was made."""
    box.configure({"hooks.createRuntime": [{"path": "/bin/false"}], **RESOURCES})
    assert "createRuntime" in box.fail(*box.creating())
    assert (box.units(), box.left()) == ("", [])


def test_a_killed_create_leaves_no_unit(box: UnitBox) -> None:
    """init goes with it, and a scope ends with its last process."""
    box.configure({"hooks.createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"]}], **RESOURCES})
    process, _ = box.launch(*box.creating())
    eventually(lambda: box.units() != "", "the unit")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    box.succeed("delete", "--force", box.id)
    assert (box.units(), box.left()) == ("", [])


def test_a_unit_of_somebody_else_is_left_alone(box: UnitBox) -> None:
    """Neither taken nor, in the undo, stopped."""
    command = ["systemd-run", "--scope", f"--unit={box.unit}", "--quiet", "sleep", "1000"]
    with subprocess.Popen(command) as other:
        try:
            eventually(lambda: "running" in box.units(), "the other's unit")
            message = box.fail(*box.creating())
            assert message.startswith("container's cgroup is not empty: 1 process(es) found")
            assert "running" in box.units()
        finally:
            other.kill()
    eventually(lambda: box.units() == "", "the end of the other's unit")


def test_a_path_that_is_none_of_systemds_is_refused(box: UnitBox) -> None:
    """Before anything is made."""
    box.configure({"linux.cgroupsPath": "/a/b"})
    assert box.fail(*box.creating()) == (
        'linux.cgroupsPath: must be SLICE:PREFIX:NAME for systemd, not "/a/b" '
        '(such as "system.slice:slinger:box", or leave it out)'
    )


# ---- without privilege


class UserBox(UnitBox):
    """A box whose calls are the plain user's, in a session that is not its manager's."""

    manager = ("runuser", "--user", "plain", "--", "env", f"XDG_RUNTIME_DIR=/run/user/{USER}", "systemctl", "--user")

    def configure(self, changes: Mapping[str, Json | Drop]) -> None:
        """Write the common rootless config with these changes."""
        maps: Json = [{"containerID": 0, "hostID": USER, "size": 1}]
        path = {"linux.cgroupsPath": f":{PREFIX}:{self.id}"}
        self.bundle.write_config(changed(rootless_config(maps), {**path, **changes}))

    def command(self, *arguments: str) -> list[str]:
        """By the user, as after a login."""
        become = ("runuser", "--user", "plain", "--", "env", f"XDG_RUNTIME_DIR=/run/user/{USER}")
        return [*become, *super().command(*arguments)]


@pytest.fixture
def user_box(slinger: str) -> Iterator[UserBox]:
    """A bundle of the user's where the user can reach it."""
    home = Path(tempfile.mkdtemp(prefix="slinger-test-"))
    home.chmod(0o755)
    root = home / "root"
    root.mkdir()
    os.chown(root, USER, USER)
    box = UserBox(slinger, root, make_bundle(home / "bundle", base_config(), owner=USER))
    yield box
    done = box.call("delete", "--force", box.id)
    assert (done.status, done.stderr, box.left(), box.units()) == (0, "", [], "")
    shutil.rmtree(home)


@requires("user-manager")
def test_without_privilege_the_users_systemd_has_the_scope(user_box: UserBox) -> None:
    """With the controllers that are delegated to the user; exec is moved in by systemd, from outside of its tree."""
    box = user_box
    box.configure(
        {
            "process.args": [INSIDE, "pause"],
            "linux.resources": {"memory": {"limit": 50 << 20}, "pids": {"limit": 33}},
        }
    )
    box.succeed(*box.running("--detach"))
    above = Path(f"/sys/fs/cgroup/user.slice/user-{USER}.slice/user@{USER}.service/user.slice")
    cgroup = box.cgroup()
    assert cgroup == above / box.unit
    assert (cgroup / "memory.max").read_text("utf-8") == f"{50 << 20}\n"
    assert box.shown("MemoryMax", "TasksMax") == {"MemoryMax": str(50 << 20), "TasksMax": "33"}
    process, name = box.launch("exec", box.id, INSIDE, "pause")
    eventually(lambda: len(members(cgroup)) == 2, "the process of exec")
    box.succeed("update", "--memory", "60m", box.id)
    assert (cgroup / "memory.max").read_text("utf-8") == f"{60 << 20}\n"
    box.succeed("pause", box.id)
    assert box.status() == "paused"
    box.succeed("delete", "--force", box.id)
    assert box.end_of(process, name).status == 137
    assert (box.units(), cgroup.exists()) == ("", False)


@requires("user-manager")
def test_a_limit_that_is_not_delegated_is_told(user_box: UserBox) -> None:
    """systemd takes the property, and the kernel has no file."""
    box = user_box
    controllers = Path(f"/sys/fs/cgroup/user.slice/user-{USER}.slice/user@{USER}.service/cgroup.controllers")
    if "cpuset" in controllers.read_text("utf-8").split():
        pytest.fail("the machine delegates cpuset, which this test needs it not to")
    box.configure({"linux.resources": {"cpu": {"cpus": "0"}}})
    assert 'linux.resources.cpu.cpus: the controller "cpuset" is not available in ' in box.fail(*box.creating())
    assert (box.units(), box.left()) == ("", [])


# ---- by podman


@requires("podman", "busybox", "libseccomp")
def test_podman_finds_its_limits_and_the_scope(slinger: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With its own default, `--cgroup-manager systemd`: limits, stats, pause, update."""
    engine = Podman(slinger, tmp_path_factory.mktemp("podman"))
    asked = ("--cgroup-manager", "systemd")
    try:
        engine.import_image()
        limited = ("--memory", "50m", "--pids-limit", "40", "--cpus", "0.5", *engine.options())
        name = engine.succeed(*asked, "run", "--detach", *limited, IMAGE, "sleep", "1000").strip()
        cgroup = Path(f"/sys/fs/cgroup/machine.slice/libpod-{name}.scope")
        assert {key: limits(cgroup)[key] for key in ("memory.max", "pids.max", "cpu.max")} == {
            "memory.max": str(50 << 20),
            "pids.max": "40",
            "cpu.max": "50000 100000",
        }
        told = engine.succeed(*asked, "stats", "--no-stream", "--format", "{{.MemLimit}} {{.PIDS}}", name)
        assert told.split() == [str(50 << 20), "1"]
        engine.succeed(*asked, "pause", name)
        assert (cgroup / "cgroup.freeze").read_text("utf-8") == "1\n"
        engine.succeed(*asked, "unpause", name)
        engine.succeed(*asked, "update", "--memory", "60m", name)
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        assert (cgroup / "memory.max").read_text("utf-8") == f"{60 << 20}\n"
        engine.succeed(*asked, "rm", "--force", "--time", "0", name)
        eventually(lambda: not cgroup.exists(), "the end of the scope")
        listed = ["systemctl", "list-units", "--all", "--no-legend", "--plain", f"libpod-{name}.scope"]
        assert subprocess.run(listed, check=True, capture_output=True, text=True).stdout == ""
    finally:
        engine.close()
