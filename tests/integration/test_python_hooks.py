"""Hooks that are functions of a Python program: what they are given, where they run, and how they fail."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest

from slinger import (
    ConfigError,
    Container,
    ContainerError,
    Hook,
    HookContext,
    HookError,
    HookRecord,
    Hooks,
    PythonHook,
    State,
    UsageError,
)
from tests.integration.plain import PlainBox
from tests.integration.shop import Shop
from tests.requires import requires

pytestmark = requires("root")

STAGES = {
    "prestart": "prestart",
    "create_runtime": "createRuntime",
    "create_container": "createContainer",
    "start_container": "startContainer",
    "poststart": "poststart",
    "poststop": "poststop",
}
COUNTED = [name for name in STAGES if name != "poststop"]  # those whose failure counts
INSIDE = ("create_container", "start_container")
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")


def say(text: str) -> None:
    """A line for the record, by a function that runs in another process."""
    sys.stdout.write(f"{text}\n")


def tell(**facts: object) -> None:
    """Facts for the record."""
    say(json.dumps(facts))


def calling(act: Callable[[], object]) -> Callable[[State, HookContext], None]:
    """A hook that does not look at what it gets."""

    def hook(_state: State, _context: HookContext) -> None:
        act()

    return hook


def told(record: HookRecord) -> dict[str, Any]:
    """The facts again."""
    facts: dict[str, Any] = json.loads(record.stdout)
    return facts


def look(state: State, context: HookContext) -> None:
    """What an inside function sees."""
    tell(
        stage=context.stage,
        status=state.status,
        shown=state.pid,
        root=state.rootfs,
        pid=os.getpid(),
        cwd=os.getcwd(),
        host=os.uname().nodename,
        uid=os.getuid(),
        gid=os.getgid(),
        groups=os.getgroups(),
        umask=os.umask(0),  # noqa: TID251 - of its own process
        uts=os.fstat(context.namespaces["uts"]).st_ino,
        files=sorted(os.listdir()),
    )


def run(shop: Shop, given: Hooks, *, warn: Callable[[str], None] = print, **options: Any) -> list[HookRecord]:
    """A whole life; the records of its hooks."""
    with shop.bundle("true", **options) as bundle, shop.create(bundle, hooks=given, warn=warn) as container:
        container.start()
        assert container.wait() == 0
        container.delete()
        return list(container.hook_records())


def failure(shop: Shop, hooks: Hooks, **options: Any) -> HookError:
    """The error in which create or start ends."""
    with (
        shop.bundle("sleep", "60", **options) as bundle,
        pytest.raises(HookError) as caught,
        shop.create(bundle, hooks=hooks) as container,
    ):
        container.start()
    return caught.value


# ---- where and with what they run


def test_all_six_stages_call_their_functions_in_order(shop: Shop) -> None:
    """With the state of the table, init's pid, and what can be reached of the container."""
    seen: list[tuple[object, ...]] = []

    def here(state: State, context: HookContext) -> None:
        reach = (sorted(context.namespaces), context.root is not None)
        seen.append((context.stage, state.status, state.pid == context.pid != 0, *reach, context.pid))

    def inside(state: State, context: HookContext) -> None:
        tell(stage=context.stage, status=state.status, pid=state.pid, index=context.index)

    hooks = Hooks(**{name: [inside if name in INSIDE else here] for name in STAGES})
    records = run(shop, hooks)
    assert [record.stage for record in records] == list(STAGES.values())
    assert all(record.ok and record.outcome == "returned" for record in records)
    lent = (list(NAMESPACES), True)
    assert [each[:-1] for each in seen] == [
        ("prestart", "creating", True, *lent),
        ("createRuntime", "creating", True, *lent),
        ("poststart", "running", True, [], False),
        ("poststop", "stopped", False, [], False),
    ]
    assert seen[0][-1] == seen[2][-1]
    assert seen[3][-1] == 0
    assert told(records[2]) == {"stage": "createContainer", "status": "creating", "pid": 1, "index": 0}
    assert told(records[3]) == {"stage": "startContainer", "status": "created", "pid": 1, "index": 0}
    assert [record.pid_shown for record in records] == [seen[0][-1], seen[0][-1], 1, 1, seen[0][-1], None]


def test_a_function_of_createcontainer_is_root_in_the_namespaces_before_the_pivot(shop: Shop) -> None:
    """Its working directory is the container's root, and what it mounts or makes there is the container's."""

    def make(_state: State, context: HookContext) -> None:
        Path("made").write_text("by a function")
        os.mkdir("made-too", dir_fd=context.root)
        look(_state, context)

    (record,) = run(shop, Hooks(create_container=[make]), hostname="inside")
    facts = told(record)
    assert (facts["uid"], facts["gid"], facts["cwd"]) == (0, 0, str(shop.rootfs))
    assert facts["uts"] != os.stat("/proc/self/ns/uts").st_ino
    assert facts["root"] == str(shop.rootfs)
    assert 1 < facts["pid"] < 10
    assert "made-too" in facts["files"]
    assert (shop.rootfs / "made").read_text() == "by a function"
    assert (record.cwd, record.path) == (str(shop.rootfs), f"{__name__}.{make.__qualname__}")
    assert record.namespaces == ("mnt", "pid", "net", "ipc", "uts")


def test_a_function_of_startcontainer_is_the_user_of_the_process_inside_the_root(shop: Shop) -> None:
    """With its groups, umask, capabilities and limits, in its working directory."""

    def see(state: State, context: HookContext) -> None:
        look(state, context)
        status = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
        limits = Path("/proc/self/limits").read_text()
        say(json.dumps({**{k: status[k] for k in ("CapEff", "CapBnd", "CapAmb", "NoNewPrivs")}, "limits": limits}))

    properties = {
        "process.user": {"uid": 1000, "gid": 1001, "additionalGids": [5, 6], "umask": 0o27},
        "process.capabilities": {
            name: ["CAP_NET_RAW", "CAP_KILL"]
            for name in ("bounding", "permitted", "effective", "inheritable", "ambient")
        },
        "process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}],
    }
    (record,) = run(shop, Hooks(start_container=[see]), hostname="inside", cwd="/tmp", properties=properties)
    first, second = map(json.loads, record.stdout.splitlines())
    assert (first["uid"], first["gid"], first["groups"], first["umask"]) == (1000, 1001, [5, 6], 0o27)
    assert (first["cwd"], first["host"], first["root"]) == ("/tmp", "inside", "")
    wanted = f"{1 << 13 | 1 << 5:016x}"
    assert (second["CapEff"], second["CapBnd"], second["CapAmb"]) == (wanted, wanted, wanted)
    assert "Max open files            77                   88" in second["limits"]
    assert record.cwd == "/tmp"


def test_in_a_user_namespace_functions_are_its_root(shop: Shop) -> None:
    """Which is nobody outside."""
    mapping = [{"containerID": 0, "hostID": 0, "size": 1}, {"containerID": 1, "hostID": 100000, "size": 1000}]
    records = run(
        shop,
        Hooks(create_container=[look], start_container=[look]),
        namespaces=["user", "pid", "mount", "uts", "ipc", "network"],
        properties={"linux.uidMappings": mapping, "linux.gidMappings": mapping},
    )
    assert [(told(each)["uid"], told(each)["gid"]) for each in records] == [(0, 0), (0, 0)]


def test_namespaces_that_are_shared_are_not_entered(shop: Shop) -> None:
    """A container of a mount namespace alone, and one of none but the user's own root by chroot."""
    records = run(shop, Hooks(create_container=[look], start_container=[look]), namespaces=["mount"])
    ours = os.stat("/proc/self/ns/uts").st_ino
    assert [told(each)["uts"] for each in records] == [ours, ours]
    assert told(records[1])["cwd"] == "/"


def test_descriptors_of_the_container_can_be_used_from_outside(shop: Shop) -> None:
    """The root for dir_fd, a namespace for a command; both are gone when the function has returned."""
    lent: list[int] = []

    def reach(_state: State, context: HookContext) -> None:
        assert context.root is not None
        with os.fdopen(os.open("from-outside", os.O_CREAT | os.O_WRONLY, dir_fd=context.root), "w") as file:
            file.write("x")
        net = context.namespaces["net"]
        words = ("nsenter", f"--net=/proc/self/fd/{net}", "ip", "link", "add", "name", "lent0", "type", "bridge")
        subprocess.run(words, check=True, pass_fds=[net])
        lent.extend((context.root, net))

    reader, writer = os.pipe()
    with (
        shop.bundle("cat", "/proc/net/dev") as bundle,
        shop.create(bundle, hooks=Hooks(create_runtime=[reach]), stdio=(0, writer, 2)) as container,
    ):
        os.close(writer)
        container.start()
        container.wait()
    with open(reader, encoding="utf-8") as output:
        assert "lent0" in output.read()
    assert (shop.rootfs / "from-outside").read_text() == "x"
    for fd in lent:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_commands_and_functions_run_in_the_order_in_which_they_are_given(shop: Shop, tmp_path: Path) -> None:
    """Behind those of the bundle."""
    log = tmp_path / "log"

    def command(word: str) -> Hook:
        return Hook("/bin/sh", args=("sh", "-c", f"echo {word} >>{log}"))

    def function(word: str, _state: State, _context: HookContext) -> None:
        with log.open("a") as file:
            file.write(f"{word}\n")

    bundled = {"createRuntime": [command("one")], "poststop": [command("five")]}
    hooks = Hooks(
        create_runtime=[functools.partial(function, "two"), command("three"), functools.partial(function, "four")],
        poststop=[functools.partial(function, "six"), command("seven")],
    )
    records = run(shop, hooks, hooks=bundled)
    assert log.read_text().split() == ["one", "two", "three", "four", "five", "six", "seven"]
    assert [(each.stage, each.index) for each in records] == [
        *(("createRuntime", at) for at in range(4)),
        *(("poststop", at) for at in range(3)),
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_async_functions_are_awaited(shop: Shop, stage: str) -> None:
    """In an event loop of their own, also where the caller has one that runs."""

    async def wait(_state: State, _context: HookContext) -> None:
        await asyncio.sleep(0.001)
        say("awaited")

    async def main() -> list[HookRecord]:
        return run(shop, Hooks(**{stage: [wait]}))

    for records in (asyncio.run(main()), run(shop, Hooks(**{stage: [wait]}))):
        (record,) = records
        assert record.ok
        assert record.stdout == ("awaited\n" if stage in INSIDE else "")


def test_containers_in_threads_have_their_own_functions(shop: Shop) -> None:
    """All at once, in every stage."""

    def life(number: int) -> list[str]:
        def inside(_state: State, _context: HookContext) -> None:
            say(str(number))

        called: list[str] = []

        def here(_state: State, context: HookContext) -> None:
            called.append(f"{context.stage} {number}")

        hooks = Hooks(create_runtime=[here], create_container=[inside], start_container=[inside], poststop=[here])
        return [*(each.stdout.strip() for each in run(shop, hooks) if each.stdout), *called]

    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(life, range(16))):
            assert found == [str(number), str(number), f"createRuntime {number}", f"poststop {number}"]


def test_all_works_for_a_program_of_a_plain_user(plain: PlainBox) -> None:
    """The namespaces are reached through the user namespace alone."""
    script = plain.directory.parent / "program.py"
    script.write_text(
        "import os, sys\n"
        "from slinger import *\n"
        "def look(state, context):\n"
        "    print(context.stage, os.getuid(), os.getpid() < 10, state.status, sorted(os.listdir('.'))[:1])\n"
        "hooks = Hooks(prestart=[look], create_container=[look], start_container=[look], poststop=[look])\n"
        "with Container.create(sys.argv[2], sys.argv[1], root=sys.argv[3], hooks=hooks) as container:\n"
        "    container.start()\n"
        "    container.wait()\n"
        "    container.delete()\n"
        "    for record in container.hook_records():\n"
        "        print(record.stage, record.outcome, record.stdout.strip())\n"
    )
    own = Path(plain.program).parent.glob("python3*")  # where the user can run ours
    python = next(own, Path("/usr/bin/python3"))
    (site,) = Path(plain.program).parent.parent.glob("lib/python3*/site-packages")
    words = ("env", f"PYTHONPATH={site}", str(python), str(script), str(plain.directory), plain.id, str(plain.root))
    plain.configure({"process.args": ["/bin/payload", "true"]})
    done = subprocess.run(plain.become(*words), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert [line.strip() for line in done.stdout.splitlines() if " returned " in f"{line} "] == [
        "prestart returned",
        f"createContainer returned createContainer 0 True creating ['{min(os.listdir(plain.bundle.rootfs))}']",
        f"startContainer returned startContainer 0 True created ['{min(os.listdir(plain.bundle.rootfs))}']",
        "poststop returned",
    ]


# ---- how they fail


def fail(_state: State, _context: HookContext) -> NoReturn:
    """The exception of the tests."""
    raise ValueError("no such network")


@pytest.mark.parametrize("stage", COUNTED)
def test_an_exception_is_the_failure_of_the_hook(shop: Shop, stage: str) -> None:
    """With the function's name and the exception; the container is destroyed, and its poststop functions are called."""
    ends: list[str] = []

    def end(state: State, _context: HookContext) -> None:
        ends.append(state.status)

    error = failure(shop, Hooks(**{stage: [fail], "poststop": [end]}))  # type: ignore[arg-type]
    assert str(error) == f"{STAGES[stage]} hook #0 ({__name__}.fail): raised ValueError: no such network"
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
    assert str(error) == f"{STAGES[stage]} hook #0 ({__name__}.calling.<locals>.hook): {outcome}"


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
    assert str(error) == (f"createRuntime hook #0 ({__name__}.calling.<locals>.hook): raised SystemExit: enough")


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
    assert warned == [f"poststop hook #0 ({__name__}.fail): raised ValueError: no such network"]


# ---- what cannot be


@pytest.mark.parametrize("stage", ["start_container", "poststart"])
def test_another_program_cannot_start_what_has_functions(shop: Shop, stage: str, slinger: str) -> None:
    """Nobody else has them. The container stays as it is, and who created it can start it."""
    words = (slinger, "--root", shop.root, "start")
    with shop.bundle("true") as bundle, shop.create(bundle, hooks=Hooks(**{stage: [look]})) as container:
        done = subprocess.run((*words, container.id), capture_output=True, text=True, check=False)
        message = f"hooks.{STAGES[stage]}[0] is a function of the program that created the container"
        assert done.stderr == f"slinger: {message} (only that program can start it)\n"
        assert done.returncode == 1
        with Container.load(container.id, root=shop.root) as other, pytest.raises(ContainerError):
            other.start()
        with contextlib.suppress(Exception):
            container.start()


def test_another_program_can_delete_it_and_says_what_is_not_run(shop: Shop, slinger: str, tmp_path: Path) -> None:
    """Commands given beside the functions are run, since they are in the record."""
    log = tmp_path / "log"
    command = Hook("/bin/sh", args=("sh", "-c", f"echo gone >{log}"))
    with shop.bundle("true") as bundle, shop.create(bundle, hooks=Hooks(poststop=[look, command])) as container:
        words = (slinger, "--root", shop.root, "delete", container.id)
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        message = "hooks.poststop[0] is a function of the program that created the container, and is not run"
        assert message in done.stderr
        assert log.read_text() == "gone\n"


def test_what_is_no_hook_is_refused(shop: Shop) -> None:
    """When it is given, with its place."""
    with pytest.raises(UsageError) as caught:
        Hooks(create_runtime=[fail, "/bin/true"])  # type: ignore[list-item]
    assert str(caught.value).startswith("hooks.createRuntime[1]: neither a Hook nor a function: '/bin/true' (")
    with pytest.raises(ConfigError) as wrong:
        Hooks(poststop=[PythonHook(fail, timeout=0)])
    assert str(wrong.value) == "hooks.poststop[0].timeout: must be at least 1, got 0 (leave it out for no limit)"
    with shop.bundle("true") as bundle, pytest.raises(ConfigError) as relative:
        shop.create(bundle, hooks=Hooks(prestart=[Hook("true")]))
    assert str(relative.value).startswith("hooks.prestart[0].path: must be an absolute path")
