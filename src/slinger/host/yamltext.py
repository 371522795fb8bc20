"""YAML as the JSON value that it stands for: for CDI specifications, which may be either.

Rule of the file: nothing else knows PyYAML, and nothing but a YAML file loads it. Stricter than its safe loader, as
jsontext.py is: no member twice, no value that JSON does not have.
"""

from __future__ import annotations

from slinger.errors import ConfigError
from slinger.host.sites import ensure_sites

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import cast

    from slinger.spec.jsontext import Json
else:

    def cast(_kind: str, value: object) -> object:
        """Nothing, at run time."""
        return value


def load_yaml(text: bytes, what: str) -> Json:
    """The value of a document. ``what`` names it in errors. Raises ConfigError."""
    ensure_sites()
    try:
        import yaml  # noqa: PLC0415 - see the rule of the file
    except ImportError:
        cure = "pip install 'slinger[cdi]', or give a JSON file"
        raise ConfigError("", f"{what}: needs the Python package PyYAML", hint=cure) from None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _check(node, what, set())
        value: object = None
        if node is not None:
            value = loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType] - its stub is so
        return _json(value, "", what)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1} column {mark.column + 1}" if mark is not None else ""
        raise ConfigError("", f"{what}: invalid YAML{place}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError("", f"{what}: invalid YAML: {' '.join(str(error).split())}") from None


def _check(node: object, what: str, seen: set[int]) -> None:
    """Refuse a member that is there twice; PyYAML takes the last."""
    if id(node) in seen:
        return  # an alias
    seen.add(id(node))
    value: object = getattr(node, "value", None)
    items = cast("list[object]", value) if isinstance(value, list) else []
    names: set[object] = set()
    for item in items:
        if not isinstance(item, tuple):
            _check(item, what, seen)
            continue
        key, member = cast("tuple[object, object]", item)
        name: object = getattr(key, "value", None)
        if isinstance(name, str):
            if name in names:
                line = cast("int", getattr(getattr(key, "start_mark", None), "line", 0)) + 1
                raise ConfigError("", f'{what}: invalid YAML at line {line}: duplicate member "{name}"')
            names.add(name)
        _check(member, what, seen)


def _json(value: object, at: str, what: str, within: tuple[int, ...] = ()) -> Json:
    """The value, if JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if id(value) not in within:
        inner = (*within, id(value))
        if isinstance(value, list):
            items = cast("list[object]", value)
            return [_json(item, f"{at}[{index}]", what, inner) for index, item in enumerate(items)]
        if isinstance(value, dict):
            members = cast("dict[object, object]", value)
            return {_name(key, at, what): _json(each, f"{at}.{key}", what, inner) for key, each in members.items()}
    place = f"{at.removeprefix('.')}: " if at else ""
    raise ConfigError("", f"{what}: {place}{type(value).__name__} is no value of JSON", hint="quote it if it is text")


def _name(key: object, at: str, what: str) -> str:
    if isinstance(key, str):
        return key
    place = f"{at.removeprefix('.')}: " if at else ""
    raise ConfigError("", f"{what}: {place}the member {key!r} is no text", hint="quote it")
