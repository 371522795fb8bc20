"""`python -m tests.fuzz.bounded TARGET [RUNS [SEED]]`: the corpus, then so many mutations of it, the same each time.

A process of its own, so that memory and time have a limit and a crash of the interpreter is seen. It ends at the first
input that breaks the invariant, with the input on stdout and the traceback on stderr.
"""

from __future__ import annotations

import resource
import sys
from random import Random

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

MEMORY = 1 << 30
CPU_SECONDS = 120


def main() -> None:
    """Run."""
    name, runs, seed = (*sys.argv[1:], "", "")[:3]
    target = TARGETS[name]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    chance = Random(int(seed or 0))  # noqa: S311 - not a secret
    corpus = target.corpus()
    data = b""
    try:
        for data in corpus:
            target.one(data)
        for _ in range(int(runs or target.runs)):
            data = mutated(chance.choice(corpus), chance, corpus)
            target.one(data)
    except BaseException:
        sys.stdout.write(f"{data!r}\n")
        raise


if __name__ == "__main__":
    main()
