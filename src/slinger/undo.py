"""The undo stack: each effect pushes how to take it back; success clears it."""

from __future__ import annotations

from slinger.errors import SlingerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Undo:
    """Run in reverse order. One that fails does not keep the others from running; its reason is reported.

    Nor does a signal (KeyboardInterrupt, and so host.signals.Interrupted): it ends the action that it meets, a hook
    that hangs perhaps, and no other.
    """

    def __init__(self) -> None:
        self._stack: list[tuple[str, Callable[[], object]]] = []

    def push(self, what: str, action: Callable[[], object]) -> None:
        """``what`` says what is taken back, for the report of a failure."""
        self._stack.append((what, action))

    def clear(self) -> None:
        """All went well: keep what was made."""
        self._stack.clear()

    def run(self, tell: Callable[[str], None] | None = None) -> list[str]:
        """Take everything back; the failures, a line each. ``tell`` hears of each action before it is done."""
        failures: list[str] = []
        while self._stack:
            what, action = self._stack.pop()
            if tell is not None:
                tell(what)
            try:
                action()
            except (OSError, SlingerError) as error:
                failures.append(f"{what}: {error}")
            except KeyboardInterrupt:
                failures.append(f"{what}: interrupted")
        return failures
