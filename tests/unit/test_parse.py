"""spec/parse.py and its sections: types, required properties, and what the records then hold."""

from __future__ import annotations

import json

import pytest

from slinger.errors import ConfigError
from slinger.spec import config as c
from slinger.spec.parse import parse_config, parse_process, parse_resources
from tests.unit.documents import NONE, NOTHING, changed, parsed


def refused(path: str, value: object) -> str:
    """What the parser says about the minimal document with this member."""
    with pytest.raises(ConfigError) as caught:
        parse_config(changed((path, value)))
    return caught.value.message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("ociVersion", "ociVersion: required property is missing"),
        ("root", "root: required property is missing"),
        ("root.path", "root.path: required property is missing"),
        ("process.cwd", "process.cwd: required property is missing"),
        ("process.user.uid", "process.user.uid: required property is missing"),
        ("process.user.gid", "process.user.gid: required property is missing"),
    ],
)
@pytest.mark.parametrize("value", [..., None])
def test_a_required_property_must_be_there(path: str, message: str, value: object) -> None:
    """null is the same as absent."""
    assert refused(path, value) == message


@pytest.mark.parametrize(
    ("path", "value", "missing"),
    [
        ("mounts", [NOTHING], "mounts[0].destination"),
        ("process.consoleSize", {"height": 1}, "process.consoleSize.width"),
        ("process.consoleSize", {"width": 1}, "process.consoleSize.height"),
        ("process.rlimits", [{"type": "RLIMIT_CPU", "soft": 1}], "process.rlimits[0].hard"),
        ("process.rlimits", [{"soft": 1, "hard": 1}], "process.rlimits[0].type"),
        ("process.scheduler", {}, "process.scheduler.policy"),
        ("process.ioPriority", {"priority": 1}, "process.ioPriority.class"),
        ("hooks", {"prestart": [{"args": ["a"]}]}, "hooks.prestart[0].path"),
        ("linux.namespaces", [{"path": "/x"}], "linux.namespaces[0].type"),
        ("linux.uidMappings", [{"hostID": 0, "size": 1}], "linux.uidMappings[0].containerID"),
        ("linux.gidMappings", [{"containerID": 0, "size": 1}], "linux.gidMappings[0].hostID"),
        (
            "mounts",
            [{"destination": "/a", "uidMappings": [{"containerID": 0, "hostID": 0}]}],
            "mounts[0].uidMappings[0].size",
        ),
        ("linux.devices", [{"path": "/dev/x"}], "linux.devices[0].type"),
        ("linux.devices", [{"type": "p"}], "linux.devices[0].path"),
        ("linux.devices", [{"type": "c", "path": "/dev/x", "minor": 1}], "linux.devices[0].major"),
        ("linux.devices", [{"type": "b", "path": "/dev/x", "major": 1}], "linux.devices[0].minor"),
        ("linux.memoryPolicy", {"nodes": "0"}, "linux.memoryPolicy.mode"),
        ("linux.personality", {}, "linux.personality.domain"),
        ("linux.seccomp", {}, "linux.seccomp.defaultAction"),
        ("linux.resources", {"devices": [NOTHING]}, "linux.resources.devices[0].allow"),
        ("linux.resources", {"hugepageLimits": [{"limit": 1}]}, "linux.resources.hugepageLimits[0].pageSize"),
        ("linux.resources", {"hugepageLimits": [{"pageSize": "2MB"}]}, "linux.resources.hugepageLimits[0].limit"),
        (
            "linux.resources",
            {"network": {"priorities": [{"name": "a"}]}},
            "linux.resources.network.priorities[0].priority",
        ),
        (
            "linux.resources",
            {"blockIO": {"weightDevice": [{"major": 1}]}},
            "linux.resources.blockIO.weightDevice[0].minor",
        ),
        (
            "linux.resources",
            {"blockIO": {"throttleReadIOPSDevice": [{"major": 1, "minor": 1}]}},
            "linux.resources.blockIO.throttleReadIOPSDevice[0].rate",
        ),
        (
            "linux.seccomp",
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}]},
            "linux.seccomp.syscalls[0].action",
        ),
        (
            "linux.seccomp",
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]},
            "linux.seccomp.syscalls[0].names",
        ),
    ],
)
def test_a_required_member_of_an_optional_object_must_be_there(path: str, value: object, missing: str) -> None:
    """The error names the member, with the index of its entry."""
    assert refused(path, value) == f"{missing}: required property is missing"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("ociVersion", 1, "ociVersion: expected a string, got 1"),
        ("root", "rootfs", 'root: expected an object, got "rootfs"'),
        ("root.readonly", "true", 'root.readonly: expected true or false, got "true"'),
        ("root.readonly", 1, "root.readonly: expected true or false, got 1"),
        ("process", [], "process: expected an object, got an array"),
        ("process.args", "sh", 'process.args: expected an array, got "sh"'),
        ("process.args", ["sh", 5], "process.args[1]: expected a string, got 5"),
        ("process.args", ["sh", None], "process.args[1]: expected a string, got null"),
        ("process.env", {}, "process.env: expected an array, got an object"),
        ("process.user.uid", True, "process.user.uid: expected an integer, got true"),
        ("process.user.uid", "0", 'process.user.uid: expected an integer, got "0"'),
        ("process.user.uid", 5.0, "process.user.uid: expected an integer, got 5.0"),
        ("process.user.uid", 1e3, "process.user.uid: expected an integer, got 1000.0"),
        ("process.user.uid", -1, "process.user.uid: expected an integer from 0 to 4294967295, got -1"),
        ("process.user.uid", 2**32, "process.user.uid: expected an integer from 0 to 4294967295, got 4294967296"),
        ("process.user.additionalGids", [1, NONE], "process.user.additionalGids[1]: expected an integer, got an array"),
        ("process.oomScoreAdj", "x" * 80, f'process.oomScoreAdj: expected an integer, got "{"x" * 59}...'),
        ("mounts", {}, "mounts: expected an array, got an object"),
        ("mounts", [1], "mounts[0]: expected an object, got 1"),
        (
            "mounts",
            [{"destination": "/a"}, {"destination": "/b", "options": ["ro", 5]}],
            "mounts[1].options[1]: expected a string, got 5",
        ),
        ("annotations", {"a.b": 5}, 'annotations["a.b"]: expected a string, got 5'),
        ("annotations", {"a": None}, 'annotations["a"]: expected a string, got null'),
        ("hooks", [], "hooks: expected an object, got an array"),
        ("hooks", {"poststart": "/bin/true"}, 'hooks.poststart: expected an array, got "/bin/true"'),
        ("hooks", {"poststart": {"path": "/bin/true"}}, "hooks.poststart: expected an array, got an object"),
        ("hooks", {"poststop": ["/bin/true"]}, 'hooks.poststop[0]: expected an object, got "/bin/true"'),
        (
            "hooks",
            {"prestart": [{"path": "/a", "timeout": 1.5}]},
            "hooks.prestart[0].timeout: expected an integer, got 1.5",
        ),
        (
            "hooks",
            {"prestart": [{"path": "/a", "timeout": "5"}]},
            'hooks.prestart[0].timeout: expected an integer, got "5"',
        ),
        ("linux.sysctl", {"net.core.somaxconn": 5}, 'linux.sysctl["net.core.somaxconn"]: expected a string, got 5'),
        ("linux.netDevices", {"eth0": {"name": 23}}, 'linux.netDevices["eth0"].name: expected a string, got 23'),
        ("linux.timeOffsets", {"monotonic": 5}, 'linux.timeOffsets["monotonic"]: expected an object, got 5'),
        (
            "linux.resources",
            {"rdma": {"m": {"hcaHandles": "x"}}},
            'linux.resources.rdma["m"].hcaHandles: expected an integer, got "x"',
        ),
        (
            "linux.resources",
            {"blockIO": {"weight": 65536}},
            "linux.resources.blockIO.weight: expected an integer from 0 to 65535, got 65536",
        ),
        (
            "linux.resources",
            {"memory": {"limit": 2**63}},
            f"linux.resources.memory.limit: expected an integer from {-(2**63)} to {2**63 - 1}, got {2**63}",
        ),
        (
            "linux.resources",
            {"cpu": {"shares": 2**64}},
            f"linux.resources.cpu.shares: expected an integer from 0 to {2**64 - 1}, got {2**64}",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_path(path: str, value: object, message: str) -> None:
    """The rules of Go's decoder: a bool is no integer, and 5.0 is none either."""
    assert refused(path, value) == message


def test_a_document_that_is_no_object_is_refused() -> None:
    """There is no path to name, so the file is named."""
    with pytest.raises(ConfigError) as caught:
        parse_config(b"[]")
    assert caught.value.message == "config.json: expected an object, got an array"


def test_a_number_too_large_for_a_float_is_refused() -> None:
    """1e999 is infinity to Python."""
    with pytest.raises(ConfigError) as caught:
        parse_process(b'{"cwd": "/", "oomScoreAdj": 1e999}')
    assert caught.value.message == "process.oomScoreAdj: expected an integer, got inf"


def test_the_minimal_document_is_the_minimal_record() -> None:
    """Absent properties have the record's defaults."""
    config, warnings = parse_config(b'{"ociVersion": "1.0.0", "root": {"path": "rootfs"}}')
    assert (config, warnings) == (c.Config("1.0.0", c.Root("rootfs")), ())


def test_null_is_absent() -> None:
    """As engines written in Go write it."""
    nothing = dict.fromkeys(("process", "hostname", "mounts", "hooks", "annotations", "linux"))
    config, _ = parse_config(changed(*nothing.items()))
    assert config == c.Config("1.3.0", c.Root("rootfs"))


def test_unknown_properties_are_ignored() -> None:
    """config.md, "Extensibility": they MUST NOT be an error."""
    assert parsed(("vendor", {"x": 1}), ("linux.vendor", 1), ("process.vendor", [])) == parsed()


def test_a_property_in_another_case_is_unknown() -> None:
    """JSON names are exact, unlike Go's."""
    assert parsed(("process.Env", ["A=B"])).process == parsed().process


def test_a_process_is_read_in_full() -> None:
    """Each property ends in its field."""
    process = {
        "terminal": True,
        "consoleSize": {"height": 25, "width": 80},
        "cwd": "/w",
        "env": ["A=B"],
        "args": ["a", "b"],
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 2**64 - 1}],
        "apparmorProfile": "profile",
        "capabilities": {
            "effective": ["CAP_1"],
            "bounding": ["CAP_2"],
            "inheritable": ["CAP_3"],
            "permitted": ["CAP_4"],
            "ambient": ["CAP_5"],
        },
        "noNewPrivileges": True,
        "oomScoreAdj": -5,
        "scheduler": {
            "policy": "SCHED_DEADLINE",
            "nice": -1,
            "priority": 2,
            "flags": ["F"],
            "runtime": 3,
            "deadline": 4,
            "period": 5,
        },
        "selinuxLabel": "label",
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
        "execCPUAffinity": {"initial": "0", "final": "1-2"},
        "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3, 4], "username": "windows"},
    }
    assert parse_process(json.dumps(process).encode()) == c.Process(
        cwd="/w",
        args=("a", "b"),
        env=("A=B",),
        terminal=True,
        console_size=c.ConsoleSize(25, 80),
        user=c.User(1, 2, 18, (3, 4)),
        capabilities=c.Capabilities(("CAP_2",), ("CAP_1",), ("CAP_3",), ("CAP_4",), ("CAP_5",)),
        rlimits=(c.Rlimit("RLIMIT_NOFILE", 1, 2**64 - 1),),
        no_new_privileges=True,
        apparmor_profile="profile",
        selinux_label="label",
        oom_score_adj=-5,
        scheduler=c.Scheduler("SCHED_DEADLINE", -1, 2, ("F",), 3, 4, 5),
        io_priority=c.IoPriority("IOPRIO_CLASS_BE", 4),
        exec_cpu_affinity=c.CpuAffinity("0", "1-2"),
    )


def test_a_process_of_its_own_names_itself_in_errors() -> None:
    """The file of ``exec --process``."""
    with pytest.raises(ConfigError) as caught:
        parse_process(b"{}")
    assert caught.value.message == "process.cwd: required property is missing"
    with pytest.raises(ConfigError) as caught:
        parse_process(b"")
    assert caught.value.message == "process.json: invalid JSON at line 1 column 1: expecting a value"


def test_resources_are_read_in_full() -> None:
    """Each property ends in its field; -1 for a device number means all, as its absence does."""
    numbers = {"major": 8, "minor": 1}
    resources = {
        "devices": [
            {"allow": False, "access": "rwm"},
            {"allow": True, "type": "c", "major": 1, "minor": -1, "access": "r"},
        ],
        "memory": {
            "limit": 1, "reservation": 2, "swap": 3, "kernel": 4, "kernelTCP": 5, "swappiness": 6,
            "disableOOMKiller": True, "useHierarchy": False, "checkBeforeUpdate": True,
        },
        "cpu": {
            "shares": 1, "quota": 2, "period": 3, "burst": 4, "realtimeRuntime": 5, "realtimePeriod": 6,
            "cpus": "0-1", "mems": "0", "idle": 0,
        },
        "pids": {"limit": 0},
        "blockIO": {
            "weight": 10, "leafWeight": 11, "weightDevice": [{**numbers, "weight": 12, "leafWeight": 13}],
            "throttleReadBpsDevice": [{**numbers, "rate": 1}], "throttleWriteBpsDevice": [{**numbers, "rate": 2}],
            "throttleReadIOPSDevice": [{**numbers, "rate": 3}], "throttleWriteIOPSDevice": [{**numbers, "rate": 4}],
        },
        "hugepageLimits": [{"pageSize": "2MB", "limit": 5}],
        "network": {"classID": 1, "priorities": [{"name": "eth0", "priority": 2}]},
        "rdma": {"mlx": {"hcaHandles": 1, "hcaObjects": 2}},
        "unified": {"cpu.max": "max 1"},
    }  # fmt: skip
    assert parse_resources(json.dumps(resources).encode()) == c.Resources(
        devices=(c.DeviceRule(allow=False, access="rwm"), c.DeviceRule(True, "c", 1, None, "r")),
        memory=c.Memory(1, 2, 3, 4, 5, 6, True, False, True),
        cpu=c.Cpu(1, 2, 3, 4, 5, 6, "0-1", "0", 0),
        pids_limit=0,
        block_io=c.BlockIo(
            10,
            11,
            (c.WeightDevice(8, 1, 12, 13),),
            (c.ThrottleDevice(8, 1, 1),),
            (c.ThrottleDevice(8, 1, 2),),
            (c.ThrottleDevice(8, 1, 3),),
            (c.ThrottleDevice(8, 1, 4),),
        ),
        hugepage_limits=(c.HugepageLimit("2MB", 5),),
        network=c.Network(1, (c.InterfacePriority("eth0", 2),)),
        rdma=(c.Rdma("mlx", 1, 2),),
        unified=(("cpu.max", "max 1"),),
    )


def test_empty_resources_are_told_from_absent_ones() -> None:
    """None where the specification tells absence from a value."""
    assert parse_resources(b'{"memory": {}, "cpu": {}, "pids": {}, "blockIO": {}, "network": {}}') == c.Resources(
        memory=c.Memory(), cpu=c.Cpu(), block_io=c.BlockIo(), network=c.Network()
    )
    assert parse_resources(b"{}") == c.Resources()


def test_resources_of_their_own_name_themselves_in_errors() -> None:
    """The file of ``update --resources``."""
    with pytest.raises(ConfigError) as caught:
        parse_resources(b'{"pids": {"limit": "many"}}')
    assert caught.value.message == 'resources.pids.limit: expected an integer, got "many"'


def test_the_linux_part_is_read_in_full() -> None:
    """Each property ends in its field."""
    mapping = {"containerID": 0, "hostID": 1000, "size": 2}
    linux = {
        "namespaces": [{"type": "pid", "path": "/proc/1/ns/pid"}, {"type": "user"}],
        "uidMappings": [mapping],
        "gidMappings": [mapping],
        "timeOffsets": {"monotonic": {"secs": -1, "nanosecs": 2}, "boottime": {}},
        "devices": [
            {"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438, "uid": 1, "gid": 2},
            {"type": "p", "path": "/dev/pipe"},
        ],
        "netDevices": {"eth0": {"name": "eth1"}, "eth2": {}},
        "cgroupsPath": "/a/b",
        "resources": {},
        "intelRdt": {
            "closID": "c", "schemata": ["L2:0=f"], "l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=5",
            "enableMonitoring": True,
        },
        "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]},
        "sysctl": {"net.ipv4.ip_forward": "1"},
        "seccomp": {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 38,
            "architectures": ["SCMP_ARCH_X86_64"],
            "flags": [],
            "listenerPath": "/run/l",
            "listenerMetadata": "m",
            "syscalls": [
                {
                    "names": ["a", "b"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                    "args": [{"index": 1, "value": 2**64 - 1, "valueTwo": 3, "op": "SCMP_CMP_EQ"}],
                }
            ],
        },
        "rootfsPropagation": "slave",
        "maskedPaths": ["/m"],
        "readonlyPaths": ["/r"],
        "mountLabel": "label",
        "personality": {"domain": "LINUX32", "flags": ["F"]},
    }  # fmt: skip
    assert parsed(("linux", linux)).linux == c.Linux(
        namespaces=(c.Namespace("pid", "/proc/1/ns/pid"), c.Namespace("user")),
        uid_mappings=(c.IdMapping(0, 1000, 2),),
        gid_mappings=(c.IdMapping(0, 1000, 2),),
        time_offsets=(c.TimeOffset("monotonic", -1, 2), c.TimeOffset("boottime")),
        devices=(c.Device("c", "/dev/fuse", 10, 229, 438, 1, 2), c.Device("p", "/dev/pipe")),
        net_devices=(c.NetDevice("eth0", "eth1"), c.NetDevice("eth2", "eth2")),
        cgroups_path="/a/b",
        resources=c.Resources(),
        intel_rdt=c.IntelRdt("c", ("L2:0=f",), "L3:0=f", "MB:0=5", True),
        memory_policy=c.MemoryPolicy("MPOL_BIND", "0-1", ("MPOL_F_STATIC_NODES",)),
        sysctl=(("net.ipv4.ip_forward", "1"),),
        seccomp=c.Seccomp(
            "SCMP_ACT_ERRNO",
            38,
            ("SCMP_ARCH_X86_64",),
            (),
            "/run/l",
            "m",
            (c.SeccompRule(("a", "b"), "SCMP_ACT_ERRNO", 1, (c.SeccompArg(1, 2**64 - 1, "SCMP_CMP_EQ", 3),)),),
        ),
        rootfs_propagation="slave",
        masked_paths=("/m",),
        readonly_paths=("/r",),
        mount_label="label",
        personality=c.Personality("LINUX32", ("F",)),
    )


def test_absent_seccomp_flags_are_told_from_none() -> None:
    """Absent: the runtime chooses. Empty: none."""
    assert parsed(("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW"})).linux.seccomp == c.Seccomp("SCMP_ACT_ALLOW")


def test_mounts_and_annotations_keep_their_order() -> None:
    """Mounts are made in the listed order."""
    mounts = [
        {"destination": "/b", "source": "/s", "type": "bind", "options": ["rbind", "ro"]},
        {"destination": "/a", "gidMappings": [{"containerID": 1, "hostID": 2, "size": 3}]},
    ]
    config = parsed(("mounts", mounts), ("annotations", {"z": "1", "a": ""}))
    assert config.mounts == (
        c.Mount("/b", "bind", "/s", ("rbind", "ro")),
        c.Mount("/a", gid_mappings=(c.IdMapping(1, 2, 3),)),
    )
    assert config.annotations == (("z", "1"), ("a", ""))
