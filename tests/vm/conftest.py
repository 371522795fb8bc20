"""`pytest tests/vm`: one item boots the second machine, and what is tested in there is reported as if it were here.

The reports come one by one, as from a test process beside this one, and have `second/` before their path: the same
totals, the same text of each failure, the same exit status.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.capture import CaptureManager

from tests.requires import requires
from tests.vm.image import ImageError
from tests.vm.machine import Machine, MachineError, Told
from tests.vm.project import Job
from tests.vm.selection import TESTS

OPTION: Final = "--second"
SECONDS: Final = 1100.0  # all of `make test-vm` is over in 20 minutes
MARK: Final = "second/"
OK: Final = (0, 1)  # pytest's exit status: tests have failed, which their reports tell


def pytest_addoption(parser: pytest.Parser) -> None:
    """The words for the pytest inside."""
    parser.addoption(OPTION, default="", help="what the second machine runs, words of pytest (tests/vm/selection.py)")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The list of what is run there stands for it."""
    if file_path.name != "selection.py":
        return None
    return Selection.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType] - **kw


class Selection(pytest.File):
    """One item."""

    def collect(self) -> Iterator[pytest.Item]:
        """The machine."""
        item = SecondMachine.from_parent(self, name="second machine")  # pyright: ignore[reportUnknownMemberType] - **kw
        item.add_marker(requires("root", "x86-64", "qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "gcc"))
        yield item


class SecondMachine(pytest.Item):
    """Boots, runs the tests of selection.py or of the option, and hands on what they report."""

    def runtest(self) -> None:
        """Fail when the machine does; a failing test of its own is a report of its own."""
        words = str(self.config.getoption(OPTION)).split() or TESTS
        passed_on = {name: os.environ[name] for name in ("SLINGER_MUST_RUN",) if name in os.environ}
        pytests = ("python", "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.vm.reporting", *words)
        output = bytearray()
        console = self.config.rootpath / ".build" / "second-console.log"
        console.parent.mkdir(exist_ok=True)
        status, reported = -1, 0
        for told in Machine(SECONDS, console).run(Job(pytests, passed_on), output.extend):
            status = int(told.get("status", status))
            reported += self.hand_on(told)
        assert status in OK, f"pytest inside ended with status {status}:\n{output.decode(errors='replace')}"
        assert reported > 0, f"no test was run inside:\n{output.decode(errors='replace')}"

    def hand_on(self, told: Told) -> bool:
        """One thing that the machine tells; whether it was the report of a test."""
        assert self.session is not None
        self.session.testscollected += int(told.get("collected", 0))
        if "report" not in told:
            return False
        report = self.config.hook.pytest_report_from_serializable(config=self.config, data=told["report"])
        assert isinstance(report, (pytest.TestReport, pytest.CollectReport))
        report.nodeid = MARK + report.nodeid
        capture = self.config.pluginmanager.getplugin("capturemanager")
        assert isinstance(capture, CaptureManager)
        with capture.global_and_fixture_disabled():
            if isinstance(report, pytest.TestReport):
                path, line, name = report.location
                report.location = (MARK + path, line, name)
                if report.when == "setup":
                    self.ihook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
                self.ihook.pytest_runtest_logreport(report=report)
            else:
                self.ihook.pytest_collectreport(report=report)
        return True

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The machine's own words are enough."""
        if isinstance(excinfo.value, (ImageError, MachineError, AssertionError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is in a report."""
        return self.path, None, self.name
