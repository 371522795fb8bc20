"""Times in words, as Go's flags take them."""

from __future__ import annotations

import pytest

from slinger.linux.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5),
        ("100ms", 0.1),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("2us", 2e-6),
        ("2\u00b5s", 2e-6),
        ("7ns", 7e-9),
        (".5s", 0.5),
        ("0", 0),
        ("+3s", 3),
        ("-1m", -60),
    ],
)
def test_a_time_is_numbers_with_units(text: str, seconds: float) -> None:
    """One after the other, added up."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "5d", "1..5s", ".s", "5s3", "-", "five", "5S", "1e3s", "--5s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A number alone too: seconds or milliseconds?"""
    with pytest.raises(ValueError, match="^" + text.replace(".", "[.]") + "$"):
        parse_duration(text)
