"""`python -m tests.fuzz.guided TARGET [OPTIONS OF LIBFUZZER]`: the target under atheris, which follows the coverage.

Half of the mutations are those of mutation.py, which know JSON; the others are libFuzzer's.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["slinger"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.mutation import mutated


def main() -> None:
    """Run until libFuzzer ends the process."""
    name = sys.argv.pop(1)
    target = TARGETS[name]
    corpus = target.corpus()

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = Random(seed)  # noqa: S311 - not a secret
        made = mutated(data, chance, corpus) if chance.random() < 0.5 else atheris.Mutate(data, most)
        return made[:most]

    atheris.Setup(sys.argv, target.one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
