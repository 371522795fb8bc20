"""Sizes in words, as docker and runc take them."""

from __future__ import annotations

import pytest

from slinger.linux.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("104857600", 104857600),
        ("50M", 50 << 20),
        ("50m", 50 << 20),
        ("32kB", 32 << 10),
        ("1.5GiB", 3 << 29),
        ("2 gb", 2 << 30),
        ("3t", 3 << 40),
        ("1p", 1 << 50),
        ("0.5k", 512),
        ("10b", 10),
        ("9223372036854775807", (1 << 63) - 1),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    """Units count by 1024; the number may have a fraction."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "1e3", "1,5g", "5mm", "5 x", "1_0", "٣", "8192p", "1.", ".5g", "b"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """And what does not fit 63 bits."""
    with pytest.raises(ValueError, match=f"^{text.replace('.', '[.]')}$"):
        parse_size(text)
