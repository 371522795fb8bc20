"""A state directory that is full: whichever file of it cannot be written, one line says so and nothing is left."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.box import INSIDE, Box
from tests.requires import requires

pytestmark = requires("root")

PAGE = 4096
HINT = "(make room there, or choose another state directory with --root)"


@pytest.fixture
def small(box: Box) -> Iterator[Box]:
    """The state directory on a file system of 16 pages."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={16 * PAGE}", "small", box.root], check=True)
    yield box
    subprocess.run(["umount", box.root], check=True)


def test_every_write_that_finds_no_room_is_told(small: Box) -> None:
    """With one page of room less each time; the trace alone is nothing that a container needs."""
    small.configure({"process.args": [INSIDE, "true"]})
    seen: set[str] = set()
    for pages in range(16):
        (small.root / ".fill").write_bytes(bytes((16 - pages) * PAGE))
        done = small.call(*small.running())
        lines = [line.removeprefix("slinger: ") for line in done.stderr.splitlines()]
        if done.status == 0:  # create's and start's
            assert set(lines) <= {f"warning: {small.home}/trace.jsonl: no space left on device {HINT}"}
        else:
            file = lines[0].removeprefix(f"{small.home}/").partition(":")[0]
            assert lines == [f"{small.home}/{file}: no space left on device {HINT}"]
            seen.add(file)
        assert [path.name for path in small.root.iterdir()] == [".fill"], done.stderr
        assert small.left() == []
    assert seen == {"config.json", "state.json"}
    small.succeed(*small.running())
