"""host/network.py: what is refused before anything is made."""

from __future__ import annotations

import sys

import pytest

from slinger.errors import ConfigError
from slinger.host.network import check_present
from slinger.spec.config import NetDevice

LOOPBACK = NetDevice("lo", "net1")


def refused(*devices: NetDevice) -> str:
    """The error for these devices."""
    with pytest.raises(ConfigError) as caught:
        check_present(devices)
    return str(caught.value)


def test_a_device_must_be_there() -> None:
    """The path in config.json has the name on the host."""
    assert refused(LOOPBACK, NetDevice("none-here", "eth0")) == (
        'linux.netDevices["none-here"]: the host has no such network device'
    )


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, since hardly any container needs it."""
    check_present((LOOPBACK,))
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    said = refused(LOOPBACK)
    assert said == "linux.netDevices: needs the Python package pyroute2 (pip install 'slinger[netdevices]')"


def test_without_devices_the_library_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor loaded."""
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    check_present(())
