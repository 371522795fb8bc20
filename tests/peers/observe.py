"""Run one case with one runtime and say what it showed, in comparable form."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.bundles import Json, base_config, changed, find_runtime, make_bundle, run_runtime
from tests.peers.case import Case
from tests.peers.normal import Flat, namespace_ids, normalise


def known_namespaces(anchors: Mapping[str, str]) -> dict[str, str]:
    """Name the namespaces of the host and those that a test holds open, by identity."""
    host = dict.fromkeys(namespace_ids("/proc/self/ns").values(), "host")
    return host | {os.readlink(path): "joined" for path in anchors.values()}


def observe(case: Case, runtime: str, anchors: Mapping[str, str]) -> Flat:
    """Run the case and flatten what came out: the report, or `outcome: refused` and nothing else.

    The directory is below /tmp, open to others, because the root of a user namespace must reach it.
    """
    program = find_runtime(runtime)
    if program is None:
        raise FileNotFoundError(runtime)
    with tempfile.TemporaryDirectory(prefix="slinger-peers-") as base:
        Path(base).chmod(0o755)
        document = json.dumps(changed(base_config(), case.all_changes()))
        for placeholder, path in anchors.items():
            document = document.replace(placeholder, path)
        config: Mapping[str, Json] = json.loads(document)
        bundle = make_bundle(Path(base) / "b", config, owner=case.owner)
        outcome = run_runtime(program, bundle, *case.options, open_fds=case.fds)
        left = [*Path("/sys/fs/cgroup").glob(f"*/{bundle.container}"), *Path("/sys/fs/cgroup").glob(bundle.container)]
        for directory in left:
            directory.rmdir()
        if outcome.status != 0 and not outcome.stdout:
            return {"outcome": "refused", "cgroups left": str(len(left))}
        report: Mapping[str, Json] = json.loads(outcome.stdout)
        shown = normalise(report, bundle, known_namespaces(anchors)) if "mounts" in report else flat_trials(report)
        return {"outcome": f"exit status {outcome.status}", "cgroups left": str(len(left)), **shown}


def flat_trials(report: Mapping[str, Json]) -> dict[str, str]:
    """Flatten the answer of a subcommand other than report."""
    return {name: str(value) for name, value in report.items()}
