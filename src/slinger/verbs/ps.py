"""``slinger ps``: the processes of a container, as the host sees them."""

from __future__ import annotations

import os

from slinger.container import Container
from slinger.errors import HostError
from slinger.spec.jsontext import dump
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.verbs import Call

DEFAULT = ("-ef",)
PLACES = ("/usr/bin/ps", "/bin/ps")


def main(call: Call) -> Outcome:
    """The pids as JSON, or the rows of the host's ps(1) that show them."""
    container = Container.load(call.arguments[0], root=call.root, warn=call.warn)
    try:
        pids = container.pids()
    finally:
        container.close()
    if call.options.text("format") == "json":
        return Outcome(f"{dump(sorted(pids))}\n")
    return Outcome(rows(table(call.arguments[1:] or DEFAULT), frozenset(pids)))


def table(options: tuple[str, ...]) -> str:
    """What the host's ps prints with these options. HostError if it fails."""
    program = next((path for path in PLACES if os.access(path, os.X_OK)), None)
    if program is None:
        raise HostError("ps: not installed", hint="apt-get install procps, or --format json")
    reader, writer = os.pipe()
    pid = os.posix_spawn(program, ("ps", *options), dict(os.environ), file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
    os.close(writer)
    try:
        text = b"".join(iter(lambda: os.read(reader, 1 << 16), b"")).decode("utf-8", "replace")
    finally:
        os.close(reader)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise HostError(f"ps {' '.join(options)}: exit status {os.waitstatus_to_exitcode(status)}")
    return text


def rows(text: str, pids: frozenset[int]) -> str:
    """The heading, and the rows whose PID column is one of ``pids``. HostError if there is no such column."""
    lines = text.splitlines()
    heading = lines[0].split() if lines else []
    if "PID" not in heading:
        raise HostError("ps: no PID column in what it prints", hint="the options must leave it in")
    column = heading.index("PID")
    kept = [lines[0]]
    for line in lines[1:]:
        cells = line.split()
        if len(cells) > column and cells[column].isdigit() and int(cells[column]) in pids:
            kept.append(line)
    return "\n".join(kept) + "\n"
