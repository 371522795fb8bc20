"""spec/validate_linux.py and validate_intel.py: what the linux object may ask for."""

from __future__ import annotations

import pytest

from tests.unit.documents import MINIMAL, refused, warned

NAMESPACES = MINIMAL["linux"]["namespaces"]
WITH_TIME = ("linux.namespaces", [*NAMESPACES, {"type": "time"}])
FUSE = {"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229}
MODES = (
    "MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, "
    "MPOL_PREFERRED_MANY, MPOL_LOCAL"
)
FLAGS = "MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES"
RELATIVE_AND_STATIC = ["MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"]


@pytest.mark.spec(
    "config-linux.md#intelrdt/memory-bandwidth",
    "config-linux.md#intelrdt/memory-bandwidth-line",
    "config-linux.md#intelrdt/schemata-lines",
    "config-linux.md#namespaces/path-absolute",
    "config-linux.md#namespaces/duplicate",
    "config-linux.md#masked-paths/absolute",
    "config-linux.md#readonly-paths/absolute",
    "config-linux.md#cgroups-path/invalid",
)
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("namespaces", [{"type": "net"}], 'namespaces[0].type: unknown namespace "net"'),
        ("namespaces", [{"type": "pid"}, {"type": "pid"}], 'namespaces[1].type: duplicate namespace "pid"'),
        (
            "namespaces",
            [{"type": "pid", "path": "ns/pid"}],
            'namespaces[0].path: must be an absolute path, got "ns/pid"',
        ),
        ("namespaces", [{"type": "pid", "path": "/\0"}], "namespaces[0].path: must not hold a NUL character"),
        ("devices", [{**FUSE, "type": "x"}], 'devices[0].type: expected one of b, c, p, u, got "x"'),
        ("devices", [{**FUSE, "path": "dev/fuse"}], 'devices[0].path: must be an absolute path, got "dev/fuse"'),
        ("devices", [{**FUSE, "major": -1}], "devices[0].major: must be from 0 to 4294967295, got -1"),
        ("devices", [FUSE, {**FUSE, "minor": 2**32}], "devices[1].minor: must be from 0 to 4294967295, got 4294967296"),
        ("netDevices", {"a/b": {}}, 'netDevices["a/b"]: invalid name of an interface "a/b"'),
        ("netDevices", {"eth0": {"name": "x" * 16}}, f'netDevices["eth0"]: invalid name of an interface "{"x" * 16}"'),
        ("netDevices", {"eth0": {"name": ".."}}, 'netDevices["eth0"]: invalid name of an interface ".."'),
        ("netDevices", {"eth0": {"name": "a:b"}}, 'netDevices["eth0"]: invalid name of an interface "a:b"'),
        ("netDevices", {"eth0": {"name": "a b"}}, 'netDevices["eth0"]: invalid name of an interface "a b"'),
        ("netDevices", {"": {}}, 'netDevices[""]: invalid name of an interface ""'),
        *(
            (
                "netDevices",
                {"eth0": {"name": name}},
                f'netDevices["eth0"]: invalid template for a name "{name}", expected %d at the end',
            )
            for name in ("a%", "a%s", "%d%d", "%da", "100%%d")
        ),
        (
            "netDevices",
            {"eth0": {}, "eth1": {"name": "eth0"}},
            'netDevices["eth1"]: duplicate name in the container "eth0"',
        ),
        ("maskedPaths", ["/a", "b"], 'maskedPaths[1]: must be an absolute path, got "b"'),
        ("readonlyPaths", [""], 'readonlyPaths[0]: must be an absolute path, got ""'),
        ("readonlyPaths", ["/\0"], "readonlyPaths[0]: must not hold a NUL character"),
        (
            "rootfsPropagation",
            "hidden",
            'rootfsPropagation: expected one of shared, slave, private, unbindable, got "hidden"',
        ),
        ("rootfsPropagation", "r", 'rootfsPropagation: expected one of shared, slave, private, unbindable, got "r"'),
        ("cgroupsPath", "/a/../b", 'cgroupsPath: must not have a ".." part, got "/a/../b"'),
        ("cgroupsPath", "/a\0", "cgroupsPath: must not hold a NUL character"),
        ("mountLabel", "a\0", "mountLabel: must not hold a NUL character"),
        ("personality", {"domain": "BSD"}, 'personality.domain: expected one of LINUX, LINUX32, got "BSD"'),
        ("intelRdt", {"closID": "a/b"}, 'intelRdt.closID: must be / or the name of a directory, got "a/b"'),
        ("intelRdt", {"closID": ".."}, 'intelRdt.closID: must be / or the name of a directory, got ".."'),
        ("intelRdt", {"closID": ""}, 'intelRdt.closID: must be / or the name of a directory, got ""'),
        ("intelRdt", {"closID": "a\0"}, "intelRdt.closID: must not hold a NUL character"),
        ("intelRdt", {"schemata": ["a", "\0"]}, "intelRdt.schemata[1]: must not hold a NUL character"),
        ("intelRdt", {"schemata": ["a", "b\nc"]}, 'intelRdt.schemata[1]: must be one line, got "b\\nc"'),
        (
            "intelRdt",
            {"memBwSchema": "L3:0=1"},
            'intelRdt.memBwSchema: must be one line that begins with "MB:", got "L3:0=1"',
        ),
        (
            "intelRdt",
            {"memBwSchema": "MB:0=1\nL3:0=1"},
            'intelRdt.memBwSchema: must be one line that begins with "MB:", got "MB:0=1\\nL3:0=1"',
        ),
        ("devices", [{**FUSE, "path": "//"}], "devices[0].path: must not be the root of the container"),
        ("memoryPolicy", {"mode": "BIND"}, f'memoryPolicy.mode: expected one of {MODES}, got "BIND"'),
        ("memoryPolicy", {"mode": "MPOL_BIND"}, "memoryPolicy.nodes: must have at least one node with MPOL_BIND"),
        (
            "memoryPolicy",
            {"mode": "MPOL_LOCAL", "nodes": "0"},
            'memoryPolicy.nodes: must be empty with MPOL_LOCAL, got "0"',
        ),
        (
            "memoryPolicy",
            {"mode": "MPOL_BIND", "nodes": "x"},
            'memoryPolicy.nodes: expected a list of numbers and ranges such as 0-3,8, got "x"',
        ),
        (
            "memoryPolicy",
            {"mode": "MPOL_BIND", "nodes": "0,\n"},
            'memoryPolicy.nodes: expected a list of numbers and ranges such as 0-3,8, got "0,\\n"',
        ),
        (
            "memoryPolicy",
            {"mode": "MPOL_BIND", "nodes": "0-4294967295"},
            "memoryPolicy.nodes: must be from 0 to 32767, got 4294967295",
        ),
        (
            "memoryPolicy",
            {"mode": "MPOL_BIND", "nodes": "0", "flags": ["F"]},
            f'memoryPolicy.flags[0]: expected one of {FLAGS}, got "F"',
        ),
        (
            "memoryPolicy",
            {"mode": "MPOL_BIND", "nodes": "0", "flags": RELATIVE_AND_STATIC},
            "memoryPolicy.flags: MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other",
        ),
    ],
)
def test_an_impossible_value_is_refused(name: str, value: object, message: str) -> None:
    """With its path below linux."""
    assert refused((f"linux.{name}", value)) == f"linux.{message}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("namespaces", []),
        ("namespaces", [{"type": name} for name in ("cgroup", "ipc", "mount", "network", "pid", "time", "uts")]),
        ("namespaces", [{"type": "network", "path": "/run/netns/x"}, {"type": "mount", "path": ""}]),
        ("devices", [FUSE, {"type": "p", "path": "/dev/a"}, {"type": "p", "path": "/dev/b"}]),
        ("netDevices", {"eth0": {"name": "eth%d"}, "eth1": {"name": "eth%d"}, "eth2": {}}),
        ("rootfsPropagation", "rslave"),
        ("rootfsPropagation", "unbindable"),
        ("cgroupsPath", "system.slice:slinger:a..b"),
        ("personality", {"domain": "LINUX32"}),
        ("intelRdt", {"closID": "/", "memBwSchema": "MB:0=20;1=70", "l3CacheSchema": "L3:0=f"}),
        ("memoryPolicy", {"mode": "MPOL_PREFERRED"}),
        ("memoryPolicy", {"mode": "MPOL_INTERLEAVE", "nodes": "0-1,3", "flags": ["MPOL_F_STATIC_NODES"]}),
    ],
)
def test_a_possible_value_is_accepted(name: str, value: object) -> None:
    """Without a warning."""
    assert warned((f"linux.{name}", value)) == ()


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("netDevices", {"eth0": {}}, "network"),
        ("maskedPaths", ["/a"], "mount"),
        ("readonlyPaths", ["/a"], "mount"),
        ("timeOffsets", {"monotonic": {"secs": 1}}, "time"),
    ],
)
def test_a_property_of_a_namespace_needs_the_namespace(name: str, value: object, kind: str) -> None:
    """It would change the host."""
    assert refused((f"linux.{name}", value), ("linux.namespaces", [])) == (
        f"linux.{name}: needs a {kind} namespace (new or joined) in linux.namespaces"
    )


@pytest.mark.spec("config-linux.md#devices/twice")
def test_a_device_that_is_listed_twice_is_a_warning() -> None:
    """config-linux.md: the same numbers SHOULD NOT repeat."""
    assert warned(("linux.devices", [FUSE, {**FUSE, "path": "/dev/other"}])) == (
        "linux.devices[1]: the same device as linux.devices[0]",
    )


def test_a_file_mode_with_more_than_permissions_is_a_warning() -> None:
    """But for the file type: engines write st_mode, and 0o20666 is 8630."""
    assert warned(("linux.devices", [{**FUSE, "fileMode": 0o1666}])) == (
        "linux.devices[0].fileMode: 950 has bits beyond 0777 (511), ignored",
    )
    assert warned(("linux.devices", [{**FUSE, "fileMode": 8630}])) == ()
    assert warned(("linux.devices", [{**FUSE, "fileMode": 511}])) == ()


def test_a_flag_of_the_personality_is_a_warning() -> None:
    """The specification defines none."""
    assert warned(("linux.personality", {"domain": "LINUX", "flags": ["F"]})) == (
        'linux.personality.flags[0]: unknown flag "F", ignored',
    )


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ({"realtime": {}}, '["realtime"]: unknown clock, expected one of monotonic, boottime'),
        ({"boottime": {"nanosecs": 10**9}}, '["boottime"].nanosecs: must be from 0 to 999999999, got 1000000000'),
    ],
)
def test_an_impossible_time_offset_is_refused(offsets: object, message: str) -> None:
    """time_namespaces(7)."""
    assert refused(WITH_TIME, ("linux.timeOffsets", offsets)) == f"linux.timeOffsets{message}"


def test_the_clocks_of_a_joined_time_namespace_cannot_be_set() -> None:
    """They are fixed when the first process enters."""
    offsets = ("linux.timeOffsets", {"monotonic": {"secs": -5}, "boottime": {}})
    assert refused(("linux.namespaces", [{"type": "time", "path": "/run/t"}]), offsets) == (
        "linux.timeOffsets: cannot be set in a time namespace that is joined"
    )
    assert warned(WITH_TIME, offsets) == ()


# ---- sysctl


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("net.ipv4.ip_forward", "network"),
        ("net/ipv4/conf/eth0.1/forwarding", "network"),
        ("fs.mqueue.msg_max", "ipc"),
        ("kernel.msgmax", "ipc"),
        ("kernel.msgmnb", "ipc"),
        ("kernel.msgmni", "ipc"),
        ("kernel.sem", "ipc"),
        ("kernel/shmall", "ipc"),
        ("kernel.shmmax", "ipc"),
        ("kernel.shmmni", "ipc"),
        ("kernel.shm_rmid_forced", "ipc"),
        ("kernel.domainname", "uts"),
        ("user.max_net_namespaces", "user"),
    ],
)
def test_a_parameter_of_a_namespace_needs_the_namespace(name: str, kind: str) -> None:
    """Joined ones count."""
    sysctl = ("linux.sysctl", {name: "1"})
    assert refused(sysctl, ("linux.namespaces", [])) == (
        f'linux.sysctl["{name}"]: needs a {kind} namespace (new or joined) in linux.namespaces'
    )
    assert warned(sysctl, ("linux.namespaces", [{"type": kind, "path": "/run/ns"}])) == ()


@pytest.mark.parametrize(
    "name",
    ["kernel.core_pattern", "vm.swappiness", "kernel.semx", "net", "netx.a", "net/../kernel/core_pattern", "", "."],
)
def test_a_parameter_of_the_host_is_refused(name: str) -> None:
    """No way around the list of prefixes either."""
    assert refused(("linux.sysctl", {name: "1"})) == (
        f'linux.sysctl["{name}"]: not a parameter of a namespace, so it cannot be set for one container'
    )


@pytest.mark.parametrize("name", ["kernel.hostname", "kernel/hostname"])
def test_the_hostname_is_not_set_by_sysctl(name: str) -> None:
    """There is a property for it."""
    assert refused(("linux.sysctl", {name: "box"})) == f'linux.sysctl["{name}"]: conflicts with hostname'


def test_the_domainname_is_not_said_twice_differently() -> None:
    """The same twice is harmless."""
    sysctl = ("linux.sysctl", {"kernel.domainname": "a"})
    assert refused(sysctl, ("domainname", "b")) == ('linux.sysctl["kernel.domainname"]: conflicts with domainname "b"')
    assert warned(sysctl, ("domainname", "a")) == ()


def test_a_parameter_holds_no_nul() -> None:
    """write(2) would take it."""
    assert refused(("linux.sysctl", {"net.a": "1\0"})) == 'linux.sysctl["net.a"]: must not hold a NUL character'
    assert refused(("linux.sysctl", {"net.a\0": "1"})) == "linux.sysctl: must not hold a NUL character"
