"""exec into a container that runs: how the process ends, what of it gets through, and what is refused.

Rule of the file: all tests share one container and leave it as it is; so none uses the fixture `box`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import base_config, make_bundle
from tests.integration.box import INSIDE, Box, processes_with, wait_for
from tests.integration.exec_support import FAILURE, LONG, refusal, wait_inside
from tests.leftovers import cgroups
from tests.requires import requires

pytestmark = requires("root")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A running container for the tests that leave it as it is."""
    program = str(Path(sys.prefix, "bin/slinger"))
    base = tmp_path_factory.mktemp("exec")
    box = Box(program, base / "root", make_bundle(base / "bundle", base_config()))
    yield wait_inside(box)
    assert box.call("delete", "--force", box.id).status == 0


def run(box: Box, *words: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """exec on pipes: its status and output."""
    done = subprocess.run(
        box.command("exec", box.id, *words), check=False, input=stdin, capture_output=True, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("status", [0, 1, 7, 125, 255])
def test_the_exit_status_is_the_programs(shared: Box, status: int) -> None:
    """Whatever it is."""
    assert run(shared, INSIDE, "exit", str(status)) == (status, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, 34])
def test_a_program_that_a_signal_ended_gives_128_more(shared: Box, number: int) -> None:
    """As a shell has it."""
    assert run(shared, INSIDE, "kill", str(number)) == (128 + number, b"", b"")


def test_stdio_are_the_callers(shared: Box) -> None:
    """What goes in comes out, the two outputs apart, more than a pipe holds."""
    data = os.urandom(300_000)
    assert run(shared, INSIDE, "cat", stdin=data) == (0, data, b"")
    assert run(shared, INSIDE, "exit", "3", "complaint") == (3, b"", b"complaint\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_are_passed_on(shared: Box, number: int) -> None:
    """To the process alone: the container goes on."""
    process, name = shared.launch("exec", shared.id, INSIDE, "pause")
    wait_for(lambda: "ready" in Path(f"{name}.out").read_text(), "the program")
    # Whoever hears of the exec a moment later has until then been asked to stop before there was a program.
    wait_for(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0] == "S", "slinger to listen")
    process.send_signal(number)
    done = shared.end_of(process, name)
    assert (done.status, done.stdout, done.stderr) == (0, f"ready\nsignal {number}\n", "")
    assert shared.status() == "running"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none"], 'process.args[0]: exec: "none": executable file not found in $PATH'),
        ([""], 'process.args[0]: exec: "": executable file not found in $PATH'),
        (["/none"], 'process.args[0]: exec: "/none": no such file or directory'),
        (["/etc/passwd"], 'process.args[0]: exec: "/etc/passwd": permission denied'),
        (["/etc"], 'process.args[0]: exec: "/etc": permission denied'),
        (["/broken"], 'process.args: exec: "/broken": exec format error'),
        (["/lost"], 'process.args: exec: "/lost": its interpreter or loader: no such file or directory'),
    ],
)
@pytest.mark.parametrize("detach", [False, True])
def test_a_program_that_cannot_be_run_is_said_as_engines_read_it(
    shared: Box, words: list[str], message: str, *, detach: bool
) -> None:
    """podman makes 127 and 126 of these texts; our own status is 255, detached or not."""
    for name, text in (("broken", "\1"), ("lost", "#!/none\n")):
        Path(shared.bundle.rootfs, name).write_text(text)
        Path(shared.bundle.rootfs, name).chmod(0o755)
    assert refusal(shared, *(["--detach"] if detach else []), shared.id, *words) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--user", ""], '--user: must be a number from 0 to 4294967294, not ""'),
        (["--user", "1000abc"], '--user: must be a number from 0 to 4294967294, not "1000abc"'),
        (["-u", ":5"], '--user: must be a number from 0 to 4294967294, not ""'),
        (["-u", "99999999999"], '--user: must be a number from 0 to 4294967294, not "99999999999"'),
        (["-u", "-1"], '--user: must be a number from 0 to 4294967294, not "-1"'),
        (["--cwd", ""], 'process.cwd: must be an absolute path, got ""'),
        (["--cwd", "tmp"], 'process.cwd: must be an absolute path, got "tmp"'),
        (["--cwd", "/none"], "process.cwd (/none): chdir: no such file or directory"),
        (["--env", "novalue"], 'process.env[2]: expected NAME=VALUE, got "novalue"'),
        (["--cap", "CAP_NONE"], '--cap: unknown capability "CAP_NONE" (capabilities(7) lists them)'),
        (["--preserve-fds", "1"], "--preserve-fds 1: file descriptor 3 is not open"),
        (
            ["--tty", "--detach"],
            (
                "process.terminal: cannot allocate tty if slinger will detach without setting console socket"
                " (use --console-socket PATH)"
            ),
        ),
        (
            ["--console-socket", "/x"],
            "process.terminal: cannot use console socket if slinger will not detach or allocate tty",
        ),
        (["--nonsense"], "exec: unknown option --nonsense (slinger help exec lists the options)"),
    ],
)
def test_a_wrong_option_runs_nothing(shared: Box, options: list[str], message: str) -> None:
    """One line, status 255."""
    witness = shared.bundle.rootfs / "tmp/ran"
    assert refusal(shared, *options, shared.id, INSIDE, "write", "/tmp/ran", "x") == message
    assert not witness.exists()


def test_detached_it_outlives_the_call(shared: Box) -> None:
    """The pid file has the pid that the host knows it by, whole, once exec returns."""
    pid_file = shared.calls / "pid"
    shared.succeed("exec", "--detach", "--pid-file", str(pid_file), shared.id, INSIDE, "sleep", LONG, "detached")
    (pid,) = processes_with("detached")
    try:
        assert pid_file.read_text() == str(pid)
        assert os.readlink(f"/proc/{pid}/exe") == INSIDE
    finally:
        os.kill(pid, signal.SIGKILL)
        # It is an orphan, which the tests adopt; a zombie in its pid namespace would hold up the container's end.
        os.waitpid(pid, 0)


def test_in_the_foreground_there_is_a_pid_file_too(shared: Box) -> None:
    """For who wants to watch it from elsewhere."""
    pid_file = shared.calls / "pid-foreground"
    process, name = shared.launch("exec", "--pid-file", str(pid_file), shared.id, INSIDE, "pause")
    wait_for(lambda: "ready" in Path(f"{name}.out").read_text(), "the program")
    os.kill(int(pid_file.read_text()), signal.SIGUSR2)
    assert shared.end_of(process, name).stdout == "ready\nsignal 12\n"


@pytest.mark.parametrize(("options", "numbers"), [((), "012"), (("--preserve-fds", "2"), "01234")])
def test_the_program_has_no_descriptor_but_its_own(shared: Box, options: tuple[str, ...], numbers: str) -> None:
    """Of five that the caller has open beside stdio, those that are asked for (CVE-2024-21626)."""
    done = shared.call("exec", *options, shared.id, INSIDE, "fds", open_fds=5)
    assert sorted(json.loads(done.stdout)["descriptors"]) == list(numbers), done.stderr


def test_many_at_once(shared: Box) -> None:
    """Each has its own status."""
    calls = [shared.launch("exec", shared.id, INSIDE, "exit", str(number)) for number in range(10, 18)]
    assert [shared.end_of(process, name).status for process, name in calls] == list(range(10, 18))


def test_a_failure_of_exec_leaves_no_process(shared: Box) -> None:
    """Nor a zombie, nor a cgroup."""
    before = cgroups()
    for words in (["none"], ["/none"]):
        assert shared.call("exec", shared.id, *words).status == FAILURE
    pids = [line.split()[1] for line in shared.succeed("ps", shared.id).splitlines()[1:]]
    assert pids == [str(shared.pid())]
    assert cgroups() == before
