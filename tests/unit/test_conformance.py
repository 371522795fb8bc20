"""docs/conformance.md: every rule is shown by a test, every mark is of a rule, and the tool sees when it is not so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tools.gen_conformance import PAGE, Rule, Shown, faults, marks, marks_of, renewed, rules, table

RULE: Final = Rule("config.md#mounts", "order", "MUST", "They are made in their order")
SHOWN: Final = Shown("tests/test_x.py", "test_y", "config.md#mounts/order")


def test_every_rule_is_shown_and_every_mark_is_of_a_rule() -> None:
    """Write a test for the rule and mark it @pytest.mark.spec("ID")."""
    assert faults(rules(), marks()) == []


def test_the_page_is_up_to_date() -> None:
    """A stale page is cured by ``make gen``."""
    page = PAGE.read_text("utf-8")
    assert renewed(page, table(rules(), marks())) == page


def test_the_files_of_the_specification_are_all_there() -> None:
    """Those that speak of Linux, and rules in some number."""
    files = [rule.section.partition("#")[0] for rule in rules()]
    assert [*dict.fromkeys(files)] == [
        *("glossary.md", "bundle.md", "runtime.md", "runtime-linux.md"),
        *("config.md", "config-linux.md", "features.md", "features-linux.md"),
    ]
    assert len(files) > 300


def test_a_rule_without_a_test_and_a_mark_without_a_rule_are_faults() -> None:
    """With what is missing."""
    other = Shown("tests/test_x.py", "test_y", "config.md#mounts/odor")
    assert faults([RULE], [SHOWN]) == []
    assert faults([RULE], [other]) == [
        "config.md#mounts/order: no test shows it",
        "tests/test_x.py: test_y: no rule 'config.md#mounts/odor'",
    ]


@pytest.mark.parametrize(
    ("pattern", "shows"),
    [
        ("config.md#mounts/order", True),
        ("config.md#mounts/*", True),
        ("*/order", True),
        ("config.md#mounts/ord", False),
    ],
)
def test_a_pattern_is_of_the_whole_id(pattern: str, *, shows: bool) -> None:
    """`*` is any text."""
    assert Shown("", "", pattern).shows(RULE) == shows


def test_marks_are_read_without_an_import(tmp_path: Path) -> None:
    """What the file needs need not be there."""
    file = tmp_path / "test_it.py"
    file.write_text(
        "import nothing_of_this_name\n"
        '@pytest.mark.spec("a", "b")\n@pytest.mark.parametrize("x", [1])\ndef test_one(x): ...\n'
        "def test_two(): ...\n"
    )
    assert [*marks_of(file)] == [Shown("test_it.py", "test_one", "a"), Shown("test_it.py", "test_one", "b")]


def test_a_mark_that_is_computed_is_refused(tmp_path: Path) -> None:
    """It could not be read."""
    file = tmp_path / "test_it.py"
    file.write_text("@pytest.mark.spec(ID)\ndef test_one(): ...\n")
    with pytest.raises(ValueError, match=r"^test_it\.py:1: a mark of ids, each a string as it stands$"):
        list(marks_of(file))


def test_a_row_has_keyword_rule_tests_and_the_reason_of_the_peers() -> None:
    """As Markdown."""
    rule = Rule("runtime.md#delete", "not-stopped", "MUST", "It is an error", "engines want it")
    text = table([RULE, rule], [SHOWN, Shown("tests/test_x.py", "test_z", "*")])
    assert text.splitlines() == [
        "2 rules: 2 MUST, 0 MUST NOT, 0 REQUIRED, 0 SHOULD, 0 SHOULD NOT, 0 NOT RECOMMENDED.",
        "",
        "Where slinger does as its peers do and not as the letter says:",
        "",
        "| rule | why |",
        "|---|---|",
        "| runtime.md#delete/not-stopped | engines want it |",
        "",
        "## config.md",
        "",
        "### config.md#mounts",
        "",
        "| rule | | what it wants | shown by |",
        "|---|---|---|---|",
        "| order | MUST | They are made in their order | [test_y](../tests/test_x.py), [test_z](../tests/test_x.py) |",
        "",
        "## runtime.md",
        "",
        "### runtime.md#delete",
        "",
        "| rule | | what it wants | shown by |",
        "|---|---|---|---|",
        "| not-stopped | MUST (peers) | It is an error | [test_z](../tests/test_x.py) |",
    ]


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    """Else it would be checked and never be right."""
    with pytest.raises(ValueError, match=r"^no place for the table: "):
        renewed("# Conformance\n", "")
