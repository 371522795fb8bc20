"""Changes that make a configuration one that cannot be meant, and the error of each; @BUNDLE@ is the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.bundles import DROP, Drop, Json

NAMESPACES: Final = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]
HOOK: Final = "hooks.createRuntime"
MAPS: Final[Json] = [{"containerID": 0, "hostID": 1000, "size": 1}]
VOLUME: Final[dict[str, Json]] = {"destination": "/mnt", "source": "/srv", "options": ["bind"]}
OTHER_MAPPING: Final = "required, because the other mapping is given"
CONFIGS: Final[Sequence[tuple[dict[str, Json | Drop], str]]] = [
    ({"ociVersion": DROP}, "ociVersion: required property is missing"),
    ({"ociVersion": "2.0.0"}, 'ociVersion: unsupported version "2.0.0", expected 1.x'),
    ({"process.args": "sh"}, 'process.args: expected an array, got "sh"'),
    ({"process.args": [5]}, "process.args[0]: expected a string, got 5"),
    ({"process.terminal": "yes"}, 'process.terminal: expected true or false, got "yes"'),
    ({"process.user.uid": "root"}, 'process.user.uid: expected an integer, got "root"'),
    ({"process.user.uid": -1}, "process.user.uid: expected an integer from 0 to 4294967295, got -1"),
    ({"process.user.uid": 1.5}, "process.user.uid: expected an integer, got 1.5"),
    ({"mounts": {}}, "mounts: expected an array, got an object"),
    ({"mounts+": [{"type": "tmpfs"}]}, "mounts[7].destination: required property is missing"),
    ({"linux.resources.memory": {"limit": "64m"}}, 'linux.resources.memory.limit: expected an integer, got "64m"'),
    ({"root": DROP}, "root: required property is missing"),
    ({"root.path": DROP}, "root.path: required property is missing"),
    ({"root.path": ""}, "root.path: must not be empty"),
    (
        {"root.path": "missing"},
        "root.path: @BUNDLE@/missing: no such file or directory (the bundle needs its root file system there)",
    ),
    (
        {"root.path": "config.json"},
        "root.path: @BUNDLE@/config.json: not a directory (the bundle needs its root file system there)",
    ),
    ({f"{HOOK}+": [{"path": "bin/hook"}]}, 'hooks.createRuntime[0].path: must be an absolute path, got "bin/hook"'),
    ({f"{HOOK}+": [{"args": ["x"]}]}, "hooks.createRuntime[0].path: required property is missing"),
    (
        {f"{HOOK}+": [{"path": "/bin/true", "timeout": 0}]},
        "hooks.createRuntime[0].timeout: must be at least 1 second, got 0",
    ),
    (
        {f"{HOOK}+": [{"path": "/bin/true", "timeout": -3}]},
        "hooks.createRuntime[0].timeout: must be at least 1 second, got -3",
    ),
    ({HOOK: {"path": "/bin/true"}}, "hooks.createRuntime: expected an array, got an object"),
    ({"linux.namespaces+": [{"type": "net"}]}, 'linux.namespaces[5].type: unknown namespace "net"'),
    ({"linux.namespaces+": [{"type": "pid"}]}, 'linux.namespaces[5].type: duplicate namespace "pid"'),
    ({"linux.namespaces": [{"path": "/x"}]}, "linux.namespaces[0].type: required property is missing"),
    (
        {"linux.namespaces": [*NAMESPACES[1:], {"type": "pid", "path": "/nonexistent"}]},
        "linux.namespaces[4].path: /nonexistent: no such file or directory",
    ),
    ({"process.cwd": "tmp"}, 'process.cwd: must be an absolute path, got "tmp"'),
    ({"process.cwd": ""}, 'process.cwd: must be an absolute path, got ""'),
    ({"process.args": []}, "process.args: must have at least one entry"),
    ({"process.env": ["A"]}, 'process.env[0]: expected NAME=VALUE, got "A"'),
    (
        {"process.rlimits+": [{"type": "RLIMIT_FILES", "soft": 1, "hard": 1}]},
        'process.rlimits[1].type: unknown limit "RLIMIT_FILES"',
    ),
    (
        {"process.rlimits+": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}]},
        'process.rlimits[1].type: duplicate limit "RLIMIT_NOFILE"',
    ),
    (
        {"process.rlimits+": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]},
        "process.rlimits[1].soft: 2 is above the hard limit 1",
    ),
    ({"ociVersion": "1.3"}, 'ociVersion: expected a version such as 1.3.0 (SemVer 2.0), got "1.3"'),
    ({"annotations": ["a"]}, "annotations: expected an object, got an array"),
    ({"annotations": {"a": 5}}, 'annotations["a"]: expected a string, got 5'),
    ({"annotations": {"": "a"}}, "annotations: keys must not be empty"),
    ({"mounts+": [VOLUME | {"uidMappings": MAPS}]}, f"mounts[7].gidMappings: {OTHER_MAPPING}"),
    ({"mounts+": [VOLUME | {"gidMappings": MAPS}]}, f"mounts[7].uidMappings: {OTHER_MAPPING}"),
    (
        {"linux.namespaces": [*NAMESPACES[1:], {"type": "pid", "path": "ns/pid"}]},
        'linux.namespaces[4].path: must be an absolute path, got "ns/pid"',
    ),
    ({"linux.maskedPaths": ["proc"]}, 'linux.maskedPaths[0]: must be an absolute path, got "proc"'),
    ({"linux.readonlyPaths": ["proc"]}, 'linux.readonlyPaths[0]: must be an absolute path, got "proc"'),
    (
        {"linux.resources.cpu": {"quota": 1000, "burst": 2000}},
        "linux.resources.cpu.burst: must be at most the quota 1000, got 2000",
    ),
    (
        {"linux.resources.blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}},
        "linux.resources.blockIO.weightDevice[0]: at least one of weight and leafWeight is required",
    ),
    (
        {"linux.resources.rdma": {"mlx5_1": {}}},
        'linux.resources.rdma["mlx5_1"]: at least one of hcaHandles and hcaObjects is required',
    ),
    (
        {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}},
        "linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW takes no errno",
    ),
    (
        {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_LOG"}]}},
        "linux.seccomp.syscalls[0].names: must have at least one entry",
    ),
    (
        {
            "linux.seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_KILL", "errnoRet": 1}],
            }
        },
        "linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_KILL takes no errno",
    ),
    (
        {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "m"}},
        "linux.seccomp.listenerMetadata: needs listenerPath",
    ),
    (
        {"linux.intelRdt": {"memBwSchema": "L3:0=f"}},
        'linux.intelRdt.memBwSchema: must be one line that begins with "MB:", got "L3:0=f"',
    ),
    (
        {"linux.intelRdt": {"memBwSchema": "MB:0=1\nMB:1=1"}},
        'linux.intelRdt.memBwSchema: must be one line that begins with "MB:", got "MB:0=1\\nMB:1=1"',
    ),
    (
        {"linux.intelRdt": {"schemata": ["L3:0=f\nL2:0=f"]}},
        'linux.intelRdt.schemata[0]: must be one line, got "L3:0=f\\nL2:0=f"',
    ),
]
