"""The parts of a configuration that are documents of their own: the process of `exec`, the resources of `update`.

Each is judged by its part of the schema and by what the verb does with it; the exceptions are those of the whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from slinger.errors import ConfigError
from slinger.spec.parse import parse_process, parse_resources
from slinger.spec.validate import validate_process, validate_resources
from tests.requires import requires
from tests.schema.exceptions import LAXER, STRICTER
from tests.schema.full import PROCESS, RESOURCES
from tests.schema.mutations import Mutation, mutations
from tests.schema.schemas import verdict

pytestmark = requires("shared-samples")


def check_process(text: bytes) -> None:
    """As exec does."""
    validate_process(parse_process(text))


def check_resources(text: bytes) -> None:
    """As update does."""
    validate_resources(parse_resources(text))


Check = Callable[[bytes], None]
# Part -> its place in the schema, its path in a configuration, a whole one, who checks it.
PARTS: Final[dict[str, tuple[str, str, dict[str, Any], Check]]] = {
    "process": ("config-schema.json#/properties/process", "process", PROCESS, check_process),
    "resources": ("config-linux.json#/linux/properties/resources", "linux.resources", RESOURCES, check_resources),
}


def error_of(check: Check, document: Any, part: str, path: str) -> str:
    """What slinger has against a part, as if it stood in a configuration."""
    try:
        check(json.dumps(document).encode())
    except ConfigError as error:
        return error.message.replace(part, path, 1)
    return ""


@pytest.mark.parametrize("part", PARTS)
def test_both_judge_a_changed_part_alike(part: str) -> None:
    """Or a row of exceptions.py says why not. What is no object at all is the whole document's fault."""
    place, path, whole, check = PARTS[part]
    assert (verdict(place, whole), error_of(check, whole, part, path)) == ("", "")
    unexplained: list[str] = []
    count = 0
    common = {name: whole[name] for name in ("cwd", "args") if name in whole}
    changes = (each for name in whole for each in mutations(common | {name: whole[name]}, place, (name,)))
    for each in changes:
        count += 1
        mutation = Mutation(f"{path}.{each.path}", each.what, each.document)
        schema, slinger = verdict(place, each.document), error_of(check, each.document, part, path)
        if slinger and not schema:
            explained = any(row.explains(slinger) for row in STRICTER)
        elif schema and not slinger:
            explained = any(row.explains(mutation) for row in LAXER)
        else:
            continue
        if not explained:
            unexplained.append(f"{mutation}: schema {schema!r}, slinger {slinger!r}")
    assert count > 500
    assert unexplained == [], "\n".join(unexplained)
