"""The plugin of the pytest that runs inside: what it reports goes to the port, and only what is different here runs.

A test that needs a fact which this machine has not (a v1 controller, say) is not selected: it is the other machine's.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

import pytest

from tests.requires import REQUIREMENTS, met

PORT: Final = "SLINGER_VM_REPORTS"  # a descriptor


def tell(**what: Any) -> None:
    """One line of JSON to the port."""
    left = json.dumps(what).encode() + b"\n"
    while left:
        left = left[os.write(int(os.environ[PORT]), left) :]


class Reporting:
    """Hooks of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out the other machine's."""

        def ours(item: pytest.Item) -> bool:
            names = [str(name) for mark in item.iter_markers("requires") for name in mark.args]
            return all(met(name) or not REQUIREMENTS[name].fact for name in names)

        config.hook.pytest_deselected(items=[item for item in items if not ours(item)])
        items[:] = [item for item in items if ours(item)]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell how many there are."""
        tell(collected=len(session.items))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell how a test went."""
        self._report(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell what could not be collected."""
        if report.failed:
            self._report(report)

    def _report(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        tell(report=self.config.hook.pytest_report_to_serializable(config=self.config, report=report))


def pytest_configure(config: pytest.Config) -> None:
    """Begin, in a machine."""
    config.pluginmanager.register(Reporting(config), "slinger-vm-reports")
