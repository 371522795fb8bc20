"""Frozen records without the import cost of ``dataclasses``.

Rule of this file: it imports nothing, because every verb that a caller runs for every container
loads it. A subclass lists its fields as annotations, defaults as class attributes:

    class Mount(Record):
        destination: str
        options: tuple[str, ...] = ()
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_kwargs: object) -> object:
        """Stand in for typing's, which only tells type checkers what this class does."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True, kw_only_default=False)
class Record:
    """A value: compared field by field, hashable, never changed after it was made."""

    __slots__ = ("__dict__",)
    FIELDS: ClassVar[tuple[str, ...]] = ()
    DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        names = dict.fromkeys(cls.FIELDS)
        defaults = dict(cls.DEFAULTS)
        for name, kind in cls.__dict__.get("__annotations__", {}).items():
            if str(kind).startswith("ClassVar"):
                continue
            names[name] = None
            if name in cls.__dict__:
                defaults[name] = cls.__dict__[name]
        cls.FIELDS = tuple(names)  # pyright: ignore[reportConstantRedefinition] - each class has its own
        cls.DEFAULTS = defaults  # pyright: ignore[reportConstantRedefinition]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        values = self.__dict__
        values.update(self.DEFAULTS)
        if args:
            if len(args) > len(self.FIELDS):
                message = f"{type(self).__name__} takes {len(self.FIELDS)} values, got {len(args)}"
                raise TypeError(message)
            values.update(zip(self.FIELDS, args, strict=False))
        values.update(kwargs)
        if len(values) != len(self.FIELDS) or values.keys() != set(self.FIELDS):
            wrong = set(values) ^ set(self.FIELDS)
            message = f"{type(self).__name__}: missing or unknown {', '.join(sorted(wrong))}"
            raise TypeError(message)

    def __setattr__(self, name: str, value: object) -> None:
        message = f"{type(self).__name__} is frozen"
        raise AttributeError(message)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.FIELDS)
        return f"{type(self).__name__}({values})"

    @classmethod
    def misfit(cls, values: dict[str, object]) -> str:
        """The first field whose value, read from somewhere, is not of the type that the class names; "" for none."""
        kinds: dict[str, str] = cls.__annotations__
        return next((name for name, value in values.items() if name in kinds and not _fits(value, kinds[name])), "")

    def replace(self, **changes: Any) -> Self:
        """The same record with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})


def frozen(value: object) -> object:
    """JSON data as a record holds it: tuples all the way down."""
    if not isinstance(value, list):
        return value
    items: list[object] = value  # pyright: ignore[reportUnknownVariableType]
    return tuple(frozen(each) for each in items)


def _fits(value: object, kind: str) -> bool:
    """Whether a value is of an annotated type: names, ``| None`` and tuples, which may be nested."""
    if kind.endswith(" | None"):
        return value is None or _fits(value, kind.removesuffix(" | None"))
    if not kind.startswith("tuple["):
        return type(value).__name__ == kind
    if not isinstance(value, tuple):
        return False
    items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
    kinds = _parts(kind.removeprefix("tuple[").removesuffix("]"))
    if kinds[-1] == "...":
        return all(_fits(each, kinds[0]) for each in items)
    return len(items) == len(kinds) and all(map(_fits, items, kinds))


def _parts(kinds: str) -> list[str]:
    """``str, tuple[str, ...]`` at its outer commas."""
    parts = [""]
    depth = 0
    for character in kinds:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
