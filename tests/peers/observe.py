"""Run one case with one runtime and say what it showed, in comparable form."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final

from tests.bundles import Bundle, Json, Outcome, base_config, changed, find_runtime, make_bundle, run_runtime
from tests.peers.anchors import anchors
from tests.peers.case import Case
from tests.peers.normal import Flat, namespace_ids, normalise
from tests.peers.terminal import run_with_terminal
from tests.peers.together import Together

RUNTIMES: Final = tuple(name for name in ("runc", "crun", "slinger") if find_runtime(name))


@contextlib.contextmanager
def comparison() -> Generator[Together[Case]]:
    """Give the runtimes that are here, each with joinable namespaces of its own, held open.

    What one sets there (a sysctl, `ro` of the one superblock of sysfs in a network namespace) the others do not see.
    """
    with contextlib.ExitStack() as stack:
        places = {name: stack.enter_context(anchors()) for name in RUNTIMES}
        yield Together({name: functools.partial(observe, runtime=name, places=places[name]) for name in RUNTIMES})


def known_namespaces(places: Mapping[str, str]) -> dict[str, str]:
    """Name the namespaces of the host and those that a test holds open, by identity."""
    host = dict.fromkeys(namespace_ids("/proc/self/ns").values(), "host")
    return host | {os.readlink(path): "joined" for path in places.values()}


def observe(case: Case, runtime: str, places: Mapping[str, str]) -> Flat:
    """Run the case and flatten what came out: the report, or `outcome: refused` and nothing else.

    Refused is what ended with an error's text, or without the report that was asked for.
    The directory is below /tmp, open to others, because the root of a user namespace must reach it.
    """
    program = find_runtime(runtime)
    if program is None:
        raise FileNotFoundError(runtime)
    with tempfile.TemporaryDirectory(prefix="slinger-peers-") as base:
        Path(base).chmod(0o755)
        document = json.dumps(changed(base_config(), case.all_changes()))
        for placeholder, path in places.items():
            document = document.replace(placeholder, path)
        config: Mapping[str, Json] = json.loads(document)
        bundle = make_bundle(Path(base) / "b", config, owner=case.owner)
        if case.terminal:
            outcome = run_with_terminal(program, bundle, *case.options)
        else:
            outcome = run_runtime(program, bundle, *case.options, open_fds=case.fds)
        left = [*Path("/sys/fs/cgroup").glob(f"*/{bundle.container}"), *Path("/sys/fs/cgroup").glob(bundle.container)]
        for directory in left:
            directory.rmdir()
        refused = outcome.status != 0 and not outcome.stdout and (outcome.stderr or not case.arguments)
        answer = {"outcome": "refused"} if refused else shown(outcome, bundle, places)
        return {**answer, "cgroups left": str(len(left))}


def shown(outcome: Outcome, bundle: Bundle, places: Mapping[str, str]) -> Flat:
    """Flatten the outcome of a program that ran."""
    status = f"exit status {outcome.status}"
    if not outcome.stdout:
        return {"outcome": status}
    report: Mapping[str, Json] = json.loads(outcome.stdout)
    facts = normalise(report, bundle, known_namespaces(places)) if "mounts" in report else flat_trials(report)
    return {"outcome": status, **facts}


def flat_trials(report: Mapping[str, Json]) -> dict[str, str]:
    """Flatten the answer of a subcommand other than report."""
    return {name: str(value) for name, value in report.items()}
