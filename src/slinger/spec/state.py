"""The state of a container as JSON: for ``slinger state``, and for the standard input of hooks.

Sources: runtime-spec 1.3 runtime.md, "State"; the extra members are runc's, which callers read.
"""

from __future__ import annotations

from slinger.record import Record
from slinger.spec.jsontext import dump, dump_pretty
from slinger.version import SPEC_VERSION

__all__ = ("SPEC_VERSION", "State", "hook_state_parts", "process_state_text", "state_text")


class State(Record):
    """What is said about a container. ``pid`` is None when there is no process; ``created`` is RFC 3339 in UTC."""

    oci_version: str
    id: str
    status: str
    pid: int | None
    bundle: str
    annotations: tuple[tuple[str, str], ...] = ()
    rootfs: str = ""
    created: str = ""
    owner: str = ""


def state_text(state: State) -> str:
    """The state as ``runc state`` prints it: pid 0 when stopped, members in runc's order, indented by 2."""
    return dump_pretty(_members(state), "  ")


def state_line(state: State) -> str:
    """The same without spaces, as ``runc list`` has it."""
    return dump(_members(state))


def _members(state: State) -> dict[str, object]:
    return {
        "ociVersion": state.oci_version,
        "id": state.id,
        "pid": state.pid or 0,
        "status": state.status,
        "bundle": state.bundle,
        "rootfs": state.rootfs,
        "created": state.created,
        "annotations": dict(state.annotations),
        "owner": state.owner,
    }


def hook_state_parts(
    *,
    id: str,  # noqa: A002  the spec's word
    status: str,
    bundle: str,
    annotations: tuple[tuple[str, str], ...],
    root: str | None,
    with_pid: bool,
) -> tuple[str, str]:
    """The state that hooks read, around the pid: ``head + str(pid) + tail`` is the whole document.

    The pid is left out because only the hands learn it. Without one (``with_pid`` False: the container is
    stopped) the head is the whole and the tail "". ``root`` None leaves that member out.
    """
    before = dump({"ociVersion": SPEC_VERSION, "id": id, "status": status})[:-1]
    members: dict[str, object] = {"bundle": bundle, "annotations": dict(annotations)}
    if root is not None:
        members["root"] = root
    after = "," + dump(members)[1:]
    return (f'{before},"pid":', after) if with_pid else (before + after, "")


def process_state_text(state: State, pid: int, metadata: str) -> str:
    """The container process state that goes to linux.seccomp.listenerPath (config-linux.md), as JSON.

    ``pid`` is that of the process whose calls are notified, as the runtime sees it.
    """
    container = {
        "ociVersion": state.oci_version,
        "id": state.id,
        "status": state.status,
        "pid": state.pid or 0,
        "bundle": state.bundle,
        "annotations": dict(state.annotations),
    }
    members: dict[str, object] = {"ociVersion": state.oci_version, "fds": ["seccompFd"], "pid": pid}
    if metadata:
        members["metadata"] = metadata
    return dump({**members, "state": container})
