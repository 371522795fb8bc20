"""The relay of signals of create and run: slinger.host.signals, with signals to this process."""

from __future__ import annotations

import _signal
import os
import threading

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


def raise_stop(_number: int, _frame: object) -> None:
    """A handler that raises, as that of Ctrl-C does."""
    raise KeyboardInterrupt


def test_held_signals_are_handled_only_where_it_is_said() -> None:
    """At check, in waiting, and at the end; the handlers are then as before."""
    before = _signal.signal(10, raise_stop)
    try:
        held = signals.Held()
        with held:
            os.kill(os.getpid(), 10)
            with pytest.raises(KeyboardInterrupt):
                held.check()
            with pytest.raises(KeyboardInterrupt), held.waiting():
                os.kill(os.getpid(), 10)
            os.kill(os.getpid(), 10)
            held.forget()
            held.check()
        with pytest.raises(KeyboardInterrupt), signals.Held():
            os.kill(os.getpid(), 10)
        assert _signal.getsignal(10) is raise_stop
    finally:
        _signal.signal(10, before)


def fail_after_a_signal() -> None:
    """What create does when a step fails."""
    os.kill(os.getpid(), 10)
    raise ContainerError("first")


def test_an_error_goes_before_a_held_signal() -> None:
    """Which is then nobody's any more: what failed is undone already."""
    before = _signal.signal(10, raise_stop)
    try:
        with pytest.raises(ContainerError), signals.Held():
            fail_after_a_signal()
    finally:
        _signal.signal(10, before)


def test_another_thread_than_the_main_one_holds_nothing() -> None:
    """Python runs handlers in the main thread alone, and sets them there alone."""
    seen: list[bool] = []

    def work() -> None:
        with signals.Held() as held:
            held.check()
        seen.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]


def test_of_signals_that_come_at_once_one_ends_the_waiting_and_the_others_are_kept() -> None:
    """Else the second would raise in the midst of what undoes for the first."""

    def raise_after_another(number: int, _frame: object) -> None:
        if number == 10:
            os.kill(os.getpid(), 12)
        raise KeyboardInterrupt(number)

    before = [(number, _signal.signal(number, raise_after_another)) for number in (10, 12)]
    try:
        with signals.Held() as held:
            with pytest.raises(KeyboardInterrupt, match=r"^10$"), held.waiting():
                os.kill(os.getpid(), 10)
            with pytest.raises(KeyboardInterrupt, match=r"^12$"):
                held.check()
    finally:
        for number, handler in before:
            _signal.signal(number, handler)


def test_a_handler_that_returns_lets_the_waiting_go_on_with_what_came_meanwhile() -> None:
    """In the order in which they came."""
    seen: list[int] = []

    def note(number: int, _frame: object) -> None:
        seen.append(number)
        if number == 10:
            os.kill(os.getpid(), 12)
            seen.append(-number)

    before = [(number, _signal.signal(number, note)) for number in (10, 12)]
    try:
        with signals.Held() as held, held.waiting():
            os.kill(os.getpid(), 10)
            assert seen == [10, -10, 12]
            os.kill(os.getpid(), 12)
            assert seen == [10, -10, 12, 12]
    finally:
        for number, handler in before:
            _signal.signal(number, handler)
