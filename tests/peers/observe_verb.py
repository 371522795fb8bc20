"""Make one call with one runtime on a container in some status, and say what came of it, in comparable form."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Generator, Mapping
from typing import Final

from tests.bundles import Json, Outcome, unique_id
from tests.peers.held import Held, held
from tests.peers.normal import Flat
from tests.peers.verb_cases import Call

ALWAYS: Final = ("outcome", "says", "answers", "status then")


# Verbs after which the container is as it was: the next call may have it.
KEEPS: Final = {"state", "list", "exec", "ps", "update"}


class Calls:
    """Calls of one runtime, and a container in each status for those that change nothing."""

    def __init__(self, runtime: str, stack: contextlib.ExitStack) -> None:
        """Take the name of the runtime, and what takes down the containers in the end."""
        self._runtime = runtime
        self._stack = stack
        self._kept: dict[str, Held] = {}

    def observe(self, call: Call) -> Flat:
        """Bring a container up, make the call, look at the container."""
        if call.status == "absent" or call.words[0] in KEEPS:
            if call.status not in self._kept:
                self._kept[call.status] = self._stack.enter_context(self._box(call.status))
            return self._made(call, self._kept[call.status])
        with self._box(call.status) as box:
            return self._made(call, box)

    @contextlib.contextmanager
    def _box(self, status: str) -> Generator[Held]:
        with held(self._runtime, {"linux.cgroupsPath": "/@ID@"}) as box:
            box.bring(status)
            yield box

    def _made(self, call: Call, box: Held) -> Flat:
        names = {"ID": box.id, "BUNDLE": str(box.bundle.directory), "NEW": unique_id()}
        words = tuple(re.sub("@(ID|BUNDLE|NEW)@", lambda found: names[found[1]], word) for word in call.words)
        outcome = box.quiet(*words)
        status = box.status()
        if call.status == "absent":
            for container in box.runtime.leftovers():
                box.quiet("delete", "--force", container)
        return {
            "outcome": f"exit status {outcome.status}",
            "says": "something" if outcome.stderr else "nothing",
            "answers": "something" if outcome.stdout.strip() else "nothing",
            "status then": status if status == call.status or not settles(words) else "another",
            **(members(outcome, box) if call.shows else {}),
        }


@contextlib.contextmanager
def calls(runtime: str) -> Generator[Calls]:
    """Give the calls of a runtime, with containers that are gone afterwards."""
    with contextlib.ExitStack() as stack:
        yield Calls(runtime, stack)


def settles(words: tuple[str, ...]) -> bool:
    """Whether the container's program may be about to end after the call."""
    return words[:1] == ("kill",)


def members(outcome: Outcome, box: Held) -> Flat:
    """Flatten the members of JSON that are about the container: names and values, without what differs every time."""
    if not outcome.stdout.strip().startswith(("{", "[")):
        return {}
    document: Mapping[str, Json] | list[Mapping[str, Json]] = json.loads(outcome.stdout)
    entries = document if isinstance(document, list) else [document]
    flat = {"entries": str(len(entries))}
    for entry in entries:
        for key, value in entry.items():
            text = str(value).replace(str(box.bundle.directory), "BUNDLE").replace(box.id, "ID")
            volatile = (key == "pid" and value != 0) or key in {"created", "cgroup", "owner"}
            flat[f"member {key}"] = "some" if volatile and value else text
    return flat
