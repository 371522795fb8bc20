"""The borders that are fuzzed in Python: a corpus each, and what is done with an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.fuzz import config, jsontext, records, resources


@dataclass(frozen=True)
class Target:
    """`one` takes an input, and raises where the invariant of its file is broken; `runs`: as many in `make test`."""

    corpus: Callable[[], list[bytes]]
    one: Callable[[bytes], None]
    runs: int


TARGETS: Final = {
    "config": Target(config.corpus, config.one, 6000),
    "jsontext": Target(jsontext.corpus, jsontext.one, 3000),
    "records": Target(records.corpus, records.one, 12000),
    "resources": Target(resources.corpus, resources.one, 6000),
}
