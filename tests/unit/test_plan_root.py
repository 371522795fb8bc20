"""plan/rootfs.py, plan/devices.py, plan/masks.py and the identity ops of plan/compile.py."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.hooks.placing import place
from slinger.hooks.recording import Setting
from slinger.linux.flags import MOUNT_ATTR_RDONLY, MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE
from slinger.plan import ops
from slinger.plan.compile import compile_plan
from slinger.plan.devices import DEFAULTS, dev_is_hosts, device_ops
from slinger.plan.facts import Facts, Options
from slinger.plan.masks import mask_ops
from slinger.plan.ops import INIT, OUTER, Op
from slinger.plan.plan import Plan
from slinger.plan.rootfs import attach_ops, closing_ops, enter_ops, has_mounts, open_ops, propagation_ops
from tests.unit.documents import parsed

FACTS = Facts(rootfs="/r")
OPTIONS = Options(container_id="box", bundle="/bundle")
SHARED_MOUNTS = ("linux.namespaces", [{"type": "pid"}, {"type": "uts"}, {"type": "network"}])
USER = ("linux.namespaces", [{"type": "mount"}, {"type": "user"}])
MAPS = [(f"linux.{kind}Mappings", [{"containerID": 0, "hostID": 1000, "size": 1}]) for kind in ("uid", "gid")]


def compiled(*changes: tuple[str, object], facts: Facts = FACTS, options: Options = OPTIONS) -> Plan:
    """The whole plan of the minimal document with changes."""
    config = parsed(*changes)
    return compile_plan(config, options, facts, place(config, Setting(options, facts.rootfs)))


def test_without_a_mount_namespace_nothing_is_mounted() -> None:
    """The root is a handle that is entered by chroot; the host's mounts are left alone."""
    config = parsed(SHARED_MOUNTS, ("root.readonly", True))
    assert not has_mounts(config)
    assert open_ops(config, FACTS) == propagation_ops(config) == closing_ops(config) == []
    assert attach_ops(config, FACTS) == [ops.OpenRoot("root.path", path="/r")]
    assert enter_ops(config, OPTIONS, FACTS) == [ops.Pivot("root.path", how=2)]
    assert device_ops(config, FACTS, 1) == ([], [], 1)


@pytest.mark.parametrize(("euid", "by"), [(0, OUTER), (1000, INIT)])
def test_the_root_is_opened_by_who_may_and_attached_in_its_place(euid: int, by: str) -> None:
    """With all that is mounted below it."""
    config, facts = parsed(), FACTS.replace(euid=euid)
    assert open_ops(config, facts) == [ops.OpenTree("root.path", by=by, slot=0, path="/r", recursive=1)]
    assert attach_ops(config, facts) == [ops.AttachRoot("root.path", slot=0, path="/r")]


@pytest.mark.parametrize(
    ("asked", "origin", "first", "after"),
    [
        ("", "", MS_SLAVE, None),
        ("private", "linux.rootfsPropagation", MS_PRIVATE, None),
        ("rprivate", "linux.rootfsPropagation", MS_PRIVATE, None),
        ("slave", "", MS_SLAVE, (MS_SLAVE, 0)),
        ("rslave", "", MS_SLAVE, (MS_SLAVE, 1)),
        ("shared", "", MS_SLAVE, (MS_SHARED, 0)),
        ("rshared", "", MS_SLAVE, (MS_SHARED, 1)),
        ("unbindable", "", MS_SLAVE, (MS_UNBINDABLE, 0)),
        ("runbindable", "", MS_SLAVE, (MS_UNBINDABLE, 1)),
    ],
)
def test_propagation_never_reaches_the_host(asked: str, origin: str, first: int, after: tuple[int, int] | None) -> None:
    """A slave of the host's mounts unless private is asked; what is asked of the root holds once it is /."""
    config = parsed(("linux.rootfsPropagation", asked))
    assert propagation_ops(config) == [ops.Propagation(origin, flags=first)]
    changes: list[Op] = []
    if after is not None:
        changes = [ops.RootChange("linux.rootfsPropagation", propagation=after[0], recursive=after[1])]
    late = "unbindable" in asked  # nothing could be made read-only any more, which takes a copy
    assert enter_ops(config, OPTIONS, FACTS) == [ops.Pivot("root.path"), *([] if late else changes)]
    assert closing_ops(config) == (changes if late else [])


@pytest.mark.parametrize("asked", ["private", "rprivate"])
def test_a_private_root_without_a_pivot_is_refused(asked: str) -> None:
    """What was under it could be uncovered, and is the host's."""
    with pytest.raises(ConfigError) as caught:
        enter_ops(parsed(("linux.rootfsPropagation", asked)), OPTIONS.replace(no_pivot=True), FACTS)
    assert caught.value.path == "linux.rootfsPropagation"


def test_no_pivot_moves_the_root() -> None:
    """For a host whose root is an initramfs. The host's /proc and /sys, and those of a chroot, go before; unless the
    mount namespace is not the container's own.
    """
    facts = FACTS.replace(bare=("/sys", "/srv/old/proc", f"{FACTS.rootfs}/proc", "/proc"))
    options = OPTIONS.replace(no_pivot=True)
    gone = [ops.Detach("root.path", path=path) for path in ("/sys", "/srv/old/proc", "/proc")]
    assert enter_ops(parsed(), options, facts) == [*gone, ops.Pivot("root.path", how=1)]
    assert enter_ops(parsed(), OPTIONS, facts) == [ops.Pivot("root.path")]
    joined = parsed(("linux.namespaces", [{"type": "mount", "path": "/proc/7/ns/mnt"}]))
    assert enter_ops(joined, options, facts) == [ops.Pivot("root.path", how=1)]


def test_a_read_only_root_becomes_so_in_the_end() -> None:
    """After all that is made in it."""
    config = parsed(("root.readonly", True))
    assert closing_ops(config) == [ops.RootChange("root.readonly", attr_set=MOUNT_ATTR_RDONLY)]
    kinds = [type(op) for op in compiled(("root.readonly", True), ("hostname", "x")).ops]
    assert kinds.index(ops.RootChange) > max(kinds.index(ops.Pivot), kinds.index(ops.MakeNode))


def made(*changes: tuple[str, object], facts: Facts = FACTS) -> dict[str, Op]:
    """Nodes and bound nodes by path."""
    _, nodes, _ = device_ops(parsed(*changes), facts, 1)
    found: dict[str, Op] = {}
    for op in nodes:
        if isinstance(op, ops.MakeNode):
            found[op.path] = op
        elif isinstance(op, ops.MountBind):
            found[op.destination] = op
    return found


def test_the_default_devices_are_always_there() -> None:
    """config-linux.md, "Default Devices": six, 0666, without an origin in the document."""
    nodes = made()
    assert sorted(nodes) == ["/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"]
    assert nodes["/dev/null"] == ops.MakeNode("", path="/dev/null", kind=0o020000, major=1, minor=3, mode=0o666)


def test_links_of_dev_are_made_and_kcore_only_if_there_is_one() -> None:
    """config-linux.md, "Dev symbolic links"."""
    _, nodes, _ = device_ops(parsed(), FACTS, 1)
    links = [(op.path, op.target, op.needs) for op in nodes if isinstance(op, ops.MakeLink)]
    assert links == [
        ("/dev/fd", "/proc/self/fd", ""),
        ("/dev/stdin", "/proc/self/fd/0", ""),
        ("/dev/stdout", "/proc/self/fd/1", ""),
        ("/dev/stderr", "/proc/self/fd/2", ""),
        ("/dev/core", "/proc/kcore", "/proc/kcore"),
        ("/dev/ptmx", "pts/ptmx", ""),
    ]


DEVICES = (
    "linux.devices",
    [
        {"path": "/dev/null", "type": "u", "major": 1, "minor": 3, "fileMode": 0o100600, "uid": 7, "gid": 8},
        {"path": "/dev/pipe", "type": "p"},
        {"path": "/dev/disk", "type": "b", "major": 8, "minor": 0},
    ],
)


def test_devices_of_the_document_are_made_and_replace_default_ones() -> None:
    """Only the permission bits of fileMode count; u is c."""
    nodes = made(DEVICES)
    assert len(nodes) == len(DEFAULTS) + 2
    assert nodes["/dev/null"] == ops.MakeNode(
        "linux.devices[0]", path="/dev/null", kind=0o020000, major=1, minor=3, mode=0o600, uid=7, gid=8
    )
    assert nodes["/dev/pipe"] == ops.MakeNode("linux.devices[1]", path="/dev/pipe", kind=0o010000, mode=0o666)
    assert nodes["/dev/disk"] == ops.MakeNode(
        "linux.devices[2]", path="/dev/disk", kind=0o060000, major=8, minor=0, mode=0o666
    )


def test_a_slash_at_the_end_of_a_devices_path_does_not_count() -> None:
    """As for runc and crun; /dev/null/ is the default device as well."""
    given = {"type": "c", "major": 1, "minor": 3}
    nodes = made(("linux.devices", [{**given, "path": "/dev/null/"}, {**given, "path": "/mnt//"}]))
    assert set(nodes) == {each.path for each in DEFAULTS} | {"/mnt"}
    assert nodes["/dev/null"].origin == "linux.devices[0]"


@pytest.mark.parametrize(("changes", "facts"), [((USER, *MAPS), FACTS), ((), FACTS.replace(in_user_namespace=True))])
def test_where_no_node_can_be_made_the_hosts_are_bound(changes: tuple[tuple[str, object], ...], facts: Facts) -> None:
    """In a user namespace mknod(2) is forbidden, fifos excepted; slots go on from those of the mounts."""
    sources, nodes, slots = device_ops(parsed(DEVICES, *changes), facts, 5)
    bound = [op for op in nodes if isinstance(op, ops.MountBind)]
    assert slots == 5 + len(DEFAULTS) + 1 == 5 + len(sources)
    assert [op.slot for op in bound] == list(range(5, slots))
    assert sources[-1] == ops.OpenTree("linux.devices[2]", by=OUTER, slot=slots - 1, path="/dev/disk")
    assert [op.path for op in nodes if isinstance(op, ops.MakeNode)] == ["/dev/pipe"]


def dev(kind: str, *options: str, destination: str = "/dev") -> dict[str, object]:
    """A mount on /dev."""
    return {"destination": destination, "type": kind, "source": "/dev", "options": list(options)}


@pytest.mark.parametrize(
    ("mounts", "hosts"),
    [
        ([], False),
        ([dev("tmpfs")], False),
        ([dev("bind")], True),
        ([dev("none", "rbind")], True),
        ([dev("none", "bind", destination="/dev/")], True),
        ([dev("none", "bind", destination="//dev/.")], True),
        ([dev("none", "bind", destination="/dev/sub")], False),
        ([dev("tmpfs"), dev("bind")], True),
        ([dev("bind"), dev("tmpfs")], False),
        ([dev("bind"), dev("none", "remount", "ro")], True),
        ([dev("tmpfs"), dev("none", "remount", "ro")], False),
        ([dev("tmpfs"), dev("bind", "bind", "remount", "ro")], False),
    ],
)
def test_a_dev_that_is_the_hosts_is_left_as_it_is(mounts: list[dict[str, object]], *, hosts: bool) -> None:
    """What is mounted there last counts; nothing is made in it, and no terminal is bound over its console."""
    config = parsed(("mounts", mounts))
    assert dev_is_hosts(config) is hosts
    assert (device_ops(config, FACTS, 3) == ([], [], 3)) is hosts
    plan = compiled(("mounts", mounts), ("process.terminal", True), options=OPTIONS.replace(console=True))
    assert [op.bind for op in plan.ops if isinstance(op, ops.Console)] == [int(not hosts)]


def test_a_path_in_both_lists_ends_up_hidden() -> None:
    """Read-only first."""
    config = parsed(("linux.maskedPaths", ["/a", "/b"]), ("linux.readonlyPaths", ["/a"]))
    assert mask_ops(config) == [
        ops.ReadonlyPath("linux.readonlyPaths[0]", path="/a"),
        ops.Mask("linux.maskedPaths[0]", path="/a"),
        ops.Mask("linux.maskedPaths[1]", path="/b"),
    ]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("kernel.shmmax", "sys/kernel/shmmax"),
        ("net/ipv4/ip_forward", "sys/net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.1/forwarding", "sys/net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_both_spellings_of_a_sysctl_are_one_file(key: str, path: str) -> None:
    """Dots, or slashes with dots in names (sysctl(8))."""
    changes = [("linux.sysctl", {key: "1"})]
    found = [op for op in compiled(*changes).ops if isinstance(op, ops.Sysctl)]
    assert found == [ops.Sysctl(f'linux.sysctl["{key}"]', path=path, value="1")]


@pytest.mark.parametrize(
    ("asked", "facts", "size"),
    [
        ({"height": 3, "width": 4}, FACTS.replace(terminal_size=(24, 80)), (3, 4)),
        (None, FACTS.replace(terminal_size=(24, 80)), (24, 80)),
        (None, FACTS, (0, 0)),
    ],
)
def test_a_terminal_is_as_large_as_asked_or_as_the_callers(
    asked: dict[str, int] | None, facts: Facts, size: tuple[int, int]
) -> None:
    """Rows, columns; 0 leaves the kernel's."""
    changes: list[tuple[str, object]] = [("process.terminal", True)]
    if asked:
        changes.append(("process.consoleSize", asked))
    plan = compiled(*changes, facts=facts, options=OPTIONS.replace(console=True))
    assert [(op.rows, op.columns) for op in plan.ops if isinstance(op, ops.Console)] == [size]


def test_without_a_process_there_is_nothing_to_start() -> None:
    """Init waits all the same, to be killed."""
    plan = compiled(("process", ...))
    assert [type(op) for op in plan.ops[-2:]] == [ops.Gate, ops.WaitStart]
    assert not {ops.Exec, ops.SetUser, ops.Rlimit} & {type(op) for op in plan.ops}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("process.apparmorProfile", "x"), "process.apparmorProfile: AppArmor is not enabled on this machine"),
        (("process.selinuxLabel", "x"), "process.selinuxLabel: SELinux is not enabled on this machine"),
        (("linux.mountLabel", "x"), "linux.mountLabel: SELinux is not enabled on this machine"),
    ],
)
def test_what_cannot_be_applied_is_refused_by_name(change: tuple[str, object], text: str) -> None:
    """A property is applied or refused, never left out."""
    with pytest.raises(ConfigError) as caught:
        compiled(change)
    assert str(caught.value) == text


def test_network_devices_are_not_moved_into_the_runtimes_own_namespace() -> None:
    """A path of the namespace that the brain is in gives the container none of its own."""
    joined = ("linux.namespaces", [{"type": "mount"}, {"type": "network", "path": "/proc/7/ns/net"}])
    devices = ("linux.netDevices", {"eth0": {"name": "eth0"}})
    assert any(isinstance(op, ops.NetworkSocket) for op in compiled(joined, devices).ops)
    with pytest.raises(ConfigError) as caught:
        compiled(joined, devices, facts=FACTS.replace(joined=("network",)))
    assert str(caught.value) == "linux.netDevices: the network namespace that is joined is the runtime's own"
