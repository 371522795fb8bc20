"""What can be said to the command: the options of every verb, the verbs, and the options of each, as rows.

cli.py serves them, cli_options.py reads command lines by them; manual pages and completions are generated from them.
"""

from __future__ import annotations

from slinger.cli_options import FLAG, INT, REPEAT, VALUE, Option, Verb

LEVELS = ERROR, WARNING, DEBUG = "error", "warning", "debug"
FORMATS = ("text", "json")
MANAGERS = ("cgroupfs", "systemd", "disabled")
WHENS = ("true", "false", "auto")

# fmt: off
GLOBALS = (
    Option("root",           "",  "DIR",    VALUE, "directory of the containers' state", ""),
    Option("log",            "",  "FILE",   VALUE, "append the error to this file as well", ""),
    Option("log-format",     "",  "FORMAT", VALUE, "format of that file: text (default) or json", "text", FORMATS),
    Option("log-level",      "",  "LEVEL",  VALUE, "what to tell: error, warning (default) or debug", WARNING, LEVELS),
    Option("debug",          "",  "",       FLAG,  "the same as --log-level debug, with tracebacks", default=False),
    Option("systemd-cgroup", "",  "",       FLAG,  "the same as --cgroup-manager systemd", default=False),
    Option("cgroup-manager", "",  "NAME",   VALUE, "cgroupfs (default), systemd or disabled", MANAGERS[0], MANAGERS),
    Option("rootless",       "",  "WHEN",   VALUE, "do without a cgroup where it is denied", "auto", WHENS),
    Option("hooks-dir",      "",  "DIR",    REPEAT, "add the hooks of a hooks.d directory; may be repeated", ()),
    Option("cdi-device",     "",  "NAME",   REPEAT, "add a CDI device, vendor.com/class=name; may be repeated", ()),
    Option("cdi-annotations", "", "",       FLAG,  "add the CDI devices of cdi.k8s.io/ annotations", default=False),
    Option("cdi-spec-dir",   "",  "DIR",    REPEAT, "look here for CDI devices; may be repeated", ()),
    Option("settings",       "",  "FILE",   VALUE, "settings in TOML (default: /etc/slinger/config.toml)", ""),
    Option("trace-dir",      "",  "DIR",    VALUE, "keep the records of deleted containers' hooks here", ""),
    Option("otel",           "",  "",       FLAG,  "export spans by OpenTelemetry", default=False),
    Option("criu",           "",  "PATH",   VALUE, "accepted for runc's callers; without effect", ""),
    # Not behind the verb: `run -v` is how other tools spell a volume.
    Option("version",        "v", "",       FLAG,  "print the version", default=False, first=True),
    Option("help",           "h", "",       FLAG,  "print help, of a verb when there is one", default=False),
)

CREATE = (
    Option("bundle",         "b", "DIR",    VALUE, "the bundle (default: the current directory)", "."),
    Option("config",         "f", "FILE",   VALUE, "read this file instead of the bundle's config.json", ""),
    Option("console-socket", "",  "SOCKET", VALUE, "send the terminal's master end to this unix socket", ""),
    Option("pid-file",       "",  "FILE",   VALUE, "write the pid of the container's init to this file", ""),
    Option("pidfd-socket",   "",  "SOCKET", VALUE, "send a pidfd of the container's init to this unix socket", ""),
    Option("no-pivot",       "",  "",       FLAG,  "no pivot_root: for a root on a ramdisk", default=False),
    Option("no-new-keyring", "",  "",       FLAG,  "keep the caller's session keyring", default=False),
    Option("no-subreaper",   "",  "",       FLAG,  "do not adopt the container's orphans while waiting", default=False),
    Option("preserve-fds",   "",  "N",      INT,   "pass N more file descriptors, behind stdio and $LISTEN_FDS", 0),
)
RUN = (
    *CREATE,
    Option("detach",         "d", "",       FLAG,  "do not wait for the program's end", default=False),
    Option("keep",           "",  "",       FLAG,  "do not delete the container after its end", default=False),
)
EXEC = (
    Option("console-socket", "",  "SOCKET", VALUE, "send the terminal's master end to this unix socket", ""),
    Option("cwd",            "",  "DIR",    VALUE, "working directory in the container", ""),
    Option("env",            "e", "K=V",    REPEAT, "set an environment variable; may be repeated", ()),
    Option("tty",            "t", "",       FLAG,  "give it a terminal", default=False),
    Option("user",           "u", "UID[:GID]", VALUE, "user and group, as numbers", ""),
    Option("additional-gids", "g", "GID",   REPEAT, "one more group; may be repeated", ()),
    Option("process",        "p", "FILE",   VALUE, "read the process from this JSON file", ""),
    Option("detach",         "d", "",       FLAG,  "do not wait for its end", default=False),
    Option("pid-file",       "",  "FILE",   VALUE, "write its pid to this file", ""),
    Option("pidfd-socket",   "",  "SOCKET", VALUE, "send its pidfd to this unix socket", ""),
    Option("process-label",  "",  "LABEL",  VALUE, "SELinux label", ""),
    Option("apparmor",       "",  "PROFILE", VALUE, "AppArmor profile", ""),
    Option("no-new-privs",   "",  "",       FLAG,  "no new privileges", default=False),
    Option("cap",            "c", "CAP",    REPEAT, "one more capability; may be repeated", ()),
    Option("preserve-fds",   "",  "N",      INT,   "pass N more file descriptors, behind stdio", 0),
    Option("cgroup",         "",  "[CONTROLLER[,...]:]PATH", REPEAT, "join this cgroup below the container's", ()),
    Option("ignore-paused",  "",  "",       FLAG,  "also in a paused container", default=False),
    Option("no-subreaper",   "",  "",       FLAG,  "accepted for runc's callers; without effect", default=False),
)
EXECUTED = ("ID", "[COMMAND]", "[ARG...]")
KILL = (
    Option("all",            "a", "",       FLAG,  "obsolete: only makes a stopped container no error", default=False),
)
DELETE = (
    Option("force",          "f", "",       FLAG,  "kill it first; an unknown container is no error", default=False),
)
UPDATE = (
    Option("resources",      "r", "FILE",   VALUE, "read all limits from this JSON file, - for standard input", ""),
    Option("memory",         "",  "SIZE",   VALUE, "memory, such as 512m; -1: no limit", ""),
    Option("memory-reservation", "", "SIZE", VALUE, "memory below which it is not reclaimed first", ""),
    Option("memory-swap",    "",  "SIZE",   VALUE, "memory and swap together; -1: no limit", ""),
    Option("cpu-share",      "",  "N",      VALUE, "weight against other containers: 2 to 262144", ""),
    Option("cpu-quota",      "",  "USEC",   VALUE, "time that it may run in each period; -1: no limit", ""),
    Option("cpu-period",     "",  "USEC",   VALUE, "length of the period, 1000 to 1000000", ""),
    Option("cpu-burst",      "",  "USEC",   VALUE, "unused time that it may save up beyond the quota", ""),
    Option("cpu-idle",       "",  "0|1",    VALUE, "1: run only when nobody else wants to", ""),
    Option("cpu-rt-runtime", "",  "USEC",   VALUE, "time of real-time processes in each period (cgroup v1)", ""),
    Option("cpu-rt-period",  "",  "USEC",   VALUE, "length of the real-time period (cgroup v1)", ""),
    Option("cpuset-cpus",    "",  "LIST",   VALUE, "the cpus that it may use, such as 0-2,4", ""),
    Option("cpuset-mems",    "",  "LIST",   VALUE, "the memory nodes that it may use", ""),
    Option("pids-limit",     "",  "N",      VALUE, "number of processes and threads; -1: no limit", ""),
    Option("blkio-weight",   "",  "N",      VALUE, "weight of its reads and writes: 10 to 1000", ""),
    Option("l3-cache-schema", "", "SCHEMA", VALUE, "schema of the L3 cache (Intel RDT)", ""),
    Option("mem-bw-schema",  "",  "SCHEMA", VALUE, "schema of memory bandwidth (Intel RDT)", ""),
    Option("kernel-memory",  "",  "SIZE",   VALUE, "obsolete: ignored with a warning", ""),
    Option("kernel-memory-tcp", "", "SIZE", VALUE, "obsolete: ignored with a warning", ""),
)
EVENTS = (
    Option("interval",       "",  "TIME",   VALUE, "time between statistics (default: 5s)", "5s"),
    Option("stats",          "",  "",       FLAG,  "print the statistics once", default=False),
)
STATS = (
    Option("interval",       "",  "TIME",   VALUE, "time between looks (default: 2s)", "2s"),
    Option("once",           "",  "",       FLAG,  "print the table once", default=False),
    Option("no-stream",      "",  "",       FLAG,  "the same as --once", default=False),
    Option("json",           "",  "",       FLAG,  "print JSON, an array a line", default=False),
)
PS = (
    Option("format",         "f", "FORMAT", VALUE, "table (default) or json", "table", ("table", "json")),
)
LIST = (
    Option("format",         "f", "FORMAT", VALUE, "table (default) or json", "table", ("table", "json")),
    Option("quiet",          "q", "",       FLAG,  "print the ids only", default=False),
)
SPEC = (
    Option("bundle",         "b", "DIR",    VALUE, "where to write it (default: the current directory)", "."),
    Option("rootless",       "",  "",       FLAG,  "for a plain user; the default when one calls", default=False),
)
PLAN = (
    Option("config",         "f", "FILE",   VALUE, "read this file instead of the bundle's config.json", ""),
    Option("id",             "",  "ID",     VALUE, "the container's id (default: plan)", "plan"),
    Option("json",           "",  "",       FLAG,  "print JSON", default=False),
)
HOOKS = (
    Option("json",           "",  "",       FLAG,  "print JSON", default=False),
    Option("html",           "",  "",       FLAG,  "print a page with a timeline to zoom", default=False),
    Option("chrome-trace",   "",  "",       FLAG,  "print a trace for Perfetto or chrome://tracing", default=False),
    Option("history",        "",  "",       FLAG,  "of a deleted container; without ID: list them", default=False),
    Option("life",           "",  "N",      INT,   "with --history: the N-th last of this ID (default: 1)", 1),
)
TRIAL = (
    Option("stage",          "s", "STAGE",  VALUE, "the stage, such as createRuntime", ""),
    Option("index",          "n", "N",      INT,   "only this hook of the stage, counted from 0", 0),
    Option("config",         "f", "FILE",   VALUE, "read this file instead of the bundle's config.json", ""),
    Option("id",             "",  "ID",     VALUE, "the container's id that hooks are told (default: made up)", ""),
    Option("json",           "",  "",       FLAG,  "print JSON", default=False),
)
LINT = (
    Option("strict",         "",  "",       FLAG,  "exit with 1 for warnings too", default=False),
    Option("json",           "",  "",       FLAG,  "print JSON", default=False),
)
# Subverbs whose module is that of their verb are the same under another name, and have no manual page of their own.
HOOKS_VERBS = (
    Verb("hooks show", "hooks", "the same as hooks ID, for an id that is such a verb's name", ("ID",), HOOKS),
    Verb("hooks test", "hooks_test", "run the hooks of one stage in a throwaway container", ("BUNDLE",), TRIAL),
    Verb("hooks lint", "hooks_lint", "find what is wrong with hooks, or silently ignored", ("PATH", "[PATH...]"), LINT),
)

TABLE = (
    Verb("create",   "create",   "make a container; its program waits for start", ("ID",), CREATE),
    Verb("start",    "start",    "run the program of a created container", ("ID",)),
    Verb("state",    "state",    "print the state of a container as JSON", ("ID",)),
    Verb("exec",     "exec",     "run one more process in a container", EXECUTED, EXEC, literal=True, failure=255),
    Verb("kill",     "kill",     "send a signal to a container (default: TERM)", ("ID", "[SIGNAL]"), KILL),
    Verb("delete",   "delete",   "remove a stopped container and what was made for it", ("ID",), DELETE),
    Verb("run",      "run",      "create, start, wait and delete; exit as the program does", ("ID",), RUN),
    Verb("pause",    "pause",    "freeze all processes of a container", ("ID",)),
    Verb("resume",   "resume",   "let the processes of a paused container go on", ("ID",)),
    Verb("update",   "update",   "change the limits of a container", ("ID",), UPDATE),
    Verb("events",   "events",   "print what a container uses, and kills for lack of memory", ("ID",), EVENTS),
    Verb("stats",    "stats",    "show what containers use, as a table", ("[ID...]",), STATS),
    Verb("ps",       "ps",       "list the processes of a container", ("ID", "[OPTION...]"), PS, literal=True),
    Verb("list",     "list",     "list the containers", (), LIST),
    Verb("hooks",    "hooks",    "show the runs of a container's hooks", ("[ID]",), HOOKS, subverbs=HOOKS_VERBS),
    Verb("spec",     "spec",     "write a config.json to start from", (), SPEC),
    Verb("plan",     "plan",     "print, step by step, what create would do", ("BUNDLE",), PLAN),
    Verb("features", "features", "print what this runtime supports as JSON", ()),
    Verb("version",  "version",  "print the version", ()),
    Verb("help",     "",         "print help, of a verb when there is one", ("[VERB]", "[SUBVERB]")),
)
# fmt: on

# What asks where traces go: the verbs that make them, and the one that shows those that were kept.
TRACED = frozenset({"create", "start", "run", "delete", "hooks", "hooks show"})

# Verbs of runc that slinger does without: "unknown verb" would send the reader looking for a typing error.
WITHOUT = {
    "checkpoint": "slinger cannot save a running container",
    "restore": "slinger cannot bring back a container that was saved",
}
INSTEAD = "run it by runc or crun, which have it with CRIU"
