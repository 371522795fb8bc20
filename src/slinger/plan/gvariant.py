"""Values in the text format of GVariant, as annotations give them: ``'a text'``, ``uint64 5``, ``['a', 'b']``.

Reference: "GVariant Text Format" in GLib's manual. Without a type before it a whole number is int32 and another one a
double, as there. What no property of a unit has is left out: dictionaries, maybe types, file handles, byte strings.
"""

from __future__ import annotations

from slinger.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Value: TypeAlias = bool | int | float | str | bytes | tuple["Value", ...]
else:
    Value = object

KEYWORDS = {
    "boolean": "b",
    "byte": "y",
    "int16": "n",
    "uint16": "q",
    "int32": "i",
    "uint32": "u",
    "int64": "x",
    "uint64": "t",
    "double": "d",
    "string": "s",
    "objectpath": "o",
    "signature": "g",
}
RANGES = {
    "y": (0, (1 << 8) - 1),
    "n": (-(1 << 15), (1 << 15) - 1),
    "q": (0, (1 << 16) - 1),
    "i": (-(1 << 31), (1 << 31) - 1),
    "u": (0, (1 << 32) - 1),
    "x": (-(1 << 63), (1 << 63) - 1),
    "t": (0, (1 << 64) - 1),
}
TEXTS = frozenset("sog")
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
UNICODE = {"u": 4, "U": 8}
DEEPEST = 32  # as D-Bus limits arrays and structures
HINT = "the text format of GVariant, such as 'text', true, uint64 5, ['a', 'b']"


def parse_value(text: str, origin: str) -> tuple[str, Value]:
    """(D-Bus signature, value) of a text; an array is a tuple. ConfigError with ``origin`` for what it cannot say."""
    reader = _Reader(text, origin)
    found = reader.value("", 0)
    if reader.peek():
        raise reader.error(f'"{reader.rest()}" is too much')
    return found


class _Reader:
    """Reads from the left; ``wanted`` is a type that stands before a value, "" for none."""

    def __init__(self, text: str, origin: str) -> None:
        self._text = text
        self._at = 0
        self._origin = origin

    def error(self, why: str) -> ConfigError:
        return ConfigError(self._origin, f"cannot read {self._text}: {why}", hint=HINT)

    def rest(self) -> str:
        return self._text[self._at : self._at + 20]

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _take(self, char: str) -> bool:
        if self.peek() != char:
            return False
        self._at += 1
        return True

    def value(self, wanted: str, depth: int) -> tuple[str, Value]:
        if depth > DEEPEST:
            raise self.error("it is nested too deeply")
        char = self.peek()
        if not char:
            raise self.error("it ends too early")
        if char == "@":
            return self._typed()
        if char in {"'", '"'}:
            return self._string(wanted)
        if char == "[":
            return self._array(wanted, depth)
        if char == "(":
            return self._tuple(wanted, depth)
        return self._word(wanted, depth)

    def _typed(self) -> tuple[str, Value]:
        self._at += 1
        start = self._at
        while self._text[self._at : self._at + 1].isalpha() or self._text[self._at : self._at + 1] in {"(", ")"}:
            self._at += 1
        kind = self._text[start : self._at]
        if not kind or first_type(kind) != kind:
            raise self.error(f'"@{kind}" is no type')
        return self.value(kind, 1)

    def _string(self, wanted: str) -> tuple[str, Value]:
        if wanted and wanted not in TEXTS:
            raise self.error(f"a text where the type is {wanted}")
        quote = self._text[self._at]
        self._at += 1
        parts: list[str] = []
        while (char := self._text[self._at : self._at + 1]) != quote:
            if not char:
                raise self.error(f"no {quote} at the end of a text")
            self._at += 1
            parts.append(self._escaped() if char == "\\" else char)
        self._at += 1
        found = "".join(parts)
        if "\0" in found or not _encodable(found):
            raise self.error("a text has characters that D-Bus cannot carry")
        return wanted or "s", found

    def _escaped(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char in UNICODE:
            digits = self._text[self._at : self._at + UNICODE[char]]
            self._at += len(digits)
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise self.error(f'"\\{char}{digits}" is no character') from None
        return ESCAPES.get(char, char)

    def _array(self, wanted: str, depth: int) -> tuple[str, Value]:
        if wanted and not wanted.startswith("a"):
            raise self.error(f"an array where the type is {wanted}")
        self._at += 1
        kind, items = wanted[1:], list[Value]()
        while not self._take("]"):
            if items and not self._take(","):
                raise self.error(f'"," or "]" is missing before "{self.rest()}"')
            found, item = self.value(kind, depth + 1)
            if kind and found != kind:
                raise self.error(f"an array has values of one type, not {kind} and {found}")
            kind = found
            items.append(item)
        if not kind:
            raise self.error("an empty array needs a type, such as @as []")
        return f"a{kind}", bytes(_numbers(items)) if kind == "y" else tuple(items)

    def _tuple(self, wanted: str, depth: int) -> tuple[str, Value]:
        if wanted and not wanted.startswith("("):
            raise self.error(f"a tuple where the type is {wanted}")
        self._at += 1
        left, kinds, items = wanted[1:-1], list[str](), list[Value]()
        while not self._take(")"):
            if items and not self._take(","):
                raise self.error(f'"," or ")" is missing before "{self.rest()}"')
            if items and self._take(")"):  # ('one',)
                break
            kind = first_type(left)
            if wanted and not kind:
                raise self.error(f"more values than {wanted} has")
            found, item = self.value(kind, depth + 1)
            left = left[len(kind) :]
            kinds.append(found)
            items.append(item)
        if not items or left:
            raise self.error("a tuple without values" if not items else f"fewer values than {wanted} has")
        return f"({''.join(kinds)})", tuple(items)

    def _word(self, wanted: str, depth: int) -> tuple[str, Value]:
        start = self._at
        while (char := self._text[self._at : self._at + 1]) and (char.isalnum() or char in "+-._"):
            self._at += 1
        word = self._text[start : self._at]
        if word in {"true", "false"} and wanted in {"", "b"}:
            return "b", word == "true"
        if word in KEYWORDS and wanted in {"", KEYWORDS[word]}:
            return self.value(KEYWORDS[word], depth + 1)
        number = _number(word)
        kind = wanted or ("i" if isinstance(number, int) else "d")
        if number is None or kind not in {*RANGES, "d"}:
            raise self.error(f'"{word or self.rest()}" is no value' + (f" of type {wanted}" if wanted else ""))
        if kind == "d":
            return kind, float(number)
        low, high = RANGES[kind]
        if not isinstance(number, int) or not low <= number <= high:
            raise self.error(f"{word} is none of {low} to {high}")
        return kind, number


def _number(word: str) -> int | float | None:
    """A number as GLib reads it: decimal, 0x hexadecimal, 0 octal, or with a point or exponent."""
    digits = word.lstrip("+-")
    if len(word) - len(digits) > 1 or not digits[:1].isdigit() or not word.isascii() or "_" in word:
        return None
    sign = -1 if word.startswith("-") else 1
    try:
        if digits.lower().startswith("0x"):
            return sign * int(digits, 16)
        if len(digits) > 1 and digits.startswith("0") and digits.isdigit():
            return sign * int(digits, 8)
        if digits.isdigit():
            return sign * int(digits)
        return sign * float(digits)
    except (ValueError, OverflowError):
        return None


def first_type(signature: str) -> str:
    """The first complete type of a signature; "" where there is none."""
    if signature[:1] == "a":
        inner = first_type(signature[1:])
        return f"a{inner}" if inner else ""
    if signature[:1] == "(":
        at = 1
        while signature[at : at + 1] not in {")", ""}:
            inner = first_type(signature[at:])
            if not inner:
                return ""
            at += len(inner)
        return signature[: at + 1] if at > 1 and signature[at : at + 1] == ")" else ""
    return signature[:1] if signature[:1] in {*RANGES, *TEXTS, "b", "d"} else ""


def _numbers(items: list[Value]) -> list[int]:
    return [item for item in items if isinstance(item, int)]


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)
