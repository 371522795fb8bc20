"""Network devices of the host: into the container's network namespace, and back where its creation fails.

config-linux.md, "Network Devices"; rtnetlink(7). The brain never is in that namespace: it has a socket that the hands
opened there. Rule of the file: nothing else knows pyroute2, and nothing but a move loads it (0.15 s).
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os

from slinger.errors import ConfigError, HostError, SlingerError
from slinger.spec.reader import key_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from pyroute2 import IPRoute, Message

    from slinger.spec.config import NetDevice

SIOCGSKNS = 0x894C  # <linux/sockios.h>: a descriptor of a socket's network namespace
SOL_NETLINK, NETLINK_EXT_ACK = 270, 11  # <linux/netlink.h>: the kernel says why it refuses
IFF_UP = 1
LONGEST_NAME = 15  # IFNAMSIZ counts the terminating NUL
IFA_F_TEMPORARY, IFA_F_PERMANENT = 0x01, 0x80  # <linux/if_addr.h>
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253  # <linux/rtnetlink.h>
# What an address has beside its length and scope: pyroute2's name, the kernel's.
ADDRESS = (
    ("address", "IFA_ADDRESS"),
    ("local", "IFA_LOCAL"),
    ("broadcast", "IFA_BROADCAST"),
    ("flags", "IFA_FLAGS"),
    ("rt_priority", "IFA_RT_PRIORITY"),
    ("proto", "IFA_PROTO"),
)


def check_present(devices: tuple[NetDevice, ...]) -> None:
    """ConfigError for a device that the host has not got, or for lack of the library that moves it."""
    for device in devices:
        try:
            _socket.if_nametoindex(device.host_name)
        except OSError:
            raise _no_device(device) from None
    if devices:
        _library()


class Moves:
    """The devices of one container. ``fd`` is a socket of rtnetlink in its network namespace, closed at the end."""

    def __init__(self, fd: int, devices: tuple[NetDevice, ...]) -> None:
        self._fd = fd
        self._wanted = devices
        self._moved: list[_Device] = []

    def move(self) -> None:
        """Move all devices, with their permanent global addresses, and set them up.

        ConfigError for a device that is not there or a name that is taken, HostError with the kernel's reason.
        """
        _apart(self._move_all)

    def take_back(self) -> None:
        """Give the host back what was moved: name, addresses, bridge and state as they were. HostError."""
        try:
            if self._moved:
                _apart(self._take_all_back)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the namespace."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _move_all(self) -> None:
        with _Session(self._fd) as session:
            for wanted in self._wanted:
                device = session.look_up(wanted)
                self._moved.append(device)  # first: a move that fails may have happened all the same
                session.move_in(device)

    def _take_all_back(self) -> None:
        failures: list[str] = []
        with _Session(self._fd) as session:
            while self._moved:
                try:
                    session.move_out(self._moved.pop())
                except SlingerError as error:
                    failures.append(str(error))
        if failures:
            raise HostError("; ".join(failures))


class _Device:
    """A device as it was on the host, and what is known of it in the container."""

    def __init__(self, wanted: NetDevice, link: Message, addresses: tuple[Message, ...]) -> None:
        self.at = _path(wanted)
        self.wanted = wanted.name
        # Found again by a name of ours, whatever name the kernel then makes of a template.
        self.arrival = f"slinger{os.urandom(4).hex()}" if "%" in wanted.name else wanted.name
        self.inside = 0  # its index there
        self.name = str(link.get_attr("IFLA_IFNAME"))
        self.index = link["index"]
        self.up = bool(link["flags"] & IFF_UP)
        self.master = link.get_attr("IFLA_MASTER")
        self.addresses = addresses


class _Session:
    """Both ends of a move."""

    def __init__(self, fd: int) -> None:
        import socket

        library = _library()
        inside = socket.socket(fileno=os.dup(fd))
        inside.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.inside = library(use_socket=inside)
        self.host = library(ext_ack=True)
        self.container_namespace = fcntl.ioctl(self.inside.fileno(), SIOCGSKNS)
        self.host_namespace = fcntl.ioctl(self.host.fileno(), SIOCGSKNS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self.container_namespace)
        os.close(self.host_namespace)
        self.host.close()
        self.inside.close()

    def look_up(self, wanted: NetDevice) -> _Device:
        """A device of the host. ConfigError if there is none, or if its name in the container is taken."""
        link = _find(self.host, wanted.host_name)
        if link is None:
            raise _no_device(wanted)
        # Beforehand: the kernel moves a device first, and then finds that it cannot be renamed.
        if "%" not in wanted.name and _find(self.inside, wanted.name) is not None:
            message = f'"{wanted.name}" exists already in the container\'s network namespace'
            raise ConfigError(_path(wanted), message, hint="another name, or one that ends in %d")
        return _Device(wanted, link, _in_order(self.host.get_addr(index=link["index"])))

    def move_in(self, device: _Device) -> None:
        """Move it, give it its name and its addresses, set it up. HostError with the kernel's reason."""
        fields: dict[str, int | str] = {
            "index": device.index,
            "ifname": device.arrival,
            "net_ns_fd": self.container_namespace,
        }
        with _Asking(f"{device.at}: moving it into the container's network namespace"):
            self.host.link("set", **fields)
        device.inside = self._index(self.inside, device, device.arrival)
        if device.wanted != device.arrival:
            with _Asking(f"{device.at}: naming it {device.wanted}"):
                self.inside.link("set", index=device.inside, ifname=device.wanted)
        name = str(self.inside.link("get", index=device.inside)[0].get_attr("IFLA_IFNAME"))
        for address in device.addresses:
            if address["scope"] == RT_SCOPE_UNIVERSE and _flags(address) & IFA_F_PERMANENT:
                self._add(self.inside, device.inside, address, device, name)
        with _Asking(f"{device.at}: setting it up"):
            self.inside.link("set", index=device.inside, state="up")

    def move_out(self, device: _Device) -> None:
        """Undo a move, whether or not it was finished. HostError with the kernel's reason."""
        index = device.inside
        if not index:
            there = _find(self.host, device.name)
            if there is not None and there["index"] == device.index:
                return
            # Under its old name it came if that was free, and was not yet renamed.
            index = self._index(self.inside, device, device.arrival, device.name)
        with _Asking(f"{device.at}: moving it back to the host"):
            self.inside.link("set", index=index, ifname=device.name, net_ns_fd=self.host_namespace)
        index = self._index(self.host, device, device.name)
        for address in device.addresses:
            if _is_ours(address):
                self._add(self.host, index, address, device, device.name)
        with _Asking(f"{device.at}: its state on the host"):
            if isinstance(device.master, int):
                self.host.link("set", index=index, master=device.master)
            if device.up:
                self.host.link("set", index=index, state="up")

    def _index(self, end: IPRoute, device: _Device, *names: str) -> int:
        for name in names:
            link = _find(end, name)
            if link is not None:
                return link["index"]
        message = f"{device.at}: it has disappeared"
        raise HostError(message)

    def _add(self, end: IPRoute, index: int, address: Message, device: _Device, name: str) -> None:
        fields: dict[str, object] = {
            "index": index,
            "family": address["family"],
            "prefixlen": address["prefixlen"],
            "scope": address["scope"],
            **{key: value for key, kernels in ADDRESS if (value := address.get_attr(kernels)) is not None},
        }
        # The kernel's default is the device's name.
        alias = str(address.get_attr("IFA_LABEL") or "").partition(":")[2]
        if alias and len(name) + 1 + len(alias) <= LONGEST_NAME:
            fields["label"] = f"{name}:{alias}"
        lifetime = address.get_attr("IFA_CACHEINFO")
        if isinstance(lifetime, dict) and not _flags(address) & IFA_F_PERMANENT:
            fields |= {"preferred_lft": lifetime["ifa_preferred"], "valid_lft": lifetime["ifa_valid"]}
        with _Asking(f"{device.at}: address {fields.get('local', fields.get('address'))}", errno.EEXIST):
            end.addr("add", **fields)


class _Asking:
    """What the kernel refuses, or the library, as a HostError; ``harmless`` is an errno that is none."""

    def __init__(self, what: str, harmless: int = 0) -> None:
        self.what = what
        self.harmless = harmless

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        from pyroute2 import NetlinkError  # noqa: PLC0415 - see the rule of the file

        if not isinstance(error, NetlinkError):
            return False
        if error.code == self.harmless:
            return True
        reason = str(error.args[-1])
        message = f"{self.what}: {reason[:1].lower()}{reason[1:]}"
        raise HostError(message) from error


def _path(device: NetDevice) -> str:
    return key_path("linux.netDevices", device.host_name)


def _no_device(device: NetDevice) -> ConfigError:
    return ConfigError(_path(device), "the host has no such network device")


def _library() -> type[IPRoute]:
    try:
        from pyroute2 import IPRoute  # noqa: PLC0415 - see the rule of the file
    except ImportError:
        cure = "pip install 'slinger[netdevices]'"
        raise ConfigError("linux.netDevices", "needs the Python package pyroute2", hint=cure) from None
    return IPRoute


def _find(end: IPRoute, name: str) -> Message | None:
    """The device of this name, or None."""
    from pyroute2 import NetlinkError  # noqa: PLC0415 - see the rule of the file

    try:
        return next(iter(end.link("get", ifname=name)), None)
    except NetlinkError as error:
        if error.code == errno.ENODEV:
            return None
        raise HostError.of(name, OSError(error.code, os.strerror(error.code))) from error


def _in_order(listed: tuple[Message, ...]) -> tuple[Message, ...]:
    """Addresses as they were added, so that they come out in the same order: IPv6 is listed with the newest first."""
    newest_first = [each for each in listed if each["family"] == _socket.AF_INET6]
    return (*(each for each in listed if each["family"] != _socket.AF_INET6), *reversed(newest_first))


def _is_ours(address: Message) -> bool:
    """Whether somebody has set the address. Those of link scope and temporary ones of IPv6 are the kernel's."""
    made = address["scope"] == RT_SCOPE_LINK or _flags(address) & IFA_F_TEMPORARY
    return address["family"] == _socket.AF_INET or not made


def _flags(address: Message) -> int:
    flags = address.get_attr("IFA_FLAGS")
    return flags if isinstance(flags, int) else address["flags"]


def _apart(action: Callable[[], None]) -> None:
    """Run it in a thread of its own: pyroute2 needs an event loop, and the caller's thread may be running one."""
    import threading

    raised: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - raised again where it can be caught
            raised.append(error)

    thread = threading.Thread(target=run, name="slinger-network")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
