"""Handing a descriptor to who listens on a unix socket: a terminal's master, a pidfd, a seccomp listener."""

from __future__ import annotations

import _socket
import os

from slinger.errors import HostError

# What runc calls a container's first process and one that exec adds; its callers tell them apart by it.
FIRST_PROCESS = "standard"
ONE_MORE_PROCESS = "setns"


def send_descriptor(option: str, path: str, name: str, fd: int) -> None:
    """One message on a new connection: ``name`` as its bytes, ``fd`` as its only right (unix(7), SCM_RIGHTS).

    HostError names the option and the path.
    """
    sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        sender.connect(path)
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fd.to_bytes(4, "little"))
        sender.sendmsg([name.encode()], [rights])
    except OSError as error:
        raise HostError.of(f"{option} {path}", error) from error
    finally:
        sender.close()


def send_master(path: str, name: str, master: int) -> None:
    """Hand a terminal's master over; ``name`` is the slave's (runc, docs/terminals.md)."""
    send_descriptor("--console-socket", path, name, master)


def send_pidfd(path: str, kind: str, pid: int) -> None:
    """Hand a pidfd of a living child of the hands over; ``kind`` is FIRST_PROCESS or ONE_MORE_PROCESS."""
    try:
        fd = os.pidfd_open(pid)
    except OSError as error:
        raise HostError.of(f"--pidfd-socket {path}: pid {pid}", error) from error
    try:
        send_descriptor("--pidfd-socket", path, kind, fd)
    finally:
        os.close(fd)


def send_listener(path: str, state: str, fd: int) -> None:
    """Hand the descriptor of seccomp notifications over; ``state`` is the container process state as JSON."""
    send_descriptor("linux.seccomp.listenerPath", path, state, fd)
