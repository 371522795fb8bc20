"""The configs of the differential test about the process: identity, environment, privileges, scheduling, terminal."""

from __future__ import annotations

from typing import Final

from slinger.linux.capabilities import CAPABILITIES
from tests.bundles import DROP, PATH, mount
from tests.peers.case import (
    FIVE_SETS,
    MAPPED_OWNER,
    THREE_SETS,
    USER,
    USER_NAMESPACE,
    Case,
    bind,
    capabilities,
    tmpfs,
    without,
)

LOOK_AB: Final = ("--probe", "/a", "--probe", "/a/b")

IDENTITY: Final = (
    Case(name="base", changes={}),
    Case(name="uid and gid", changes=USER),
    Case(
        name="additional groups",
        changes={"process.user": {"uid": 1000, "gid": 1000, "additionalGids": [5, 6, 1000]}},
    ),
    Case(name="umask", changes={"process.user": {"uid": 0, "gid": 0, "umask": 0o77}}),
    Case(name="cwd that is missing", changes={"process.cwd": "/work/deep"}, look=("--probe", "/work/deep")),
    Case(name="cwd of a user", changes={**USER, "process.cwd": "/home/user"}),
    Case(name="cwd closed to the user", changes={**USER, "process.cwd": "/closed/x", **tmpfs("/closed", "mode=700")}),
    Case(name="env with HOME of the user", changes={**USER, "process.env": [PATH]}),
    Case(name="env with a name twice", changes={"process.env": [PATH, "A=1", "B=2", "A=3"]}),
    Case(name="env with HOME empty", changes={"process.env": [PATH, "HOME="]}),
    Case(name="env with an empty value", changes={"process.env": [PATH, "EMPTY="]}),
    Case(name="env absent", changes={"process.env": DROP}),
    Case(
        name="args found by PATH",
        changes={"process.args": ["payload", "report"], "process.env": ["PATH=/nowhere:/bin"]},
    ),
    Case(name="args relative to cwd", changes={"process.args": ["./payload", "report"], "process.cwd": "/bin"}),
)

PRIVILEGES: Final = (
    Case(name="capabilities absent", changes={"process.capabilities": DROP}),
    Case(name="capabilities empty", changes=capabilities()),
    Case(name="capabilities of a user", changes={**USER}),
    Case(
        name="capabilities in five sets",
        changes=capabilities(
            bounding=["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYS_PTRACE"],
            permitted=["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
            effective=["CAP_CHOWN"],
            inheritable=["CAP_KILL", "CAP_NET_RAW"],
            ambient=["CAP_KILL"],
        ),
    ),
    Case(
        name="capabilities ambient of a user",
        changes={
            **USER,
            **capabilities(**{name: ["CAP_KILL"] for name in ("inheritable", "ambient", *THREE_SETS)}),
        },
    ),
    Case(
        name="capabilities inheritable only",
        changes=capabilities(inheritable=["CAP_KILL"], bounding=["CAP_KILL"], permitted=["CAP_KILL"]),
    ),
    Case(
        name="capabilities with an unknown name",
        changes=capabilities(**{name: ["CAP_KILL", "CAP_NOT_YET"] for name in THREE_SETS}),
    ),
    Case(name="new privileges allowed", changes={"process.noNewPrivileges": False}),
    Case(name="new privileges unset", changes={"process.noNewPrivileges": DROP, **USER}),
    Case(
        name="rlimits",
        changes={
            "process.rlimits": [
                {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
                {"type": "RLIMIT_STACK", "soft": 4194304, "hard": 8388608},
                {"type": "RLIMIT_RTTIME", "soft": 10000000, "hard": 10000000},
                {"type": "RLIMIT_MSGQUEUE", "soft": 4096, "hard": 4096},
            ]
        },
    ),
    Case(name="rlimits absent", changes={"process.rlimits": DROP}),
    Case(name="oomScoreAdj", changes={"process.oomScoreAdj": 500}),
    Case(name="oomScoreAdj zero", changes={"process.oomScoreAdj": 0}),
    Case(name="personality", changes={"linux.personality": {"domain": "LINUX32"}}),
    Case(name="ioPriority", changes={"process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}}),
    Case(name="scheduler", changes={"process.scheduler": {"policy": "SCHED_BATCH", "nice": 5}}),
)

MORE_IDENTITY: Final = (
    Case(name="uid without an entry", changes={"process.user": {"uid": 4242, "gid": 4243}, "process.env": [PATH]}),
    Case(name="uid of root with another group", changes={"process.user": {"uid": 0, "gid": 1000}}),
    Case(name="user by name", changes={"process.user": {"uid": 0, "gid": 0, "username": "user"}}),
    Case(name="additional groups empty", changes={"process.user": {"uid": 1000, "gid": 1000, "additionalGids": []}}),
    Case(
        name="additional groups twice",
        changes={"process.user": {"uid": 0, "gid": 0, "additionalGids": [9, 9, 0, 8]}},
    ),
    *(
        Case(name=f"umask {mask:04o}", changes={"process.user": {"uid": 1000, "gid": 1000, "umask": mask}})
        for mask in (0, 0o27, 0o777)
    ),
    Case(name="umask and a missing cwd", changes={"process.user.umask": 0o77, "process.cwd": "/a/b"}, look=LOOK_AB),
    Case(name="umask and a missing mountpoint", changes={"process.user.umask": 0o77, **tmpfs("/a/b")}, look=LOOK_AB),
    Case(name="cwd with dots", changes={"process.cwd": "/bin/../etc/."}),
    Case(name="cwd a link", changes={"process.cwd": "/link"}),
    Case(name="cwd through a link", changes={"process.cwd": "/link/deep"}, look=("--list", "/secrets")),
    Case(name="cwd in proc", changes={"process.cwd": "/proc/self"}),
    Case(name="cwd below a mount", changes={**tmpfs("/mnt"), "process.cwd": "/mnt/deep"}, look=("--list", "/mnt")),
    Case(name="env with equals in the value", changes={"process.env": [PATH, "A=b=c", "B==", "C= "]}),
    Case(name="env with a name alone", changes={"process.env": [PATH, "ALONE"]}),
    Case(name="env with HOME given", changes={"process.env": [PATH, "HOME=/elsewhere"]}),
    Case(name="env of a listener", changes={"process.env": [PATH, "LISTEN_FDS=3", "LISTEN_PID=7", "NOTIFY_SOCKET=/x"]}),
    Case(name="args with empty words", changes={}, arguments=("/bin/payload", "report", "", " ", "")),
    Case(
        name="args by a link",
        changes={**bind("@BUNDLE@/rootfs/bin", "/usr/bin", "bind"), "process.args": ["payload", "report"]},
    ),
    Case(name="command line of another system", changes={"process.commandLine": "ignored"}),
    Case(name="exit status", changes={}, arguments=("/bin/payload", "exit", "7")),
    Case(
        name="end by a signal", changes={"linux.namespaces": without("pid")}, arguments=("/bin/payload", "kill", "15")
    ),
    Case(name="end of the first process by a signal", changes={}, arguments=("/bin/payload", "kill", "9")),
)

ALL_LIMITS: Final = (
    *("AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE", "NOFILE", "NPROC", "RSS", "RTPRIO"),
    *("RTTIME", "SIGPENDING", "STACK"),
)
NEAR: Final = {"NICE": 0, "RTPRIO": 0, "CORE": 0, "NOFILE": 999, "MSGQUEUE": 800000, "MEMLOCK": 65536, "NPROC": 5000}
EVERY: Final = tuple(sorted(CAPABILITIES))

MORE_PRIVILEGES: Final = (
    Case(name="capabilities all", changes=capabilities(**dict.fromkeys(THREE_SETS, EVERY))),
    Case(name="capabilities all in five sets", changes=capabilities(**dict.fromkeys(FIVE_SETS, EVERY))),
    Case(name="capabilities all of a user", changes={**USER, **capabilities(**dict.fromkeys(FIVE_SETS, EVERY))}),
    Case(name="capabilities bounding only", changes=capabilities(bounding=EVERY)),
    Case(
        name="capabilities bounding only, new privileges",
        changes={**USER, **capabilities(bounding=["CAP_CHOWN"]), "process.noNewPrivileges": False},
    ),
    Case(
        name="capabilities effective beyond permitted",
        changes=capabilities(bounding=["CAP_KILL"], effective=["CAP_KILL"]),
    ),
    Case(
        name="capabilities permitted beyond bounding",
        changes=capabilities(permitted=["CAP_KILL"], effective=["CAP_KILL"]),
    ),
    Case(
        name="capabilities ambient, not inheritable",
        changes=capabilities(ambient=["CAP_KILL"], **{name: ["CAP_KILL"] for name in THREE_SETS}),
    ),
    Case(name="capabilities in small letters", changes=capabilities(**{name: ["cap_kill"] for name in THREE_SETS})),
    Case(
        name="capabilities named twice", changes=capabilities(**{name: ["CAP_KILL", "CAP_KILL"] for name in THREE_SETS})
    ),
    Case(
        name="rlimits of every type",
        changes={
            "process.rlimits": [
                {"type": f"RLIMIT_{name}", "soft": NEAR.get(name, 1 << 40), "hard": NEAR.get(name, 1 << 41)}
                for name in ALL_LIMITS
            ]
        },
    ),
    Case(
        name="rlimits without end",
        changes={"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": (1 << 64) - 1}]},
    ),
    Case(name="rlimit raised", changes={"process.rlimits": [{"type": "RLIMIT_MSGQUEUE", "soft": 1, "hard": 1 << 40}]}),
    Case(name="rlimits empty", changes={"process.rlimits": []}),
    Case(name="oomScoreAdj of a user", changes={**USER, "process.oomScoreAdj": 1000}),
    Case(name="oomScoreAdj negative", changes={"process.oomScoreAdj": -1}),
    Case(name="oomScoreAdj too large", changes={"process.oomScoreAdj": 1001}),
    Case(name="personality of the machine", changes={"linux.personality": {"domain": "LINUX"}}),
    Case(name="personality unknown", changes={"linux.personality": {"domain": "OS2"}}),
    Case(name="personality with flags", changes={"linux.personality": {"domain": "LINUX32", "flags": ["UNAME26"]}}),
    *(
        Case(
            name=f"ioPriority {kind}", changes={"process.ioPriority": {"class": f"IOPRIO_CLASS_{kind}", "priority": 3}}
        )
        for kind in ("IDLE", "RT")
    ),
    *(
        Case(name=f"scheduler {policy}", changes={"process.scheduler": {"policy": f"SCHED_{policy}", key: value}})
        for policy, key, value in (
            ("OTHER", "nice", -3),
            ("IDLE", "nice", 0),
            ("FIFO", "priority", 9),
            ("RR", "priority", 1),
        )
    ),
    Case(name="affinity of exec", changes={"process.execCPUAffinity": {"initial": "0", "final": "0"}}),
    Case(name="memory policy", changes={"linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}}),
    Case(name="AppArmor profile", changes={"process.apparmorProfile": "unconfined"}),
    Case(name="AppArmor profile that is not there", changes={"process.apparmorProfile": "no-such-profile"}),
    Case(name="SELinux label", changes={"process.selinuxLabel": "system_u:system_r:container_t:s0"}),
    Case(name="SELinux label of mounts", changes={"linux.mountLabel": "system_u:object_r:container_file_t:s0"}),
)

MORE_TERMINAL: Final = (
    Case(name="terminal", changes={}, terminal=True),
    Case(name="terminal with a size", changes={"process.consoleSize": {"height": 20, "width": 90}}, terminal=True),
    Case(name="terminal of a user", changes=USER, terminal=True),
    Case(name="terminal in a user namespace", changes=USER_NAMESPACE, owner=MAPPED_OWNER, terminal=True),
    Case(
        name="terminal of a user in a user namespace",
        changes={**USER_NAMESPACE, **USER},
        owner=MAPPED_OWNER,
        terminal=True,
    ),
    Case(name="terminal without a mount for it", changes={"mounts": [mount("/proc", "proc", "proc")]}, terminal=True),
    Case(
        name="terminal and its size",
        changes={"process.consoleSize": {"height": 33, "width": 44}},
        terminal=True,
        arguments=("/bin/payload", "tty"),
    ),
    Case(name="size without a terminal", changes={"process.consoleSize": {"height": 20, "width": 90}}),
)
