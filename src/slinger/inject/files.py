"""Reading files that are no config.json: errors that name the file, and warnings about names that are nearly right."""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.spec.parse_hooks import similar_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.reader import Reader


def in_file(file: str, error: ConfigError) -> ConfigError:
    """The error with the file in front of the JSON path."""
    if error.message.startswith(f"{file}: "):
        return error
    named = ConfigError("", f"{file}: {error.message}", hint=error.hint)
    named.path = error.path
    return named


def unknown_names(reader: Reader, known: tuple[str, ...]) -> list[tuple[str, str]]:
    """The JSON path of each member that is not known, with what to say of it."""
    found: list[tuple[str, str]] = []
    for name in reader.members:
        if name not in known:
            meant = similar_name(name, known)
            found.append((reader.path(name), f"unknown property{f' (did you mean {meant}?)' if meant else ''}"))
    return found
