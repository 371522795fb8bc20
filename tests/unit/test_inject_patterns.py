"""inject/patterns.py: Go's regular expressions, as hooks.d files have them."""

from __future__ import annotations

import pytest

from slinger.errors import ConfigError
from slinger.inject.patterns import compile_pattern


@pytest.mark.complaint("not run/pattern")
@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("b", ["abc", "b"], ["a", ""]),
        ("^a$", ["a"], ["a\n", "ab", "ba"]),
        (r"^a\z", ["a"], ["a\n"]),
        ("(?m)^a$", ["a\nb", "b\na"], ["ab"]),
        ("(?i)^ABC$", ["abc", "aBc"], ["ab"]),
        ("[$]", ["$"], ["a"]),
        (r"\$", ["$"], ["a"]),
        (r"^\d+$", ["12"], ["\u0663", ""]),
        (r"^\w$", ["a"], ["\u00e4"]),
        (r"^\Qa.b\E$", ["a.b"], ["axb"]),
        (r"^\Qa+b", ["a+bc"], ["aab"]),
        ("^[[:alpha:]-]+$", ["a-B"], ["1", "a1"]),
        ("^[^[:space:]]$", ["a"], [" "]),
        ("^[]a]+$", ["]a"], ["b"]),
        ("^[^]a]$", ["b"], ["]", "a"]),
        ("^[[a]$", ["[", "a"], ["b"]),
        ("^(?P<x>a|b){2}$", ["ab"], ["a"]),
    ],
)
def test_a_pattern_matches_what_it_matches_in_go(pattern: str, matching: list[str], others: list[str]) -> None:
    """Unanchored; where the languages differ, Go counts."""
    found = compile_pattern(pattern, "x")
    assert [text for text in (*matching, *others) if found.matches(text)] == matching


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a**", "not a regular expression: multiple repeat at position 2: a**"),
        (r"\pL", r"Unicode classes (\p) are not known here: \pL"),
        ("[[:letter:]]", "no character class [:letter:]: [[:letter:]]"),
        ("a\\", "not a regular expression: bad escape (end of pattern) at position 1: a\\"),
    ],
)
def test_what_is_no_pattern_is_named(pattern: str, why: str) -> None:
    """With its place."""
    with pytest.raises(ConfigError) as caught:
        compile_pattern(pattern, "when.commands[0]")
    assert str(caught.value) == f"when.commands[0]: {why}"
