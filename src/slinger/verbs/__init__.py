"""One file per verb, each with ``main(call: Call) -> Outcome``; here is what goes in and what comes out.

A verb neither prints nor exits: cli.py writes ``Outcome.text`` to standard output and exits with
``Outcome.status``. One that answers bit by bit calls ``Call.answer``, which is cli.py's. What went wrong is
raised as a SlingerError.
"""

from __future__ import annotations

import os

from slinger.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from slinger.hooks.tracing import Observer

    Value: TypeAlias = str | int | bool | tuple[str, ...]

# The settings of the machine, and of a plain user below $XDG_CONFIG_HOME.
SETTINGS = "/etc/slinger/config.toml"
OWN_SETTINGS = "slinger/config.toml"


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
    ``trace_dir``: an absolute path, or "" for none. ``observe``: who wants to hear of verbs' traces.
    """

    arguments: tuple[str, ...]
    options: Values
    warn: Callable[[str], None]
    answer: Callable[[str], None]
    root: str = ""
    cgroup_manager: str = "cgroupfs"
    rootless: bool | None = None
    settings: Values = Values()
    trace_dir: str = ""
    observe: Observer | None = None


class Outcome(Record):
    """What the command prints on standard output, and its exit status."""

    text: str = ""
    status: int = 0


def settings_file(environment: Mapping[str, str]) -> str:
    """The path of the settings where no option names it; "" if there are none.

    A plain user's own come in the place of the machine's.
    """
    places = [SETTINGS]
    if os.geteuid() != 0:
        home = environment.get("HOME", "")
        base = environment.get("XDG_CONFIG_HOME", "") or (f"{home}/.config" if home else "")
        places = [f"{base}/{OWN_SETTINGS}", SETTINGS] if base else places
    return next((path for path in places if os.path.exists(path)), "")
