"""The library in a Python program that has threads, children and an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slinger import (
    Bundle,
    ConfigError,
    Container,
    ContainerError,
    ExistsError,
    Hook,
    HookError,
    HostError,
    Namespace,
    NotFoundError,
    OpError,
)
from tests.bundles import unique_id
from tests.integration.shop import PROGRAM, Shop, children
from tests.requires import requires

pytestmark = requires("root")

THREADS = 20
LONG = "60"  # seconds that nobody waits for
DEADLINE = 20.0


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """The results of work(0), work(1)... each in a thread of its own, all at once; the first failure is raised."""
    barrier = threading.Barrier(count)

    def enter(number: int) -> object:
        barrier.wait(DEADLINE)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [each.result(DEADLINE) for each in [pool.submit(enter, number) for number in range(count)]]


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_wait_gives_the_exit_code(shop: Shop, code: int) -> None:
    """As often as it is asked for, also after the container was deleted."""
    with shop.started("exit", str(code)) as container:
        assert (container.wait(), container.wait()) == (code, code)
        assert container.state().status == "stopped"
        container.delete()
        assert container.wait() == code


def test_the_statuses_of_a_container(shop: Shop) -> None:
    """From create to the end; `pid` is there as long as the program is."""
    with shop.bundle("sleep", LONG) as bundle, shop.create(bundle) as container:
        assert (container.status(), container.pid > 0) == ("created", True)
        container.start()
        assert (container.status(), container.state().pid) == ("running", container.pid)
        container.kill(signal.SIGKILL)
        assert container.wait() == 128 + signal.SIGKILL
        assert (container.status(), container.pid) == ("stopped", 0)


def test_a_signal_that_ends_the_program_is_added_to_128(shop: Shop) -> None:
    """As shells and the command do."""
    with shop.started("sleep", LONG) as container:
        container.kill(signal.SIGKILL)
        assert container.wait() == 137


def test_stdio_are_descriptors_of_ours_and_stay_ours(shop: Shop) -> None:
    """The program reads from and writes to them; what we close is closed here only."""
    (inside_in, outside_in), (outside_out, inside_out) = os.pipe(), os.pipe()
    with shop.bundle("cat") as bundle, shop.create(bundle, stdio=(inside_in, inside_out, 2)) as container:
        os.close(inside_in)
        os.close(inside_out)
        container.start()
        os.write(outside_in, b"through the container")
        os.close(outside_in)
        with open(outside_out, "rb") as output:
            assert output.read() == b"through the container"
        assert container.wait() == 0


def test_stdio_may_be_one_descriptor_for_all_three(shop: Shop) -> None:
    """And any number may stand for any other."""
    reader, writer = os.pipe()
    with shop.bundle("spam", "64") as bundle, shop.create(bundle, stdio=(writer, writer, writer)) as container:
        os.close(writer)
        container.start()
        assert container.wait() == 0
    with open(reader, "rb") as output:
        assert len(output.read()) == 128


@pytest.mark.parametrize("kind", [str, Path, Bundle])
def test_create_takes_a_bundle_or_a_path(shop: Shop, tmp_path: Path, kind: type[str | Path | Bundle]) -> None:
    """A string, an os.PathLike, a Bundle."""
    path = tmp_path / "bundle"
    Bundle.make(path, rootfs=shop.rootfs, args=[PROGRAM, "true"])
    with shop.create(kind(str(path))) as container:
        container.start()
        assert container.wait() == 0


def test_leaving_the_container_deletes_it_though_it_runs(shop: Shop) -> None:
    """By force: its program is gone when the with block is."""
    with shop.started("sleep", LONG) as container:
        pid = container.pid
    assert not os.path.exists(f"/proc/{pid}")
    with pytest.raises(NotFoundError):
        Container.load(container.id, root=shop.root)


def test_leaving_the_container_keeps_the_error_that_ended_the_block(shop: Shop) -> None:
    """And deletes all the same."""
    with pytest.raises(ZeroDivisionError), shop.started("sleep", LONG):
        raise ZeroDivisionError


def test_a_start_that_fails_has_deleted_the_container(shop: Shop) -> None:
    """Its error comes out of the block; leaving the block finds nothing to do."""
    hooks = {"startContainer": [Hook(PROGRAM, args=("hook", "exit", "5", "no way"))]}
    with (
        pytest.raises(HookError) as caught,
        shop.bundle("true", hooks=hooks) as bundle,
        shop.create(bundle) as container,
    ):
        container.start()
    assert str(caught.value) == "startContainer hook #0 (/bin/payload): exit status 5: no way"


def test_a_start_that_fails_without_a_block_leaves_nothing_either(shop: Shop) -> None:
    """Not even the process that waited for it."""
    broken = shop.rootfs / "bin/broken"
    broken.write_text("no program")
    broken.chmod(0o755)
    with Bundle.make(rootfs=shop.rootfs, args=["/bin/broken"]) as bundle:
        container = shop.create(bundle)
        with pytest.raises(OpError) as caught:
            container.start()
        assert str(caught.value) == 'process.args: exec: "/bin/broken": exec format error'
        assert (shop.left(), children()) == ([], [])
        container.close()


def test_a_create_that_fails_leaves_nothing(shop: Shop) -> None:
    """By a hook, by the program, by the configuration, by the id: not even a zombie, though we adopt orphans."""
    hooks = {"createRuntime": [Hook(str(shop.rootfs / "bin/payload"), args=("hook", "exit", "1"))]}
    with shop.bundle("true", hooks=hooks) as bundle, pytest.raises(HookError):
        shop.create(bundle)
    with Bundle.make(rootfs=shop.rootfs, args=["/absent"]) as bundle, pytest.raises(OpError):
        shop.create(bundle)
    with pytest.raises(ConfigError):
        shop.create(shop.rootfs)
    with shop.bundle("true") as bundle, shop.create(bundle) as container, pytest.raises(ExistsError):
        shop.create(bundle, container.id)


def test_hooks_without_an_environment_get_the_one_that_is_given(shop: Shop, tmp_path: Path) -> None:
    """A Python program need not change its own for it."""
    shell = Hook("/bin/sh", args=("sh", "-c", f'echo "$COLOUR" >>{tmp_path}/colours'))
    hooks = {"createRuntime": [shell], "poststart": [shell], "poststop": [shell]}
    with shop.bundle("true", hooks=hooks) as bundle:
        with shop.create(bundle, environment=("COLOUR=green",)) as container:
            container.start()
            container.wait()
        assert (tmp_path / "colours").read_text() == "green\n" * 3


def test_without_supervise_the_end_is_not_known(shop: Shop) -> None:
    """The container belongs to whoever adopts orphans, here pytest itself."""
    with shop.started("sleep", LONG, supervise=False) as container:
        with pytest.raises(ContainerError) as caught:
            container.wait()
        assert str(caught.value) == "its end is not known: it was not created with supervise"
        pid = container.pid
        container.kill(signal.SIGKILL)
        assert os.waitpid(pid, 0) == (pid, signal.SIGKILL)


def test_twenty_threads_have_a_container_each(shop: Shop) -> None:
    """Created, started, waited for and deleted beside each other; each gets its own code."""

    def work(number: int) -> int:
        with shop.started("exit", str(number)) as container:
            return container.wait()

    assert in_threads(THREADS, work) == list(range(THREADS))


def test_one_id_goes_to_one_of_many_threads(shop: Shop) -> None:
    """The others get ExistsError, and disturb nothing."""
    name = unique_id()
    with shop.bundle("sleep", LONG) as bundle:

        def work(_number: int) -> Container | None:
            with contextlib.suppress(ExistsError):
                return shop.create(bundle, name)
            return None

        (container,) = [each for each in in_threads(8, work) if each is not None]
        assert isinstance(container, Container)
        with container:
            container.start()
            assert container.status() == "running"


def test_kill_works_while_another_thread_waits(shop: Shop) -> None:
    """And state and status do too."""
    with shop.started("sleep", LONG) as container, ThreadPoolExecutor(1) as pool:
        code = pool.submit(container.wait)
        assert (container.status(), container.state().status) == ("running", "running")
        container.kill(signal.SIGKILL)
        assert code.result(DEADLINE) == 137


def test_delete_works_while_other_threads_wait(shop: Shop) -> None:
    """All of them get the code."""
    with shop.started("sleep", LONG) as container, ThreadPoolExecutor(3) as pool:
        codes = [pool.submit(container.wait) for _ in range(3)]
        container.delete(force=True)
        assert [code.result(DEADLINE) for code in codes] == [137, 137, 137]


def test_a_thread_that_collects_all_children_takes_no_exit_code(shop: Shop) -> None:
    """waitpid(-1) may reap the process that stands between; the code comes over the socket."""
    done = threading.Event()

    def collect() -> None:
        while not done.is_set():
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                time.sleep(0.001)

    collector = threading.Thread(target=collect)
    collector.start()

    def work(number: int) -> int:
        with shop.started("exit", str(number)) as container:
            return container.wait()

    try:
        assert in_threads(8, work) == list(range(8))
    finally:
        done.set()
        collector.join(DEADLINE)


def test_an_ignored_sigchld_takes_no_exit_code(shop: Shop) -> None:
    """Then the kernel collects our children itself (wait(2))."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with shop.started("exit", "4") as container:
            assert container.wait() == 4
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_subprocesses_beside_containers_keep_their_own_codes(shop: Shop) -> None:
    """In the same threads at the same time."""

    def work(number: int) -> tuple[int, int]:
        with shop.started("exit", str(number)) as container:
            command = [sys.executable, "-I", "-S", "-c", f"raise SystemExit({number + 100})"]
            return container.wait(), subprocess.run(command, check=False).returncode

    assert in_threads(8, work) == [(number, number + 100) for number in range(8)]


def test_the_programs_own_wait_sees_no_process_of_the_container(shop: Shop) -> None:
    """Our one child is the process that stands between; the container's orphans are its own."""
    with shop.started("daemon", "60") as container:
        pid = container.pid
        (child,) = children()
        assert child != pid
        assert container.wait() == 0
        assert children() == []


def test_asyncio_programs_keep_their_children(shop: Shop) -> None:
    """Processes of the event loop and containers end beside each other, each with its own code."""

    async def process(number: int) -> int | None:
        words = ("-I", "-S", "-c", f"raise SystemExit({number + 100})")
        started = await asyncio.create_subprocess_exec(sys.executable, *words)
        return await started.wait()

    def contained(number: int) -> int:
        with shop.started("exit", str(number)) as container:
            return container.wait()

    async def main() -> list[int | None]:
        works = [asyncio.to_thread(contained, number) for number in range(5)]
        return await asyncio.gather(*works, *(process(number) for number in range(5)))

    assert asyncio.run(main()) == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]


def test_a_killed_watcher_is_told_and_can_be_cleaned_up(shop: Shop) -> None:
    """Somebody kills the process that stands between: the end is not known, the container can still be deleted."""
    with shop.started("sleep", LONG) as container:
        (watcher,) = children()
        pid = container.pid
        os.kill(watcher, signal.SIGKILL)
        with pytest.raises(HostError) as caught:
            container.wait()
        assert str(caught.value) == "the process that watches the container was killed"
    # Its init has become ours, since pytest is a subreaper.
    assert os.waitpid(pid, 0)[0] == pid


def test_closing_leaves_a_container_to_itself(shop: Shop) -> None:
    """Another object of the same container goes on with it; the process between ends with the program."""
    with shop.bundle("sleep", LONG) as bundle:
        container = shop.create(bundle)
        container.start()
        container.close()
        (watcher,) = children()
        with Container.load(container.id, root=shop.root) as again:
            assert again.status() == "running"
        assert os.waitpid(watcher, 0)[0] == watcher


def test_wait_copies_the_terminal_in_any_thread(shop: Shop) -> None:
    """Bytes as they are in and out; signals of Python, which only the main thread may have, are not needed."""
    reader, writer = os.pipe()
    null = os.open("/dev/null", os.O_RDONLY)
    with (
        shop.bundle("echo", "seen", terminal=True) as bundle,
        shop.create(bundle, stdio=(null, writer, 2)) as container,
        ThreadPoolExecutor(1) as pool,
    ):
        container.start()
        assert pool.submit(container.wait).result(DEADLINE) == 0
    os.close(null)
    os.close(writer)
    with open(reader, "rb") as output:
        assert output.read() == b"seen\n"


def test_wait_serves_a_terminal_of_ours_in_any_thread(shop: Shop) -> None:
    """Our terminal is raw for as long, and as before afterwards."""
    import termios  # noqa: PLC0415 - this test only

    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    with (
        shop.bundle("tty", terminal=True) as bundle,
        shop.create(bundle, stdio=(slave, slave, slave)) as container,
        ThreadPoolExecutor(1) as pool,
    ):
        container.start()
        assert pool.submit(container.wait).result(DEADLINE) == 0
    assert termios.tcgetattr(slave) == before
    assert b"/dev/pts/0" in os.read(master, 4096)
    os.close(slave)
    os.close(master)


def test_deleting_a_container_with_a_terminal_waits_for_nobody(shop: Shop) -> None:
    """What the program wrote and nobody has read is thrown away."""
    with (
        shop.bundle("spam", "1000000", terminal=True) as bundle,
        shop.create(bundle) as container,
    ):
        container.start()


def test_a_namespace_of_another_container_is_joined_by_its_path(shop: Shop) -> None:
    """Two containers of one pod."""
    with shop.started("sleep", LONG) as first:
        path = f"/proc/{first.pid}/ns/net"
        namespaces = ["pid", "mount", "ipc", "uts", Namespace("network", path)]
        with (
            shop.bundle("sleep", LONG, namespaces=namespaces) as bundle,
            shop.create(bundle) as second,
        ):
            assert os.readlink(f"/proc/{second.pid}/ns/net") == os.readlink(path)
            assert os.readlink(f"/proc/{second.pid}/ns/ipc") != os.readlink(f"/proc/{first.pid}/ns/ipc")
