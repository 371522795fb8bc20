"""mounts: each entry as ops, in the order of the list (config.md, "Mounts")."""

from __future__ import annotations

from slinger.linux.flags import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW,
    MOUNT_ATTR_RDONLY,
    MS_REC,
    parse_options,
)
from slinger.plan import namespaces, ops
from slinger.plan.idmaps import IdMaps
from slinger.plan.labels import context_options, root_label
from slinger.plan.rootfs import opener, tree_propagation
from slinger.record import Record
from slinger.spec.validate_mounts import is_bind, resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.linux.flags import MountOptions
    from slinger.plan.facts import Facts, Hierarchy
    from slinger.plan.ops import Op
    from slinger.spec.config import Config, Mount

# Only ever on a real directory, never through a symlink of the image's (CVE-2019-19921, CVE-2023-27561).
REAL_DIRECTORY = frozenset({"proc", "sysfs"})
LOCKABLE = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
CGROUP_2 = 2
CGROUP_TYPES = frozenset({"cgroup", "cgroup2"})
FIRST_SLOT = 1
# What shows a namespace: type of file system -> type of namespace, and where the host has that one mounted.
SHOWN = {"sysfs": ("network", "/sys"), "proc": ("pid", "/proc")}


class Mounts(Record):
    """The ops of all mounts, by when they run."""

    sources: tuple[Op, ...]  # open what lies on the host
    mounts: tuple[Op, ...]
    late: tuple[Op, ...]  # read-only where nodes and mount points are made first
    slots: int


class _Builder:
    """Gathers the ops of one list of mounts; slots are counted as they are taken."""

    def __init__(self, config: Config, facts: Facts, bundle: str) -> None:
        self.config = config
        self.facts = facts
        self.bundle = bundle
        self.sources: list[Op] = []
        self.mounts: list[Op] = []
        self.late: list[Op] = []
        self.slots = FIRST_SLOT
        self.id_maps = IdMaps(config, facts, self.take_slot)
        self.in_cgroup = False
        self.destinations: list[str] = []

    def take_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def add(self, index: int, mount: Mount) -> None:
        origin = f"mounts[{index}]"
        options = parse_options(mount.options)
        if options.remount:
            self.remount(origin, mount.destination, options)
        elif options.copy_symlink and self.source(mount) in dict(self.facts.links):
            text = dict(self.facts.links)[self.source(mount)]
            self.mounts.append(ops.MakeLink(origin, path=resolved(mount.destination), target=text, exact=1))
            return  # a link has neither attributes nor propagation
        elif is_bind(mount, options):
            self.bind(origin, mount, options)
        elif mount.type == "cgroup2" and not self.only_v2():
            self.enter_cgroup()
            self.new(origin, mount, options)
        elif mount.type in CGROUP_TYPES:
            self.cgroup(origin, mount, options)
        else:
            self.new(origin, mount, options)
        self.propagation(origin, mount.destination, options)
        self.destinations.append(resolved(mount.destination))

    def source(self, mount: Mount) -> str:
        """Of a bind mount; a relative one begins at the bundle (config.md), as in host.machine."""
        return mount.source if mount.source.startswith("/") else f"{self.bundle}/{mount.source}"

    def bind(self, origin: str, mount: Mount, options: MountOptions) -> None:
        source = self.source(mount)
        in_order = self.shows_earlier(source, recursive=options.recursive)
        tree = ops.OpenTree(
            origin,
            by=ops.INIT if in_order else opener(self.facts),
            slot=self.take_slot(),
            path=source,
            recursive=int(options.recursive),
            propagation=tree_propagation(self.config),
            nofollow=int(options.src_nofollow),
        )
        opens = [tree, *self.id_maps.tree_ops(origin, mount, options, tree)]
        (self.mounts if in_order else self.sources).extend(opens)
        self.attach(origin, tree.slot, mount.destination, self.without_the_sources(options))

    def without_the_sources(self, options: MountOptions) -> MountOptions:
        """A bind mount whose options name a flag has the flags that they name and none of its source's, as with runc
        and crun; the access time is its own matter. In a user namespace the kernel may have locked the source's.
        """
        if not (options.attr_set or options.attr_clr):
            return options
        locked = namespaces.in_user_namespace(self.config, self.facts) or self.facts.in_user_namespace
        flags = MOUNT_ATTR_NOSYMFOLLOW if locked else MOUNT_ATTR_NOSYMFOLLOW | LOCKABLE
        return options.replace(attr_clr=options.attr_clr | flags & ~options.attr_set)

    def shows_earlier(self, source: str, *, recursive: bool) -> bool:
        """Whether a source lies in the container's root where mounts of the list come, which it is to show.

        By the names alone: then it is opened in its turn, where they are mounted, as runc and crun do with all sources.
        """
        path = resolved(source)
        for root in (self.facts.rootfs, resolved(f"{self.bundle}/{self.config.root.path}")):
            inside = path.removeprefix(root)
            if path != inside and (not inside or inside.startswith("/")):
                below = f"{inside}/" if recursive else "//"
                return any(f"{inside}/".startswith(f"{each}/") or each.startswith(below) for each in self.destinations)
        return False

    def attach(self, origin: str, slot: int, destination: str, options: MountOptions) -> None:
        self.mounts.append(
            ops.MountBind(
                origin,
                slot=slot,
                destination=destination,
                attr_set=options.attr_set,
                attr_clr=options.attr_clr,
                rec_set=options.rec_set,
                rec_clr=options.rec_clr,
                procfs=int(resolved(destination) == "/proc"),
                nofollow=int(options.dest_nofollow),
            )
        )

    def remount(self, origin: str, destination: str, options: MountOptions) -> None:
        """Change what is there: the mount, and unless that is all (``bind``) its super block (mount(2)).

        ``ro`` is for the mount alone, since a super block may be the host's as well; ``rw`` undoes both.
        """
        data = tuple(each for each in options.data if each != "ro")
        if data and not options.bind:
            self.mounts.append(ops.Reconfigure(origin, destination=destination, options=data))
        self.change(origin, destination, options)

    def change(self, origin: str, destination: str, options: MountOptions) -> None:
        self.mounts.append(
            ops.MountChange(
                origin,
                destination=destination,
                attr_set=options.attr_set,
                attr_clr=options.attr_clr,
                rec_set=options.rec_set,
                rec_clr=options.rec_clr,
                nofollow=int(options.dest_nofollow),
            )
        )

    def propagation(self, origin: str, destination: str, options: MountOptions) -> None:
        for flags in options.propagation:
            self.mounts.append(
                ops.MountChange(
                    origin,
                    destination=destination,
                    propagation=flags & ~MS_REC,
                    propagation_recursive=int(flags & MS_REC != 0),
                    nofollow=int(options.dest_nofollow),
                )
            )

    def new(self, origin: str, mount: Mount, options: MountOptions) -> None:
        # Read-only only once its nodes and mount points have been made, as runc does for /dev and tmpfs.
        is_late = mount.type == "tmpfs" or mount.destination.rstrip("/") == "/dev"
        attr_set = options.attr_set
        data = options.data
        if is_late and attr_set & MOUNT_ATTR_RDONLY:
            attr_set &= ~MOUNT_ATTR_RDONLY
            data = tuple(each for each in data if each != "ro")
            self.late.append(ops.MountChange(origin, destination=mount.destination, attr_set=MOUNT_ATTR_RDONLY))
        has_mode = any(each.startswith("mode=") for each in data)
        self.mounts.append(
            ops.MountNew(
                origin,
                type=mount.type,
                source=mount.source or mount.type,
                destination=mount.destination,
                options=data + context_options(self.config, mount.type, data),
                attr_set=attr_set,
                real_directory=int(mount.type in REAL_DIRECTORY),
                copy_mode=int(mount.type == "tmpfs" and not has_mode),
                copy_up=int(options.tmpcopyup),
                instead=self.instead(mount.type),
                instead_set=self.instead_set(mount.type),
                label=root_label(self.config, mount.type),
            )
        )
        if options.rec_set or options.rec_clr:
            self.change(origin, mount.destination, options.replace(attr_set=0, attr_clr=0))

    def instead(self, kind: str) -> str:
        """The host's mount, where a new one takes privilege over a namespace that is not the container's own.

        Whether we have that privilege the kernel knows: user_namespaces(7), mount_namespaces(7). Of cgroups no more is
        shown than the container's own.
        """
        if kind == "cgroup2":
            own = [each for each in self.facts.hierarchies if each.version == CGROUP_2]
            return f"{own[0].path}{own[0].own.rstrip('/')}" if own else ""
        namespace, place = SHOWN.get(kind, ("", ""))
        lacks_own = not namespaces.has_own(self.config, self.facts, namespace)
        inside = namespaces.in_user_namespace(self.config, self.facts) or self.facts.in_user_namespace
        return place if place and lacks_own and inside else ""

    def instead_set(self, kind: str) -> int:
        """What the host's mount gets beside what is asked: a cgroup that is a plain user's is not the program's as well
        (CVE-2023-25809), unless it has a namespace that makes it so.
        """
        shared = kind == "cgroup2" and not namespaces.has_own(self.config, self.facts, "cgroup")
        return MOUNT_ATTR_RDONLY if shared else 0

    def enter_cgroup(self) -> None:
        """The cgroup must be joined before it is shown; once is enough."""
        if not self.in_cgroup:
            self.mounts.extend(namespaces.cgroup_ops(self.config))
            self.in_cgroup = True

    def only_v2(self) -> bool:
        return {each.version for each in self.facts.hierarchies} == {CGROUP_2}

    def cgroup(self, origin: str, mount: Mount, options: MountOptions) -> None:
        self.enter_cgroup()
        if self.only_v2():
            plain = options.replace(data=tuple(each for each in options.data if each != "ro"))
            self.new(origin, mount.replace(type="cgroup2", source="cgroup"), plain)
            return
        self.cgroup_v1(origin, mount, options)

    def cgroup_v1(self, origin: str, mount: Mount, options: MountOptions) -> None:
        """A tmpfs with one directory a hierarchy, and a link for each of several controllers on one."""
        base = mount.destination.rstrip("/")
        writable = options.attr_set & ~MOUNT_ATTR_RDONLY
        data = ("mode=755", *context_options(self.config, "tmpfs"))
        self.mounts.append(
            ops.MountNew(origin, type="tmpfs", source="tmpfs", destination=base, options=data, attr_set=writable)
        )
        for hierarchy in self.facts.hierarchies:
            if hierarchy.version == 1:
                self.cgroup_v1_hierarchy(origin, base, hierarchy, options)
        if options.attr_set & MOUNT_ATTR_RDONLY:
            self.late.append(ops.MountChange(origin, destination=base, attr_set=MOUNT_ATTR_RDONLY))

    def cgroup_v1_hierarchy(self, origin: str, base: str, hierarchy: Hierarchy, options: MountOptions) -> None:
        name = hierarchy.path.rsplit("/", 1)[-1]
        destination = f"{base}/{name}"
        if namespaces.has_own(self.config, self.facts, "cgroup"):
            self.mounts.append(
                ops.MountNew(
                    origin,
                    type="cgroup",
                    source="cgroup",
                    destination=destination,
                    options=_controller_options(hierarchy),
                    attr_set=options.attr_set,
                )
            )
        else:
            slot = self.take_slot()
            self.mounts.append(ops.OpenTree(origin, slot=slot, path=f"{hierarchy.path}{hierarchy.own.rstrip('/')}"))
            self.attach(origin, slot, destination, options)
        if len(hierarchy.controllers) > 1:
            self.mounts.extend(
                ops.MakeLink(origin, path=f"{base}/{controller}", target=name)
                for controller in hierarchy.controllers
                if controller != name
            )


def _controller_options(hierarchy: Hierarchy) -> tuple[str, ...]:
    """What selects this hierarchy again: its controllers, or the name of one without (cgroups(7))."""
    if hierarchy.controllers and hierarchy.controllers[0].startswith("name="):
        return ("none", *hierarchy.controllers)
    return hierarchy.controllers


def mount_ops(config: Config, facts: Facts, bundle: str) -> Mounts:
    """All mounts. The cgroup gate is among them where a cgroup mount needs it."""
    builder = _Builder(config, facts, bundle)
    for index, mount in enumerate(config.mounts):
        builder.add(index, mount)
    builder.enter_cgroup()
    return Mounts(tuple(builder.sources), tuple(builder.mounts), tuple(builder.late), builder.slots)
