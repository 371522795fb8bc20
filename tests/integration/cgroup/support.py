"""What the tests of cgroups share: names, a waiting shell, and looks at the kernel's side."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from slinger.host import probe
from slinger.host.cgroup import Ref
from slinger.plan.facts import Hierarchy

NUMBERS = count(1)
PREFIX = f"slinger-test-{os.getpid()}"
SOURCE = str(Path(__file__).parents[3] / "src")

Child = subprocess.Popen[bytes]
Start = Callable[..., Child]
Make = Callable[..., Ref]


def unified() -> tuple[Hierarchy, ...]:
    """The v2 hierarchy as if it were alone, as on a machine without v1."""
    return tuple(each for each in probe.probe_hierarchies() if each.version == 2)


def go(child: Child) -> None:
    """Let a shell run its script."""
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.flush()


def cgroups_of(pid: int) -> set[str]:
    """The cgroups that a process is in, all hierarchies."""
    return {line.split(":", 2)[2] for line in Path(f"/proc/{pid}/cgroup").read_text("utf-8").splitlines()}


def content(ref: Ref, file: str) -> str:
    """A file of the container's cgroup, in whichever hierarchy has it."""
    return next(path for each in ref.places if (path := Path(each.path, file)).exists()).read_text("utf-8").strip()


def existing(ref: Ref) -> list[str]:
    """The directories of the container that are there."""
    return [each.path for each in ref.places if os.path.exists(each.path)]


def wait_for(condition: Callable[[], bool]) -> None:
    """Up to two seconds."""
    end = time.monotonic() + 2
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
