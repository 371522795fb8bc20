"""Handing over: to a socket a terminal's master, a pidfd or a seccomp listener; the pid to a file."""

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


def write_pid_file(path: str, pid: int) -> None:
    """Whole or not at all: decimal, no newline, under a temporary name first, as its readers expect."""
    draft = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, str(pid).encode())
        finally:
            os.close(fd)
        os.rename(draft, path)
    except OSError as error:
        raise HostError.of(f"--pid-file {path}", error) from error
