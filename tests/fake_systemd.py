"""A message bus of its own (dbus-daemon) with a stand-in for systemd on it, for tests of what is said to systemd.

It answers as systemd does and keeps what it was told; `refuse` and `results` say where it is to differ.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Self, cast

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from slinger.host.bus import MANAGER, NAME, NO_SUCH_UNIT, PATH, UNIT_EXISTS

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextlib.contextmanager
def message_bus_at(directory: Path) -> Generator[str]:
    """The address of a bus that lives as long as the context."""
    socket = directory / "bus"
    config = directory / "bus.conf"
    config.write_text(CONFIG.format(path=socket), "utf-8")
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline()  # it listens
            yield f"unix:path={socket}"
        finally:
            daemon.terminate()


class FakeSystemd:
    """`units`: description by name; `told`: (method, body) in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[tuple[str, tuple[object, ...]]] = []
        self.units: dict[str, str] = {}
        self.failed: set[str] = set()  # loaded, so that their name is taken until they are reset
        self.refuse: dict[str, tuple[str, str]] = {}  # method: (D-Bus error, text)
        self.results: dict[str, str] = {}  # of jobs by method; "" for a job that does not end
        self.early = False  # a job ends before its number is told
        self.version = "252.39-1~deb12u2"
        self.cgroup = ""
        self._jobs = 0
        self._connection: DBusConnection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(NAME))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with open_dbus_connection(self.address) as other:
            other.send(_ending())
        self._thread.join()
        self._connection.close()

    def methods(self) -> list[str]:
        """What was called, without questions."""
        return [method for method, _ in self.told if method not in {"Get", "GetUnit"}]

    def body(self, method: str) -> tuple[object, ...]:
        """What the last call of this method said."""
        return [body for name, body in self.told if name == method][-1]

    def _serve(self) -> None:
        while True:
            message = self._connection.receive()
            if message.header.message_type != MessageType.method_call:
                continue
            method = str(message.header.fields[HeaderFields.member])
            if method == "End":
                return
            self.told.append((method, message.body))
            self._answer(method, message)

    def _answer(self, method: str, message: Message) -> None:
        if method in self.refuse:
            self._send(new_error(message, self.refuse[method][0], "s", (self.refuse[method][1],)))
        elif method == "Get":
            interface, name = map(str, message.body)
            value = {"Version": self.version, "ControlGroup": self.cgroup}.get(name)
            if interface != MANAGER:
                value = self.units[
                    bytes.fromhex(str(message.header.fields[HeaderFields.path]).rpartition("/_")[2]).decode()
                ]
            self._send(new_method_return(message, "v", (("s", value),)))
        elif method in {"StartTransientUnit", "StopUnit"}:
            self._job(method, message)
        elif method == "GetUnit":
            self._known(message, "o", (f"{PATH}/unit/_{str(message.body[0]).encode().hex()}",))
        elif method == "ResetFailedUnit":
            if str(message.body[0]) in self.failed:
                self.failed.remove(str(message.body[0]))
                del self.units[str(message.body[0])]
                self._send(new_method_return(message))
            else:
                self._known(message, None, ())
        else:
            self._send(new_method_return(message))

    def _known(self, message: Message, signature: str | None, body: tuple[object, ...]) -> None:
        name = str(message.body[0])
        if name in self.units:
            self._send(new_method_return(message, signature, body))
        else:
            self._send(new_error(message, NO_SUCH_UNIT, "s", (f"Unit {name} not loaded.",)))

    def _job(self, method: str, message: Message) -> None:
        name = str(message.body[0])
        if method == "StartTransientUnit":
            if name in self.units:
                text = f"Unit {name} was already loaded or has a fragment file."
                self._send(new_error(message, UNIT_EXISTS, "s", (text,)))
                return
            self.units[name] = _description(message)
        elif name not in self.units:
            self._known(message, None, ())
            return
        else:
            del self.units[name]
        self._jobs += 1
        path = f"{PATH}/job/{self._jobs}"
        reply = new_method_return(message, "o", (path,))
        result = self.results.get(method, "done")
        others = self._removed("/other", "failed", name)
        ended = [others, self._removed(path, result, name)] if result else [others]
        for each in [*ended, reply] if self.early else [reply, *ended]:
            self._send(each)

    def _removed(self, path: str, result: str, unit: str) -> Message:
        manager = DBusAddress(PATH, interface=MANAGER)
        body = (self._jobs, f"{PATH}/job{path}" if path == "/other" else path, unit, result)
        return new_signal(manager, "JobRemoved", "uoss", body)

    def _send(self, message: Message) -> None:
        self._connection.send(message)


def _description(message: Message) -> str:
    properties = cast("list[tuple[str, tuple[str, object]]]", message.body[2])
    return str(dict(properties)["Description"][1])


def _ending() -> Message:
    from jeepney import new_method_call  # noqa: PLC0415

    return new_method_call(DBusAddress(PATH, bus_name=NAME, interface=MANAGER), "End")
