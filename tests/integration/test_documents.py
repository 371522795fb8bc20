"""The examples of docs/library.md and docs/hooks.md, run in their order, each with the output that it shows."""

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
GUIDE = Path(__file__).parents[2] / "docs/hooks.md"
EXAMPLE = r"```{}\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```)?"
HOME = "/home/me"  # where the reader of the guide is
# The examples' ids, and what the search for leftovers knows in their place.
IDS = ("box-", f"{leftovers.ID_PREFIX}-doc-")


def examples(page: Path = PAGE, language: str = "python") -> list[tuple[str, str]]:
    """Code and shown output of each example, in their order."""
    found = re.finditer(EXAMPLE.format(language), page.read_text("utf-8"), re.DOTALL)
    return [(each["code"], each["output"] or "") for each in found]


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


@requires("jq")
def test_the_guide_to_hooks_leads_to_hooks_that_work(slinger: str, tmp_path: Path) -> None:
    """Command by command, as its reader types them."""
    ids = ("demo", f"{leftovers.ID_PREFIX}-guide")
    environment = {"PATH": f"{Path(slinger).parent}:/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    blocks = examples(GUIDE, "sh")
    assert len(blocks) == GUIDE.read_text("utf-8").count("```sh") > 5
    work = tmp_path / "work"
    work.mkdir()
    for code, shown in blocks:
        words = ["sh", "-c", "exec 2>&1\n" + re.sub(r"\bdemo\b", ids[1], code)]
        done = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.replace(str(work), HOME).replace(ids[1], ids[0]) == shown, code
