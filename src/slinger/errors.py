"""All that slinger raises.

    SlingerError                 message, hint; what the command prints after "slinger: "
    |-- UsageError               a call that makes no sense: unknown verb, option, or value
    |-- ConfigError              config.json, or another file of the user's; names the JSON path
    |-- ContainerError           the container's status does not allow it
    |   |-- NotFoundError        no such container
    |   `-- ExistsError          the id is taken
    |-- HostError                the machine refused: a file, a cgroup, a socket; names the object
    |-- OpError                  an op of the plan failed in the hands; names origin, system call, errno
    `-- HookError                a hook failed; carries the record of its run

Library code raises; cli.py alone prints and exits. A message is lower case, without a full stop,
``object: why``; the hint says what to do.
"""

from __future__ import annotations


class SlingerError(Exception):
    """The base of every error that slinger raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(SlingerError):
    """An unknown verb or option, or a value that cannot be meant."""


class ConfigError(SlingerError):
    """A file of the user's is wrong. ``path`` is the JSON path in it ("" for the whole file)."""

    def __init__(self, path: str, why: str, *, hint: str = "") -> None:
        # The file is anybody's, and its names are quoted.
        super().__init__(one_line(f"{path}: {why}" if path else why), hint=hint)
        self.path = path
        self.why = why


class ContainerError(SlingerError):
    """The container's status does not allow the operation."""


class NotFoundError(ContainerError):
    """There is no container of this id."""


class ExistsError(ContainerError):
    """The id is already in use."""


class HostError(SlingerError):
    """The machine refused something that the brain asked for."""

    @classmethod
    def of(cls, what: str, error: OSError, *, hint: str = "") -> HostError:
        """``what: why`` from an OSError."""
        path = f" {error.filename!r}" if error.filename else ""
        return cls(f"{what}{path}: {(error.strerror or str(error)).lower()}", hint=hint)


class OpError(SlingerError):
    """An op failed in the hands. ``origin`` is the JSON path of the property that asked for it."""

    def __init__(self, message: str, *, origin: str, syscall: str, errno: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.origin = origin
        self.syscall = syscall
        self.errno = errno


class HookError(SlingerError):
    """A hook failed. ``origin`` is its JSON path, such as ``hooks.createRuntime[1]``."""

    def __init__(self, message: str, *, origin: str) -> None:
        super().__init__(message)
        self.origin = origin


def one_line(message: str) -> str:
    r"""The message without line ends and control characters.

    A message can quote the stderr of a hook: it must neither break the one-line rule nor drive the
    reader's terminal. Bytes that were no UTF-8 (surrogates) become ``\xNN``.
    """
    if message.isprintable():
        return message
    lines = " | ".join(line.strip() for line in message.splitlines() if line.strip())
    return "".join(char if char.isprintable() else _escaped(char) for char in lines)


def _escaped(char: str) -> str:
    raw = "\udc80" <= char <= "\udcff"  # surrogateescape, PEP 383
    return f"\\x{ord(char) & 0xFF:02x}" if raw else ascii(char)[1:-1]
