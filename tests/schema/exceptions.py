"""Where slinger's verdict is another than the schema's, and why. A row that nothing needs fails the test.

In a pattern `*` stands for any text; an index is written `[]`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from tests.schema.mutations import Mutation


@dataclass(frozen=True)
class Stricter:
    """The schema has nothing against it, and slinger refuses: `path` and `why` are those of its error."""

    path: str
    why: str
    reason: str

    def explains(self, message: str) -> bool:
        """Whether this is an error of the row."""
        path, _, why = message.partition(": ")
        return matches(self.path, path) and matches(self.why, why)


@dataclass(frozen=True)
class Laxer:
    """The schema refuses, and slinger does not: `path` and `what` are those of the mutation."""

    path: str
    what: str
    reason: str

    def explains(self, mutation: Mutation) -> bool:
        """Whether this is a mutation of the row."""
        return matches(self.path, mutation.path) and matches(self.what, mutation.what)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is as in the pattern."""
    return _compiled(pattern).fullmatch(re.sub(r"\[[0-9]+\]", "[]", text)) is not None


OTHER_PLATFORM: Final = 'a property of another platform is unknown here, and ignored (config.md, "Extensibility")'
UNSET: Final = "the zero value of Go's types, which engines write for a property that is not set"
RANGE: Final = "what the kernel's field holds"
C_STRING: Final = "the kernel would see the beginning of it only"

LAXER: Final = (
    Laxer("*", "type null", "null is an absent property, as it is for the decoders of Go"),
    *(
        Laxer(path, "*", OTHER_PLATFORM)
        for path in ("process.commandLine", "process.user.username", "solaris*", "windows*", "vm*", "zos*", "freebsd*")
    ),
    Laxer("linux.devices[].fileMode", "bound *", "engines write the st_mode of stat(2), which has the type; a warning"),
    Laxer("linux.resources.pids.limit", "required missing", 'OPTIONAL in config-linux.md, "PIDs"'),
    Laxer("linux.rootfsPropagation", "text empty", UNSET),
    Laxer("linux.intelRdt.memBwSchema", "* ''", UNSET),
    Laxer("linux.intelRdt.memBwSchema", "text empty", UNSET),
)

STRICTER: Final = (
    # ---- REQUIRED in the text, and not in the schema
    Stricter("root", "required property is missing", 'REQUIRED on Linux: config.md, "Root"'),
    Stricter("process.user.*", "required property is missing", 'REQUIRED: config.md, "POSIX-platform User"'),
    Stricter("process.args", "must have at least one entry", 'at least one is REQUIRED: config.md, "Process"'),
    Stricter("linux.devices[].m*", "required property is missing", "REQUIRED unless the type is p"),
    Stricter("linux.resources.blockIO.throttle*[].rate", "required property is missing", "REQUIRED"),
    Stricter("linux.memoryPolicy.mode", "required property is missing", "REQUIRED"),
    Stricter("linux.personality.domain", "required property is missing", "REQUIRED"),
    # ---- MUST and MUST NOT of the text
    Stricter("ociVersion", "expected a version *", "MUST be SemVer 2.0"),
    Stricter("annotations", "keys must not be empty", "keys MUST NOT be empty"),
    Stricter("process.cwd", "must be an absolute path, got *", "MUST be absolute"),
    Stricter("hooks.*[].path", "must be an absolute path, got *", "MUST be absolute"),
    Stricter("linux.namespaces[].path", "must be an absolute path, got *", "MUST be absolute"),
    Stricter("linux.maskedPaths[]", "must be an absolute path, got *", "MUST be absolute"),
    Stricter("linux.readonlyPaths[]", "must be an absolute path, got *", "MUST be absolute"),
    Stricter("linux.devices[].path", "must be an absolute path, got *", "the full path is wanted"),
    Stricter("process.rlimits[].type", "duplicate limit *", "MUST be an error"),
    Stricter("process.rlimits[].type", "unknown limit *", "MUST be an error: no such limit in getrlimit(2)"),
    Stricter("linux.namespaces[].type", "duplicate namespace *", "MUST be an error"),
    Stricter("mounts[].*Mappings", "required, because the other mapping is given", "each MUST go with the other"),
    Stricter("linux.seccomp*.*rrnoRet", "* takes no errno", "MUST be an error"),
    Stricter("linux.seccomp.listenerMetadata", "needs listenerPath", "MUST NOT be set without it"),
    Stricter("linux.resources.cpu.burst", "must be at most the quota *", "MUST be no larger than the quota"),
    Stricter("linux.resources.blockIO.weightDevice[]", "at least one of *", "MUST be one of the two"),
    Stricter("linux.resources.rdma*", "at least one of *", "MUST be one of the two"),
    Stricter("linux.netDevices*", "duplicate name in the container *", "MUST be an error"),
    Stricter("linux.timeOffsets*", "unknown clock, *", "the keys are names of clocks"),
    Stricter("linux.timeOffsets*extra*", "expected an object, got *", "the keys are names of clocks"),
    # ---- words that Linux does not have
    Stricter("process.scheduler.policy", 'expected one of *, got "SCHED_ISO"', "Linux has never had it"),
    Stricter("linux.devices[].type", "expected one of b, c, p, u, got *", "$ matches before a last line break"),
    Stricter("linux.resources.hugepageLimits[].pageSize", "expected a size *", "$ matches before a last line break"),
    Stricter("linux.intelRdt.memBwSchema", "must be one line *", "$ matches before a last line break"),
    Stricter("linux.resources.devices[].type", "expected a, b or c, got *", "the words of the text"),
    Stricter(
        "linux.resources.devices[].access", "expected one or more of r, w and m, got *", "the letters of the text"
    ),
    Stricter("linux.*s", "expected a list of numbers and ranges *", "cpuset(7), List format"),
    Stricter("process.execCPUAffinity.*", "expected a list of numbers and ranges *", "cpuset(7), List format"),
    # ---- numbers
    Stricter("process.consoleSize.*", "must be from 0 to 65535, got *", RANGE),
    Stricter("process.user.*", "must be from 0 to 4294967294, got *", "the last number says: leave it (setresuid(2))"),
    Stricter("process.user.umask", "must be from 0 to 511, got *", "umask(2): permissions only"),
    Stricter("process.oomScoreAdj", "must be from -1000 to 1000, got *", "proc_pid_oom_score_adj(5)"),
    Stricter("process.oomScoreAdj", "expected an integer from *", "the schema has no bounds"),
    Stricter("hooks.*[].timeout", "expected an integer from *", "the schema has no upper bound"),
    Stricter("process.ioPriority.priority", "must be from 0 to 7, got *", "levels of ioprio_set(2), and of the text"),
    Stricter("process.scheduler.nice", "must be from -20 to 19, got *", "sched_setattr(2)"),
    Stricter("process.scheduler.priority", "*", "sched_setattr(2): 1 to 99 for two policies, 0 for the others"),
    Stricter("process.scheduler.runtime", "only SCHED_DEADLINE takes one, got *", "sched_setattr(2)"),
    Stricter("process.scheduler", "SCHED_DEADLINE needs 0 < runtime *", "sched_setattr(2)"),
    Stricter("process.rlimits[].soft", "* is above the hard limit *", "getrlimit(2)"),
    Stricter("linux.devices[].m*", "must be from 0 to 4294967295, got *", RANGE),
    Stricter("linux.resources.devices[].m*", "must be from 0 to 4294967295, got *", RANGE),
    Stricter("linux.resources.blockIO.*Device[].m*", "must be from 0 to 4294967295, got *", RANGE),
    Stricter("linux.resources.blockIO.*eight", "must be from 10 to 1000, got *", "blkio.weight of cgroup v1"),
    Stricter("linux.resources.cpu.idle", "must be from 0 to 1, got *", "the two values of the text"),
    Stricter("linux.resources.memory.*", "must be from -1 to *, got *", "-1 is unlimited, and nothing is less"),
    Stricter("linux.resources.memory.swappiness", "must be from 0 to 100, got *", "the values of the text"),
    Stricter("linux.resources.memory.swap", "memory and swap together *", "it counts the memory too"),
    Stricter("linux.seccomp*.*rrnoRet", "must be from 0 to *, got *", "the bits that the filter's answer has for it"),
    Stricter("linux.seccomp.syscalls[].args[].index", "must be from 0 to 5, got *", "a system call has six arguments"),
    Stricter("linux.timeOffsets*.nanosecs", "must be from 0 to 999999999, got *", "time_namespaces(7)"),
    Stricter("*Mappings[].size", "must be at least 1, got 0", "user_namespaces(7)"),
    Stricter("*Mappings[].size", "the range ends above *", "user_namespaces(7)"),
    Stricter("*Mappings[].containerID", "the range overlaps with *", "user_namespaces(7)"),
    # ---- text that the kernel cannot take
    Stricter("*", "must not hold a NUL character", C_STRING),
    Stricter("*env[]", "expected NAME=VALUE, got *", "environ(7)"),
    Stricter("root.path", "must not be empty", "it names a directory"),
    Stricter("mounts[].destination", "must not be empty", "it names a directory or a file"),
    Stricter("linux.seccomp.syscalls[].names[]", "must not be empty", "it names a system call"),
    Stricter("*omainname", "must be at most 64 bytes, got *", "uname(2)"),
    Stricter("hostname", "must be at most 64 bytes, got *", "uname(2)"),
    Stricter("linux.netDevices*", "invalid name of an interface *", "what the kernel calls a name"),
    Stricter(
        "linux.resources.network.priorities[].name", "expected the name of an interface, got *", "a word of a line"
    ),
    Stricter("linux.resources.rdma*", "expected the name of a device", "a word of a line"),
    Stricter("linux.resources.unified*", "expected the name of a file of the cgroup", "it must not lead elsewhere"),
    Stricter("linux.intelRdt.closID", "must be / or the name of a directory, got *", "it must not lead elsewhere"),
    Stricter("linux.seccomp.listenerPath", "must be an absolute path, got *", "runc refuses it too"),
    # ---- what does not go together
    Stricter("linux.*idMappings", "required with a new user namespace", "user_namespaces(7)"),
    Stricter("mounts[].source", "must not be empty for a bind mount", "a bind mount is of something"),
    Stricter("mounts[].options", "a bind mount takes no options of a file system, got *", "no file system is made"),
    Stricter("mounts[].*", "only a bind mount can be id-mapped", "mount_setattr(2)"),
    Stricter("linux.sysctl*", "not a parameter of a namespace, *", "it is the whole machine's; runc refuses it too"),
    Stricter("linux.memoryPolicy.nodes", "must *", "set_mempolicy(2), and the text"),
    Stricter("linux.seccomp.flags[]", "* needs a rule with SCMP_ACT_NOTIFY", "seccomp(2)"),
    Stricter("mounts[].type", "must not be empty, except for a bind mount", "a file system is of a type"),
    Stricter("linux.seccomp.defaultAction", "must not be SCMP_ACT_NOTIFY", "somebody must write the answers"),
    Stricter("linux.seccomp.syscalls[].action", "SCMP_ACT_NOTIFY needs *", "nobody would be told"),
    Stricter("hostname", "needs a uts namespace *", "it would be the host's"),
    Stricter(
        "mounts[].type",
        "only proc may be mounted on /proc, got *",
        "what the runtime writes there must be the kernel's",
    ),
    Stricter("linux.*idMappings", "needs a user namespace *", "it would be the host's"),
)
