"""The command: what it prints where, and its exit status. The verbs are stand-ins."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from slinger import cli, cli_table
from slinger.cli_options import FLAG, Option, Verb, every_verb
from slinger.errors import ConfigError, HostError, NotFoundError, SlingerError, UsageError
from slinger.host.signals import Interrupted
from slinger.verbs import Call, Outcome

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

Main = Callable[[Call], Outcome]
Install = Callable[[Main], None]


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install what the verb ``act`` does. The verb ``test`` fails with 255."""

    def install(main: Main) -> None:
        module = ModuleType("slinger.verbs.act")
        vars(module)["main"] = main
        monkeypatch.setitem(sys.modules, "slinger.verbs.act", module)
        act_verb = Verb("act", "act", "act", ("[ID]",), (Option("fast", "", "", FLAG, "", default=False),))
        monkeypatch.setattr(cli, "TABLE", (*cli_table.TABLE, act_verb, Verb("test", "act", "", (), failure=255)))

    install(lambda _call: Outcome())
    return install


def raiser(error: BaseException) -> Main:
    """A verb that fails."""

    def main(_call: Call) -> Outcome:
        raise error

    return main


def warner(call: Call) -> Outcome:
    """A verb that warns and ends well."""
    call.warn("linux.x: not\nso good")
    return Outcome()


def test_the_answer_goes_to_stdout_and_its_status_out(act: Install, capfd: pytest.CaptureFixture[str]) -> None:
    """An Outcome is all that a verb gives back."""
    act(lambda _call: Outcome("answer\n", 7))
    assert cli.serve(["act"]) == 7
    assert capfd.readouterr() == ("answer\n", "")


def test_a_verb_gets_arguments_options_and_settings(act: Install, tmp_path: Path) -> None:
    """The state root is absolute by then."""
    seen: list[Call] = []

    def main(call: Call) -> Outcome:
        seen.append(call)
        return Outcome()

    act(main)
    root = os.path.relpath(tmp_path)
    assert cli.serve(["--root", root, "--cgroup-manager", "disabled", "act", "--fast", "x"]) == 0
    (call,) = seen
    assert (call.arguments, call.options.flag("fast"), call.root, call.cgroup_manager) == (
        ("x",),
        True,
        str(tmp_path),
        "disabled",
    )


def test_without_root_the_default_is_left_to_the_container(act: Install) -> None:
    """An empty root says so; systemd cgroups are asked for by either option."""
    seen: list[Call] = []

    def main(call: Call) -> Outcome:
        seen.append(call)
        return Outcome()

    act(main)
    assert cli.serve(["--systemd-cgroup", "act"]) == 0
    assert (seen[0].root, seen[0].cgroup_manager) == ("", "systemd")


FAILURES = [
    (NotFoundError("container does not exist"), "container does not exist"),
    (
        SlingerError("mounts[3] (/proc): mount: operation not permitted", hint="be root"),
        "mounts[3] (/proc): mount: operation not permitted (be root)",
    ),
    (ConfigError("process.cwd", "must be absolute"), "process.cwd: must be absolute"),
    (SlingerError("hook: exit status 3: one\n\ttwo\x1b[31m\n"), r"hook: exit status 3: one | two\x1b[31m"),
    (SlingerError("rootfs /x/\udcff: no such file or directory"), r"rootfs /x/\xff: no such file or directory"),
    (SlingerError("größer"), "größer"),
    (KeyError("pid"), "internal error: KeyError: 'pid' (--debug shows the traceback)"),
    (RecursionError("too deep"), "internal error: RecursionError: too deep (--debug shows the traceback)"),
    (OSError(errno.EIO, "I/O"), "internal error: OSError: [Errno 5] I/O (--debug shows the traceback)"),
]


@pytest.mark.parametrize(("error", "text"), FAILURES)
def test_an_error_is_one_line_on_stderr(
    act: Install, capfd: pytest.CaptureFixture[str], error: BaseException, text: str
) -> None:
    """Nothing on stdout, exit status 1, and never a traceback."""
    act(raiser(error))
    assert cli.serve(["act"]) == 1
    assert capfd.readouterr() == ("", f"slinger: {text}\n")


@pytest.mark.parametrize(("error", "text"), FAILURES)
def test_an_error_is_one_json_object_in_the_log(
    act: Install, capfd: pytest.CaptureFixture[str], tmp_path: Path, error: BaseException, text: str
) -> None:
    """So podman: it parses the whole file as one object; the message has no name in front."""

    def main(call: Call) -> Outcome:
        call.warn("a warning before it")
        raise error

    act(main)
    log = tmp_path / "log.json"
    assert cli.serve(["--log", str(log), "--log-format", "json", "act"]) == 1
    written = json.loads(log.read_text("utf-8"))
    assert written == {"level": "error", "msg": text, "time": written["time"]}
    assert re.fullmatch(TIME, written["time"])
    assert capfd.readouterr() == ("", f"slinger: warning: a warning before it\nslinger: {text}\n")


def test_the_text_log_has_warnings_and_the_error(act: Install, tmp_path: Path) -> None:
    """In the format of logrus, quotes escaped."""

    def main(call: Call) -> Outcome:
        call.warn("odd")
        raise SlingerError('"x": not found')

    act(main)
    log = tmp_path / "log"
    assert cli.serve(["--log", str(log), "act"]) == 1
    lines = [re.sub(TIME, "T", line) for line in log.read_text("utf-8").splitlines()]
    assert lines == ['time="T" level=warning msg="odd"', r'time="T" level=error msg="\"x\": not found"']


def test_the_log_is_appended_to(act: Install, tmp_path: Path) -> None:
    """One file may serve several calls."""
    act(raiser(SlingerError("again")))
    log = tmp_path / "log"
    cli.serve(["--log", str(log), "act"])
    cli.serve(["--log", str(log), "act"])
    assert len(log.read_text("utf-8").splitlines()) == 2


def test_a_log_that_cannot_be_opened_is_an_error(act: Install, capfd: pytest.CaptureFixture[str]) -> None:
    """Before the verb does anything; the verb's errors would be lost to whoever reads the log."""
    act(raiser(AssertionError("not reached")))
    assert cli.serve(["--log", "/nonexistent/log", "act"]) == 1
    text = "slinger: --log '/nonexistent/log': no such file or directory\n"
    assert capfd.readouterr() == ("", text)


def test_an_error_in_the_line_is_logged_where_the_line_says(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """As far as the line was understood."""
    log = tmp_path / "log"
    assert cli.serve(["--log", str(log), "--log-format", "json", "start", "--bogus"]) == 1
    text = "start: unknown option --bogus (slinger help start lists the options)"
    assert json.loads(log.read_text("utf-8"))["msg"] == text
    assert capfd.readouterr() == ("", f"slinger: {text}\n")


def test_a_warning_is_a_line_on_stderr(act: Install, capfd: pytest.CaptureFixture[str]) -> None:
    """And no failure."""
    act(warner)
    assert cli.serve(["act"]) == 0
    assert capfd.readouterr() == ("", "slinger: warning: linux.x: not | so good\n")


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        (("--log-format", "json"), []),
        (("--log-format", "text"), ["warning"]),
        (("--log-format", "json", "--debug"), ["debug", "warning", "debug"]),
        (("--log-format", "json", "--log-level", "debug"), ["debug", "warning", "debug"]),
        (("--log-format", "text", "--log-level", "error"), []),
    ],
)
def test_what_the_log_gets_besides_errors(
    act: Install, tmp_path: Path, options: tuple[str, ...], levels: list[str]
) -> None:
    """A JSON log is kept for the one error, unless debugging was asked for."""
    act(warner)
    log = tmp_path / "log"
    assert cli.serve(["--log", str(log), *options, "act"]) == 0
    assert re.findall(r'level"?[=:]"?(\w+)', log.read_text("utf-8")) == levels


def test_debug_shows_the_traceback(act: Install, capfd: pytest.CaptureFixture[str]) -> None:
    """After the line, which stays what it is."""
    act(raiser(KeyError("pid")))
    assert cli.serve(["--debug", "act"]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "slinger: debug: act: begins"
    assert lines[1] == "slinger: internal error: KeyError: 'pid'"
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[-1] == "KeyError: 'pid'"


def test_a_note_on_an_error_is_told(act: Install, capfd: pytest.CaptureFixture[str]) -> None:
    """Context that was added on the way up."""
    error = HostError("mkdir: no space left on device")
    error.add_note("while making cgroup /x")
    act(raiser(error))
    assert cli.serve(["act"]) == 1
    assert capfd.readouterr().err == "slinger: mkdir: no space left on device; while making cgroup /x\n"


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (Interrupted(15), 143)])
def test_a_signal_ends_with_128_and_its_number(
    act: Install, capfd: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    """As a shell shows it; SIGINT unless the interruption knows better."""
    act(raiser(error))
    assert cli.serve(["act"]) == status
    assert capfd.readouterr() == ("", "slinger: interrupted\n")


def test_a_verb_may_have_a_failure_status_of_its_own(act: Install) -> None:
    """That of exec is 255: its callers must not take our failure for the command's."""
    act(raiser(SlingerError("no")))
    assert cli.serve(["test"]) == 255


def test_a_reader_that_has_gone_is_not_complained_about(
    act: Install, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``slinger list | head -1``: the status is SIGPIPE's."""

    def broken(_fd: int, _text: str) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    act(lambda _call: Outcome("answer\n"))
    monkeypatch.setattr(cli, "write", broken)
    assert cli.serve(["act"]) == 141
    assert capfd.readouterr() == ("", "")


def test_a_full_stdout_is_an_error(act: Install, capfd: pytest.CaptureFixture[str]) -> None:
    """An answer that was not written must not count as given."""
    act(lambda _call: Outcome("answer\n"))
    saved = os.dup(1)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full, 1)
        status = cli.serve(["act"])
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(full)
    assert status == 1
    assert capfd.readouterr() == ("", "slinger: standard output: no space left on device\n")


def test_a_closed_descriptor_becomes_dev_null(act: Install) -> None:
    """Else the next file that is opened would be taken for our output."""
    act(lambda _call: Outcome("answer\n"))
    saved = os.dup(0)
    os.close(0)
    try:
        assert cli.serve(["act"]) == 0
        assert os.readlink("/proc/self/fd/0") == "/dev/null"
        assert os.get_inheritable(0)
    finally:
        os.dup2(saved, 0)
        os.close(saved)


RESTORE = f"restore: not supported: {cli_table.WITHOUT['restore']} ({cli_table.INSTEAD})"
LINES = [
    (["crate", "x"], 'unknown verb "crate" (did you mean create?)'),
    (["restore", "x"], RESTORE),
    (["--root", "/", "list"], "--root /: must not be the root of the file system"),
    (["--root", "/tmp/..", "list"], "--root /tmp/..: must not be the root of the file system"),
    (["--log-format", "xml", "list"], '--log-format: must be text or json, not "xml"'),
    (["--cgroup-manager", "x", "list"], '--cgroup-manager: must be cgroupfs or systemd or disabled, not "x"'),
    (["create"], "create: takes ID, got nothing (usage: slinger create [options] ID)"),
    (["create", "--preserve-fds", "x", "id"], 'create --preserve-fds: must be a whole number from 0, not "x"'),
    (["start", "a", "b"], "start: takes ID, got 2: a b (usage: slinger start ID)"),
    (["list", "--format", "yaml"], 'list --format: must be table or json, not "yaml"'),
    (["help", "crate"], 'unknown verb "crate" (did you mean create?)'),
    (["run", "-v", "/a:/b", "x"], "run: unknown option -v (slinger help run lists the options)"),
]


@pytest.mark.parametrize(("argv", "text"), LINES)
def test_a_wrong_line_is_one_line_on_stderr(capfd: pytest.CaptureFixture[str], argv: list[str], text: str) -> None:
    """And exit status 1."""
    assert cli.serve(argv) == 1
    assert capfd.readouterr() == ("", f"slinger: {text}\n")


@pytest.mark.parametrize("argv", [[], ["help"], ["--help"], ["-h"], ["--debug"]])
def test_help_is_an_answer(capfd: pytest.CaptureFixture[str], argv: list[str]) -> None:
    """On stdout, with status 0; without a verb too."""
    assert cli.serve(argv) == 0
    out, err = capfd.readouterr()
    assert out.startswith("slinger: run containers from OCI bundles")
    assert [verb.name for verb in cli_table.TABLE if f"\n  {verb.name} " not in out] == []
    assert err == ""


@pytest.mark.parametrize("argv", [["help", "kill"], ["kill", "--help"], ["kill", "-h", "x"], ["--help", "kill"]])
def test_a_verb_has_help_of_its_own(capfd: pytest.CaptureFixture[str], argv: list[str]) -> None:
    """In each of the usual ways to ask."""
    assert cli.serve(argv) == 0
    assert capfd.readouterr().out.startswith("slinger kill: send a signal")


@pytest.mark.parametrize("argv", [["help", "hooks", "show"], ["hooks", "show", "--help"], ["--help", "hooks", "show"]])
def test_a_subverb_has_help_too(capfd: pytest.CaptureFixture[str], argv: list[str]) -> None:
    """As a verb has."""
    assert cli.serve(argv) == 0
    assert capfd.readouterr().out.startswith("slinger hooks show: the same as hooks ID")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["help", "hooks", "shaw"], 'unknown verb "hooks shaw" (did you mean hooks show?)'),
        (["help", "kill", "it"], 'unknown verb "kill it" (slinger help lists the verbs)'),
    ],
)
def test_there_is_no_help_of_what_is_no_subverb(
    capfd: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    """The two words are named."""
    assert cli.serve(argv) == 1
    assert capfd.readouterr() == ("", f"slinger: {message}\n")


@pytest.mark.parametrize("verb", every_verb(cli_table.TABLE), ids=lambda verb: verb.name)
def test_every_verb_of_the_table_has_its_file(verb: Verb) -> None:
    """``help`` is the command's own."""
    here = Path(cli.__file__).parent / "verbs" / f"{verb.module}.py"
    assert here.is_file() or verb.name == "help"


@pytest.mark.parametrize("verb", every_verb(cli_table.TABLE), ids=lambda verb: verb.name)
def test_no_verb_has_two_options_of_one_name(verb: Verb) -> None:
    """Long and short names share one space; flags are off unless given."""
    names = [name for row in verb.options for name in (row.name, row.short) if name]
    assert sorted(set(names)) == sorted(names)
    assert all(row.default is False for row in verb.options if row.kind == FLAG)


def test_the_options_of_runc_are_there() -> None:
    """Facts 3.2, as far as the verbs go: what containerd, conmon, podman and CRI-O send."""
    runc = {
        "create": "bundle console-socket pid-file no-pivot no-new-keyring preserve-fds",
        "run": "bundle console-socket pid-file no-pivot no-new-keyring preserve-fds detach keep no-subreaper",
        "kill": "all",
        "delete": "force",
        "list": "format quiet",
        "spec": "bundle rootless",
    }
    ours = {verb.name: {row.name for row in verb.options} for verb in cli_table.TABLE}
    assert {verb: sorted(set(names.split()) - ours[verb]) for verb, names in runc.items()} == {
        verb: [] for verb in runc
    }


def test_errors_are_usage_errors_all_the_way(act: Install) -> None:
    """A verb's UsageError is no other than the parser's."""
    act(raiser(UsageError("no")))
    assert cli.serve(["act"]) == 1
