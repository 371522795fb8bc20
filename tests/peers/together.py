"""Each case once by every runtime, all at the same time; what differed is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from tests.peers.compare import Finding, explanation, findings
from tests.peers.normal import Flat
from tests.peers.row import Difference


class Named(Protocol):
    """What is compared."""

    @property
    def name(self) -> str:
        """How the tables call it."""
        ...


C = TypeVar("C", bound=Named)


class Together(Generic[C]):
    """The runtimes, by name, as functions that say what a case shows."""

    def __init__(self, runtimes: Mapping[str, Callable[[C], Flat]], always: Sequence[str] = ("outcome",)) -> None:
        """Take them, and the keys that are compared even of a runtime that refused."""
        self._runtimes = runtimes
        self._always = always
        self._found: dict[str, list[Finding]] = {}

    def found(self, case: C) -> list[Finding]:
        """Return what the runtimes differ in."""
        if case.name not in self._found:
            with ThreadPoolExecutor(len(self._runtimes)) as pool:
                runs = {name: pool.submit(observe, case) for name, observe in self._runtimes.items()}
                shown = {name: run.result() for name, run in runs.items()}
            self._found[case.name] = findings(case.name, shown, self._always)
        return self._found[case.name]

    def unused(self, cases: Sequence[C], table: Sequence[Difference]) -> list[Difference]:
        """List the rows that explain nothing in any of the cases."""
        used = {explanation(finding, table) for case in cases for finding in self.found(case)}
        return [row for row in table if row not in used]
