"""The execs of the differential test: a container, options, and what is run in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.bundles import DROP, PATH, Drop, Json
from tests.peers.case import (
    FIVE_SETS,
    MAPPED_OWNER,
    THREE_SETS,
    USER,
    USER_NAMESPACE,
    capabilities,
    rule,
    seccomp,
    without,
)

REPORT: Final = ("/bin/payload", "report", "--list", "/dev", "--probe", "/proc/sys/kernel/hostname")
CONTAINERS: Final[Mapping[str, Mapping[str, Json | Drop]]] = {
    "plain": {},
    "of a user": {**USER, "process.env": [PATH, "OF=container"], "process.cwd": "/tmp"},
    "limited": {
        "process.user": {"uid": 0, "gid": 0, "umask": 0o77, "additionalGids": [5, 6]},
        "process.rlimits": [{"type": "RLIMIT_LOCKS", "soft": 100, "hard": 200}],
        "process.oomScoreAdj": 200,
        "linux.cgroupsPath": "/@ID@",
    },
    "with privileges": {
        **capabilities(**{name: ["CAP_CHOWN", "CAP_KILL"] for name in FIVE_SETS}),
        "process.noNewPrivileges": False,
    },
    "without capabilities": {"process.capabilities": DROP},
    "with seccomp": seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule("SCMP_ACT_ERRNO", "acct", errnoRet=61)]),
    "with namespaces": {"linux.namespaces+": [{"type": "cgroup"}]},
    "of the host": {"linux.namespaces": without("pid", "network", "ipc")},
    "read-only": {"root.readonly": True},
    "user namespace": USER_NAMESPACE,
}


@dataclass(frozen=True, kw_only=True)
class ExecCase:
    """One exec.

    container: one of CONTAINERS. process: the document of --process, none without.
    file: one that an option names as @FILE@; whether it holds a number afterwards is compared.
    terminal: with --tty and a console socket. unread: only how it ends is compared, and where texts go.
    """

    name: str
    container: str = "plain"
    options: tuple[str, ...] = ()
    words: tuple[str, ...] = REPORT
    process: Mapping[str, Json] | None = None
    fds: int = 0
    terminal: bool = False


def with_options(name: str, *options: str, container: str = "plain", fds: int = 0) -> ExecCase:
    """Make a case that only has options."""
    return ExecCase(name=f"exec {name}", options=options, container=container, fds=fds)


def ends(name: str, *words: str, options: tuple[str, ...] = ()) -> ExecCase:
    """Make a case of another program."""
    return ExecCase(name=f"exec {name}", words=words, options=options)


def described(name: str, *, container: str = "plain", **members: Json) -> ExecCase:
    """Make a case of --process, with these members beside the common ones. None removes one."""
    common: dict[str, Json] = {"cwd": "/", "args": list(REPORT), "user": {"uid": 0, "gid": 0}, "env": [PATH]}
    document = {key: value for key, value in (common | members).items() if value is not None}
    return ExecCase(name=f"exec of a file, {name}", container=container, process=document, words=())


OPTIONS: Final = (
    *(with_options(f"in a container {name}", container=name) for name in CONTAINERS),
    with_options("--user of a number", "--user", "1000"),
    with_options("--user with a group", "--user", "1000:5"),
    with_options("--user of root in a container of a user", "--user", "0:0", container="of a user"),
    with_options("--user unknown", "--user", "4242:4243"),
    with_options("--user by a name", "--user", "user"),
    with_options("--user empty", "--user", ""),
    with_options("--user in a user namespace", "--user", "1000:1000", container="user namespace"),
    with_options("--user with capabilities", "--user", "1000:1000", container="with privileges"),
    with_options("--cwd", "--cwd", "/tmp"),
    with_options("--cwd with a user", "--cwd", "/home/user", "--user", "1000"),
    with_options("--cwd missing", "--cwd", "/no/such"),
    with_options("--cwd relative", "--cwd", "tmp"),
    with_options("--env", "--env", "A=1"),
    with_options("--env twice", "--env", "A=1", "--env", "A=2", "--env", "B=3=4"),
    with_options("--env over the container's", "--env", "TERM=vt100"),
    with_options("--env of HOME", "--env", "HOME=/x"),
    with_options("--env without a value", "--env", "ALONE"),
    with_options("--env of a user", "--env", "A=1", container="of a user"),
    with_options("--cap", "--cap", "CAP_CHOWN"),
    with_options("--cap twice", "--cap", "CAP_CHOWN", "--cap", "CAP_NET_RAW"),
    with_options("--cap of a user", "--cap", "CAP_CHOWN", "--user", "1000"),
    with_options("--cap without capabilities", "--cap", "CAP_CHOWN", container="without capabilities"),
    with_options("--cap unknown", "--cap", "CAP_NOT_YET"),
    with_options("--cap in small letters", "--cap", "cap_chown"),
    with_options("--no-new-privs", "--no-new-privs", container="with privileges"),
    with_options("--no-new-privs false", "--no-new-privs=false"),
    with_options("--preserve-fds", "--preserve-fds", "2", fds=2),
    with_options("--preserve-fds fewer", "--preserve-fds", "1", fds=3),
    with_options("without --preserve-fds", fds=2),
    with_options("--pid-file", "--pid-file", "@FILE@"),
    ends("--pid-file in a missing place", "/bin/payload", "true", options=("--pid-file", "/no/such/file")),
    with_options("--detach", "--detach"),
    with_options("--detach and --pid-file", "--detach", "--pid-file", "@FILE@"),
    with_options("--cgroup missing", "--cgroup", "/no/such"),
    with_options("--cgroup of the container", "--cgroup", "/"),
    with_options("--ignore-paused", "--ignore-paused"),
    with_options("--apparmor", "--apparmor", "unconfined"),
    with_options("--process-label", "--process-label", "a:b:c:s0"),
    with_options("unknown option", "--no-such-option"),
    with_options("--console-socket without a terminal", "--console-socket", "/no/such"),
    ExecCase(name="exec --tty", terminal=True),
    ExecCase(name="exec --tty of a user", terminal=True, options=("--user", "1000:1000")),
    ExecCase(name="exec --tty in a user namespace", terminal=True, container="user namespace"),
    ExecCase(name="exec --tty and TERM", terminal=True, container="of a user"),
)

PROGRAMS: Final = (
    ends("ends with 0", "/bin/payload", "true"),
    ends("ends with 7", "/bin/payload", "exit", "7"),
    ends("ends with 255", "/bin/payload", "exit", "255"),
    ends("ends by TERM", "/bin/payload", "kill", "15"),
    ends("ends by KILL", "/bin/payload", "kill", "9"),
    ends("says something on stderr", "/bin/payload", "exit", "3", "said"),
    ends("found by PATH", "payload", "report"),
    ends("not found by PATH", "no-such-program"),
    ends("not found", "/bin/no-such-program"),
    ends("not executable", "/etc/passwd"),
    ends("a directory", "/etc"),
    ends("below a file", "/etc/passwd/x"),
    ends("of an empty name", ""),
    ends("with what looks like options", "/bin/payload", "echo", "--user", "-x", "--"),
    ends("after two dashes", "--", "/bin/payload", "echo", "x"),
    ends("not found, detached", "/bin/no-such-program", options=("--detach",)),
    ends("not found, with a pid file", "/bin/no-such-program", options=("--pid-file", "@FILE@")),
    ends("without a program"),
    ends("of seccomp", "/bin/payload", "try-syscall", "acct"),
)

FILES: Final = (
    described("common"),
    described("of a user", user={"uid": 1000, "gid": 1000, "additionalGids": [5, 6], "umask": 0o27}),
    described("cwd", cwd="/tmp"),
    described("cwd missing", cwd="/no/such"),
    described("cwd absent", cwd=None),
    described("env", env=[PATH, "A=1", "A=2"]),
    described("env absent", env=None),
    described("user absent", user=None),
    described("args absent", args=None),
    described("args empty", args=[]),
    described("capabilities", capabilities={name: ["CAP_CHOWN", "CAP_NET_RAW"] for name in THREE_SETS}),
    described("capabilities in five sets", capabilities={name: ["CAP_CHOWN"] for name in FIVE_SETS}),
    described("capabilities absent, of a container with some", container="with privileges"),
    described("rlimits", rlimits=[{"type": "RLIMIT_LOCKS", "soft": 64, "hard": 128}]),
    described("rlimits twice", rlimits=[{"type": "RLIMIT_CORE", "soft": n, "hard": n} for n in (1, 0)]),
    described("rlimits absent, of a limited container", container="limited"),
    described("no new privileges", noNewPrivileges=True),
    described("no new privileges false", noNewPrivileges=False),
    described("oomScoreAdj", oomScoreAdj=100),
    described("scheduler", scheduler={"policy": "SCHED_BATCH", "nice": 5}),
    described("ioPriority", ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6}),
    described("unknown property", unknown=1),
    described("in a user namespace", container="user namespace", user={"uid": 5, "gid": 6}),
    described("with seccomp", container="with seccomp", args=["/bin/payload", "try-syscall", "acct"]),
    described("in a read-only container", container="read-only"),
    ExecCase(name="exec of a file that is missing", options=("--process", "/no/such/file"), words=()),
    ExecCase(
        name="exec of a file and a program", options=("--process", "/no/such/file"), words=("/bin/payload", "true")
    ),
)

EXECS: Final = (*OPTIONS, *PROGRAMS, *FILES)
OWNERS: Final = {"user namespace": MAPPED_OWNER}
