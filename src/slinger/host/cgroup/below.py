"""``exec --cgroup``: the container's cgroups with some of them one level or more below."""

from __future__ import annotations

import os

from slinger.errors import ConfigError, HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.host.cgroup.ref import Place, Ref

OPTION = "--cgroup"


def below(ref: Ref, values: tuple[str, ...]) -> Ref:
    """The cgroups that a process joins by ``--cgroup [CONTROLLER[,...]:]PATH``.

    A path without controllers is for every hierarchy, and then the only one. On v1 each hierarchy may get its own,
    and one that gets none keeps the container's cgroup; v2 is a single hierarchy, whose controllers are not named.
    Nothing is made: who wants a cgroup below the container's makes it. Raises ConfigError, and HostError for a
    cgroup that there is not.
    """
    if not values:
        return ref
    paths = _paths(values)
    if not ref.places:
        raise ConfigError(OPTION, "the container has no cgroup")
    if ref.version != 1 and "" not in paths:
        message = f'"{values[0]}" names controllers, which cgroup v2 has no cgroups of their own for'
        raise ConfigError(OPTION, message, hint=f"{OPTION} PATH")
    known = {name for place in ref.places for name in place.controllers}
    for name in paths:
        if name and name not in known:
            raise ConfigError(OPTION, f'the container has no cgroup of the controller "{name}"')
    return ref.replace(places=tuple(_placed(place, paths) for place in ref.places))


def _paths(values: tuple[str, ...]) -> dict[str, str]:
    """Path by controller, "" for every one."""
    paths: dict[str, str] = {}
    for value in values:
        names, colon, path = value.rpartition(":")
        if ":" in names or not path or (colon and not names):
            raise ConfigError(OPTION, f'must be [CONTROLLER[,...]:]PATH, not "{value}"')
        if ".." in path.split("/"):
            raise ConfigError(OPTION, f'"{path}" leads out of the container\'s cgroup')
        if not colon and len(values) > 1:
            raise ConfigError(OPTION, f'"{value}" is for every controller, so it must be the only one')
        for name in names.split(","):
            if colon and not name:
                raise ConfigError(OPTION, f'must be [CONTROLLER[,...]:]PATH, not "{value}"')
            if name in paths:
                raise ConfigError(OPTION, f'the controller "{name}" is named twice')
            paths[name] = "/".join(part for part in path.split("/") if part not in {"", "."})
    return paths


def _placed(place: Place, paths: dict[str, str]) -> Place:
    asked = {paths[name] for name in ("", *place.controllers) if name in paths}
    if len(asked) > 1:
        names = ",".join(place.controllers)
        raise ConfigError(OPTION, f'"{names}" are one hierarchy and cannot have different paths')
    inner = "".join(asked)
    if not inner:
        return place
    path = f"{place.path}/{inner}"
    if not os.path.isdir(path):
        message = f"{OPTION}: no cgroup {path}"
        raise HostError(message, hint="it must be there already: mkdir")
    return place.replace(path=path)
