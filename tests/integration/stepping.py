"""Killing or stopping a verb at a chosen step of its own, so that no test depends on how fast the machine is.

A step is a call of the brain by which it changes something outside itself, or waits for the hands (CALLS). The
installed package runs in the interpreter and with the options that the launcher gives it, below a profile function
(sys.setprofile), which the interpreter calls just before each call into C and just after it: there the process sends
a signal to itself. Between two steps nothing changes by the brain's hand, so "just before each step" is every moment
that can be told apart from outside. Where the brain handles the signal (SIGTERM) it is sent just after the step, when
what was made is there and no line of Python has yet noted so.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from itertools import count, groupby
from pathlib import Path
from typing import Final

from tests.bundles import Outcome
from tests.integration.box import Box

CALLS: Final = (
    *("bind", "connect", "flock", "kill", "mkdir", "pidfd_send_signal", "posix_spawn", "recvmsg", "remove", "rename"),
    *("replace", "rmdir", "send", "sendmsg", "unlink", "write"),
)
PROGRAM: Final = """
import gc, os, sys
gc.disable()
site, step, number, log, calls = (sys.argv.pop(1) for _ in range(5))
step, number, log = int(step), int(number), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
calls, done, moments = set(calls.split()), 0, ("c_call",) if number == 9 else ("c_return", "c_exception")
def at_call(frame, event, function):
    global done
    if event in moments and function.__name__ in calls:
        done += 1
        os.write(log, f"{function.__name__}\\n".encode())
        if done == step:
            os.kill(os.getpid(), number)
sys.path.insert(0, site)
sys.setprofile(at_call)
from slinger.cli import main
main()
"""
LOGS: Final = count(1)


def _run(box: Box, step: int, number: int, arguments: tuple[str, ...]) -> tuple[Outcome, list[str]]:
    """How it ended, and the names of the steps that were come to; step 0: to the end."""
    log = box.calls / f"steps-{next(LOGS)}"
    words = (sysconfig.get_paths()["purelib"], str(step), str(int(number)), str(log), " ".join(CALLS))
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, *words, *box.command(*arguments)[1:]]
    with open(f"{log}.err", "wb") as err:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, check=False, timeout=30)
    outcome = Outcome(status=done.returncode, stdout="", stderr=Path(f"{log}.err").read_text())
    return outcome, log.read_text().splitlines()


def kill_at(box: Box, step: int, *arguments: str) -> str:
    """A call that is killed before this step of it, from 1 on; which step that was, for messages."""
    done, steps = _run(box, step, signal.SIGKILL, arguments)
    assert (done.status, len(steps)) == (-signal.SIGKILL, step), (done, steps)
    return f"killed before step {step}, {steps[-1]}"


def stop_at(box: Box, step: int, *arguments: str) -> tuple[Outcome, str]:
    """A call that gets SIGTERM after this step of it, from 1 on; how it ended, and which step that was."""
    done, steps = _run(box, step, signal.SIGTERM, arguments)
    return done, f"SIGTERM after step {step}, {steps[step - 1]}"


def nothing() -> None:
    """What is done before and after a call unless something is."""


def steps_of(
    box: Box, *arguments: str, before: Callable[[], object] = nothing, after: Callable[[], object] = nothing
) -> list[tuple[int, str]]:
    """Number and name of the steps of a call, which is made between `before` and `after`, and its container deleted.

    Of several in a row that are alike (a cgroup in each hierarchy, a device rule each) the first and the last. A busy
    machine may make slinger try something again (a cgroup that is in use for a moment), so the shortest of three
    calls counts: then every call comes to each of these steps.
    """
    calls: list[list[str]] = []
    for _ in range(3):
        before()
        done, names = _run(box, 0, signal.SIGKILL, arguments)
        assert done.status == 0, done.stderr
        after()
        box.succeed("delete", "--force", box.id)
        calls.append(names)
    chosen: list[tuple[int, str]] = []
    shortest: list[str] = min(calls, key=len)
    for _name, group in groupby(enumerate(shortest, 1), key=lambda step: step[1]):
        run = list(group)
        chosen += [run[0], *run[1:][-1:]]
    return chosen
