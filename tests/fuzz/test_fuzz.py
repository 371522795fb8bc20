"""Each border is fuzzed for a while: the same inputs every time, more with `make fuzz`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import jsontext, plans
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS
from tests.requires import requires

ROOT = Path(__file__).parents[2]
PLAN_RUNS = 400_000


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A fuzzer, to its end."""
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=150)


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_of_the_corpus_keep_the_invariant(name: str) -> None:
    """The input that did not is in what the failure shows."""
    done = run(sys.executable, "-m", "tests.fuzz.bounded", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@requires("clang", "sanitizers")
def test_the_plan_reader_keeps_its_invariant(tmp_path: Path) -> None:
    """Under libFuzzer, from real plans."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, plan in enumerate(plans.corpus()):
        (corpus / str(number)).write_bytes(plan)
    options = ("-seed=1", "-timeout=10", "-verbosity=0", "-print_final_stats=1", "-max_len=16384")
    done = run(plans.program(), *options, f"-runs={PLAN_RUNS}", f"-artifact_prefix={tmp_path}/", corpus)
    assert done.returncode == 0, done.stderr
    counted = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)
    assert counted is not None
    assert int(counted[1]) >= PLAN_RUNS


def test_a_broken_invariant_is_found_and_shown() -> None:
    """With a reader of JSON that keeps the last of two members of one name: the input is told, and what it broke."""
    last_wins = """
import json, runpy, sys
import slinger.spec.jsontext as jsontext
true_load = jsontext.load
jsontext.load = lambda text, what: json.loads(text) if text.count(b'"a"') == 2 else true_load(text, what)
sys.argv = ["bounded", "jsontext"]
runpy.run_module("tests.fuzz.bounded", run_name="__main__")
"""
    done = run(sys.executable, "-c", last_wins)
    assert (done.returncode, done.stdout) == (1, repr(b'{"a": 1, "a": 2}') + "\n")
    assert "AssertionError: taken although it is to be refused" in done.stderr


def test_mutations_are_the_same_every_time_and_many_are_json() -> None:
    """So a failure can be had again, and the fuzzer gets past the first brace."""
    corpus = TARGETS["config"].corpus()
    chances = (Random(7), Random(7))  # noqa: S311 - not a secret
    first, again = ([mutated(corpus[0], chance, corpus) for _ in range(500)] for chance in chances)
    assert first == again
    assert len(set(first)) > 400
    good = [text for text in first if not jsontext.refusable(text)]
    assert len(good) > 300
