"""events --stats of slinger and runc, of the same container: the same members, in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bundles import Json, base_config, changed, find_runtime, make_bundle, runtime_at
from tests.peers.test_limits import MEBI, succeeds
from tests.requires import requires

# Members that the newer runc has left out where they are 0 or empty, or that depend on the moment.
VARYING = frozenset({"throttling", "kernelTCP", "psi"})


def paths(value: Json, at: str = "") -> Iterator[str]:
    """The path of each member, in the order of the document; a list's first item stands for all."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in VARYING:
                yield f"{at}.{name}"
                yield from paths(member, f"{at}.{name}")
    elif isinstance(value, list):
        yield from paths(value[0] if value else None, f"{at}[]")


def statistics(name: str, directory: Path) -> str:
    """The line of one runtime."""
    limits: dict[str, Json] = {"memory": {"limit": 64 * MEBI}, "cpu": {"quota": 50000}, "pids": {"limit": 9}}
    config = changed(base_config(), {"process.args": ["/bin/payload", "pause"], "linux.resources": limits})
    bundle = make_bundle(directory / name, config)
    with runtime_at(str(find_runtime(name)), directory / f"{name}-state") as runtime:
        assert succeeds(runtime, "run", "--detach", "--bundle", str(bundle.directory), bundle.container)
        return runtime.call("events", "--stats", bundle.container).stdout.replace(bundle.container, "ID")


@requires("root", "cgroup-v1", "runc")
def test_the_statistics_have_the_form_of_runc(tmp_path: Path) -> None:
    """A reader of runc's finds everything at its place."""
    ours, theirs = (statistics(name, tmp_path) for name in ("slinger", "runc"))
    assert ours.startswith('{"type":"stats","id":"ID","data":{"cpu":{"usage":{"total":')
    assert list(paths(json.loads(ours))) == list(paths(json.loads(theirs)))
