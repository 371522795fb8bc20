"""inject/patterns.py: Go's regular expressions, as hooks.d files have them."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slinger.errors import ConfigError
from slinger.inject.matching import Machine
from slinger.inject.patterns import compile_pattern

PIECES: Final = [
    "a",
    "b",
    "B",
    ".",
    "[ab]",
    "[^a]",
    "[^-b]",
    r"\w",
    r"\W",
    r"\d",
    r"\s",
    r"\b",
    r"\B",
    "^",
    r"\A",
    r"\Z",
    "-",
]
# From smaller patterns to larger ones, so that what is repeated is one piece.
PATTERNS: Final = st.recursive(
    st.sampled_from(PIECES),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})")
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,3}", "{0,2}?", "{2,}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        )
        | st.tuples(st.sampled_from("ims"), inner).map(lambda pair: f"(?{pair[0]}:{pair[1]})")
    ),
    max_leaves=6,
)


@pytest.mark.complaint("not run/pattern")
@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("b", ["abc", "b"], ["a", ""]),
        ("^a$", ["a"], ["a\n", "ab", "ba"]),
        (r"^a\z", ["a"], ["a\n"]),
        ("(?m)^a$", ["a\nb", "b\na"], ["ab"]),
        ("(?i)^ABC$", ["abc", "aBc"], ["ab"]),
        ("(?i)^[a-z]s$", ["KS", "\u212a\u017f", "as"], ["1s", "\u00e4s"]),
        ("(?i)^\u00c4$", ["\u00e4", "\u00c4"], ["a"]),
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
        ("a(?=b)", "look-around, back references and the like are unknown in Go: a(?=b)"),
        (r"(a)\1", r"look-around, back references and the like are unknown in Go: (a)\1"),
        ("a{2,1001}", "more than 1000 repeats: a{2,1001}"),
        ("((a{99}){99}){99}", "too large for a pattern: ((a{99}){99}){99}"),
        ("a\\", "not a regular expression: bad escape (end of pattern) at position 1: a\\"),
    ],
)
def test_what_is_no_pattern_is_named(pattern: str, why: str) -> None:
    """With its place."""
    with pytest.raises(ConfigError) as caught:
        compile_pattern(pattern, "when.commands[0]")
    assert str(caught.value) == f"when.commands[0]: {why}"


@given(PATTERNS, st.text("abAB-1 \n", min_size=1, max_size=8))
def test_a_pattern_matches_what_python_finds(pattern: str, text: str) -> None:
    r"""Where the languages do not differ (in an empty text Go finds \B), and there is little enough to be tried."""
    assert Machine(pattern).found_in(text) == (re.search(pattern, text, re.ASCII) is not None)


@pytest.mark.complaint("not run/pattern")
@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "^(a*)*(a*)*$", "(a|aa)+$", "^(.*?a){20}$"])
def test_no_pattern_takes_longer_than_the_text_is_long(pattern: str) -> None:
    """Ways to match it: more than can be tried."""
    assert not compile_pattern(pattern, "x").matches("a" * 20_000 + "b")
