"""The command ``slinger``: from a call to its exit status, and the only place that prints and exits.

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

from slinger.cli_options import Scan, find_verb
from slinger.cli_table import DEBUG, ERROR, GLOBALS, INSTEAD, TABLE, TRACED, WARNING, WITHOUT
from slinger.errors import HostError, SlingerError, UsageError, one_line
from slinger.verbs import Call, Outcome, settings_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from slinger.cli_options import Verb
    from slinger.host.log import Log
    from slinger.verbs import Values

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
        if not path:
            return None
        from slinger.host.log import Log  # noqa: PLC0415 - engines ask for it with create and exec alone

        return Log(path, self._settings.text("log-format"))

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
        if self.debugging or self._settings.text("log-format") != "json":
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
        if isinstance(error, FileNotFoundError) and not in_a_directory():
            report.error("the working directory was removed (change to one that is there)")
            return scan.verb.failure if scan.verb is not None else 1
        hint = "" if report.debugging else " (--debug shows the traceback)"
        report.error(f"internal error: {type(error).__name__}: {error}{hint}")
        report.traceback()
    else:
        return outcome.status
    return scan.verb.failure if scan.verb is not None else 1


def in_a_directory() -> bool:
    """Whether the working directory is still there: a relative path, and the default bundle is one, needs it."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


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
    from slinger.cli_help import help_text, verb_help_text  # noqa: PLC0415 - no other verb needs it

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
