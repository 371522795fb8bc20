"""linux/signals.py: what a user may call a signal."""

from __future__ import annotations

import signal

import pytest

from slinger.errors import UsageError
from slinger.linux.signals import SIGNALS, name_of, parse_signal


@pytest.mark.parametrize("text", ["9", "09", "KILL", "SIGKILL", "kill", "sigkill", "Kill", "SigKill"])
def test_a_signal_has_a_number_and_a_name_in_any_case(text: str) -> None:
    """All of these are SIGKILL."""
    assert parse_signal(text) == 9


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("1", 1),
        ("64", 64),
        ("RTMIN", 34),
        ("rtmin+3", 37),
        ("SIGRTMIN+29", 63),
        ("RTMAX", 64),
        ("RTMAX-1", 63),
        ("SIGRTMAX-30", 34),
        ("IOT", 6),
        ("CLD", 17),
        ("POLL", 29),
    ],
)
def test_numbers_realtime_signals_and_old_names_are_known(text: str, number: int) -> None:
    """SIGRTMIN is the C library's, 34."""
    assert parse_signal(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "65", "-1", "SIG", "SIGFOO", "KILL ", "9.0", "²", "RTMIN+30", "RTMIN+0", "RTMAX-31", "RTMAX-", "9" * 5000],
)
def test_an_unknown_signal_is_refused(text: str) -> None:
    """With the text as the user wrote it."""
    with pytest.raises(UsageError) as caught:
        parse_signal(text)
    assert str(caught.value) == f'unknown signal "{text}" (give a number such as 15 or a name such as TERM)'


def test_the_table_is_that_of_the_platform() -> None:
    """Each name that Python knows here has the same number in the table, or as an old name of one."""
    ours = {name: parse_signal(name) for name in signal.Signals.__members__}
    assert ours == {name: int(number) for name, number in signal.Signals.__members__.items()}


@pytest.mark.parametrize(
    ("number", "name"),
    [(9, "SIGKILL"), (6, "SIGABRT"), (34, "SIGRTMIN"), (37, "SIGRTMIN+3"), (64, "SIGRTMAX"), (32, "signal 32")],
)
def test_a_number_has_one_name(number: int, name: str) -> None:
    """The usual one; the C library's own signals have none."""
    assert name_of(number) == name


def test_names_and_numbers_are_one_to_one() -> None:
    """62 signals: 1 to 31 and 34 to 64."""
    assert sorted(SIGNALS.values()) == [*range(1, 32), *range(34, 65)]
