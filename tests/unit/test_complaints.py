"""docs/complaints.md: a test answers every complaint, every mark is of one, and the tool sees when it is not so."""

from __future__ import annotations

from typing import Final

from tools.gen_complaints import MARK, PAGE, TOOL, Complaint, complaints, faults, table
from tools.gen_conformance import Shown, marks, placed

ROW: Final = Complaint("poststop", "late", "It is late", "It is not", ("o/r#1", "o/r#2"))
SHOWN: Final = Shown("tests/test_x.py", "test_y", "poststop/late")


def test_every_complaint_is_answered_and_every_mark_is_of_one() -> None:
    """Write a test for the row and mark it @pytest.mark.complaint("ID")."""
    assert faults(complaints(), marks(MARK)) == []


def test_the_page_is_up_to_date() -> None:
    """A stale page is cured by ``make gen``."""
    page = PAGE.read_text("utf-8")
    assert placed(page, table(complaints(), marks(MARK)), TOOL) == page


def test_a_row_without_a_test_and_a_mark_without_a_row_are_faults() -> None:
    """With what is missing."""
    other = Shown("tests/test_x.py", "test_y", "poststop/lat")
    assert faults([ROW], [SHOWN]) == []
    assert faults([ROW], [other]) == [
        "poststop/late: no test shows that it does not happen",
        "tests/test_x.py: test_y: no complaint 'poststop/lat'",
    ]


def test_a_row_has_complaint_addresses_answer_and_tests() -> None:
    """As Markdown, the addresses as links."""
    links = "[o/r#1](https://github.com/o/r/issues/1), [o/r#2](https://github.com/o/r/issues/2)"
    assert table([ROW], [SHOWN, SHOWN]).splitlines() == [
        "1 complaints.",
        "",
        "## Poststop",
        "",
        "| complaint | told by | slinger | shown by |",
        "|---|---|---|---|",
        f"| It is late | {links} | It is not | [test_y](../tests/test_x.py) |",
    ]
