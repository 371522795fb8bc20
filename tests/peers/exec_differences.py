"""The known differences in exec, each with its reason."""

from __future__ import annotations

from typing import Final

from tests.peers.row import Difference, rows

FOLLOWS: Final = (
    *rows(
        *("crun", "capabilities:*, cwd, env, uid, gid, groups, noNewPrivileges, oomScoreAdj, rlimits:*"),
        "the process is like the container's own but for what the options say (runc); with crun it has nothing of it",
    ),
    *rows("crun", "probes:*:write", "follows from the user", "exec in a container of a user", "exec --env of a user"),
    *rows("crun", "probes:*:write", "follows from the user", "exec --tty and TERM"),
    *rows(
        *("slinger", "umask"),
        "process.user.umask holds for exec, too; runc 1.1 does not apply it there",
        "exec in a container limited",
    ),
    *rows("runc", "umask", "runc 1.1 does not apply user.umask in exec", "exec of a file, of a user"),
    *rows(
        *("slinger", "rlimits:*"),
        "a process that says nothing of limits has the container's, not those of whoever called exec",
        "exec of a file*",
    ),
    *rows("all", "env", "with a terminal slinger sets TERM where the config does not", "exec --tty and TERM"),
    *rows("slinger", "oomScoreAdj", "the property holds for exec, too", "exec of a file, oomScoreAdj"),
    *rows(
        *("slinger", "scheduler:*"),
        "process.scheduler is applied; these versions of runc and crun do not know it",
        "exec of a file, scheduler",
    ),
    *rows(
        *("slinger", "io*"),
        "process.ioPriority is applied; these versions of runc and crun do not know it",
        "exec of a file, ioPriority",
    ),
)
OWN: Final = (
    *rows(
        *("crun", "lists:/dev:core:*"),
        "/dev/core is no link of the spec; runc makes it only where the host has /proc/kcore, crun always",
    ),
    *rows("crun", "keyring:description", "crun gives exec no session keyring of the container's"),
    *rows("all", "keyring:description", "the same; in a user namespace", "exec * user namespace"),
    *rows(
        *("crun", "pgid, sid"),
        "the process leads a session of its own (runc); with crun it stays in that of whoever called exec",
    ),
    *rows(
        *("crun", "stdioOwner"),
        "stdio is given to the process's user; crun gives it to the group as well, with a user namespace not at all",
    ),
    *rows(
        *("all", "stdioOwner"),
        "the same; runc's pipes in between keep the group of the container's root",
        *("exec --user in a user namespace", "exec of a file, in a user namespace"),
    ),
    *rows(
        *("runc", "lists:/dev:mqueue:owner"),
        "under runc the group of the mqueue file system's root is not mapped",
        "exec * user namespace",
    ),
)
ENDS: Final = (
    *rows(
        *("slinger", "outcome, output"),
        "a capability that nobody knows is an error where a person names it; runc warns, crun leaves it out",
        "exec --cap unknown",
    ),
    *rows(
        *("slinger", "outcome, output, says"),
        "a user that cannot be read is an error, never somebody's guess (CVE-2026-30892)",
        "exec --user empty",
    ),
    *rows(
        *("slinger", "outcome, output, says"),
        "the spec: a duplicate rlimit must be an error; runc and crun let the last one win",
        "exec of a file, rlimits twice",
    ),
    *rows(
        *("crun", "outcome, output, says"),
        "crun 1.8 does not know this option",
        *("exec --no-new-privs false", "exec --ignore-paused"),
    ),
    *rows("all", "outcome", "errors of the call: 1 (runc), 64 (crun), 255 (slinger, in exec)", "exec unknown option"),
    *rows("runc", "output", "runc prints the help on stdout", "exec unknown option"),
    *rows(
        *("runc", "outcome, output, says"),
        "runc 1.1 ends with a stack trace",
        "exec --cap without capabilities",
    ),
    *rows(
        *("crun", "outcome, output, says"),
        "crun does not look whether it can be done",
        *("exec --cwd relative", "exec --env without a value", "exec --cgroup missing", "exec --process-label"),
        "exec --console-socket without a terminal",
    ),
    *rows(
        *("crun", "outcome"),
        "exec's own errors end it with 255, which no program's 1 is taken for; crun's with 1",
        *("exec --user by a name", "exec --pid-file in a missing place", "exec without a program"),
        *("exec of a file, cwd absent", "exec of a file that is missing", "exec of a file and a program"),
    ),
    *rows("crun", "says", "runc and slinger warn of it", "exec --cap unknown"),
    *rows(
        *("all", "capabilities:*"),
        "in small letters: unknown (runc), known and all that there is (crun), known and added (slinger)",
        "exec --cap in small letters",
    ),
    *rows("runc", "says", "the same: runc warns", "exec --cap in small letters"),
    *rows("crun", "says", "crun ends without a word", "exec of a file, args absent"),
)

EXEC_DIFFERENCES: Final[tuple[Difference, ...]] = (*FOLLOWS, *OWN, *ENDS)
