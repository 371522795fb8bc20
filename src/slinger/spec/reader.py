"""Typed reading of one JSON object: every error names the JSON path of what is wrong.

Absent and null are the same, as in the engines' own decoders (Go's encoding/json); so is their number
rule: 5.0 and 1e3 are not integers. A property that nobody reads is ignored (config.md, "Extensibility").
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.spec.jsontext import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from slinger.spec.jsontext import Json

UINT16 = (0, 2**16 - 1)
UINT32 = (0, 2**32 - 1)
UINT64 = (0, 2**64 - 1)
INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)

_LONGEST_QUOTE = 60


class Reader:
    """An object of the document and its JSON path. Methods read one property and raise ConfigError."""

    __slots__ = ("at", "members")

    def __init__(self, value: Json, at: str, what: str = "") -> None:
        """``what`` names the document, for one that is no object at all."""
        if not isinstance(value, dict):
            raise wrong(at, "an object", value, what)
        self.members = value
        self.at = at

    def path(self, name: str) -> str:
        """The JSON path of a property of this object."""
        return f"{self.at}.{name}" if self.at else name

    def demand(self, name: str) -> None:
        """Refuse the absence of a property."""
        if self.members.get(name) is None:
            raise ConfigError(self.path(name), "required property is missing")

    # ---- single values

    def text_or_none(self, name: str) -> str | None:
        """A string; None when absent."""
        value = self.members.get(name)
        if value is None or isinstance(value, str):
            return value
        raise wrong(self.path(name), "a string", value)

    def text(self, name: str) -> str:
        """A string; "" when absent."""
        return self.text_or_none(name) or ""

    def demanded_text(self, name: str) -> str:
        """A string that must be there."""
        self.demand(name)
        return self.text(name)

    def flag_or_none(self, name: str) -> bool | None:
        """A boolean; None when absent."""
        value = self.members.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise wrong(self.path(name), "true or false", value)

    def flag(self, name: str) -> bool:
        """A boolean; False when absent."""
        return self.flag_or_none(name) or False

    def number_or_none(self, name: str, limits: tuple[int, int]) -> int | None:
        """An integer within the limits; None when absent."""
        value = self.members.get(name)
        return None if value is None else _integer(value, limits, self.path(name))

    def number(self, name: str, limits: tuple[int, int]) -> int:
        """An integer within the limits; 0 when absent."""
        return self.number_or_none(name, limits) or 0

    def demanded_number(self, name: str, limits: tuple[int, int]) -> int:
        """An integer within the limits that must be there."""
        self.demand(name)
        return self.number(name, limits)

    # ---- arrays

    def items(self, name: str) -> list[Json] | None:
        """An array of anything; None when absent."""
        value = self.members.get(name)
        if value is None or isinstance(value, list):
            return value
        raise wrong(self.path(name), "an array", value)

    def texts_or_none(self, name: str) -> tuple[str, ...] | None:
        """An array of strings. Long ones occur (seccomp), so the path is built only for an error."""
        items = self.items(name)
        if items is None:
            return None
        texts = tuple(item for item in items if isinstance(item, str))
        if len(texts) != len(items):
            index, item = next(pair for pair in enumerate(items) if not isinstance(pair[1], str))
            raise wrong(f"{self.path(name)}[{index}]", "a string", item)
        return texts

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings; empty when absent."""
        return self.texts_or_none(name) or ()

    def numbers(self, name: str, limits: tuple[int, int]) -> tuple[int, ...]:
        """An array of integers; empty when absent."""
        items = self.items(name) or ()
        return tuple(_integer(item, limits, f"{self.path(name)}[{index}]") for index, item in enumerate(items))

    def objects(self, name: str) -> list[Reader]:
        """An array of objects; empty when absent."""
        items = self.items(name) or ()
        at = self.path(name)
        return [Reader(item, f"{at}[{index}]") for index, item in enumerate(items)]

    # ---- objects

    def object(self, name: str) -> Reader | None:
        """An object; None when absent."""
        value = self.members.get(name)
        return None if value is None else Reader(value, self.path(name))

    def demanded_object(self, name: str) -> Reader:
        """An object that must be there."""
        self.demand(name)
        return Reader(self.members.get(name), self.path(name))

    def entries(self, name: str) -> list[tuple[str, Reader]]:
        """The members of an object whose values are objects; empty when absent."""
        value = self.object(name)
        if value is None:
            return []
        return [(key, Reader(member, key_path(value.at, key))) for key, member in value.members.items()]

    def map(self, name: str) -> tuple[tuple[str, str], ...]:
        """An object of strings, in the order of the document; empty when absent."""
        value = self.object(name)
        if value is None:
            return ()
        pairs: list[tuple[str, str]] = []
        for key, member in value.members.items():
            if not isinstance(member, str):
                raise wrong(key_path(value.at, key), "a string", member)
            pairs.append((key, member))
        return tuple(pairs)


def key_path(at: str, key: str) -> str:
    """The JSON path of a member whose name is the user's: ``linux.sysctl["net.ipv4.ip_forward"]``."""
    return f"{at}[{dump(key)}]"


def wrong(at: str, expected: str, value: Json, what: str = "") -> ConfigError:
    """``at: expected a string, got 5``."""
    why = f"expected {expected}, got {_quote(value)}"
    return ConfigError(at, f"{what}: {why}" if what and not at else why)


def _integer(value: Json, limits: tuple[int, int], at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong(at, "an integer", value)
    low, high = limits
    if not low <= value <= high:
        raise wrong(at, f"an integer from {low} to {high}", value)
    return value


def _quote(value: Json) -> str:
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    # repr, because dump refuses the infinity that 1e999 is read as
    text = repr(value) if isinstance(value, float) else dump(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
