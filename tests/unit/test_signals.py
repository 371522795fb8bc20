"""The relay of signals of create and run: slinger.host.signals, with signals to this process."""

from __future__ import annotations

import _signal
import os

import pytest

from slinger.errors import ContainerError
from slinger.host import signals


def test_a_relayed_signal_may_come_too_late() -> None:
    """The program has ended in this moment: nobody to relay to, nothing to say."""

    def gone(_number: int) -> None:
        raise ContainerError("container not running")

    with signals.Relay() as relay:
        relay.to(gone)
        os.kill(os.getpid(), 15)


@pytest.mark.parametrize("name", ["KILL", "STOP", "CHLD", "WINCH", "URG", "SEGV", "BUS", "FPE", "ILL"])
def test_some_signals_are_never_relayed(name: str) -> None:
    """They are the kernel's, ours, or a fault of our own."""
    assert _signal.__dict__[f"SIG{name}"] in signals.NOT_RELAYED


def test_a_relay_puts_everything_back() -> None:
    """Handlers are those from before, also after an error."""
    before = [_signal.getsignal(number) for number in range(1, 32)]
    with pytest.raises(signals.Interrupted), signals.Relay():
        os.kill(os.getpid(), 1)
    assert [_signal.getsignal(number) for number in range(1, 32)] == before


def test_an_ignored_signal_stays_ignored() -> None:
    """As under nohup."""
    before = _signal.signal(1, _signal.SIG_IGN)
    try:
        with signals.Relay():
            os.kill(os.getpid(), 1)
    finally:
        _signal.signal(1, before)
