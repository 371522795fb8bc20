"""plan/mounts.py: each entry of mounts as ops."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.linux.flags import (
    CLONE_NEWCGROUP,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW,
    MOUNT_ATTR_RDONLY,
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
)
from slinger.plan import ops
from slinger.plan.facts import Facts, Hierarchy
from slinger.plan.mounts import Mounts, mount_ops
from slinger.plan.ops import INIT, OUTER, Op
from tests.unit.documents import parsed

V2 = (Hierarchy("/sys/fs/cgroup", (), 2, "/box"),)
V1 = (
    Hierarchy("/sys/fs/cgroup/cpu,cpuacct", ("cpu", "cpuacct"), 1, "/box"),
    Hierarchy("/sys/fs/cgroup/memory", ("memory",), 1, "/"),
    Hierarchy("/sys/fs/cgroup/systemd", ("name=systemd",), 1, "/sys/box"),
    Hierarchy("/sys/fs/cgroup/unified", (), 2, "/box"),
)
FACTS = Facts(rootfs="/r", hierarchies=V2)
GATE = ops.Gate("linux.cgroupsPath", name=ops.GATE_CGROUP)
FLAGS = ["nosuid", "noexec", "nodev"]
OTHER_FLAGS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSYMFOLLOW
ATTRIBUTES = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV


def mount(destination: str, kind: str, source: str, *options: str) -> dict[str, object]:
    """One entry."""
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def plan(*mounts: dict[str, object], facts: Facts = FACTS, more: tuple[tuple[str, object], ...] = ()) -> Mounts:
    """The ops for a list of mounts."""
    return mount_ops(parsed(("mounts", list(mounts)), *more), facts, "/bundle")


def new(**fields: str | int | tuple[str, ...]) -> Op:
    """The op for a new file system that is the first of the list."""
    return ops.MountNew("mounts[0]", **fields)  # type: ignore[arg-type]


def test_every_plan_has_the_cgroup_gate_once() -> None:
    """At the end where no mount needs it earlier."""
    assert plan() == Mounts((), (GATE,), (), 1)


def test_a_file_system_is_made_with_its_own_options_and_attributes() -> None:
    """Attributes go to the mount, what is the file system's own to it; the source may be left out."""
    done = plan(mount("/a", "tmpfs", "", "nosuid", "size=64k", "mode=700"))
    assert done.mounts == (
        new(
            type="tmpfs", source="tmpfs", destination="/a", options=("size=64k", "mode=700"), attr_set=MOUNT_ATTR_NOSUID
        ),
        GATE,
    )


def test_a_tmpfs_without_a_mode_has_that_of_the_directory_it_covers() -> None:
    """As runc has it; other file systems have their own."""
    done = plan(mount("/a", "tmpfs", "t"), mount("/b", "ramfs", "r"), mount("/c", "tmpfs", "t", "tmpcopyup"))
    assert [(op.copy_mode, op.copy_up) for op in done.mounts if isinstance(op, ops.MountNew)] == [
        (1, 0),
        (0, 0),
        (1, 1),
    ]


@pytest.mark.parametrize(("kind", "real"), [("proc", 1), ("sysfs", 1), ("tmpfs", 0), ("mqueue", 0)])
def test_only_proc_and_sysfs_refuse_a_symlink(kind: str, real: int) -> None:
    """CVE-2019-19921, CVE-2023-27561."""
    op = plan(mount("/a", kind, kind)).mounts[0]
    assert isinstance(op, ops.MountNew)
    assert op.real_directory == real


@pytest.mark.parametrize("destination", ["/dev", "/dev/", "/scratch"])
def test_a_read_only_tmpfs_becomes_so_when_all_is_made_in_it(destination: str) -> None:
    """Nodes and mount points come first."""
    done = plan(mount(destination, "tmpfs", "tmpfs", "ro", "nosuid", "mode=755"))
    assert done.mounts == (
        new(type="tmpfs", source="tmpfs", destination=destination, options=("mode=755",), attr_set=MOUNT_ATTR_NOSUID),
        GATE,
    )
    assert done.late == (ops.MountChange("mounts[0]", destination=destination, attr_set=MOUNT_ATTR_RDONLY),)


@pytest.mark.parametrize(
    ("kind", "namespaces", "nested", "instead"),
    [
        ("sysfs", ("mount",), False, ""),
        ("sysfs", ("mount",), True, "/sys"),
        ("sysfs", ("mount", "user"), False, "/sys"),
        ("sysfs", ("mount", "user", "network"), False, ""),
        ("proc", ("mount", "user"), False, "/proc"),
        ("proc", ("mount", "user", "pid"), False, ""),
        ("tmpfs", ("mount", "user"), True, ""),
    ],
)
def test_in_a_user_namespace_what_shows_the_hosts_namespace_may_be_the_hosts_mount(
    kind: str, namespaces: tuple[str, ...], *, nested: bool, instead: str
) -> None:
    """Never where the container has a namespace of its own: the host's mount would show the wrong one."""
    more: list[tuple[str, object]] = [("linux.namespaces", [{"type": each} for each in namespaces])]
    if "user" in namespaces:
        maps = [{"containerID": 0, "hostID": 1, "size": 1}]
        more += [("linux.uidMappings", maps), ("linux.gidMappings", maps)]
    facts = FACTS.replace(in_user_namespace=nested)
    op = plan(mount("/x" if kind == "tmpfs" else f"/{kind}", kind, kind), facts=facts, more=tuple(more)).mounts[0]
    assert isinstance(op, ops.MountNew)
    assert op.instead == instead


def test_another_read_only_file_system_is_so_at_once() -> None:
    """The super block too."""
    done = plan(mount("/sys", "sysfs", "sysfs", "ro"))
    assert done.late == ()
    assert done.mounts[0] == new(
        type="sysfs", source="sysfs", destination="/sys", options=("ro",), attr_set=MOUNT_ATTR_RDONLY, real_directory=1
    )


@pytest.mark.parametrize(
    ("entry", "recursive"),
    [
        (mount("/a", "bind", "/src"), 0),
        (mount("/a", "none", "/src", "bind"), 0),
        (mount("/a", "", "/src", "rbind"), 1),
        (mount("/a", "bind", "/src", "rbind"), 1),
    ],
)
@pytest.mark.parametrize(
    ("facts", "by"),
    [(FACTS, OUTER), (FACTS.replace(euid=1000), INIT), (FACTS.replace(owns_mounts=False), INIT)],
)
def test_a_source_is_opened_on_the_host_by_who_may(
    entry: dict[str, object], recursive: int, facts: Facts, by: str
) -> None:
    """By outer as root; rootless, and in another's mount namespace, by init, which has the privilege in its own."""
    done = plan(entry, facts=facts)
    assert done.sources == (ops.OpenTree("mounts[0]", by=by, slot=1, path="/src", recursive=recursive),)
    assert done.mounts == (ops.MountBind("mounts[0]", slot=1, destination="/a"), GATE)
    assert done.slots == 2


def test_a_relative_source_is_the_bundles() -> None:
    """config.md, "Mounts": relative to the bundle."""
    assert [op.path for op in plan(mount("/a", "bind", "x/y")).sources if isinstance(op, ops.OpenTree)] == [
        "/bundle/x/y"
    ]


def test_a_bind_mount_has_attributes_and_then_its_propagation() -> None:
    """Several changes of propagation in the order in which they are written; recursive ones say so."""
    done = plan(mount("/a", "bind", "/s", "rbind", "ro", "rnoexec", "rslave", "shared"))
    assert done.mounts == (
        ops.MountBind(
            "mounts[0]",
            slot=1,
            destination="/a",
            attr_set=MOUNT_ATTR_RDONLY,
            attr_clr=OTHER_FLAGS,
            rec_set=MOUNT_ATTR_NOEXEC,
        ),
        ops.MountChange("mounts[0]", destination="/a", propagation=MS_SLAVE, propagation_recursive=1),
        ops.MountChange("mounts[0]", destination="/a", propagation=MS_SHARED),
        GATE,
    )


SEVEN: list[dict[str, int]] = [{"containerID": 0, "hostID": 7, "size": 1}, {"containerID": 5, "hostID": 8, "size": 2}]
OWN_MAPS: dict[str, object] = {"uidMappings": SEVEN, "gidMappings": SEVEN[:1]}
USER_MAPS: tuple[tuple[str, object], ...] = (("linux.uidMappings", SEVEN), ("linux.gidMappings", SEVEN))
NEW_USER: tuple[tuple[str, object], ...] = (
    ("linux.namespaces", [{"type": "mount"}, {"type": "uts"}, {"type": "user"}]),
    *USER_MAPS,
)
JOINED_USER: tuple[tuple[str, object], ...] = (
    ("linux.namespaces", [{"type": "mount"}, {"type": "uts"}, {"type": "user", "path": "/proc/7/ns/user"}]),
)


def id_map(origin: str, **fields: str) -> Op:
    """The user namespace of slot 2, which outer makes or opens."""
    return ops.IdMap(origin, by=OUTER, slot=2, **fields)


@pytest.mark.parametrize(
    ("entry", "more", "expected"),
    [
        (OWN_MAPS, (), id_map("mounts[0].uidMappings", uids="0 7 1\n5 8 2\n", gids="0 7 1\n")),
        (OWN_MAPS, NEW_USER, id_map("mounts[0].uidMappings", uids="0 7 1\n5 8 2\n", gids="0 7 1\n")),
        (OWN_MAPS, JOINED_USER, id_map("mounts[0].uidMappings", uids="0 7 1\n5 8 2\n", gids="0 7 1\n")),
        ({}, NEW_USER, id_map("linux.uidMappings", uids="0 7 1\n5 8 2\n", gids="0 7 1\n5 8 2\n")),
        ({}, JOINED_USER, id_map("linux.namespaces[2]", path="/proc/7/ns/user")),
    ],
)
@pytest.mark.parametrize(("option", "recursive"), [("idmap", 0), ("ridmap", 1)])
def test_a_mount_is_mapped_by_its_own_maps_or_the_containers(
    entry: dict[str, object], more: tuple[tuple[str, object], ...], expected: Op, option: str, recursive: int
) -> None:
    """Before it is attached: a mount that somebody could have seen cannot be mapped any more (mount_setattr(2))."""
    done = plan({**mount("/a", "bind", "/src", "bind", option), **entry}, more=more)
    assert done.sources == (
        ops.OpenTree("mounts[0]", by=OUTER, slot=1, path="/src"),
        expected,
        ops.MapTree("mounts[0]", by=OUTER, slot=1, map_slot=2, path="/src", recursive=recursive),
    )


def test_mounts_with_the_same_maps_share_a_user_namespace() -> None:
    """Others have one of their own; options idmap and ridmap may be left out where there are maps."""
    mounts = [{**mount("/a", "bind", "/1"), **OWN_MAPS}, {**mount("/b", "bind", "/2", "ridmap"), **OWN_MAPS}]
    done = plan(*mounts, mount("/c", "bind", "/3", "idmap"), mount("/d", "bind", "/4"), more=NEW_USER)
    assert [(op.slot, op.map_slot) for op in done.sources if isinstance(op, ops.MapTree)] == [(1, 2), (3, 2), (4, 5)]
    assert [op.slot for op in done.sources if isinstance(op, ops.IdMap)] == [2, 5]
    assert done.slots == 7


def test_maps_are_made_outside_even_where_init_opens_the_sources() -> None:
    """The ids that they lead to are the runtime's."""
    entry = {**mount("/a", "bind", "/src", "idmap"), **OWN_MAPS}
    assert [op.by for op in plan(entry, facts=FACTS.replace(owns_mounts=False)).sources] == [INIT, OUTER, INIT]


def test_the_runtimes_own_user_namespace_maps_nothing() -> None:
    """Entered by its path or not at all."""
    with pytest.raises(ConfigError) as caught:
        plan(mount("/a", "bind", "/src", "idmap"), more=JOINED_USER, facts=FACTS.replace(joined=("user",)))
    assert str(caught.value) == (
        "mounts[0].uidMappings: required, because there is no user namespace to take them from"
    )


def test_slots_are_counted_on() -> None:
    """Slot 0 is the root's."""
    done = plan(mount("/a", "bind", "/1"), mount("/t", "tmpfs", "t"), mount("/b", "bind", "/2"))
    assert [op.slot for op in done.sources if isinstance(op, ops.OpenTree)] == [1, 2]
    assert done.slots == 3


def test_a_remount_changes_what_is_there() -> None:
    """And nothing is mounted."""
    done = plan(mount("/a", "none", "none", "remount", "ro", "nosuid"))
    change = ops.MountChange("mounts[0]", destination="/a", attr_set=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    assert done == Mounts((), (change, GATE), (), 1)


def test_a_remount_changes_the_super_block_unless_it_is_of_a_bind() -> None:
    """``rw`` has to undo what ``ro`` did to a new file system; ``ro`` is for the mount: others may show the same."""
    done = plan(mount("/a", "tmpfs", "t", "remount", "rw", "size=1", "sync", "ro", "rw"))
    assert done.mounts == (
        ops.Reconfigure("mounts[0]", destination="/a", options=("size=1", "sync", "rw")),
        ops.MountChange("mounts[0]", destination="/a", attr_clr=MOUNT_ATTR_RDONLY),
        GATE,
    )
    done = plan(mount("/a", "none", "none", "bind", "remount", "rw", "nosuid"))
    assert done.mounts == (
        ops.MountChange("mounts[0]", destination="/a", attr_set=MOUNT_ATTR_NOSUID, attr_clr=MOUNT_ATTR_RDONLY),
        GATE,
    )


@pytest.mark.parametrize("source", ["/r/data", "/bundle/rootfs/data", "rootfs/data", "rootfs/./x/../data/"])
@pytest.mark.parametrize(
    ("earlier", "options", "in_order"),
    [
        ("/data", ("bind",), True),
        ("/data/below", ("rbind",), True),
        ("/data/below", ("bind",), False),
        ("/dat", ("rbind",), False),
        ("/database", ("rbind",), False),
        ("/other", ("rbind",), False),
    ],
)
def test_a_source_in_the_root_shows_what_the_list_has_mounted_there(
    source: str, earlier: str, options: tuple[str, ...], *, in_order: bool
) -> None:
    """It is opened in its turn; only where that makes a difference, since outer may reach what init may not."""
    done = plan(mount(earlier, "tmpfs", "t"), mount("/a", "bind", source, *options), mount(earlier, "tmpfs", "t"))
    kinds = [type(op) for op in done.mounts]
    order = [ops.MountNew, ops.OpenTree, ops.MountBind, ops.MountNew, ops.Gate]
    assert kinds == (order if in_order else [each for each in order if each != ops.OpenTree])
    opened = [op for op in (*done.sources, *done.mounts) if isinstance(op, ops.OpenTree)]
    assert [op.by for op in opened] == [INIT if in_order else OUTER]


@pytest.mark.parametrize("source", ["/r", "rootfs"])
def test_the_root_itself_is_opened_in_its_turn(source: str) -> None:
    """With all that is mounted in it so far."""
    done = plan(mount("/x", "tmpfs", "t"), mount("/a", "bind", source, "rbind"))
    assert [type(op) for op in done.mounts] == [ops.MountNew, ops.OpenTree, ops.MountBind, ops.Gate]


@pytest.mark.parametrize(("destination", "procfs"), [("/proc", 1), ("proc/", 1), ("/procs", 0), ("/proc/stat", 0)])
def test_only_a_procfs_may_be_bound_on_proc(destination: str, procfs: int) -> None:
    """CVE-2019-16884: what it is, is seen when it has been opened."""
    (op,) = (op for op in plan(mount(destination, "bind", "/s")).mounts if isinstance(op, ops.MountBind))
    assert op.procfs == procfs


def test_recursive_attributes_of_a_new_file_system_are_set_after_it() -> None:
    """The same call takes one set only."""
    done = plan(mount("/a", "ramfs", "r", "rnosuid", "private"))
    assert done.mounts[1:] == (
        ops.MountChange("mounts[0]", destination="/a", rec_set=MOUNT_ATTR_NOSUID),
        ops.MountChange("mounts[0]", destination="/a", propagation=MS_PRIVATE),
        GATE,
    )


CGROUP = mount("/sys/fs/cgroup", "cgroup", "cgroup", *FLAGS, "ro")
OWN_CGROUP = ("linux.namespaces", [{"type": "mount"}, {"type": "uts"}, {"type": "cgroup"}])


def test_on_cgroup_v2_the_cgroup_is_one_file_system() -> None:
    """After init is in its cgroup; the super block is the host's too and stays writable."""
    assert plan(CGROUP).mounts == (
        GATE,
        new(
            type="cgroup2",
            source="cgroup",
            destination="/sys/fs/cgroup",
            attr_set=ATTRIBUTES | MOUNT_ATTR_RDONLY,
            instead="/sys/fs/cgroup/box",
            instead_set=MOUNT_ATTR_RDONLY,
        ),
    )


@pytest.mark.parametrize(("hierarchies", "instead"), [(V1, "/sys/fs/cgroup/unified/box"), (V1[:1], ""), ((), "")])
def test_beside_cgroup_v1_a_mount_of_type_cgroup2_is_the_file_system_of_that_name(
    hierarchies: tuple[Hierarchy, ...], instead: str
) -> None:
    """Type ``cgroup`` means "the cgroups of this machine"; ``cgroup2`` is what the kernel calls a file system."""
    done = plan(mount("/a", "cgroup2", "c", "nosuid"), facts=FACTS.replace(hierarchies=hierarchies))
    op = new(type="cgroup2", source="c", destination="/a", attr_set=MOUNT_ATTR_NOSUID)
    assert done.mounts == (GATE, op.replace(instead=instead, instead_set=MOUNT_ATTR_RDONLY))


def test_what_stands_in_for_cgroup_v2_may_be_written_in_a_cgroup_namespace_alone() -> None:
    """CVE-2023-25809: else a plain user's cgroup would be the program's as well. It shows the container's."""
    (op,) = (op for op in plan(CGROUP, more=(OWN_CGROUP,)).mounts if isinstance(op, ops.MountNew))
    assert (op.instead, op.instead_set) == ("/sys/fs/cgroup/box", 0)
    own = (V2[0].replace(own="/"),)
    (op,) = (op for op in plan(CGROUP, facts=FACTS.replace(hierarchies=own)).mounts if isinstance(op, ops.MountNew))
    assert (op.instead, op.instead_set) == ("/sys/fs/cgroup", MOUNT_ATTR_RDONLY)


def test_the_gate_comes_before_the_first_cgroup_mount_and_once() -> None:
    """Mounts before it go on meanwhile."""
    done = plan(mount("/t", "tmpfs", "t"), CGROUP, CGROUP, more=(OWN_CGROUP,))
    assert [type(op) for op in done.mounts] == [ops.MountNew, ops.Gate, ops.Unshare, ops.MountNew, ops.MountNew]
    assert done.mounts[2] == ops.Unshare("linux.namespaces", flags=CLONE_NEWCGROUP)


def test_on_cgroup_v1_each_hierarchy_is_bound_at_the_containers_own_cgroup() -> None:
    """Below a tmpfs that is closed in the end, links for several controllers; v2 beside v1 is not shown."""
    done = plan(CGROUP, facts=FACTS.replace(hierarchies=V1))
    base = "/sys/fs/cgroup"
    expected: list[Op] = [GATE]
    expected.append(new(type="tmpfs", source="tmpfs", destination=base, options=("mode=755",), attr_set=ATTRIBUTES))
    for slot, (name, path) in enumerate(
        [("cpu,cpuacct", "/cpu,cpuacct/box"), ("memory", "/memory"), ("systemd", "/systemd/sys/box")], start=1
    ):
        expected += [
            ops.OpenTree("mounts[0]", slot=slot, path=f"{base}{path}"),
            ops.MountBind(
                "mounts[0]", slot=slot, destination=f"{base}/{name}", attr_set=ATTRIBUTES | MOUNT_ATTR_RDONLY
            ),
        ]
        if slot == 1:
            expected += [
                ops.MakeLink("mounts[0]", path=f"{base}/cpu", target="cpu,cpuacct"),
                ops.MakeLink("mounts[0]", path=f"{base}/cpuacct", target="cpu,cpuacct"),
            ]
    assert list(done.mounts) == expected
    assert done.late == (ops.MountChange("mounts[0]", destination=base, attr_set=MOUNT_ATTR_RDONLY),)
    assert done.slots == 4


def test_on_cgroup_v1_with_a_cgroup_namespace_each_hierarchy_is_mounted_anew() -> None:
    """Which shows the namespace's root; a hierarchy without controllers is known by its name (cgroups(7))."""
    done = plan(CGROUP, facts=FACTS.replace(hierarchies=V1), more=(OWN_CGROUP,))
    assert [op.options for op in done.mounts if isinstance(op, ops.MountNew)] == [
        ("mode=755",),
        ("cpu", "cpuacct"),
        ("memory",),
        ("none", "name=systemd"),
    ]
