"""The log file that the caller names with --log: one line a message, in the two formats of runc.

containerd's shim reads the last JSON object of level ``error``; podman parses the whole file as one
object. So a JSON log gets the one error and nothing else, unless debugging was asked for: that choice
is cli.py's, this file only writes.
"""

from __future__ import annotations

import os
import time
from _json import encode_basestring, encode_basestring_ascii

from slinger.errors import HostError

TEXT = "text"
JSON = "json"
FORMATS = (TEXT, JSON)

ERROR = "error"
WARNING = "warning"
DEBUG = "debug"


def line(form: str, level: str, message: str, when: float) -> str:
    """One line of the log; ``when`` in seconds since the epoch, shown as RFC 3339 in UTC."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
    if form == JSON:
        return f'{{"level":"{level}","msg":{encode_basestring_ascii(message)},"time":"{stamp}"}}\n'
    return f'time="{stamp}" level={level} msg={encode_basestring(message)}\n'


class Log:
    """A log file. It is opened for each line: a descriptor held open could be one of --preserve-fds."""

    def __init__(self, path: str, form: str = TEXT) -> None:
        self.path = path
        self.form = form

    def check(self) -> None:
        """Raise HostError unless the file can be written; it exists afterwards."""
        self._append(b"")

    def write(self, level: str, message: str) -> None:
        """Append one line; HostError if that fails."""
        self._append(line(self.form, level, message, time.time()).encode("utf-8", "backslashreplace"))

    def _append(self, data: bytes) -> None:
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if data:
                    os.write(fd, data)  # one write: O_APPEND keeps lines of several processes apart
            finally:
                os.close(fd)
        except OSError as error:
            error.filename = self.path
            raise HostError.of("--log", error) from error
