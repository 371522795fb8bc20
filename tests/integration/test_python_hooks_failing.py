"""Hooks that are functions of a Python program: how they fail, and how the processes are ended that they run in."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from slinger import (
    HookContext,
    Hooks,
    PythonHook,
    State,
)
from tests.integration.functions import (
    COUNTED,
    INSIDE,
    STAGES,
    calling,
    fail,
    failure,
    run,
    say,
)
from tests.integration.shop import Shop, children
from tests.requires import requires

pytestmark = requires("root")


@pytest.mark.parametrize("stage", COUNTED)
def test_an_exception_is_the_failure_of_the_hook(shop: Shop, stage: str) -> None:
    """With the function's name and the exception; the container is destroyed, and its poststop functions are called."""
    ends: list[str] = []

    def end(state: State, _context: HookContext) -> None:
        ends.append(state.status)

    error = failure(shop, Hooks(**{stage: [fail], "poststop": [end]}))  # type: ignore[arg-type]
    assert str(error) == f"{STAGES[stage]} hook #0 ({fail.__module__}.fail): raised ValueError: no such network"
    assert error.origin == f"hooks.{STAGES[stage]}[0]"
    assert (error.__cause__ is None) == (stage in INSIDE)
    assert ends == ["stopped"]
    assert shop.left() == []


@pytest.mark.parametrize("stage", ["prestart", *INSIDE])
def test_the_record_has_the_traceback(shop: Shop, stage: str) -> None:
    """With the program's own lines, which are looked up outside, and after what the function wrote."""
    ends: list[str] = []

    def fail_here(state: State, context: HookContext) -> None:
        if context.stage != "prestart":
            sys.stderr.write("about to fail\n")
        fail(state, context)

    def keep(_state: State, _context: HookContext) -> None:
        ends.append(Path(shop.root, _state.id, "hooks.jsonl").read_text())

    failure(shop, Hooks(**{stage: [fail_here], "poststop": [keep]}))  # type: ignore[arg-type]
    stderr = json.loads(ends[0])["stderr"]
    assert stderr.startswith(
        "Traceback" if stage == "prestart" else "about to fail\nTraceback (most recent call last):\n"
    )
    assert f'File "{__file__}"' in stderr
    assert "\n    fail(state, context)\n" in stderr
    assert stderr.endswith('\n    raise ValueError("no such network")\nValueError: no such network\n')
    assert "calling.py" not in stderr
    assert "inside/__init__.py" not in stderr


def join_threads() -> None:
    """Functions that went on after their time have descriptors of their own until they end."""
    for thread in threading.enumerate():
        if thread.name == "slinger hook":
            thread.join(20)


@pytest.mark.parametrize("stage", COUNTED)
def test_a_function_that_takes_too_long_has_failed(shop: Shop, stage: str) -> None:
    """Its time counts in whole seconds; inside, its process is gone with all that it started."""

    def hang(_state: State, context: HookContext) -> None:
        assert context.deadline is not None
        if context.stage in {"createContainer", "startContainer"} and os.fork() == 0:  # noqa: TID251 - what a hook may do
            time.sleep(60)
        time.sleep(2)

    begin = time.monotonic()
    error = failure(shop, Hooks(**{stage: [PythonHook(hang, timeout=1)]}))
    join_threads()
    assert f"{error}".endswith(f"{hang.__qualname__}): timed out after 1 s")
    assert 1 <= time.monotonic() - begin < 30


@pytest.mark.parametrize("stage", INSIDE)
@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGUSR1), "killed by SIGUSR1"),
        (lambda: sys.exit("enough"), "raised SystemExit: enough"),
        (lambda: os._exit(0), "exit status 0 before it returned"),
    ],
)
def test_a_process_that_ends_in_another_way_has_failed(
    shop: Shop, stage: str, act: Callable[[], object], outcome: str
) -> None:
    """Leaving without a word is no success."""
    error = failure(shop, Hooks(**{stage: [calling(act)]}))
    assert str(error) == f"{STAGES[stage]} hook #0 ({calling.__module__}.calling.<locals>.hook): {outcome}"


def test_output_is_kept_to_its_end_and_a_daemon_that_holds_it_is_not_waited_for(shop: Shop) -> None:
    """10 MB, and a grandchild that lives on."""

    def write(_state: State, _context: HookContext) -> None:
        say("x" * 10_000_000)
        say("the end")
        sys.stdout.flush()
        if os.fork() == 0:  # noqa: TID251 - what a hook may do
            time.sleep(60)

    (record,) = run(shop, Hooks(create_container=[write]))
    assert record.stdout_size == 10_000_009
    assert len(record.stdout) == 8192
    assert record.stdout.endswith("x\nthe end\n")


@pytest.mark.parametrize("stage", INSIDE)
def test_what_the_program_had_half_printed_is_not_printed_twice(
    shop: Shop, stage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its buffers are not the callee's."""
    with os.fdopen(os.dup(1), "w") as half:
        half.write("half a line")
        (record,) = run(shop, Hooks(**{stage: [calling(lambda: say("inside"))]}))
        assert record.stdout == "inside\n"
    assert capfd.readouterr().out == "half a line"


def test_a_thread_that_is_left_in_another_way_has_not_taken_too_long(shop: Shop) -> None:
    """SystemExit ends a thread without a word, and a function with a timeout has one."""
    error = failure(shop, Hooks(create_runtime=[PythonHook(calling(lambda: sys.exit("enough")), timeout=60)]))
    assert str(error) == (
        f"createRuntime hook #0 ({calling.__module__}.calling.<locals>.hook): raised SystemExit: enough"
    )


def test_a_keyboard_interrupt_is_the_programs(shop: Shop) -> None:
    """It goes through, and nothing is left."""

    def interrupt(_state: State, _context: HookContext) -> NoReturn:
        raise KeyboardInterrupt

    with shop.bundle("true") as bundle, pytest.raises(KeyboardInterrupt):
        shop.create(bundle, hooks=Hooks(create_runtime=[interrupt]))
    assert shop.left() == []


def test_a_failing_poststop_function_is_warned_of_and_the_next_is_called(shop: Shop) -> None:
    """As with commands."""
    called: list[str] = []
    warned: list[str] = []
    run(shop, Hooks(poststop=[fail, calling(lambda: called.append("next"))]), warn=warned.append)
    assert called == ["next"]
    assert warned == [f"poststop hook #0 ({fail.__module__}.fail): raised ValueError: no such network"]


# ---- how what they run in is ended


@pytest.mark.parametrize("stage", INSIDE)
def test_an_interrupt_while_a_function_is_inside_ends_its_process(shop: Shop, stage: str) -> None:
    """Also where it is in the program's own pid namespace, whose processes do not go with the container's init."""
    started, ended = os.pipe(), os.pipe()
    before = set(children())

    def hang(_state: State, _context: HookContext) -> None:
        os.write(started[1], b"x")
        time.sleep(60)

    def interrupt() -> None:
        os.read(started[0], 1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with (
        shop.bundle("true", namespaces=["mount"]) as bundle,
        pytest.raises(KeyboardInterrupt),
        shop.create(bundle, hooks=Hooks(**{stage: [hang]})) as container,
    ):
        container.start()
    thread.join()
    os.close(ended[1])
    assert select.select([ended[0]], [], [], 20)[0], "the function's process goes on"
    assert (set(children()) - before, shop.left()) == (set(), [])
    for fd in (*started, ended[0]):
        os.close(fd)


# Goes on when somebody presses ^C, which a terminal sends to the whole process group.
DEAF = """
import os, signal, sys, threading
from slinger import Container, Hooks

signal.signal(signal.SIGINT, lambda *_: None)
started, pressed = os.pipe(), os.pipe()

def inside(_state, _context):
    os.write(started[1], b"x")
    os.read(pressed[0], 1)

def press():
    os.read(started[0], 1)
    os.killpg(0, signal.SIGINT)
    os.write(pressed[1], b"x")

threading.Thread(target=press).start()
with Container.create("deaf", sys.argv[1], root=sys.argv[2], hooks=Hooks(start_container=[inside])) as container:
    container.start()
    print(*(record.outcome for record in container.hook_records()))
"""


def test_what_a_terminal_sends_is_the_programs_to_take(shop: Shop) -> None:
    """Neither the function's process nor the one that waits for it ends by a signal that the program lives through."""
    with shop.bundle("true") as bundle:
        words = (sys.executable, "-c", DEAF, os.fspath(bundle), shop.root)
        done = subprocess.run(words, capture_output=True, text=True, check=False, start_new_session=True)
    assert (done.stdout, done.stderr) == ("returned\n", "")


def test_standard_input_is_empty_whatever_the_container_has_for_dev_null(shop: Shop) -> None:
    """A fifo there would keep waiting who opens it."""

    def replace(_state: State, _context: HookContext) -> None:
        os.unlink("/dev/null")
        os.mkfifo("/dev/null", 0o666)

    def read(_state: State, _context: HookContext) -> None:
        say(repr(os.read(0, 1)))

    records = run(shop, Hooks(start_container=[replace, PythonHook(read, timeout=10)]))
    assert [record.stdout for record in records] == ["", "b''\n"]


def test_an_exception_from_far_below_with_much_to_say_is_told_whole(shop: Shop) -> None:
    """32 frames of long names, and 4096 characters that JSON spells with twelve each."""
    scope: dict[str, Any] = {}
    code = "def below(left):\n    if left:\n        below(left - 1)\n    raise ValueError('\U0001f600' * 9000)\n"
    exec(compile(code, "/" + "long/" * 500, "exec"), scope)  # noqa: S102 - a file of that name is not to be had

    error = failure(shop, Hooks(create_container=[calling(lambda: scope["below"](40))]))
    assert str(error).endswith(": raised ValueError: " + "\U0001f600" * 4096)


def test_a_thread_that_goes_on_after_its_time_has_its_own_descriptors(shop: Shop) -> None:
    """Those that were lent are closed, and their numbers soon another file's."""
    over = threading.Event()
    same: list[bool] = []

    def hang(_state: State, context: HookContext) -> None:
        assert context.root is not None
        before = os.fstat(context.root)
        over.wait()
        same.append(os.path.samestat(os.fstat(context.root), before))

    failure(shop, Hooks(create_runtime=[PythonHook(hang, timeout=1)]))
    over.set()
    join_threads()
    assert same == [True]


def test_a_program_whose_directory_was_removed_can_have_functions(shop: Shop, tmp_path: Path) -> None:
    """Then there is none to be recorded."""
    before = os.open(".", os.O_RDONLY)
    gone = tmp_path / "gone"
    gone.mkdir()
    try:
        os.chdir(gone)  # noqa: TID251 - the program's own
        gone.rmdir()
        (record,) = run(shop, Hooks(create_runtime=[calling(lambda: None)]))
    finally:
        os.fchdir(before)
        os.close(before)
    assert (record.outcome, record.cwd) == ("returned", "")
