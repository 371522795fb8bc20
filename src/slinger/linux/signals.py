"""Signal names and numbers, as include/uapi/asm-generic/signal.h has them (x86-64 and aarch64 alike)."""

from __future__ import annotations

from slinger.errors import UsageError

# The C library keeps 32 and 33 for its threads, so its SIGRTMIN, which users mean, is 34.
_RTMIN = 34
_RTMAX = 64

# fmt: off
_NAMES = (
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
)
# fmt: on
_ALIASES = {"SIGIOT": 6, "SIGCLD": 17, "SIGPOLL": 29, "SIGUNUSED": 31}

SIGNALS = {
    **{name: number for number, name in enumerate(_NAMES, start=1)},
    "SIGRTMIN": _RTMIN,
    **{f"SIGRTMIN+{number - _RTMIN}": number for number in range(_RTMIN + 1, _RTMAX)},
    "SIGRTMAX": _RTMAX,
}


def parse_signal(text: str) -> int:
    """The number that ``9``, ``KILL``, ``SIGKILL`` (any case), ``RTMIN+3`` or ``RTMAX-1`` means.

    0, which only asks whether the process is there, is allowed. Raises UsageError.
    """
    if text.isascii() and text.isdigit() and len(text) <= len("064"):
        number = int(text)
        if number <= _RTMAX:
            return number
    name = text.upper()
    name = name if name.startswith("SIG") else f"SIG{name}"
    found = SIGNALS.get(name, _ALIASES.get(name))
    if found is None:
        found = _counted_down(name)
    if found is None:
        message = f'unknown signal "{text}"'
        raise UsageError(message, hint="give a number such as 15 or a name such as TERM")
    return found


def name_of(number: int) -> str:
    """``SIGKILL`` for 9, ``SIGRTMIN+3`` for 37, and ``signal 32`` for what has no name."""
    for name, value in SIGNALS.items():
        if value == number:
            return name
    return f"signal {number}"


def _counted_down(name: str) -> int | None:
    """The number of ``SIGRTMAX-n``, or None."""
    _, dash, count = name.partition("SIGRTMAX-")
    if not dash or not (count.isascii() and count.isdigit() and len(count) <= len("30")):
        return None
    number = _RTMAX - int(count)
    return number if number >= _RTMIN else None
