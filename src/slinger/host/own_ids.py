"""The ids that the caller may map into a new user namespace: what this machine says of them."""

from __future__ import annotations

import os

from slinger.errors import HostError
from slinger.host.idmap import finds_helpers
from slinger.spec.default_maps import every_own_id, id_and_subordinates, subordinates, with_maps


def map_own_ids(text: bytes) -> bytes:
    """A configuration's text with mappings: root maps every id that there is, another user itself and its subordinates.

    HostError for a file of the machine that is there and cannot be read.
    """
    if os.geteuid() == 0:
        return with_maps(text, every_own_id(_read("/proc/self/uid_map")), every_own_id(_read("/proc/self/gid_map")))
    names = _own_names()
    uids = subordinates(_read("/etc/subuid"), names)
    gids = subordinates(_read("/etc/subgid"), names)
    if not (uids and gids and finds_helpers()):
        uids = gids = ()  # users alone would own files of groups that are nobody's in there
    return with_maps(text, id_and_subordinates(os.geteuid(), uids), id_and_subordinates(os.getegid(), gids))


def _own_names() -> tuple[str, ...]:
    """As subuid(5) may call the caller: by name or by number."""
    import pwd  # noqa: PLC0415 - hardly any container needs it

    number = str(os.geteuid())
    try:
        return (pwd.getpwuid(os.geteuid()).pw_name, number)
    except KeyError:
        return (number,)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise HostError.of(f"reading {path}", error) from error
