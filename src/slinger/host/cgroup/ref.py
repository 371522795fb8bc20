"""Which directories are a container's cgroup, and which of them are ours to remove.

All that removal needs is found by looking, before anything is made, and stored: a create that is killed
at any point leaves nothing that the record does not name.
"""

from __future__ import annotations

from slinger.errors import ConfigError, HostError
from slinger.host.cgroup import files
from slinger.plan.facts import Hierarchy
from slinger.record import Record
from slinger.spec.jsontext import dump, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.plan.systemd_unit import Property, Unit
    from slinger.spec.jsontext import Json

ORIGIN = "linux.cgroupsPath"


class Place(Record):
    """The container's cgroup in one hierarchy. All paths are absolute, on the host."""

    mount: str  # where the hierarchy is mounted
    version: int
    controllers: tuple[str, ...]  # () on v2
    path: str
    base: str  # the nearest directory that was there before us: ``path`` itself, or an ancestor
    kept: tuple[str, ...] = ()  # where ``path`` was there: its children, which were there too

    @property
    def ours(self) -> bool:
        """Whether the cgroup itself is made by us."""
        return self.base != self.path

    def made(self) -> tuple[str, ...]:
        """The directories that were not there, from the cgroup itself up to below ``base``."""
        paths: list[str] = []
        path = self.path
        while path != self.base:
            paths.append(path)
            path = path.rpartition("/")[0]
        return tuple(paths)


class Ref(Record):
    """A container's cgroups. Without places it has none, and every operation on it does nothing."""

    places: tuple[Place, ...] = ()
    rootless: bool = False  # no privilege over the host: device rules cannot be set
    optional: bool = False  # nobody asked for a cgroup: do without where permission is missing
    unit: Unit | None = None  # systemd's, whose cgroup it is
    start: tuple[Property, ...] = ()  # what the first join starts the unit with; not stored

    @property
    def version(self) -> int:
        """What resources are converted for: 2 where v2 is all there is, else 1."""
        return 2 if self.places and all(place.version == 2 for place in self.places) else 1  # noqa: PLR2004

    def main(self) -> Place | None:
        """The place that is asked for processes and frozen: the v1 freezer's, else v2's, else any."""
        by_rank = sorted(self.places, key=lambda place: ("freezer" not in place.controllers, -place.version))
        return by_rank[0] if by_rank else None

    def unified(self) -> Place | None:
        """The place in the v2 hierarchy."""
        return next((place for place in self.places if place.version != 1), None)

    def hierarchies(self) -> tuple[Hierarchy, ...]:
        """The facts for a plan: each hierarchy with the container's own cgroup in it."""
        return tuple(
            Hierarchy(each.mount, each.controllers, each.version, each.path.removeprefix(each.mount) or "/")
            for each in self.places
        )

    def text(self) -> str:
        """As JSON, for the state record."""
        places = [
            {
                "mount": each.mount,
                "version": each.version,
                "controllers": each.controllers,
                "path": each.path,
                "base": each.base,
                "kept": each.kept,
            }
            for each in self.places
        ]
        unit = self.unit and self.unit.row()
        return dump({"places": places, "rootless": self.rootless, "optional": self.optional, "unit": unit})

    @classmethod
    def parse(cls, text: str) -> Ref:
        """What ``text`` was made of; "" is no cgroup. HostError for anything that this class did not write."""
        if not text:
            return cls()
        try:
            match load(text.encode("utf-8", "surrogateescape"), "the cgroup record"):
                case {"places": [*places], "rootless": bool(rootless), "optional": bool(optional), "unit": unit}:
                    return cls(tuple(_place(each) for each in places), rootless, optional, _unit(unit))
                case _:
                    raise HostError("the cgroup record: not written by this version of slinger")
        except ConfigError as error:
            raise HostError(error.message) from error


def _place(value: Json) -> Place:
    match value:
        case {
            "mount": str(mount),
            "version": int(version),
            "controllers": [*controllers],
            "path": str(path),
            "base": str(base),
            "kept": [*kept],
        }:
            place = Place(mount, version, _names(controllers), path, base, _names(kept))
            # Directories are removed by this record: one that does not fit together removes nothing.
            if place.path.startswith(f"{mount}/") and (place.path == base or place.path.startswith(f"{base}/")):
                return place
        case _:
            pass
    raise HostError("the cgroup record: not written by this version of slinger")


def _unit(value: Json) -> Unit | None:
    if value is None:
        return None
    from slinger.plan.systemd_unit import Unit  # noqa: PLC0415 - only where systemd was asked for one

    match value:
        case {"name": str(name), "slice": str(slice_name), "user": bool(user), "description": str(description)}:
            return Unit(name, slice_name, user, description)
        case _:
            raise HostError("the cgroup record: not written by this version of slinger")


def _names(values: list[Json]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))


def locate(cgroups_path: str, container_id: str, hierarchies: tuple[Hierarchy, ...], *, rootless: bool) -> Ref:
    """Where the container's cgroups are to be; nothing is made.

    An absolute cgroupsPath counts from each hierarchy's mount; a relative one, or else the container's id,
    from the caller's own cgroup (on v2 from its parent, because a cgroup with processes cannot pass
    controllers on: cgroup-v2.rst, "No Internal Process Constraint"). ".." does not lead out of there.
    ``rootless``: without privilege over the host, by user id or by user namespace.

    Raises ConfigError for the root cgroup, HostError for a cgroup that is there already and in use, or frozen.
    """
    inner = _cleaned(cgroups_path) or container_id
    if cgroups_path.startswith("/") and not _cleaned(cgroups_path):
        raise ConfigError(ORIGIN, f'"{cgroups_path}" is the root cgroup, which has processes of others')
    alone = all(each.version != 1 for each in hierarchies)
    places: list[Place] = []
    for each in hierarchies:
        mount = each.path.rstrip("/")
        own = "" if cgroups_path.startswith("/") else each.own.rstrip("/")
        start = mount + (own.rpartition("/")[0] if alone else own)
        place = look(Place(mount, each.version, each.controllers, f"{start}/{inner}", start))
        if not place.ours:
            check_unused(place)
        if place.base != mount:
            check_thawed(place, place.base)
        places.append(place)
    return Ref(tuple(places), rootless, rootless and not cgroups_path)


def _cleaned(path: str) -> str:
    """Without "." and "//", and with ".." as if "/" were the start; no slash at either end."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def look(place: Place) -> Place:
    """With what is there already. ``place.base``, the directory that it starts from, is known to be there."""
    try:
        if files.exists(place.path):
            return place.replace(base=place.path, kept=files.children(place.path))
        path = place.path.rpartition("/")[0]
        while path != place.base and not files.exists(path):
            path = path.rpartition("/")[0]
    except OSError as error:
        raise files.refused(f"{ORIGIN}: looking for {error.filename}", error) from error
    return place.replace(base=path)


def check_unused(place: Place) -> None:
    """HostError if the cgroup, or one below it, has processes."""
    from slinger.host.cgroup import members  # noqa: PLC0415 - rare: a new container's cgroup is new

    found = len(members.pids(Ref((place,))))
    if found:
        message = f"container's cgroup is not empty: {found} process(es) found"
        raise HostError(message, hint=f"{place.path} belongs to something else; choose another {ORIGIN}")


def check_thawed(place: Place, path: str) -> None:
    """HostError if this cgroup, which is there, or one above it is frozen: a process would stand still in it."""
    from slinger.host.cgroup import members  # noqa: PLC0415 - only where the cgroup is below others

    frozen = members.frozen_from(place, path)
    if frozen:
        raise HostError("container's cgroup unexpectedly frozen", hint=f"thaw {frozen}, or choose another {ORIGIN}")
