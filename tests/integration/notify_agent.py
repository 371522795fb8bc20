"""Somebody who answers seccomp notifications, as an agent on the host does (seccomp_unotify(2))."""

from __future__ import annotations

import array
import fcntl
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from tests.bundles import Json, mapping

RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
NOTIFICATION_SIZE: Final = 80
ANSWER: Final = struct.Struct("=QqiI")  # id, value, error, flags
PATIENCE: Final = 10


class Agent:
    """Listens at `path`; takes one descriptor and fails each notified call with `error`, until it is closed.

    error None: it drops the descriptor at once.
    """

    def __init__(self, path: Path, error: int | None) -> None:
        self.error = error
        self.messages: list[Mapping[str, Json]] = []
        self.answered = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.listener.settimeout(PATIENCE)
        self.wakeup = os.pipe()
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self.wakeup[1])
        self.thread.join()
        os.close(self.wakeup[0])
        self.listener.close()

    def _serve(self) -> None:
        ready, _, _ = select.select([self.listener.fileno(), self.wakeup[0]], [], [], PATIENCE)
        if self.listener.fileno() not in ready:
            return
        with self.listener.accept()[0] as connection:
            data, fds, _, _ = socket.recv_fds(connection, 65536, 2)
            more = connection.recv(65536)  # one message a connection, then its end
        assert more == b""
        self.messages.append(mapping(json.loads(data)))
        (fd,) = fds
        try:
            if self.error is not None:
                self._answer(fd, self.error)
        finally:
            os.close(fd)

    def _answer(self, fd: int, error: int) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self.wakeup[0], select.POLLIN)
        while True:
            events = dict(poll.poll(PATIENCE * 1000))
            if not events.get(fd, 0) & select.POLLIN:
                return  # the last process with the filter is gone, or the test is over
            call = array.array("B", bytes(NOTIFICATION_SIZE))
            fcntl.ioctl(fd, RECEIVE, call)
            (number,) = struct.unpack_from("=Q", call)
            fcntl.ioctl(fd, SEND, ANSWER.pack(number, 0, -error, 0))
            self.answered += 1
