"""Invariant tested: whatever the bytes, the plan reader of the hands finds a whole plan or refuses, in its own memory.

The fuzzer is plan_reader.c; here are its program and its corpus: every plan of the golden samples, encoded, and one
with each op.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from slinger.plan import ops
from slinger.plan.plan import Plan
from tests.golden.samples import ENTERED, SAMPLES
from tests.init.building import build
from tests.plan_reader import layout

VALUES: Final[dict[str, Any]] = {"int": 1, "str": "text", "bytes": b"\0\1\2", "tuple[str, ...]": ("one", "", "three")}


def program() -> Path:
    """libFuzzer's program, built with the address and undefined-behaviour sanitizers."""
    return build(Path(__file__).with_name("plan_reader.c"), sanitizers="fuzzer,address,undefined")


def corpus() -> list[bytes]:
    """Real plans, and one op alone of each kind."""
    each = [kind("", **{name: VALUES[annotation] for name, annotation in layout(kind)}) for kind in ops.OPS]
    plans = [sample.compile() for sample in SAMPLES.values()]
    plans += [sample.compile() for sample in ENTERED.values()]
    plans += [Plan(tuple(each), 2), *(Plan((op,), 2) for op in each)]
    return [plan.encode() for plan in plans]
