"""Run one exec with one runtime and say what it showed and how it ended, in comparable form."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping
from typing import Final

from tests.bundles import Json, Outcome
from tests.peers.exec_cases import CONTAINERS, OWNERS, ExecCase
from tests.peers.held import Held, held
from tests.peers.normal import Flat, namespace_ids, normalise
from tests.peers.observe import flat_trials
from tests.peers.terminal import with_terminal

NONE: Final = "none"
ALWAYS: Final = ("outcome", "says", "pid file", "output")


class Execs:
    """The containers of one runtime, each brought up when it is first wanted."""

    def __init__(self, runtime: str, stack: contextlib.ExitStack) -> None:
        """Take the name of the runtime, and what takes down the containers in the end."""
        self._runtime = runtime
        self._stack = stack
        self._held: dict[str, Held] = {}

    def container(self, name: str) -> Held:
        """Return a container that runs."""
        if name not in self._held:
            fresh = self._stack.enter_context(held(self._runtime, CONTAINERS[name], owner=OWNERS.get(name, 0)))
            fresh.bring("running")
            self._held[name] = fresh
        return self._held[name]

    def observe(self, case: ExecCase) -> Flat:
        """Run it."""
        box = self.container(case.container)
        file = box.bundle.directory / "file"
        options = tuple(str(file) if word == "@FILE@" else word for word in case.options)
        if case.process is not None:
            process = box.bundle.directory / "process.json"
            process.write_text(json.dumps(case.process))
            options = (*options, "--process", str(process))
        if case.terminal:
            socket = box.bundle.directory / "console"
            outcome = with_terminal(box.runtime, socket, "exec", "--tty", "--detach", *options, box.id, *case.words)
        else:
            outcome = box.runtime.call("exec", *options, box.id, *case.words, open_fds=case.fds)
        number = "number" if file.exists() and file.read_text().isdecimal() else NONE
        file.unlink(missing_ok=True)
        return {**flat(outcome, box), "pid file": number}


def flat(outcome: Outcome, box: Held) -> Flat:
    """Flatten how it ended and, where there is one, the report."""
    ended = {"outcome": f"exit status {outcome.status}", "says": "something" if outcome.stderr else "nothing"}
    if not outcome.stdout.startswith("{"):
        return {**ended, "output": outcome.stdout}
    ended["output"] = "a report"
    report: Mapping[str, Json] = json.loads(outcome.stdout)
    if "mounts" not in report:
        return {**ended, **flat_trials(report)}
    state = json.loads(box.runtime.call("state", box.id).stdout)
    names = dict.fromkeys(namespace_ids(f"/proc/{state['pid']}/ns").values(), "the container's")
    names |= dict.fromkeys(namespace_ids("/proc/self/ns").values(), "host")
    facts = normalise(report, box.bundle, names)
    return {**ended, **{key: value for key, value in facts.items() if not key.startswith("mounts:")}}


@contextlib.contextmanager
def execs(runtime: str) -> Generator[Execs]:
    """Give the containers of a runtime, to execute in."""
    with contextlib.ExitStack() as stack:
        yield Execs(runtime, stack)
