"""What is said to systemd, over a real message bus, and what its refusals come to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slinger.errors import HostError
from slinger.host import bus
from slinger.host.bus import NO_SUCH_UNIT, SYSTEM_HINT, USER_HINT, BusError, Manager, NoBusError
from slinger.plan.systemd_unit import Property
from tests.fake_systemd import FakeSystemd, message_bus_at
from tests.requires import requires

BOX = "slinger-box.scope"
PROPERTIES = (
    Property("Description", "s", "a box"),
    Property("PIDs", "au", (7,)),
    Property("DeviceAllow", "a(ss)", (("/dev/null", "rw"),)),
    Property("AllowedCPUs", "ay", b"\x03"),
)

pytestmark = requires("dbus-daemon")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSystemd]:
    """The system's manager, as far as this process is told."""
    with message_bus_at(tmp_path) as address, FakeSystemd(address) as fake:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield fake


def test_a_unit_is_started_with_its_properties(systemd: FakeSystemd) -> None:
    """Of any type, and only once what it is about has happened."""
    with Manager(user=False) as manager:
        manager.start(BOX, PROPERTIES)
    assert systemd.methods() == ["StartTransientUnit"]
    assert systemd.body("StartTransientUnit") == (
        BOX,
        "fail",
        [
            ("Description", ("s", "a box")),
            ("PIDs", ("au", [7])),
            ("DeviceAllow", ("a(ss)", [("/dev/null", "rw")])),
            ("AllowedCPUs", ("ay", b"\x03")),
        ],
        [],
    )


def test_a_job_that_ends_before_it_is_known_is_heard(systemd: FakeSystemd) -> None:
    """The signal may come before the answer that says which job it is."""
    systemd.early = True
    with Manager(user=False) as manager:
        manager.start(BOX, PROPERTIES)
        manager.stop(BOX)
    assert systemd.methods() == ["StartTransientUnit", "StopUnit", "ResetFailedUnit"]


def test_a_unit_that_failed_before_is_forgotten_and_started(systemd: FakeSystemd) -> None:
    """Its name is taken until somebody resets it."""
    systemd.units[BOX] = "an older one"
    systemd.failed.add(BOX)
    with Manager(user=False) as manager:
        manager.start(BOX, PROPERTIES)
        assert manager.description(BOX) == "a box"
    assert systemd.methods() == ["StartTransientUnit", "ResetFailedUnit", "StartTransientUnit"]


def test_a_unit_that_runs_is_left_alone(systemd: FakeSystemd) -> None:
    """It belongs to somebody else."""
    systemd.units[BOX] = "another"
    with Manager(user=False) as manager, pytest.raises(BusError) as caught:
        manager.start(BOX, PROPERTIES)
    assert str(caught.value) == (
        f"systemd: StartTransientUnit: Unit {BOX} was already loaded or has a fragment file "
        "(it belongs to something else: choose another linux.cgroupsPath)"
    )
    assert systemd.units == {BOX: "another"}


@pytest.mark.parametrize(("result", "word"), [("failed", "failed"), ("canceled", "canceled"), ("", "nothing in 0 s")])
def test_a_job_that_fails_or_never_ends_is_told(
    systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch, result: str, word: str
) -> None:
    """With where to look."""
    systemd.results["StartTransientUnit"] = result
    with Manager(user=False) as manager:
        if not result:
            monkeypatch.setattr(bus, "JOB_PATIENCE", 0.2)
        with pytest.raises(BusError) as caught:
            manager.start(BOX, PROPERTIES)
    assert str(caught.value) == (f"systemd: the job to start {BOX} ended as {word} (journalctl -u {BOX} may say why)")


def test_what_systemd_refuses_is_told_in_its_words(systemd: FakeSystemd) -> None:
    """With the method, and a hint for who lacks privilege."""
    denied = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
    systemd.refuse["StartTransientUnit"] = (denied, "Interactive authentication required.")
    with Manager(user=False) as manager, pytest.raises(BusError) as caught:
        manager.start(BOX, PROPERTIES)
    assert str(caught.value) == (
        "systemd: StartTransientUnit: Interactive authentication required "
        "(systemd lets only root make units; without privilege the user's own systemd is asked)"
    )
    assert caught.value.name == denied


def test_a_unit_that_is_gone_is_stopped(systemd: FakeSystemd) -> None:
    """A scope ends with its last process, perhaps before we say so."""
    with Manager(user=False) as manager:
        manager.stop(BOX)
        assert manager.description(BOX) is None
    assert systemd.methods() == ["StopUnit", "ResetFailedUnit"]


def test_another_refusal_to_stop_is_an_error(systemd: FakeSystemd) -> None:
    """It is not taken for a unit that is gone."""
    systemd.units[BOX] = "a box"
    systemd.refuse["StopUnit"] = ("org.freedesktop.DBus.Error.AccessDenied", "Access denied")
    with Manager(user=False) as manager, pytest.raises(BusError) as caught:
        manager.stop(BOX)
    assert caught.value.message == "systemd: StopUnit: Access denied"


def test_properties_are_set_until_the_unit_ends(systemd: FakeSystemd) -> None:
    """And one more question is asked, whose answer comes after the cgroup was written."""
    with Manager(user=False) as manager:
        manager.set(BOX, (Property("TasksMax", "t", 5),))
        manager.set(BOX, ())
    assert systemd.told[-2:] == [
        ("SetUnitProperties", (BOX, True, [("TasksMax", ("t", 5))])),
        ("Get", ("org.freedesktop.systemd1.Manager", "Version")),
    ]


def test_a_process_is_attached_below_a_unit(systemd: FakeSystemd) -> None:
    """Where we may not move it ourselves."""
    with Manager(user=False) as manager:
        manager.attach(BOX, "/inner", 7)
    assert systemd.told == [("AttachProcessesToUnit", (BOX, "/inner", [7]))]


@pytest.mark.parametrize(("text", "version"), [("252.39-1~deb12u2", 252), ("v255", 255), ("", 0)])
def test_the_version_is_a_number(systemd: FakeSystemd, text: str, version: int) -> None:
    """Distributions add to it."""
    systemd.version = text
    with Manager(user=False) as manager:
        assert manager.version() == version


@pytest.mark.parametrize("variable", ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"])
def test_the_users_manager_is_where_the_environment_says(
    systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """A login sets both; sudo and su often neither."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DBUS_SYSTEM_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, systemd.address if variable.startswith("DBUS") else str(tmp_path))
    systemd.cgroup = "/user.slice/user-7.slice/user@7.service/"
    with Manager(user=True) as manager:
        assert manager.cgroup() == "/user.slice/user-7.slice/user@7.service"


@pytest.mark.parametrize(
    ("user", "environment", "why"),
    [
        (False, {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere/bus"}, "no such file or directory"),
        (False, {"DBUS_SYSTEM_BUS_ADDRESS": "nonsense"}, "nonsense: no address of a bus on this machine"),
        (
            False,
            {"DBUS_SYSTEM_BUS_ADDRESS": "tcp:host=localhost,port=1"},
            "tcp:host=localhost,port=1: no address of a bus on this machine",
        ),
        (True, {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere/bus"}, "no such file or directory"),
        (True, {"XDG_RUNTIME_DIR": "/no where"}, "no such file or directory"),
        (True, {}, "$XDG_RUNTIME_DIR and $DBUS_SESSION_BUS_ADDRESS are not set"),
    ],
)
def test_without_a_bus_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, user: bool, environment: dict[str, str], why: str
) -> None:
    """Who has no systemd leaves the option out; who has one has lost the way to it."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DBUS_SYSTEM_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoBusError) as caught:
        Manager(user=user)
    who, hint = ("systemd of the user", USER_HINT) if user else ("systemd", SYSTEM_HINT)
    assert str(caught.value) == f"{who}: no connection to its bus: {why} ({hint})"


def test_a_bus_without_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus runs, and nobody on it is systemd."""
    with message_bus_at(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        with Manager(user=False) as manager, pytest.raises(BusError) as caught:
            manager.stop(BOX)
    assert caught.value.name == "org.freedesktop.DBus.Error.ServiceUnknown"
    assert caught.value.message.startswith("systemd: StopUnit: The name org.freedesktop.systemd1 was not provided")
    assert caught.value.name != NO_SUCH_UNIT


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a dependency, which some installations leave out."""
    monkeypatch.setitem(sys.modules, "jeepney.io.blocking", None)
    with pytest.raises(HostError) as caught:
        Manager(user=False)
    assert caught.value.message == "systemd: import of jeepney.io.blocking halted; None in sys.modules"
    assert caught.value.hint == "pip install jeepney, or leave --systemd-cgroup out (podman: --cgroup-manager cgroupfs)"
