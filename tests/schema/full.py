"""A document that has every property of the schema that Linux has, each in a value that slinger takes.

Rule of the file: test_agreement.py demands a property here for each that the schema knows.
"""

from __future__ import annotations

from typing import Any, Final

MAPS: Final = [{"containerID": 0, "hostID": 1000, "size": 1000}]
THROTTLE: Final = [{"major": 8, "minor": 0, "rate": 1000}]
HOOK: Final = {"path": "/bin/hook", "args": ["hook", "now"], "env": ["A=1"], "timeout": 5}

PROCESS: Final[dict[str, Any]] = {
    "args": ["sh"],
    "commandLine": "cmd.exe",
    "consoleSize": {"height": 25, "width": 80},
    "cwd": "/",
    "env": ["PATH=/bin"],
    "terminal": True,
    "user": {"uid": 1, "gid": 1, "umask": 18, "additionalGids": [5], "username": "administrator"},
    "capabilities": {name: ["CAP_KILL"] for name in ("bounding", "permitted", "effective", "inheritable", "ambient")},
    "apparmorProfile": "profile",
    "oomScoreAdj": 100,
    "selinuxLabel": "label",
    "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "noNewPrivileges": True,
    "scheduler": {
        "policy": "SCHED_DEADLINE",
        "nice": 0,
        "priority": 0,
        "flags": ["SCHED_FLAG_RESET_ON_FORK"],
        "runtime": 1000,
        "deadline": 2000,
        "period": 3000,
    },
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}],
    "execCPUAffinity": {"initial": "0-3,7", "final": "1"},
}
RESOURCES: Final[dict[str, Any]] = {
    "unified": {"memory.high": "1000000"},
    "devices": [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}],
    "pids": {"limit": 100},
    "blockIO": {
        "weight": 500,
        "leafWeight": 500,
        "throttleReadBpsDevice": THROTTLE,
        "throttleWriteBpsDevice": THROTTLE,
        "throttleReadIOPSDevice": THROTTLE,
        "throttleWriteIOPSDevice": THROTTLE,
        "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 500}],
    },
    "cpu": {
        "cpus": "0-1",
        "mems": "0",
        "period": 100000,
        "quota": 50000,
        "burst": 1000,
        "realtimePeriod": 1000000,
        "realtimeRuntime": 95000,
        "shares": 1024,
        "idle": 0,
    },
    "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854775807}],
    "memory": {
        "kernel": -1,
        "kernelTCP": -1,
        "limit": 1000000,
        "reservation": 500000,
        "swap": 2000000,
        "swappiness": 60,
        "disableOOMKiller": False,
        "useHierarchy": True,
        "checkBeforeUpdate": True,
    },
    "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
    "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
}
SECCOMP: Final[dict[str, Any]] = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": 1,
    "flags": ["SECCOMP_FILTER_FLAG_LOG"],
    "listenerPath": "/run/agent.sock",
    "listenerMetadata": "for the agent",
    "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [
        {
            "names": ["read", "open"],
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": 13,
            "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}],
        }
    ],
}
LINUX: Final[dict[str, Any]] = {
    "devices": [{"type": "c", "path": "/dev/fuse", "fileMode": 438, "major": 10, "minor": 229, "uid": 1, "gid": 1}],
    "netDevices": {"eth0": {"name": "container_eth0"}},
    "uidMappings": MAPS,
    "gidMappings": MAPS,
    "namespaces": [
        *({"type": kind} for kind in ("mount", "pid", "uts", "ipc", "user", "cgroup", "time")),
        {"type": "network", "path": "/run/netns/box"},
    ],
    "resources": RESOURCES,
    "cgroupsPath": "/box",
    "rootfsPropagation": "slave",
    "seccomp": SECCOMP,
    "sysctl": {"net.ipv4.ip_forward": "1"},
    "maskedPaths": ["/proc/kcore"],
    "readonlyPaths": ["/proc/sys"],
    "mountLabel": "system_u:object_r:container_file_t:s0",
    "intelRdt": {
        "closID": "guaranteed",
        "schemata": ["L2:0=f"],
        "l3CacheSchema": "L3:0=7f0",
        "memBwSchema": "MB:0=20",
        "enableMonitoring": True,
    },
    "memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]},
    "personality": {"domain": "LINUX", "flags": ["SOME_DAY"]},
    "timeOffsets": {"boottime": {"secs": 1, "nanosecs": 2}, "monotonic": {"secs": -1, "nanosecs": 2}},
}
FULL: Final[dict[str, Any]] = {
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs", "readonly": True},
    "process": PROCESS,
    "hostname": "box",
    "domainname": "example.org",
    "mounts": [
        {
            "destination": "/data",
            "type": "none",
            "source": "/srv/data",
            "options": ["rbind", "ridmap"],
            "uidMappings": MAPS,
            "gidMappings": MAPS,
        }
    ],
    "hooks": {
        stage: [HOOK]
        for stage in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    },
    "annotations": {"com.example.key": "value"},
    "linux": LINUX,
    "solaris": {"milestone": "online"},
    "windows": {"layerFolders": ["C:\\layer"]},
    "vm": {"kernel": {"path": "/boot/kernel"}},
    "zos": {"namespaces": [{"type": "pid"}]},
    "freebsd": {"jail": {"parent": "outer"}},
}
