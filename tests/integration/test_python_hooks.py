"""Hooks that are functions of a Python program: what they are given, and where they run."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slinger import (
    ConfigError,
    Container,
    ContainerError,
    Hook,
    HookContext,
    HookRecord,
    Hooks,
    PythonHook,
    State,
    UsageError,
)
from tests.integration.functions import (
    INSIDE,
    NAMESPACES,
    STAGES,
    fail,
    look,
    run,
    say,
    tell,
    told,
)
from tests.integration.plain import PlainBox
from tests.integration.shop import Shop
from tests.requires import requires

pytestmark = requires("root")

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
