"""The examples of docs/library.md, run in their order, each in a process of its own, with the output that they show."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import leftovers
from tests.requires import requires

pytestmark = requires("root", "busybox")

PAGE = Path(__file__).parents[2] / "docs/library.md"
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```)?", re.DOTALL)
# The examples' ids, and what the search for leftovers knows in their place.
IDS = ("box-", f"{leftovers.ID_PREFIX}-doc-")


def examples() -> list[tuple[str, str]]:
    """Code and shown output of each example, in their order."""
    return [(each["code"], each["output"] or "") for each in EXAMPLE.finditer(PAGE.read_text("utf-8"))]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one directory in which all examples run, and below it the state root."""
    place = tmp_path_factory.mktemp("library")
    yield place
    assert [path.name for path in place.glob("slinger/*")] == []


def test_the_page_has_examples() -> None:
    """As many as there are fences, so that none is overlooked."""
    assert len(examples()) == PAGE.read_text("utf-8").count("```python") > 5


@pytest.mark.parametrize("number", range(len(examples())))
def test_an_example_does_what_is_shown(place: Path, number: int) -> None:
    """Its output and nothing on stderr. They build on each other, as a reader goes through them."""
    code, shown = (text.replace(*IDS) for text in examples()[number])
    # With another user's name the default state root is below XDG_RUNTIME_DIR.
    environment = {"PATH": "/usr/bin:/bin", "USER": "reader", "XDG_RUNTIME_DIR": str(place), "PYTHONMALLOC": "debug"}
    # What -X dev has, but for asyncio's complaints of what has taken longer than 0.1 s: that is the machine's load.
    command = [sys.executable, "-W", "error", "-X", "faulthandler", "-c", code]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", shown)
