"""hooks/history.py: what is kept of containers that are gone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from slinger.errors import HostError, NotFoundError, UsageError
from slinger.hooks.history import all_lives, life, lives
from slinger.hooks.keeping import keep
from slinger.host.store import HOOKS, TRACE, Home
from tests.unit.traces import CREATE, START, hooks_text, record, trace


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The directory of a container that was created and failed to start."""
    home, _ = Home.make(str(tmp_path / "root"), "box")
    home.write_file(TRACE, f"{CREATE}\n{START}\n".encode())
    home.write_file(HOOKS, hooks_text(record()))
    return home


def test_what_was_kept_is_what_was_there(home: Home, tmp_path: Path) -> None:
    """The whole trace, in a file that nobody else may read."""
    kept = str(tmp_path / "kept")
    keep(home, "/bundle", kept)
    found = life(kept, "box")
    assert found == trace(record()).replace(ended=found.ended)
    (path,) = lives(kept, "box")
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(f"{kept}/box").st_mode & 0o777 == 0o700
    assert os.listdir(f"{kept}/box") == [f"{found.ended}.jsonl"]


def test_the_last_container_of_an_id_is_the_first(home: Home, tmp_path: Path) -> None:
    """And all of all ids are listed, the last one first."""
    kept = str(tmp_path / "kept")
    for bundle in ("/one", "/two", "/three"):
        keep(home, bundle, kept)
    assert [life(kept, "box", number).bundle for number in (1, 2, 3)] == ["/three", "/two", "/one"]
    assert [(each.bundle, number) for each, number in all_lives(kept)] == [("/three", 1), ("/two", 2), ("/one", 3)]


def test_what_is_no_life_is_passed_over(home: Home, tmp_path: Path) -> None:
    """A file that is being written, and other people's."""
    kept = tmp_path / "kept"
    keep(home, "/bundle", str(kept))
    for name in (".1.2", "notes", "x.jsonl"):
        (kept / "box" / name).touch()
    (kept / "README").touch()
    assert len(lives(str(kept), "box")) == 1
    assert len(all_lives(str(kept))) == 1


@pytest.mark.parametrize("number", [0, 2])
def test_a_life_that_was_not_kept_is_not_found(home: Home, tmp_path: Path, number: int) -> None:
    """They are counted from 1."""
    kept = str(tmp_path / "kept")
    keep(home, "/bundle", kept)
    with pytest.raises(NotFoundError) as caught:
        life(kept, "box", number)
    assert str(caught.value) == f"of box {kept} has 1, and not {number} (1 is the last one)"


def test_nothing_kept_is_an_error_that_says_where(tmp_path: Path) -> None:
    """For an id, and for the whole directory."""
    with pytest.raises(NotFoundError) as caught:
        life(str(tmp_path), "box")
    assert str(caught.value) == f"nothing was kept of a container box in {tmp_path}"
    with pytest.raises(HostError) as failed:
        all_lives(f"{tmp_path}/none")
    assert str(failed.value) == (
        f"the trace directory '{tmp_path}/none': no such file or directory (nothing was kept yet?)"
    )


def test_an_id_is_no_path(tmp_path: Path) -> None:
    """It cannot lead elsewhere."""
    with pytest.raises(UsageError):
        life(str(tmp_path), "../box")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "[]\n",
        '{"container":1}\n',
        '{"container":{"id":"x"}}\n',
        '{"container":{"id":"x","bundle":"/","ended":1}}\n{"else":{}}\n',
        '{"container":{"id":"x","bundle":"/","ended":1},"hook":{}}\n',
    ],
)
def test_a_file_of_somebody_else_is_an_error(tmp_path: Path, text: str) -> None:
    """Which names it."""
    (tmp_path / "box").mkdir()
    path = tmp_path / "box" / "5.jsonl"
    path.write_text(text)
    with pytest.raises(HostError) as caught:
        life(str(tmp_path), "box")
    assert str(caught.value) == f"{path}: not written by this version of slinger"


def test_a_directory_that_cannot_be_written_is_an_error(home: Home, tmp_path: Path) -> None:
    """It is a file here."""
    (tmp_path / "kept").touch()
    with pytest.raises(HostError) as caught:
        keep(home, "/bundle", str(tmp_path / "kept"))
    assert str(caught.value) == f"the trace directory '{tmp_path}/kept/box': not a directory"


def test_what_is_kept_is_lines_of_json(home: Home, tmp_path: Path) -> None:
    """So that other tools can read it: what each is, is its only key."""
    kept = str(tmp_path / "kept")
    keep(home, "/bundle", kept)
    (path,) = lives(kept, "box")
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    assert [list(row) for row in rows] == [["container"], ["trace"], ["trace"], ["hook"]]
