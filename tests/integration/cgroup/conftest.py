"""Fixtures for tests of cgroups.

Rule: every cgroup has a name of this process (`slinger-test-<pid>-<n>`), lies at the top of its hierarchies, and is
gone after its test.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from slinger.host import cgroup, probe
from slinger.host.cgroup import Ref
from slinger.plan.facts import Hierarchy
from slinger.spec.config import Resources
from tests.integration.cgroup.support import NUMBERS, PREFIX, Child, Make, Start


@pytest.fixture(scope="package", autouse=True)
def same_controllers() -> Iterator[None]:
    """The root of v2 passes on what it did before: a container leaves enabled what it needs, a test run does not."""
    controls = [Path(each.path, "cgroup.subtree_control") for each in probe.probe_hierarchies() if each.version == 2]
    before = [control.read_text("utf-8").split() for control in controls]
    yield
    for control, enabled in zip(controls, before, strict=True):
        for more in sorted(set(control.read_text("utf-8").split()) - set(enabled)):
            with contextlib.suppress(OSError):  # somebody else needs it now, systemd or a container
                control.write_text(f"-{more}", "utf-8")


@pytest.fixture
def name() -> Iterator[str]:
    """A cgroupsPath of this test's own, of which nothing is left."""
    name = f"/{PREFIX}-{next(NUMBERS)}"
    yield name
    left = [path for each in probe.probe_hierarchies() if os.path.exists(path := each.path + name)]
    for place in left:
        for path, _, _ in os.walk(place, topdown=False):
            os.rmdir(path)
    assert left == []


@pytest.fixture
def make(name: str) -> Iterator[Make]:
    """A function that makes the cgroup, in these hierarchies or in all, and removes it after the test."""
    made: list[Ref] = []

    def make(
        resources: Resources | None = None, hierarchies: tuple[Hierarchy, ...] | None = None, below: str = ""
    ) -> Ref:
        found = probe.probe_hierarchies() if hierarchies is None else hierarchies
        ref = cgroup.locate(name + below, "unused", found, rootless=False)
        made.append(ref)
        return cgroup.make(ref, resources)

    yield make
    for ref in reversed(made):
        cgroup.remove(ref, kill=True)


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a shell, which waits for `go` before its script, so that no child of it escapes."""
    children: list[Child] = []

    def start(script: str = "") -> Child:
        command = ["sh", "-c", f"read line; {script or ':'}"]
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.communicate()
