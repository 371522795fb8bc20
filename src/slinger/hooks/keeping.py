"""What is kept of containers that are gone: one file for each life of an id, below the trace directory.

    <trace-dir>/<id>/<nanoseconds since the epoch at its end>.jsonl

Lines: {"container": {...}} first, then {"trace": ...} for each verb and {"hook": ...} for each run of a hook, as they
stood in the container's directory. Written under another name first, so that a reader sees a whole file or none.
"""

from __future__ import annotations

import os
import time

from slinger.errors import HostError
from slinger.host.store import HOOKS, TRACE
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.store import Home

SUFFIX = ".jsonl"


def keep(home: Home, bundle: str, directory: str) -> None:
    """Copy the records of a container that is about to go to the trace directory. HostError where that fails."""
    ended = time.time_ns()
    head = dump({"container": {"id": home.container_id, "bundle": bundle, "ended": ended}})
    lines = [head.encode()]
    for key, name in ((b"trace", TRACE), (b"hook", HOOKS)):
        lines += [b'{"%s":%s}' % (key, line) for line in (home.read_file(name) or b"").splitlines()]
    place = f"{directory}/{home.container_id}"
    draft = f"{place}/.{ended}.{os.getpid()}"
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            view = memoryview(b"\n".join([*lines, b""]))
            while view:
                view = view[os.write(fd, view) :]
        finally:
            os.close(fd)
        os.rename(draft, f"{place}/{ended}{SUFFIX}")
    except OSError as error:
        raise HostError.of("the trace directory", error) from error
