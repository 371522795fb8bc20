"""``slinger list``: the containers below the state root, as a table or as JSON, in the form of runc's."""

from __future__ import annotations

import os
import pwd

from slinger.container import containers, default_root
from slinger.errors import HostError, NotFoundError
from slinger.spec.state import state_line
from slinger.verbs import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from slinger.spec.state import State
    from slinger.verbs import Call

HEAD = ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")
NARROWEST = 12
GAP = 3


def main(call: Call) -> Outcome:
    """Answer with the containers: ids, a table, or JSON."""
    found = states(call.root, call.warn)
    if call.options.flag("quiet"):
        return Outcome("".join(f"{state.id}\n" for state in found))
    if call.options.text("format") == "json":
        return Outcome(json_text(found))
    return Outcome(table([HEAD, *(row(state) for state in found)]))


def states(root: str, warn: Callable[[str], None]) -> list[State]:
    """The states of all containers that can be read. A default root that is not there yet has none; HostError for a
    named one.
    """
    if not os.path.isdir(root or default_root()):
        if root:
            message = f"--root {root}: no such directory"
            raise HostError(message)
        return []
    found: list[State] = []
    for container in containers(root or default_root(), warn):
        try:
            found.append(container.state().replace(owner=owner(root or default_root(), container.id)))
        except NotFoundError:
            continue  # deleted since the directory was read
        finally:
            container.close()
    return found


def owner(root: str, container_id: str) -> str:
    """Who made the container: the owner of its directory, as a name where it has one."""
    try:
        uid = os.stat(os.path.join(root, container_id)).st_uid
    except FileNotFoundError as error:
        message = "container does not exist"
        raise NotFoundError(message) from error
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def row(state: State) -> tuple[str, ...]:
    """The columns of HEAD."""
    return (state.id, str(state.pid or 0), state.status, state.bundle, state.created, state.owner)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns at least 12 wide, 3 apart; the last one as it is, for scripts that split at spaces."""
    widths = [max(NARROWEST, *(len(cell) + GAP for cell in column)) for column in zip(*rows, strict=True)]
    lines = ["".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)) for cells in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def json_text(found: Sequence[State]) -> str:
    """An array of states; ``null`` and not an empty one, as runc and its readers have it."""
    return f"[{','.join(state_line(state) for state in found)}]\n" if found else "null\n"
