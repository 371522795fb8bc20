"""The completions for bash, zsh and fish: made from the table, and in bash tried."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from slinger.cli import GLOBALS, TABLE
from tests.requires import requires
from tools.gen_completion import FOLDER, WRITERS, main

# As the command, but all it knows are the ids of its state root, which is $ROOT or the default one.
STAND_IN = """#!/bin/sh
case "$*" in
"list -q") echo one; echo other ;;
"--root /r list -q") echo elsewhere ;;
*) exit 1 ;;
esac
"""
TRY = (
    'source "$1"; shift; complete -p slinger >/dev/null || exit 9; COMP_CWORD=$(($# - 1)); COMP_WORDS=("$@"); _slinger'
)
VERBS = [verb.name for verb in TABLE]


@pytest.mark.parametrize("name", WRITERS)
def test_a_completion_is_that_of_the_table(name: str) -> None:
    """A stale one is cured by ``make gen``."""
    assert (FOLDER / name).read_text("utf-8") == WRITERS[name]()
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", WRITERS)
def test_a_completion_knows_every_verb_and_option(name: str) -> None:
    """By their long names."""
    words = set(
        (FOLDER / name)
        .read_text("utf-8")
        .replace("'", " ")
        .replace("[", " ")
        .replace("=", " ")
        .replace("*", " ")
        .split()
    )
    words |= {word.split(":", maxsplit=1)[0].rstrip(")") for word in words}
    dashes = "" if name == "slinger.fish" else "--"
    options = {f"{dashes}{row.name}" for verb in TABLE for row in verb.options} | {
        f"{dashes}{row.name}" for row in GLOBALS
    }
    assert sorted((options | set(VERBS)) - words) == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("slinger.bash", "bash-completion/completions/slinger"),
        ("slinger.zsh", "zsh/site-functions/_slinger"),
        ("slinger.fish", "fish/vendor_completions.d/slinger.fish"),
    ],
)
def test_a_completion_is_installed_where_its_shell_looks(slinger: str, name: str, place: str) -> None:
    """Below share/ beside the command's bin/."""
    assert (Path(slinger).parents[1] / "share" / place).read_text("utf-8") == (FOLDER / name).read_text("utf-8")


@pytest.fixture
def stand_in(tmp_path: Path) -> str:
    """A command in the place of slinger."""
    program = tmp_path / "slinger"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return str(program)


def offered(program: str, directory: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words, sorted; the words as bash splits them, which is also at =."""
    line = ["bash", "--norc", "-c", f'{TRY}; printf "%s\\n" "${{COMPREPLY[@]}}"', "bash", str(FOLDER / "slinger.bash")]
    done = subprocess.run([*line, program, *words], check=True, capture_output=True, text=True, cwd=directory)
    assert done.stderr == ""
    return sorted(done.stdout.split())


# fmt: off
OFFERS: list[tuple[list[str], list[str]]] = [
    ([""], sorted(VERBS)),
    (["st"], ["start", "state", "stats"]),
    (["--root", "/r", "st"], ["start", "state", "stats"]),
    (["--debug", "pau"], ["pause"]),
    (["--log-f"], ["--log-format"]),
    (["--log-format", ""], ["json", "text"]),
    (["--log-format", "=", "j"], ["json"]),
    (["--log-format", "="], ["json", "text"]),
    (["create", "--no"], ["--no-new-keyring", "--no-pivot", "--no-subreaper"]),
    (["start", "--vers"], []),
    (["list", "-f", ""], ["json", "table"]),
    (["exec", "-f", ""], ["one", "other"]),
    (["start", ""], ["one", "other"]),
    (["start", "ot"], ["other"]),
    (["--root", "/r", "start", ""], ["elsewhere"]),
    (["--root", "=", "/r", "start", ""], ["elsewhere"]),
    (["start", "--root", "/r", ""], ["elsewhere"]),
    (["start", "--debug", "=", "true", ""], ["one", "other"]),
    (["start", "one", ""], []),
    (["create", "o"], []),
    (["delete", "--force", "on"], ["one"]),
    (["kill", "one", "US"], ["USR1", "USR2"]),
    (["exec", "one", "--"], []),
    (["exec", "--", "on"], ["one"]),
    (["hooks", ""], ["lint", "one", "other", "show", "test"]),
    (["hooks", "--json", "o"], ["one", "other"]),
    (["hooks", "show", ""], ["one", "other"]),
    (["hooks", "show", "show", ""], []),
    (["hooks", "show", "--js"], ["--json"]),
    (["exec", "-u", "0", "on"], ["one"]),
    (["help", "fea"], ["features"]),
    (["create", "--bundle", ""], ["folder"]),
    (["create", "-b", "fo"], ["folder"]),
    (["create", "--config", "fi"], ["file"]),
    (["plan", "f"], ["folder"]),
    (["nosuch", "--"], sorted(f"--{row.name}" for row in GLOBALS)),
]
# fmt: on


@requires("bash")
@pytest.mark.parametrize(("words", "answer"), OFFERS, ids=lambda value: " ".join(value)[:30])
def test_bash_offers_what_may_stand_there(stand_in: str, tmp_path: Path, words: list[str], answer: list[str]) -> None:
    """Verbs, options, their values, files, folders, and the ids below the state root that the line names."""
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    (place / "file").touch()
    assert offered(stand_in, place, *words) == answer
