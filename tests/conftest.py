"""What all tests share: what they need (`requires`), the command under test, ids, and the search for leftovers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests import leftovers
from tests.requires import REQUIREMENTS, met

MUST_RUN = os.environ.get("SLINGER_MUST_RUN", "") not in {"", "0"}
HIDDEN_SKIP = 'a test is skipped by requires("...") alone, see tests/requires.py'

# The property of a report that names what the test lacks.
LACKS = "lacks"
# Requirement -> the tests that did not run for want of it.
NOT_RUN: dict[str, list[str]] = {}
NUMBERS = count(1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or with SLINGER_MUST_RUN=1 fail, a test that lacks something."""
    names = [str(name) for mark in item.iter_markers("requires") for name in mark.args]
    unmet = [name for name in dict.fromkeys(names) if not met(name)]
    for name in unmet:
        if MUST_RUN and not REQUIREMENTS[name].fact:
            pytest.fail(f"requires {name}: {REQUIREMENTS[name].cure}", pytrace=False)
    item.user_properties += [(LACKS, name) for name in unmet]
    if unmet:
        pytest.skip(f"requires {', '.join(unmet)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that did not come from `requires` into a failure."""
    report = yield
    asked = any(name == LACKS for name, _ in item.user_properties)
    if report.skipped and not asked and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = HIDDEN_SKIP
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what did not run: here, since a process that runs tests for this one tells it by its reports alone."""
    for name, value in report.user_properties:
        if name == LACKS and report.when == "setup":
            NOT_RUN.setdefault(str(value), []).append(report.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into an error."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = HIDDEN_SKIP
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List by name what was not run, and how it could be."""
    if NOT_RUN:
        terminalreporter.section("not run")
    for name, tests in sorted(NOT_RUN.items()):
        plural = "" if len(tests) == 1 else "s"
        terminalreporter.line(f"{name}: {len(tests)} test{plural} ({REQUIREMENTS[name].cure})")


@pytest.fixture(scope="session", autouse=True)
def no_leftovers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The run ends with no process, mount or cgroup of its own; what is left is named, and the run fails."""
    directory = tmp_path_factory.getbasetemp()
    leftovers.become_subreaper()
    yield
    left = [*leftovers.processes(), *leftovers.mounts(directory), *leftovers.cgroups()]
    assert not left, "the tests left behind:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def slinger() -> str:
    """The installed command, `.venv/bin/slinger` under `make test`."""
    command = Path(sys.prefix, "bin", "slinger")
    assert command.exists(), f"{command} is missing: make install"
    return str(command)


@pytest.fixture
def container_id() -> str:
    """An id that no other test has, in this run or another that goes on at the same time."""
    return f"{leftovers.ID_PREFIX}-{next(NUMBERS)}"


@pytest.fixture
def tmp_root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for `--root`, with a short path as sockets want it; the containers left in it are deleted."""
    root = tmp_path_factory.mktemp("root")
    yield root
    # What begins with a dot is no container: the cache of seccomp filters.
    for name in sorted(entry.name for entry in root.iterdir() if entry.is_dir() and entry.name[0] != "."):
        command = [str(request.getfixturevalue("slinger")), "--root", str(root), "delete", "--force", name]
        subprocess.run(command, check=True, timeout=30)
