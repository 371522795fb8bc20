"""The verbs: what they ask of a container, which is a stand-in here, and what they answer."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from slinger import cli
from slinger.errors import HookError, HostError, NotFoundError, UsageError
from slinger.inject.draft import Injection
from slinger.spec.state import State
from slinger.verbs import create, delete, kill, start, state
from slinger.verbs import list as list_verb

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

STATE = State("1.3.0", "box", "running", 42, "/b", (), "/b/rootfs", "2026-01-02T03:04:05.678Z", "")


class Fake:
    """A container that writes down what is asked of it, and fails where ``fails`` says so."""

    asked: list[str]
    created: dict[str, Any]
    fails: dict[str, BaseException]
    status_: str
    id = "box"

    def _do(self, what: str) -> None:
        self.asked.append(what)
        if what in self.fails:
            raise self.fails[what]

    @classmethod
    def create(cls, container_id: str, bundle: str, **options: Any) -> Self:
        """As Container.create."""
        fake = cls()
        fake.created.update(options, container_id=container_id, bundle=bundle)
        fake._do("create")
        return fake

    @classmethod
    def load(cls, container_id: str, **_options: Any) -> Self:
        """As Container.load."""
        fake = cls()
        fake._do(f"load {container_id}")
        return fake

    def start(self) -> None:
        """As Container.start."""
        self._do("start")

    def wait(self) -> int:
        """As Container.wait."""
        self._do("wait")
        return 3

    def kill(self, signal: int) -> None:
        """As Container.kill."""
        self._do(f"kill {signal}")

    def delete(self, *, force: bool = False) -> None:
        """As Container.delete."""
        self._do("delete --force" if force else "delete")

    def status(self) -> str:
        """As Container.status."""
        return self.status_

    def state(self) -> State:
        """As Container.state."""
        self._do("state")
        return STATE

    def close(self) -> None:
        """As Container.close."""
        self._do("close")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    """A class in the place of Container, for this test alone."""
    kind = type("Fake", (Fake,), {"asked": [], "created": {}, "fails": {}, "status_": "running"})
    for module in (create, delete, kill, start, state):
        monkeypatch.setattr(module, "Container", kind)
    return kind


def test_create_hands_all_its_options_on(fake: type[Fake], tmp_path: Path) -> None:
    """Each option, under the library's name."""
    line = (
        "--root /r --trace-dir /t create --bundle /b --config /c --console-socket /s --pid-file /p --pidfd-socket /d "
        "--no-pivot --no-new-keyring --preserve-fds 0 --no-subreaper --settings= --hooks-dir /h box"
    ).replace("/r", str(tmp_path))
    assert cli.serve(line.split()) == 0
    warn = fake.created.pop("warn")
    assert callable(warn)
    assert fake.created == {
        "container_id": "box",
        "bundle": "/b",
        "config": "/c",
        "root": str(tmp_path),
        "no_pivot": True,
        "no_new_keyring": True,
        "preserve_fds": 0,
        "listen_fds": 0,
        "console_socket": "/s",
        "pid_file": "/p",
        "rootless": None,
        "pidfd_socket": "/d",
        "supervise": False,
        "subreaper": False,
        "injection": Injection(hooks_dirs=("/h",)),
        "cgroup_manager": "cgroupfs",
        "trace_dir": "/t",
        "observe": None,
    }
    assert fake.asked == ["create", "close"]


@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize(
    ("options", "name"),
    [
        ([], "cgroupfs"),
        (["--systemd-cgroup"], "systemd"),
        (["--cgroup-manager=systemd"], "systemd"),
        (["--cgroup-manager=disabled"], "disabled"),
    ],
)
def test_who_makes_the_cgroup_is_asked_for_by_either_option(
    fake: type[Fake], verb: str, options: list[str], name: str
) -> None:
    """runc's option and crun's."""
    assert cli.serve([*options, verb, "box"]) in {0, 3}  # the fake program ends with 3
    assert fake.created["cgroup_manager"] == name


def test_another_cgroup_manager_does_not_keep_verbs_from_containers(fake: type[Fake]) -> None:
    """Engines send --systemd-cgroup with every verb."""
    assert cli.serve(["--systemd-cgroup", "kill", "box"]) == 0
    assert fake.asked == ["load box", "kill 15"]


@pytest.mark.parametrize(
    ("environment", "count"),
    [
        ({}, 0),
        ({"LISTEN_FDS": "2"}, 0),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "7"}, 2),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "8"}, 0),
        ({"LISTEN_PID": "7"}, 0),
    ],
)
def test_systemds_sockets_are_ours_only_by_pid(environment: dict[str, str], count: int) -> None:
    """sd_listen_fds(3): else they were meant for another process."""
    assert create.listening(environment, 7) == count


def test_a_wrong_count_of_sockets_is_refused() -> None:
    """It is addressed to us by pid, so it is no accident."""
    with pytest.raises(UsageError) as caught:
        create.listening({"LISTEN_FDS": "-1", "LISTEN_PID": "7"}, 7)
    assert str(caught.value) == '$LISTEN_FDS: must be a whole number from 0, not "-1"'


def test_descriptors_to_be_passed_must_be_open() -> None:
    """A closed one would be taken by some file of slinger's own."""
    with pytest.raises(UsageError) as caught:
        create.check_open(0, 5000)
    assert str(caught.value).startswith("--preserve-fds 5000: file descriptor ")
    assert str(caught.value).endswith(" is not open")


def test_run_in_the_foreground_ends_as_the_program_does(fake: type[Fake]) -> None:
    """Created supervised, started, waited for, deleted."""
    assert cli.serve(["run", "box"]) == 3
    assert fake.asked == ["create", "start", "wait", "delete", "close"]
    assert (fake.created["supervise"], fake.created["subreaper"]) == (True, True)


def test_run_without_subreaper(fake: type[Fake]) -> None:
    """With one dash, as containerd writes it."""
    assert cli.serve(["run", "-no-subreaper", "box"]) == 3
    assert (fake.created["supervise"], fake.created["subreaper"]) == (True, False)


def test_run_keeps_the_container_when_asked(fake: type[Fake]) -> None:
    """No delete, hence no poststop hooks."""
    assert cli.serve(["run", "--keep", "box"]) == 3
    assert fake.asked == ["create", "start", "wait", "close"]


def test_run_detached_returns_after_start(fake: type[Fake]) -> None:
    """Status 0, whatever the program does later."""
    assert cli.serve(["run", "--detach", "box"]) == 0
    assert fake.asked == ["create", "start", "close"]
    assert (fake.created["supervise"], fake.created["subreaper"]) == (False, False)


@pytest.mark.parametrize("options", [(), ("--detach",), ("--keep",)])
def test_a_run_that_cannot_start_leaves_nothing(
    fake: type[Fake], capfd: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """The error is start's; the container is removed."""
    fake.fails["start"] = HookError("startContainer hook #1 (/x): exit status 1", origin="hooks.startContainer[0]")
    assert cli.serve(["run", *options, "box"]) == 1
    assert capfd.readouterr().err == "slinger: startContainer hook #1 (/x): exit status 1\n"
    assert fake.asked == ["create", "start", "delete --force", "close"]


def test_a_start_that_has_destroyed_the_container_is_no_second_error(
    fake: type[Fake], capfd: pytest.CaptureFixture[str]
) -> None:
    """It is gone, which is what was wanted."""
    fake.fails["start"] = HostError("no")
    fake.fails["delete --force"] = NotFoundError("container does not exist")
    assert cli.serve(["run", "box"]) == 1
    assert capfd.readouterr().err == "slinger: no\n"


def test_a_clean_up_that_fails_is_a_warning_beside_the_error(
    fake: type[Fake], capfd: pytest.CaptureFixture[str]
) -> None:
    """The first failure is the one to know."""
    fake.fails["start"] = HostError("no")
    fake.fails["delete --force"] = HostError("the cgroup: device or resource busy")
    assert cli.serve(["run", "box"]) == 1
    assert capfd.readouterr().err == (
        "slinger: warning: the container is not removed: the cgroup: device or resource busy\nslinger: no\n"
    )


def test_a_signal_before_the_start_stops_and_undoes(fake: type[Fake], capfd: pytest.CaptureFixture[str]) -> None:
    """SIGTERM while start is on its way."""

    def interrupted(self: Fake) -> None:
        self.asked.append("start")
        os.kill(os.getpid(), 15)

    fake.start = interrupted  # type: ignore[method-assign]
    assert cli.serve(["run", "box"]) == 143
    assert capfd.readouterr().err == "slinger: interrupted\n"
    assert fake.asked == ["create", "start", "delete --force", "close"]


def test_a_signal_while_it_runs_is_the_containers(fake: type[Fake]) -> None:
    """SIGTERM, and SIGUSR1 that came too early, go on to the program; run goes on waiting."""

    def early(self: Fake) -> None:
        self.asked.append("start")
        os.kill(os.getpid(), 10)

    def waiting(self: Fake) -> int:
        os.kill(os.getpid(), 15)
        self.asked.append("wait")
        return 143

    fake.start = early  # type: ignore[method-assign]
    fake.wait = waiting  # type: ignore[method-assign]
    assert cli.serve(["run", "box"]) == 143
    assert fake.asked == ["create", "start", "kill 10", "kill 15", "wait", "delete", "close"]


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("start box", ["load box", "start"]),
        ("kill box", ["load box", "kill 15"]),
        ("kill box 9", ["load box", "kill 9"]),
        ("kill box sigusr1", ["load box", "kill 10"]),
        ("kill --all box KILL", ["load box", "kill 9"]),
        ("kill box KILL -a", ["load box", "kill 9"]),
        ("delete box", ["load box", "delete"]),
        ("delete --force box", ["load box", "delete --force"]),
        ("delete -f box", ["load box", "delete --force"]),
    ],
)
def test_what_a_verb_asks_of_the_container(fake: type[Fake], line: str, asked: list[str]) -> None:
    """And it ends with 0."""
    assert cli.serve(line.split()) == 0
    assert [what for what in fake.asked if what != "close"] == asked


def test_kill_all_of_a_stopped_container_is_no_error(fake: type[Fake]) -> None:
    """What is left of an option of runc that containerd still sends."""
    fake.status_ = "stopped"
    assert cli.serve(["kill", "--all", "box"]) == 0
    assert [what for what in fake.asked if what != "close"] == ["load box"]


def test_an_unknown_signal_is_refused_before_the_container_is_looked_for(
    fake: type[Fake], capfd: pytest.CaptureFixture[str]
) -> None:
    """The hint has both forms."""
    assert cli.serve(["kill", "box", "FOO"]) == 1
    assert capfd.readouterr().err == (
        'slinger: unknown signal "FOO" (give a number such as 15 or a name such as TERM)\n'
    )
    assert fake.asked == []


@pytest.mark.parametrize(("options", "status"), [((), 1), (("--force",), 0)])
def test_delete_of_an_unknown_container(fake: type[Fake], options: tuple[str, ...], status: int) -> None:
    """An error, but not by force: then the wish is fulfilled."""
    fake.fails["load box"] = NotFoundError("container does not exist")
    assert cli.serve(["delete", *options, "box"]) == status


def test_state_is_one_json_object(fake: type[Fake], capfd: pytest.CaptureFixture[str]) -> None:
    """Ending in a newline."""
    assert cli.serve(["state", "box"]) == 0
    text = capfd.readouterr().out
    assert (json.loads(text)["pid"], text[-2:], fake.asked[0]) == (42, "}\n", "load box")


@pytest.fixture
def listed(fake: type[Fake], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A state root with one container in it."""
    (tmp_path / "box").mkdir()

    def found(_root: str, _warn: object) -> tuple[Fake, ...]:
        return (fake(),)

    def nobody(_root: str, _container_id: str) -> str:
        return "root"

    monkeypatch.setattr(list_verb, "containers", found)
    monkeypatch.setattr(list_verb, "owner", nobody)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            "",
            (
                "ID          PID         STATUS      BUNDLE      CREATED                    OWNER\n"
                "box         42          running     /b          2026-01-02T03:04:05.678Z   root\n"
            ),
        ),
        ("--quiet", "box\n"),
        ("-q", "box\n"),
        ("-f table -q", "box\n"),
    ],
)
def test_list_as_text(listed: Path, capfd: pytest.CaptureFixture[str], options: str, text: str) -> None:
    """Columns of 12 at least, 3 apart, as runc's."""
    assert cli.serve(["--root", str(listed), "list", *options.split()]) == 0
    assert capfd.readouterr().out == text


@pytest.mark.parametrize("options", ["--format json", "--format=json", "-f json"])
def test_list_as_json(listed: Path, capfd: pytest.CaptureFixture[str], options: str) -> None:
    """An array of states."""
    assert cli.serve(["--root", str(listed), "list", *options.split()]) == 0
    (first,) = json.loads(capfd.readouterr().out)
    assert (first["id"], first["pid"], first["status"], first["owner"]) == ("box", 42, "running", "root")


def test_a_container_that_goes_while_listed_is_left_out(
    fake: type[Fake], listed: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its directory was there a moment ago."""
    fake.fails["state"] = NotFoundError("container does not exist")
    assert cli.serve(["--root", str(listed), "list", "-f", "json"]) == 0
    assert capfd.readouterr().out == "null\n"


def test_a_missing_default_root_is_an_empty_list(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody has made a container yet."""
    monkeypatch.setattr(list_verb, "default_root", lambda: str(tmp_path / "none"))
    assert cli.serve(["list", "--format", "json"]) == 0
    assert cli.serve(["list"]) == 0
    assert capfd.readouterr().out == "null\nID          PID         STATUS      BUNDLE      CREATED     OWNER\n"


def test_a_missing_root_that_was_named_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """Most likely it is misspelt."""
    assert cli.serve(["--root", "/nonexistent", "list"]) == 1
    assert capfd.readouterr() == ("", "slinger: --root /nonexistent: no such directory\n")


def test_the_owner_is_that_of_the_directory(tmp_path: Path) -> None:
    """By name where the uid has one."""
    assert list_verb.owner(str(tmp_path.parent), tmp_path.name) in {"root", tmp_path.owner()}
