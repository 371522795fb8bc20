"""undo.py: what was made is taken back in reverse order."""

from __future__ import annotations

from collections.abc import Callable

from slinger.errors import HostError
from slinger.undo import Undo


def raising(error: BaseException) -> Callable[[], None]:
    """An action that fails."""

    def action() -> None:
        raise error

    return action


def test_effects_are_taken_back_in_reverse_order_and_once() -> None:
    """The last made is the first to go."""
    done: list[int] = []
    undo = Undo()
    for number in (1, 2, 3):
        undo.push(str(number), lambda number=number: done.append(number))  # type: ignore[misc]
    assert undo.run() == []
    assert done == [3, 2, 1]
    assert undo.run() == []
    assert done == [3, 2, 1]


def test_success_keeps_everything() -> None:
    """clear() forgets."""
    done: list[int] = []
    undo = Undo()
    undo.push("x", lambda: done.append(1))
    undo.clear()
    assert undo.run() == []
    assert done == []


def test_a_failure_is_told_and_keeps_nothing_else_from_being_taken_back() -> None:
    """Errors of the machine, of ours, and interruptions."""
    done: list[str] = []
    undo = Undo()
    undo.push("first", lambda: done.append("first"))
    undo.push("the cgroup", raising(HostError("the cgroup: busy", hint="wait")))
    undo.push("the file", raising(FileNotFoundError(2, "No such file or directory", "/x")))
    undo.push("poststop hooks", raising(KeyboardInterrupt()))
    assert undo.run() == [
        "poststop hooks: interrupted",
        "the file: [Errno 2] No such file or directory: '/x'",
        "the cgroup: the cgroup: busy (wait)",
    ]
    assert done == ["first"]


def test_an_action_may_push_what_is_to_be_taken_back_next() -> None:
    """The stack is run until it is empty."""
    done: list[str] = []
    undo = Undo()
    undo.push("outer", lambda: undo.push("inner", lambda: done.append("inner")))
    assert undo.run() == []
    assert done == ["inner"]
