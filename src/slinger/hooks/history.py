"""What hooks/keeping.py has kept of containers that are gone, read again."""

from __future__ import annotations

import os

from slinger.errors import HostError, NotFoundError
from slinger.hooks.keeping import SUFFIX
from slinger.hooks.trace import Trace, read_trace
from slinger.host.store import HOOKS, TRACE, check_id
from slinger.spec.jsontext import dump, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.store import Home

READ_SIZE = 1 << 20


def trace_of(home: Home, bundle: str) -> Trace:
    """The trace of a container that is there."""
    return read_trace(home.container_id, bundle, 0, home.read_file(TRACE) or b"", home.read_file(HOOKS) or b"")


def lives(directory: str, container_id: str) -> tuple[str, ...]:
    """The files of an id, the newest first; () if nothing was kept."""
    check_id(container_id)
    place = f"{directory}/{container_id}"
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise HostError.of("the trace directory", error) from error
    numbers = sorted((name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)), key=_number, reverse=True)
    return tuple(f"{place}/{number}{SUFFIX}" for number in numbers if number.isdigit())


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def kept_ids(directory: str) -> tuple[str, ...]:
    """The ids of which something was kept, sorted. HostError if the directory cannot be read."""
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise HostError.of("the trace directory", error, hint="nothing was kept yet?") from error
    return tuple(sorted(name for name in names if os.path.isdir(f"{directory}/{name}")))


def all_lives(directory: str) -> list[tuple[Trace, int]]:
    """Every container that was kept, the last one first, each with its number among those of its id."""
    found = [
        (read_life(path), number)
        for container_id in kept_ids(directory)
        for number, path in enumerate(lives(directory, container_id), start=1)
    ]
    return sorted(found, key=lambda pair: -pair[0].ended)


def life(directory: str, container_id: str, number: int = 1) -> Trace:
    """A deleted container: the last of this id, or the ``number``-th last. NotFoundError if so many were not kept."""
    paths = lives(directory, container_id)
    if not paths:
        raise NotFoundError(f"nothing was kept of a container {container_id} in {directory}")
    if not 1 <= number <= len(paths):
        message = f"of {container_id} {directory} has {len(paths)}, and not {number}"
        raise NotFoundError(message, hint="1 is the last one")
    return read_life(paths[number - 1])


def read_life(path: str) -> Trace:
    """What a file of the trace directory tells. HostError if it is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = b"".join(iter(lambda: os.read(fd, READ_SIZE), b""))
        finally:
            os.close(fd)
    except OSError as error:
        raise HostError.of("the trace directory", error) from error
    parts: dict[str, list[str]] = {"trace": [], "hook": []}
    head: dict[str, object] = {}
    for line in text.splitlines():
        values = load(line, path)
        key, value = next(iter(values.items())) if isinstance(values, dict) and len(values) == 1 else ("", None)
        if key == "container" and isinstance(value, dict):
            head = dict(value)
        elif key in parts:
            parts[key].append(dump(value))
        else:
            raise HostError(f"{path}: not written by this version of slinger")
    ended = head.get("ended")
    if not isinstance(ended, int):
        raise HostError(f"{path}: not written by this version of slinger")
    trace, hooks = ("\n".join(parts[key]).encode() for key in ("trace", "hook"))
    return read_trace(str(head.get("id")), str(head.get("bundle")), ended, trace, hooks)
