"""The JSON schemas of the runtime-spec, and which parts of them speak about a place of a document.

They lie beside the repository, see tests/requires.py.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.requires import SHARED

FOLDER = SHARED / "oci" / "schema"
STEPS: TypeAlias = "tuple[str | int, ...]"


@functools.cache
def registry() -> Registry[Any]:
    """All schemas by their file names, which is how they refer to each other."""
    texts = ((path.name, json.loads(path.read_bytes())) for path in sorted(Path(FOLDER).glob("*.json")))
    return Registry[Any]().with_resources(
        (name, Resource.from_contents(text, default_specification=DRAFT4)) for name, text in texts
    )


@functools.cache
def validator(name: str) -> Draft4Validator:
    """The judge by one schema file."""
    return Draft4Validator({"$ref": name}, registry=registry())


def verdict(name: str, document: Any) -> str:
    """What the schema has against a document, at its first fault; "" for a valid one."""
    judge: Any = validator(name)
    fault = next(iter(judge.iter_errors(document)), None)
    return "" if fault is None else f"{fault.json_path}: {fault.message}"


def members_of(value: Any) -> dict[str, Any]:
    """The members of an object; none of what is no object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items_of(value: Any) -> list[Any]:
    """The items of an array; none of what is no array."""
    match value:
        case [*items]:
            return items
        case _:
            return []


@dataclass
class Rules:
    """What a schema says about one value, with references and allOf resolved: name -> schema and its file."""

    keywords: dict[str, Any] = field(default_factory=dict[str, Any])
    members: dict[str, tuple[Any, str]] = field(default_factory=dict[str, tuple[Any, str]])
    others: tuple[Any, str] | None = None  # of an object that is a map
    items: tuple[Any, str] | None = None

    @classmethod
    def of(cls, schema: Any, file: str) -> Rules:
        """Read them. `file` is where the schema stands."""
        rules = cls()
        rules._add(schema, file)
        return rules

    def _add(self, schema: Any, file: str) -> None:
        if "$ref" in schema:
            found = registry().resolver(base_uri=file).lookup(schema["$ref"])
            self._add(found.contents, schema["$ref"].partition("#")[0] or file)
            return
        for name, value in schema.items():
            match name:
                case "properties":
                    self.members |= {key: (each, file) for key, each in value.items()}
                case "patternProperties":
                    self.others = (next(iter(value.values())), file)
                case "additionalProperties":
                    self.others = (value, file)
                case "items":
                    self.items = (value, file)
                case "allOf" | "anyOf":  # the one anyOf has one member
                    for each in value:
                        self._add(each, file)
                case "required":
                    self.keywords["required"] = [*self.keywords.get("required", ()), *value]
                case _:
                    self.keywords[name] = value


@dataclass(frozen=True)
class Place:
    """A value of a document, the steps to it, and the rules for it."""

    steps: STEPS
    value: Any
    rules: Rules


def places(document: Any, schema: Any, file: str, steps: STEPS = ()) -> Iterator[Place]:
    """Every place of a document that the schema speaks about, the outer ones first."""
    rules = Rules.of(schema, file)
    yield Place(steps, document, rules)
    for name, value in members_of(document).items():
        known = rules.members.get(name) or rules.others
        if known:
            yield from places(value, *known, (*steps, name))
    for index, item in enumerate(items_of(document)):
        if rules.items:
            yield from places(item, *rules.items, (*steps, index))


def properties(schema: Any, file: str, path: str = "") -> Iterator[str]:
    """The path of every property that the schema knows: ``linux.devices[].path``, ``linux.rdma[*].hcaHandles``."""
    rules = Rules.of(schema, file)
    if path:
        yield path
    for name, known in rules.members.items():
        yield from properties(*known, f"{path}.{name}".removeprefix("."))
    if rules.others and rules.others[0] is not False:
        yield from properties(*rules.others, f"{path}[*]")
    if rules.items:
        yield from properties(*rules.items, f"{path}[]")


def json_path(steps: STEPS, maps: frozenset[STEPS] = frozenset()) -> str:
    """As slinger writes it: ``a.b[0]``, and ``a["key"]`` where the key is the user's."""
    text = ""
    for count, step in enumerate(steps):
        if isinstance(step, int):
            text += f"[{step}]"
        elif steps[:count] in maps:
            text += f"[{json.dumps(step)}]"
        else:
            text += f".{step}" if text else step
    return text
