"""The schema of the runtime-spec and slinger say the same of a document, but for a list of exceptions.

The documents are the samples of the runtime-spec and one that has every property, and thousands of small changes of
them (mutations.py). They lie beside the repository, see tests/requires.py; without them nothing is run.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from slinger.errors import ConfigError
from slinger.spec.parse import parse_config
from slinger.spec.validate import validate
from tests.requires import SHARED, requires
from tests.schema.exceptions import LAXER, STRICTER, Laxer, Stricter
from tests.schema.full import FULL
from tests.schema.mutations import Mutation, mutations, sections
from tests.schema.schemas import items_of, members_of, properties, verdict

pytestmark = requires("shared-samples")

FILE: Final = "config-schema.json"
EXAMPLES: Final = SHARED / "oci" / "examples"
PLATFORMS: Final = ("solaris", "windows", "vm", "zos", "freebsd")
SAMPLES: Final = ("linux-netdevice", "linux-rdma", "minimal", "minimal-for-start", "spec-example")
BAD: Final = ("linux-hugepage", "linux-netdevice", "linux-rdma")
# What a sample lacks to be one of today, or for slinger; test_samples.py has the whole reasons.
MENDED: Final[dict[str, dict[str, Any]]] = {
    "linux-netdevice": {"namespaces": [{"type": "network"}]},
    "spec-example": {},
}


@dataclass(frozen=True)
class Judged:
    """A mutation, and what both have against it; "" is nothing."""

    mutation: Mutation
    schema: str
    slinger: str

    def __str__(self) -> str:
        return f"{self.mutation}\n    schema:  {self.schema or 'good'}\n    slinger: {self.slinger or 'good'}"


def sample(kind: str, name: str) -> Any:
    """A sample of the runtime-spec as data."""
    return json.loads((EXAMPLES / kind / f"{name}.json").read_bytes())


def mended(name: str) -> Any:
    """A good sample, valid for slinger too."""
    document = sample("good", name)
    if name in MENDED:
        document |= {"ociVersion": "1.3.0", "linux": document["linux"] | MENDED[name]}
    return document


def error_of(document: object) -> str:
    """What slinger has against a document."""
    try:
        validate(parse_config(json.dumps(document).encode())[0])
    except ConfigError as error:
        return error.message
    return ""


@functools.cache
def judged(name: str) -> tuple[Judged, ...]:
    """All mutations of a sample, or of the full document ("full"), judged by both. Made once a run."""
    found: list[Judged] = []
    for below, document in sections(FULL if name == "full" else mended(name)):
        if below:
            changes = mutations(document, FILE, below)
        else:  # the document itself: what a top-level property is, and whether it is there
            changes = (each for each in mutations(document, FILE) if each.path.count(".") + each.path.count("[") == 0)
        found += (Judged(each, verdict(FILE, each.document), error_of(each.document)) for each in changes)
    return tuple(found)


def rows_for(case: Judged) -> list[Stricter | Laxer]:
    """The exceptions that explain why the two verdicts differ."""
    if case.slinger:
        return [row for row in STRICTER if row.explains(case.slinger)]
    return [row for row in LAXER if row.explains(case.mutation)]


def differing(name: str) -> list[Judged]:
    """Where the two do not agree."""
    return [case for case in judged(name) if bool(case.schema) != bool(case.slinger)]


@pytest.mark.parametrize("name", ["full", *SAMPLES])
def test_both_have_nothing_against_a_good_document(name: str) -> None:
    """The samples in today's form, and the document that has every property."""
    document = FULL if name == "full" else mended(name)
    assert (verdict(FILE, document), error_of(document)) == ("", "")


@pytest.mark.parametrize("name", BAD)
def test_both_refuse_a_bad_sample_for_the_same_property(name: str) -> None:
    """By its path. invalid-json.json is no JSON, so a schema has nothing to say of it."""
    document = sample("bad", name)
    path = error_of(document).partition(": ")[0]
    assert path
    assert (
        verdict(FILE, document).partition(": ")[0].replace(".eth0", '["eth0"]').replace(".mlx5_1", '["mlx5_1"]')
        == f"$.{path}"
    )


def test_the_full_document_has_every_property_of_the_schema() -> None:
    """Those of Linux, and the objects of other platforms. A property that is new in the schema is missed here."""
    known = {path for path in properties({"$ref": FILE}, FILE) if path.partition(".")[0] not in PLATFORMS}
    assert sorted(known - set(paths(FULL))) == []
    assert set(PLATFORMS) <= set(FULL)


def paths(value: Any, at: str = "") -> set[str]:
    """The paths of a document in the form of properties(); a member of a map is both, its name and ``[*]``."""
    found = {at} - {""}
    for name, member in members_of(value).items():
        found |= paths(member, f"{at}.{name}".removeprefix(".")) | paths(member, f"{at}[*]")
    for item in items_of(value):
        found |= paths(item, f"{at}[]")
    return found


@pytest.mark.parametrize("name", ["full", *SAMPLES])
def test_both_judge_a_changed_document_alike(name: str) -> None:
    """Or a row of exceptions.py says why not."""
    unexplained = [case for case in differing(name) if not rows_for(case)]
    assert unexplained == [], "\n".join(["", *map(str, unexplained)])


def test_there_are_thousands_of_changes_of_every_kind() -> None:
    """Lest the generator goes blind."""
    kinds = [case.mutation.what.split()[0] for case in judged("full")]
    assert len(kinds) > 4000
    assert {kind: kinds.count(kind) > 40 for kind in set(kinds)} == dict.fromkeys(
        ("type", "enum", "pattern", "bound", "text", "required", "optional", "extra", "empty"), True
    )


@pytest.mark.parametrize("name", ["full", *SAMPLES])
def test_an_error_names_the_place_that_was_changed(name: str) -> None:
    """Where both refuse, slinger's message begins with its path. A null is an absent property, which others miss."""
    astray = [
        case
        for case in judged(name)
        if case.schema and not case.slinger.startswith(case.mutation.path) and case.slinger
        if case.mutation.what != "type null"
    ]
    assert astray == [], "\n".join(["", *map(str, astray)])


def test_every_exception_is_needed() -> None:
    """A row without which nothing would be unexplained is removed."""
    explained = [rows_for(case) for name in ("full", *SAMPLES) for case in differing(name)]
    needed = [rows[0] for rows in explained if len(rows) == 1]
    assert [row for row in (*STRICTER, *LAXER) if row not in needed] == []
