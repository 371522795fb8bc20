"""What is tested on the second machine is reported here: totals, texts, exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundles import REPOSITORY
from tests.requires import requires
from tests.vm.kept import digest, kept
from tests.vm.selection import TESTS

# What the item itself requires, see conftest.py.
pytestmark = requires("root", "x86-64", "qemu-system-x86_64", "mmdebstrap", "mkfs.ext4", "gcc")

PASSES = "def test_passes() -> None:\n    pass\n"
FAILS = 'def test_fails() -> None:\n    assert 1 == 2, "said inside"\n'
ELSEWHERE = (
    "from tests.requires import requires\n\n"
    '@requires("plain-user")\ndef test_elsewhere() -> None:\n    raise AssertionError\n'
)


def outer(words: str) -> tuple[int, str]:
    """Exit status and output of a pytest that has the imitation for its second machine."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.vm.imitation"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        [*command, "tests/vm/selection.py", f"--second={words}"],
        check=False,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def last(output: str) -> str:
    """The totals."""
    return output.splitlines()[-1].strip("=").partition(" in ")[0].strip()


def test_a_test_that_passes_counts_here(tmp_path: Path) -> None:
    """Beside the item that is the machine; one that needs another machine is not selected."""
    file = tmp_path / "test_sample.py"
    file.write_text(PASSES + ELSEWHERE)
    status, output = outer(str(file))
    assert (status, last(output)) == (0, "2 passed")


def test_a_test_that_fails_fails_here(tmp_path: Path) -> None:
    """With its name, its text and the exit status of a failure."""
    file = tmp_path / "test_sample.py"
    file.write_text(PASSES + FAILS)
    status, output = outer(str(file))
    assert (status, last(output)) == (1, "1 failed, 2 passed")
    assert "AssertionError: said inside" in output
    (line,) = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert line.startswith("FAILED second/")
    assert "test_sample.py::test_fails" in line


@pytest.mark.parametrize(
    ("content", "text"),
    [("", "pytest inside ended with status 5"), ("import nothing_of_that_name\n", "No module named")],
    ids=["no test", "not importable"],
)
def test_a_file_that_has_nothing_to_run_fails_here(tmp_path: Path, content: str, text: str) -> None:
    """No test, or none that can be collected, is no success."""
    file = tmp_path / "test_sample.py"
    file.write_text(content)
    status, output = outer(str(file))
    assert status == 1
    assert text in output


def test_a_machine_that_goes_off_fails(tmp_path: Path) -> None:
    """It says so."""
    status, output = outer(str(tmp_path / "nothing"))
    assert (status, last(output)) == (1, "1 failed")
    assert "the second machine: it went off" in output


def test_what_is_selected_is_there() -> None:
    """A file that was renamed would be missed in there after minutes."""
    assert [name for name in TESTS if not (REPOSITORY / name.partition("::")[0]).exists()] == []


def test_what_is_kept_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A maker that fails leaves nothing; one that was killed is made good by the next; nothing is made twice."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[str] = []

    def make(directory: Path) -> None:
        assert list(directory.iterdir()) == []
        (directory / "file").write_text("half")
        made.append(directory.name)
        if len(made) == 1:
            raise OSError("no room")

    key = digest([b"recipe"])
    (tmp_path / "slinger/vm" / f".thing-{key}").mkdir(parents=True)
    (tmp_path / "slinger/vm" / f".thing-{key}" / "rest").touch()
    with pytest.raises(OSError, match="no room"):
        kept("thing", key, make)
    assert not list((tmp_path / "slinger/vm").glob("*thing-*"))
    places = {kept("thing", key, make), kept("thing", key, make)}
    assert (len(made), places) == (2, {tmp_path / "slinger/vm" / f"thing-{key}"})
