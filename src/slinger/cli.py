"""The command ``slinger``: the table of verbs, and the only place that prints and exits.

What goes where
    standard output   what a verb answers, and nothing else
    standard error    one line: ``slinger: MESSAGE (HINT)``; warnings before it, as ``slinger: warning: ...``
    --log FILE        the same message without the name in front: podman and containerd put theirs there.
                      One object in JSON, for podman parses the whole file as one; so warnings and
                      debugging go there only with --debug. The text format gets the warnings too.
Exit status: 0, 1 for every error, what ``run`` reports of the program (128+N for signal N), and 128+N
when signal N stopped slinger itself.
"""

from __future__ import annotations

import os
import select
import sys

from slinger.cli_options import FLAG, INT, REPEAT, VALUE, Option, Scan, Verb, find_verb, help_text, verb_help_text
from slinger.errors import HostError, SlingerError, UsageError, one_line
from slinger.host.log import DEBUG, ERROR, FORMATS, JSON, TEXT, WARNING, Log
from slinger.verbs import Call, Outcome, settings_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from slinger.verbs import Values

LEVELS = (ERROR, WARNING, DEBUG)
MANAGERS = ("cgroupfs", "systemd", "disabled")
WHENS = ("true", "false", "auto")

# fmt: off
GLOBALS = (
    Option("root",           "",  "DIR",    VALUE, "directory of the containers' state", ""),
    Option("log",            "",  "FILE",   VALUE, "append the error to this file as well", ""),
    Option("log-format",     "",  "FORMAT", VALUE, "format of that file: text (default) or json", TEXT, FORMATS),
    Option("log-level",      "",  "LEVEL",  VALUE, "what to tell: error, warning (default) or debug", WARNING, LEVELS),
    Option("debug",          "",  "",       FLAG,  "the same as --log-level debug, with tracebacks", default=False),
    Option("systemd-cgroup", "",  "",       FLAG,  "the same as --cgroup-manager systemd", default=False),
    Option("cgroup-manager", "",  "NAME",   VALUE, "cgroupfs (default); the others: not yet", MANAGERS[0], MANAGERS),
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

COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})  # what Python sets it to
INTERRUPT = 2  # SIGINT, where a KeyboardInterrupt does not say which signal it was
BROKEN_PIPE = 13  # SIGPIPE


class Report:
    """Where messages go, by the global options read so far."""

    def __init__(self, settings: Values) -> None:
        self._settings = settings

    @property
    def debugging(self) -> bool:
        """Whether the caller wants to see the way through."""
        return self._settings.flag("debug") or self._settings.text("log-level") == DEBUG

    def log(self) -> Log | None:
        """The file of --log, if there is one."""
        path = self._settings.text("log")
        return Log(path, self._settings.text("log-format")) if path else None

    def error(self, message: str) -> None:
        """Say why the call failed: once, on stderr and in the log."""
        message = one_line(message)
        say(message)
        self._write(ERROR, message)

    def warn(self, message: str) -> None:
        """Say what is odd but no failure."""
        if self._settings.text("log-level") == ERROR and not self.debugging:
            return
        message = one_line(message)
        say(f"warning: {message}")
        if self.debugging or self._settings.text("log-format") != JSON:
            self._write(WARNING, message)

    def debug(self, message: str) -> None:
        """Say what is done, to the log or else to stderr."""
        if not self.debugging:
            return
        message = one_line(message)
        if self.log() is None:
            say(f"debug: {message}")
        self._write(DEBUG, message)

    def traceback(self) -> None:
        """With debugging: where the exception that is being handled came from."""
        if self.debugging:
            import traceback  # 10 ms, only where the call has failed anyway

            write(2, traceback.format_exc())

    def _write(self, level: str, message: str) -> None:
        log = self.log()
        if log is None:
            return
        try:
            log.write(level, message)
        except HostError as error:  # the message itself stands on stderr already
            failure = one_line(str(error))
            if failure != message:
                say(failure)


def main() -> NoReturn:
    """The command. It does not return: tearing the interpreter down takes longer than some verbs."""
    forget_coercion()
    os._exit(serve(sys.argv[1:]))


def forget_coercion() -> None:
    """Take back the LC_CTYPE that Python adds where the locale is C (PEP 538): hooks inherit what our caller had."""
    if os.environ.get("LC_CTYPE") not in COERCED:
        return
    try:
        with open("/proc/self/environ", "rb", buffering=0) as file:
            given = file.read(1 << 22)
    except OSError:
        return  # no /proc: better one variable too many than none of the caller's
    if b"\0LC_CTYPE=" not in b"\0" + given:
        del os.environ["LC_CTYPE"]


def serve(argv: Sequence[str]) -> int:
    """One call of the command, without the exit: the exit status."""
    ensure_stdio()
    scan = Scan(GLOBALS, TABLE)
    report = Report(scan.settings)
    try:
        read(scan, argv)
        outcome = perform(scan, report)
        answer(outcome.text)
    except SlingerError as error:
        report.error("; ".join([str(error), *getattr(error, "__notes__", ())]))
        report.traceback()
    except KeyboardInterrupt as stop:  # host.signals.Interrupted is one, and knows its signal
        report.error("interrupted")
        report.traceback()
        return 128 + int(getattr(stop, "number", INTERRUPT))
    except BrokenPipeError:  # the reader of the answer has gone; it knows
        report.traceback()
        return 128 + BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is one line as well
        hint = "" if report.debugging else " (--debug shows the traceback)"
        report.error(f"internal error: {type(error).__name__}: {error}{hint}")
        report.traceback()
    else:
        return outcome.status
    return scan.verb.failure if scan.verb is not None else 1


def read(scan: Scan, argv: Sequence[str]) -> None:
    """Read the command line."""
    try:
        scan.read(argv)
    except UsageError as error:
        raise explained(error) from None


def explained(error: UsageError) -> UsageError:
    """The error, or for a verb that slinger does without what to do instead."""
    for name, why in WITHOUT.items():
        if error.message == f'unknown verb "{name}"':
            return UsageError(f"{name}: not supported: {why}", hint=INSTEAD)
    return error


def perform(scan: Scan, report: Report) -> Outcome:
    """Do what the command line says; only what the verb needs is imported."""
    verb = scan.verb
    if scan.settings.flag("version"):
        verb = find_verb(TABLE, "version")
    elif verb is None or verb.name == "help" or scan.wants_help:
        return Outcome(helping(verb, scan.arguments))
    log = report.log()
    if log is not None:
        log.check()
    call = Call(
        scan.arguments,
        scan.options,
        report.warn,
        answer,
        root=state_root(scan.settings),
        cgroup_manager="systemd" if scan.settings.flag("systemd-cgroup") else scan.settings.text("cgroup-manager"),
        rootless={"true": True, "false": False}.get(scan.settings.text("rootless")),
        settings=scan.settings,
    )
    if verb.name in TRACED:
        call = traced(call)
    report.debug(f"{verb.name}: begins")
    # __import__ and not importlib, whose import is not free.
    module = __import__(f"slinger.verbs.{verb.module}", fromlist=["main"])
    outcome: Outcome = module.main(call)
    report.debug(f"{verb.name}: ends with {outcome.status}")
    return outcome


def traced(call: Call) -> Call:
    """The call with what is to be kept and told of it: by option, else by environment, else by the settings."""
    options = call.settings
    directory = options.text("trace-dir") or os.environ.get("SLINGER_TRACE_DIR", "")
    otel = options.flag("otel")
    path = options.text("settings") if options.given("settings") else settings_file(os.environ)
    if path:
        from slinger.host.settings import read_tracing  # noqa: PLC0415 - most machines have none

        wanted = read_tracing(path)
        directory = directory or wanted.directory
        otel = otel or (wanted.otel and not options.given("otel"))
    observe = None
    if otel:
        from slinger.hooks.otel import observer  # noqa: PLC0415 - 200 ms, for those who asked for it

        observe = observer(os.environ, call.warn)
    return call.replace(trace_dir=os.path.abspath(directory) if directory else "", observe=observe)


def helping(verb: Verb | None, arguments: tuple[str, ...]) -> str:
    """The text of ``slinger``, ``slinger help``, ``slinger help VERB`` and ``slinger VERB --help``."""
    if verb is None or verb.name == "help":
        return verb_help_text(called(arguments)) if arguments else help_text(GLOBALS, TABLE)
    return verb_help_text(verb)


def called(words: tuple[str, ...]) -> Verb:
    """The verb, and the subverb where there are two words. UsageError if there is none of that name."""
    try:
        verb = find_verb(TABLE, words[0])
    except UsageError as error:
        raise explained(error) from None
    subverb = verb.subverb(words[1]) if len(words) > 1 else verb
    return subverb or find_verb(verb.subverbs, " ".join(words))


def state_root(settings: Values) -> str:
    """--root as an absolute path, "" for the default; UsageError for /, whose directories are no containers."""
    given = settings.text("root")
    if not given:
        return ""
    root = os.path.abspath(given)
    if os.path.realpath(root) == "/":
        message = f"--root {given}: must not be the root of the file system"
        raise UsageError(message)
    return root


def ensure_stdio() -> None:
    """Put /dev/null where descriptors 0 to 2 are closed: the next file opened would become our output."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)  # noqa: FBT003 - positional only


def answer(text: str) -> None:
    """Print on standard output; HostError if it does not take it, BrokenPipeError if nobody reads."""
    try:
        write(1, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        what = "standard output"
        raise HostError.of(what, error) from error


def say(text: str) -> None:
    """One line on standard error."""
    try:
        write(2, f"slinger: {text}\n")
    except OSError:
        return  # nobody listens: the exit status, and the log if there is one, have to say it


def write(fd: int, text: str) -> None:
    """Write all of it, on a descriptor that may be non-blocking, past Python's buffers."""
    rest = text.encode("utf-8", "surrogateescape")
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            select.select([], [fd], [])
