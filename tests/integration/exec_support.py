"""What the tests of exec share: containers that wait, and one more process in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.bundles import Drop, Json, mapping
from tests.integration.box import INSIDE, Box

LONG = "600"  # seconds that nobody waits for
FAILURE = 255  # slinger's own, which no caller takes for the program's 1


def wait_inside(box: Box, changes: Mapping[str, Json | Drop] | None = None) -> Box:
    """Run the container with a program that only waits."""
    box.configure({"process.args": [INSIDE, "sleep", LONG], **(changes or {})})
    box.create()
    box.start()
    return box


def report(box: Box, *options: str, words: tuple[str, ...] = ()) -> Mapping[str, Json]:
    """What the payload tells that exec runs with these options."""
    return mapping(json.loads(box.succeed("exec", *options, box.id, INSIDE, "report", *words)))


def refusal(box: Box, *words: str) -> str:
    """The message of an exec that fails."""
    return box.fail("exec", *words, status=FAILURE)


def process_file(box: Box, **members: Json) -> str:
    """A file for --process: the payload's report as root, changed."""
    path = Path(box.calls, "process.json")
    path.write_text(json.dumps({"cwd": "/", "args": [INSIDE, "report"], "user": {"uid": 0, "gid": 0}} | members))
    return str(path)


def of_file(box: Box, *options: str, **members: Json) -> Mapping[str, Json]:
    """The report of a process that a file describes."""
    return mapping(json.loads(box.succeed("exec", "--process", process_file(box, **members), *options, box.id)))
