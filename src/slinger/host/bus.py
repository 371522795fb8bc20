"""systemd on D-Bus: its manager's methods, of the system or of one user (org.freedesktop.systemd1(5)).

Rule of the file: nothing else knows jeepney, and nothing loads it but the systemd driver of cgroups (some 30 ms).
"""

from __future__ import annotations

import errno
import os
import time

from slinger.errors import HostError
from slinger.host.sites import ensure_sites
from slinger.plan.gvariant import first_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections import deque
    from collections.abc import Callable, Mapping
    from typing import Self

    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

    from slinger.plan.gvariant import Value
    from slinger.plan.systemd_unit import Property

NAME, PATH = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
MANAGER, UNIT = f"{NAME}.Manager", f"{NAME}.Unit"
PROPERTIES = "org.freedesktop.DBus.Properties"
UNIT_EXISTS, NO_SUCH_UNIT = f"{NAME}.UnitExists", f"{NAME}.NoSuchUnit"
SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
CONNECT_PATIENCE = 5.0  # seconds for the bus to let us in
PATIENCE = 30.0  # seconds for an answer
JOB_PATIENCE = 30.0  # seconds for a job to end
DONE = "done"
LINES = 2  # that the bus answers with when it lets us in
SAFE = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/."
)  # D-Bus specification, "Addresses"
SYSTEM_HINT = (
    "systemd must run here, and its bus (package dbus); "
    "or leave --systemd-cgroup out (podman: --cgroup-manager cgroupfs, containerd: SystemdCgroup = false)"
)
USER_HINT = (
    "it is there after a login (loginctl enable-linger keeps it; package dbus-user-session), and $XDG_RUNTIME_DIR or "
    "$DBUS_SESSION_BUS_ADDRESS say where; or leave --systemd-cgroup out (podman: --cgroup-manager cgroupfs)"
)


class NoBusError(HostError):
    """There is nobody to talk to."""


class BusError(HostError):
    """systemd refused: ``name`` is that of the D-Bus error."""

    def __init__(self, message: str, name: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name


class Manager:
    """A connection to one manager. NoBusError if there is none; its methods raise BusError for what is refused."""

    def __init__(self, *, user: bool) -> None:
        self.user = user
        self.who = "systemd of the user" if user else "systemd"
        _load(self.who)
        hint = USER_HINT if user else SYSTEM_HINT
        try:
            self._connection = _connect(_addresses(os.environ, user=user))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise NoBusError(f"{self.who}: no connection to its bus: {_lower(why)}", hint=hint) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()

    def version(self) -> int:
        """Such as 252."""
        text = self._property(PATH, MANAGER, "Version").removeprefix("v")
        digits = text[: next((at for at, char in enumerate(text) if not char.isdigit()), len(text))]
        return int(digits or "0")

    def cgroup(self) -> str:
        """Below which cgroup the manager has its units: "" for the root."""
        return self._property(PATH, MANAGER, "ControlGroup").rstrip("/")

    def description(self, unit: str) -> str | None:
        """Of a unit; None if it is not loaded."""
        try:
            (path,) = self._call("GetUnit", "s", (unit,))
        except BusError as error:
            if error.name == NO_SUCH_UNIT:
                return None
            raise
        try:
            return self._property(str(path), UNIT, "Description")
        except BusError as error:
            if error.name in {NO_SUCH_UNIT, "org.freedesktop.DBus.Error.UnknownObject"}:
                return None
            raise

    def start(self, unit: str, properties: tuple[Property, ...]) -> None:
        """Make and start a transient unit; returns when it runs. One that failed before is forgotten first."""
        none: list[object] = []
        body: tuple[object, ...] = (unit, "fail", _variants(properties), none)
        try:
            self._job(unit, "start", lambda: self._call("StartTransientUnit", "ssa(sv)a(sa(sv))", body))
        except BusError as error:
            if error.name != UNIT_EXISTS:
                raise
            self.reset(unit)
            self._job(unit, "start", lambda: self._call("StartTransientUnit", "ssa(sv)a(sa(sv))", body))

    def stop(self, unit: str) -> None:
        """Stop a unit and forget how it ended; one that is gone is stopped."""
        try:
            self._job(unit, "stop", lambda: self._call("StopUnit", "ss", (unit, "replace")))
        except BusError as error:
            if error.name != NO_SUCH_UNIT:
                raise
        self.reset(unit)

    def reset(self, unit: str) -> None:
        """Forget that a unit has failed, if it has."""
        try:
            self._call("ResetFailedUnit", "s", (unit,))
        except BusError as error:
            if error.name != NO_SUCH_UNIT:
                raise

    def set(self, unit: str, properties: tuple[Property, ...]) -> None:
        """Change properties until the unit ends, and return when systemd has written what follows from them."""
        if properties:
            self._call("SetUnitProperties", "sba(sv)", (unit, True, _variants(properties)))
            # Cgroups are written from a queue, which is worked off before the next message is looked at.
            self.version()

    def attach(self, unit: str, inner: str, pid: int) -> None:
        """Move a process into a unit's cgroup, or into ``inner`` ("/a/b") below it, "" for itself."""
        self._call("AttachProcessesToUnit", "ssau", (unit, inner, [pid]))

    # ---- messages

    def _call(self, method: str, signature: str, body: tuple[object, ...]) -> tuple[object, ...]:
        return self._request(PATH, MANAGER, method, signature, body)

    def _property(self, path: str, interface: str, name: str) -> str:
        (variant,) = self._request(path, PROPERTIES, "Get", "ss", (interface, name))
        match variant:
            case (str(), str(text)):
                return text
            case _:
                return ""

    def _request(
        self, path: str, interface: str, method: str, signature: str, body: tuple[object, ...]
    ) -> tuple[object, ...]:
        from jeepney import DBusAddress, new_method_call  # noqa: PLC0415

        address = DBusAddress(path, bus_name=NAME, interface=interface)
        return self._answer(method, new_method_call(address, method, signature, body))

    def _answer(self, method: str, message: Message) -> tuple[object, ...]:
        from jeepney import HeaderFields, MessageType  # noqa: PLC0415

        try:
            reply = self._connection.send_and_get_reply(message, timeout=PATIENCE)
        except TimeoutError as error:
            raise BusError(f"{self.who}: {method}: no answer in {PATIENCE:.0f} s", "") from error
        except OSError as error:
            raise BusError(f"{self.who}: {method}: {(error.strerror or str(error)).lower()}", "") from error
        if reply.header.message_type == MessageType.error:
            name = str(reply.header.fields.get(HeaderFields.error_name, ""))
            text = str(reply.body[0]) if reply.body else name
            raise BusError(f"{self.who}: {method}: {text.rstrip('.')}", name, hint=_hint(name))
        return reply.body

    def _job(self, unit: str, verb: str, begin: Callable[[], tuple[object, ...]]) -> None:
        """Begin a job and wait for its end. It may have ended before we know its number, so all are listened to."""
        from collections import deque

        from jeepney import MatchRule, message_bus  # noqa: PLC0415

        rule = MatchRule(type="signal", interface=MANAGER, member="JobRemoved", path=PATH)
        self._answer("AddMatch", message_bus.AddMatch(rule))
        heard: deque[Message] = deque()
        try:
            with self._connection.filter(rule, queue=heard):
                (job,) = begin()
                result = self._result(job, heard)
        finally:
            self._answer("RemoveMatch", message_bus.RemoveMatch(rule))
        if result != DONE:
            message = f"{self.who}: the job to {verb} {unit} ended as {result or f'nothing in {JOB_PATIENCE:.0f} s'}"
            raise BusError(message, "", hint=f"journalctl {'--user ' if self.user else ''}-u {unit} may say why")

    def _result(self, job: object, heard: deque[Message]) -> str:
        """How the job ended, in systemd's word; "" if it has not in time."""
        end = time.monotonic() + JOB_PATIENCE
        while True:
            try:
                message = self._connection.recv_until_filtered(heard, timeout=max(end - time.monotonic(), 0))
            except TimeoutError:
                return ""
            except OSError as error:
                raise BusError(f"{self.who}: {(error.strerror or str(error)).lower()}", "") from error
            _, path, _, result = message.body
            if path == job:
                return str(result)


def _lower(why: str) -> str:
    return why[:1].lower() + why[1:]


def _load(who: str) -> None:
    ensure_sites()
    try:
        __import__("jeepney.io.blocking")
    except ImportError as error:
        hint = "pip install jeepney, or leave --systemd-cgroup out (podman: --cgroup-manager cgroupfs)"
        raise HostError(f"{who}: {error}", hint=hint) from error


def _addresses(environment: Mapping[str, str], *, user: bool) -> str:
    """Where the bus is, as D-Bus spells it: sd_bus_default_system(3), sd_bus_default_user(3)."""
    if not user:
        return environment.get("DBUS_SYSTEM_BUS_ADDRESS") or SYSTEM_BUS
    if address := environment.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    directory = environment.get("XDG_RUNTIME_DIR")
    if not directory:
        raise ValueError("$XDG_RUNTIME_DIR and $DBUS_SESSION_BUS_ADDRESS are not set")
    plain = SAFE.__contains__
    return "unix:path=" + "".join(char if plain(char) else _escaped(char) for char in f"{directory}/bus")


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02x}" for byte in os.fsencode(char))


def _connect(addresses: str) -> DBusConnection:
    """The first that answers. OSError, ValueError."""
    from jeepney.bus import get_connectable_addresses  # noqa: PLC0415
    from jeepney.io.blocking import DBusConnection  # noqa: PLC0415

    first: OSError | None = None
    try:
        for address in get_connectable_addresses(addresses):
            try:
                return DBusConnection(_introduced(address))
            except OSError as error:
                first = first or error
    except (ValueError, RuntimeError) as error:
        text = f"{addresses}: no address of a bus on this machine"
        raise ValueError(text) from error
    raise first or ValueError(addresses)


def _introduced(address: str) -> socket.socket:
    """A connection whose user the bus has taken from the kernel: in a user namespace we do not know our own number."""
    import socket

    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(CONNECT_PATIENCE)
        connection.connect(address)
        connection.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\n")
        _check_welcome(connection)
        connection.sendall(b"BEGIN\r\n")
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_welcome(connection: socket.socket) -> None:
    """Read the bus's two answers. PermissionError if it does not let us in."""
    heard = b""
    while heard.count(b"\r\n") < LINES and b"REJECTED" not in heard:
        part = connection.recv(512)
        heard += part
        if not part:
            break
    if b"\r\nOK " not in heard:
        raise PermissionError(errno.EACCES, "the bus does not let us in")


def _variants(properties: tuple[Property, ...]) -> list[tuple[str, tuple[str, object]]]:
    return [(each.name, (each.type, _plain(each.type, each.value))) for each in properties]


def _plain(kind: str, value: Value) -> object:
    """As jeepney wants it: a list for an array, a tuple for a structure."""
    if not isinstance(value, tuple):
        return value
    if kind.startswith("a"):
        return [_plain(kind[1:], item) for item in value]
    left, items = kind[1:-1], list[object]()
    for item in value:
        first = first_type(left)
        left = left[len(first) :]
        items.append(_plain(first, item))
    return tuple(items)


def _hint(name: str) -> str:
    if name.endswith((".AccessDenied", ".InteractiveAuthorizationRequired")):
        return "systemd lets only root make units; without privilege the user's own systemd is asked"
    if name == UNIT_EXISTS:
        return "it belongs to something else: choose another linux.cgroupsPath"
    return ""
