"""The completions for bash, zsh and fish: made from the table, and tried in each of the shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from slinger.cli_table import GLOBALS, TABLE
from slinger.lifecycle import STAGE_NAMES
from tests.requires import requires
from tests.unit.completing import SHELLS, offers
from tools.gen_completion import FOLDER, WRITERS, main

# As the command, but all it knows are the ids of its state root, which is $ROOT or the default one.
STAND_IN = """#!/bin/sh
case "$*" in
"list -q") echo one; echo other ;;
"--root /r list -q" | "--root=/r list -q") echo elsewhere ;;
*) exit 1 ;;
esac
"""
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


# fmt: off
OFFERS: list[tuple[list[str], list[str]]] = [
    ([""], sorted(VERBS)),
    (["st"], ["start", "state", "stats"]),
    (["--root", "/r", "st"], ["start", "state", "stats"]),
    (["--debug", "pau"], ["pause"]),
    (["--log-f"], ["--log-format"]),
    (["--log-format", ""], ["json", "text"]),
    (["--log-format=j"], ["json"]),
    (["--log-format="], ["json", "text"]),
    (["create", "--no"], ["--no-new-keyring", "--no-pivot", "--no-subreaper"]),
    (["start", "--vers"], []),
    (["list", "-f", ""], ["json", "table"]),
    (["exec", "-t", ""], ["one", "other"]),
    (["start", ""], ["one", "other"]),
    (["start", "ot"], ["other"]),
    (["--root", "/r", "start", ""], ["elsewhere"]),
    (["--root=/r", "start", ""], ["elsewhere"]),
    (["start", "--root", "/r", ""], ["elsewhere"]),
    (["start", "--debug", ""], ["one", "other"]),
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
    (["hooks", "show", "on"], ["one"]),
    (["hooks", "te"], ["test"]),
    (["hooks", "test", ""], ["folder"]),
    (["hooks", "test", "--st"], ["--stage"]),
    (["hooks", "test", "--stage", ""], sorted(STAGE_NAMES)),
    (["hooks", "test", "--stage", "cr"], ["createContainer", "createRuntime"]),
    (["hooks", "test", "-s", "sta"], ["startContainer"]),
    (["hooks", "test", "--stage=prestart", ""], ["folder"]),
    (["hooks", "test", "--index", ""], []),
    (["hooks", "test", "--config", "f"], ["file", "folder"]),
    (["hooks", "test", "--index", "1", "fo"], ["folder"]),
    (["hooks", "lint", "f"], ["file", "folder"]),
    (["hooks", "lint", "--strict", "file", "f"], ["file", "folder"]),
    (["hooks", "lint", "file", "file", "fi"], ["file"]),
    (["hooks", "lint", "--str"], ["--strict"]),
    (["stats", "one", "ot"], ["other"]),
    (["--hooks-dir", "f"], ["folder"]),
    (["run", "--hooks-dir", "f"], ["folder"]),
    (["exec", "-u", "0", "on"], ["one"]),
    (["help", "fea"], ["features"]),
    (["create", "--bundle", ""], ["folder"]),
    (["create", "-b", "fo"], ["folder"]),
    (["create", "--config", "fi"], ["file"]),
    (["plan", "f"], ["folder"]),
    (["nosuch", "o"], []),
]
# fmt: on


@pytest.mark.parametrize("shell", [pytest.param(shell, marks=requires(shell)) for shell in SHELLS])
def test_a_shell_offers_what_may_stand_there(shell: str, tmp_path: Path) -> None:
    """Verbs, options, their values, files, folders, and the ids below the state root that the line names."""
    program = tmp_path / "slinger"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    (place / "file").touch()
    lines = [words for words, _ in OFFERS]
    found = offers(shell, program, place, lines)
    assert {" ".join(line): answer for line, answer in zip(lines, found, strict=True)} == {
        " ".join(words): answer for words, answer in OFFERS
    }
