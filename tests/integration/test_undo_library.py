"""Container.create that fails inside a threaded program leaves the program as it was: no descriptor, no child.

Threads of their own for the failures, so that their ends are mixed; this process adopts orphans, so that what the hands
leave behind would be its child.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slinger import Bundle, Container, Hook, SlingerError
from slinger.creation import Creation
from tests import leftovers
from tests.bundles import make_rootfs, unique_id
from tests.requires import requires

pytestmark = requires("root")


def traces() -> tuple[list[str], list[str], list[str]]:
    """Descriptors, children (zombies too) and cgroups of ours; the children's pids are told by every thread."""
    threads = Path("/proc/self/task").glob("*/children")
    children = [pid for file in threads for pid in file.read_text().split()]
    return sorted(os.listdir("/proc/self/fd")), children, leftovers.cgroups()


@pytest.mark.parametrize("supervise", [True, False])
def test_creates_that_fail_in_threads_leave_no_descriptor_and_no_zombie(tmp_path: Path, *, supervise: bool) -> None:
    """At the hands' start, at a mount, at a hook, at the program; three of each at once."""
    make_rootfs(tmp_path / "rootfs")
    payload = str(tmp_path / "rootfs/bin/payload")
    fails = Hook(payload, args=("hook", "exit", "3"))
    kinds: dict[str, Callable[[], Bundle]] = {
        "program": lambda: Bundle.make(rootfs=tmp_path / "rootfs", args=["/absent"]),
        "hook": lambda: Bundle.make(
            rootfs=tmp_path / "rootfs", args=["/bin/payload"], hooks={"createRuntime": [fails]}
        ),
        "hook inside": lambda: Bundle.make(
            rootfs=tmp_path / "rootfs", args=["/bin/payload"], hooks={"createContainer": [fails]}
        ),
        "root": lambda: Bundle.make(rootfs=payload, args=["/bin/payload"]),
    }

    def fail(kind: str) -> str:
        with kinds[kind]() as bundle, pytest.raises(SlingerError) as caught:
            Container.create(unique_id(), bundle, root=str(tmp_path / "state"), supervise=supervise)
        return str(caught.value)

    before = traces()
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(fail, [*kinds] * 3))
    assert len(set(said)) >= len(kinds) - 1, said
    assert traces() == before
    assert os.listdir(tmp_path / "state") == []


def test_a_handler_of_the_programs_own_is_put_back_and_undoes_create(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs where create waits, so that what it raises meets nothing that is half made."""
    make_rootfs(tmp_path / "rootfs")

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError("too late")

    enter = Creation._enter_cgroup

    def interrupted(creation: Creation) -> None:
        os.kill(os.getpid(), signal.SIGALRM)
        enter(creation)

    monkeypatch.setattr(Creation, "_enter_cgroup", interrupted)
    old = signal.signal(signal.SIGALRM, late)
    before = traces()
    try:
        with Bundle.make(rootfs=tmp_path / "rootfs", args=["/bin/payload"]) as bundle, pytest.raises(TimeoutError):
            Container.create(unique_id(), bundle, root=str(tmp_path / "state"))
        assert signal.getsignal(signal.SIGALRM) is late
    finally:
        signal.signal(signal.SIGALRM, old)
    assert traces() == before
    assert os.listdir(tmp_path / "state") == []
