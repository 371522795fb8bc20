"""docs/lifecycle.md has the table of the stages, and slinger.lifecycle.STAGES is that table as data."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from slinger import lifecycle
from slinger.lifecycle import STAGES, Stage

PAGE: Final = Path(__file__).parents[2] / "docs/lifecycle.md"
# What a cell says -> the value, or what it begins with.
CWDS: Final = {"bundle": lifecycle.CWD_BUNDLE, "the root": lifecycle.CWD_ROOT, "process.cwd": lifecycle.CWD_PROCESS}
PIDS: Final = {
    "init's, on the host": lifecycle.PID_HOST,
    "as the container sees it": lifecycle.PID_INSIDE,
    "absent": lifecycle.PID_ABSENT,
}
FAILURES: Final = {"error": lifecycle.DESTROY, "the same": lifecycle.DESTROY, "a warning": lifecycle.WARN}
RESTORES: Final = {
    "before its processes run": lifecycle.RESTORE_READY,
    "the same": lifecycle.RESTORE_READY,
    "not run": lifecycle.RESTORE_NEVER,
    "at delete": lifecycle.RESTORE_DELETE,
}


def rows() -> list[list[str]]:
    """The cells of each row of the page's first table, without its head."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return table[2 : 2 + len(STAGES)]


def meant(cell: str, words: dict[str, str]) -> str:
    """The value of a cell; KeyError for words that stand for none."""
    return next((value for begin, value in words.items() if cell.startswith(begin)), f"? {cell}")


def test_the_page_has_the_stages_in_their_order() -> None:
    """With what is said of prestart behind its name."""
    assert [row[0].split()[0] for row in rows()] == [stage.name for stage in STAGES]


@pytest.mark.complaint("exec and restore/restore", "places/which-root")
@pytest.mark.parametrize(("stage", "row"), [*zip(STAGES, rows(), strict=True)], ids=[stage.name for stage in STAGES])
def test_a_row_is_what_the_code_goes_by(stage: Stage, row: list[str]) -> None:
    """Each of its columns."""
    _, runs_in, path_in, cwd, status, pid, verb, failure, restore = row
    assert (
        runs_in.split(",")[0],
        path_in,
        meant(cwd, CWDS),
        status,
        meant(pid, PIDS),
        verb.split(",")[0],
        meant(failure, FAILURES),
        meant(restore, RESTORES),
    ) == (stage.runs_in, stage.path_in, stage.cwd, stage.status, stage.pid, stage.verb, stage.failure, stage.restore)


def test_a_hook_runs_at_a_restore_where_what_it_promises_is_there() -> None:
    """Outside while nothing runs yet; not where a pivot or an exec would be, of which a restore has none."""
    assert {stage.name for stage in STAGES if stage.restore == lifecycle.RESTORE_READY} == {
        stage.name for stage in lifecycle.stages_at(lifecycle.POINT_RUNTIME_READY)
    }
    without = {lifecycle.POINT_BEFORE_PIVOT, lifecycle.POINT_BEFORE_EXEC, lifecycle.POINT_AFTER_EXEC}
    assert {stage.point for stage in STAGES if stage.restore == lifecycle.RESTORE_NEVER} == without
