"""One file per verb, each with ``main(call: Call) -> Outcome``; here is what goes in and what comes out.

A verb neither prints nor exits: cli.py writes ``Outcome.text`` to standard output and exits with
``Outcome.status``. One that answers bit by bit calls ``Call.answer``, which is cli.py's. What went wrong is
raised as a SlingerError.
"""

from __future__ import annotations

from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    Value: TypeAlias = str | int | bool | tuple[str, ...]


class Values:
    """Option values by long name. Asking for a name or a type that the table does not have is a bug."""

    def __init__(self, defaults: Iterable[tuple[str, Value]] = ()) -> None:
        self._values: dict[str, Value] = dict(defaults)
        self._given: set[str] = set()

    def put(self, name: str, value: Value) -> None:
        """Set ``name``; a tuple is appended to what stands there."""
        self._given.add(name)
        old = self._values.get(name)
        self._values[name] = (*old, *value) if isinstance(old, tuple) and isinstance(value, tuple) else value

    def given(self, name: str) -> bool:
        """Whether the option was there at all: ``--user ""`` is no ``--user`` that was left out (CVE-2026-30892)."""
        return name in self._given

    def any_given(self) -> bool:
        """Whether any option was there."""
        return bool(self._given)

    def text(self, name: str) -> str:
        """The value of an option with a string."""
        value = self._values[name]
        if not isinstance(value, str):
            raise TypeError(name)
        return value

    def flag(self, name: str) -> bool:
        """Whether a flag was given."""
        value = self._values[name]
        if not isinstance(value, bool):
            raise TypeError(name)
        return value

    def number(self, name: str) -> int:
        """The value of an option with a number."""
        value = self._values[name]
        if not isinstance(value, int):
            raise TypeError(name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of an option that may be repeated."""
        value = self._values[name]
        if not isinstance(value, tuple):
            raise TypeError(name)
        return value


class Call(Record):
    """One call of a verb. ``root`` is absolute, or "" for the default one; ``rootless`` is None for auto.

    ``settings``: the options of every verb, for the few that look at one.
    """

    arguments: tuple[str, ...]
    options: Values
    warn: Callable[[str], None]
    answer: Callable[[str], None]
    root: str = ""
    cgroup_manager: str = "cgroupfs"
    rootless: bool | None = None
    settings: Values = Values()


class Outcome(Record):
    """What the command prints on standard output, and its exit status."""

    text: str = ""
    status: int = 0
