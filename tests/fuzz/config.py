"""Invariant tested: whatever config.json holds, reading, checking and compiling it ends with a plan or a ConfigError.

No other exception, no hang, and no plan that the second reader of plans (tests/plan_reader.py) does not find again, or
that is larger by orders than what asked for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from slinger.errors import ConfigError
from slinger.hooks.placing import place
from slinger.hooks.recording import Setting
from slinger.plan.compile import compile_plan
from slinger.plan.explain import text
from slinger.plan.facts import Facts, SeccompProgram
from slinger.spec.config import Config
from slinger.spec.parse import parse_config, parse_process, parse_resources
from slinger.spec.validate import validate
from tests.golden.samples import ENTERED, FACTS, HYBRID, OPTIONS, ROOTLESS, SAMPLES
from tests.plan_reader import as_read, read_plan
from tests.requires import SHARED

T = TypeVar("T")

MACHINES: Final = (FACTS.replace(apparmor=True, selinux=True, hierarchies=HYBRID), ROOTLESS)
ALLOW_ALL: Final = SeccompProgram(b"\6\0\0\0\0\0\xff\x7f")
# A plan repeats the rootfs, hooks' states and default mounts; what a config adds to it grows with the config.
PLAN_LIMIT, PLAN_FACTOR = 1 << 20, 200


def corpus() -> list[bytes]:
    """Our samples, and the runtime-spec's where they lie beside the repository."""
    documents = [sample.document for sample in SAMPLES.values()]
    documents += [sample.inside.document for sample in ENTERED.values()]
    texts = [json.dumps(document).encode() for document in documents]
    samples = (path.read_bytes() for path in sorted(SHARED.glob("oci/examples/*/*.json")))
    return [*texts, *(sample.replace(b'"0.5.0-dev"', b'"1.3.0"') for sample in samples)]


def one(data: bytes) -> None:
    """Try one document, as the whole file, as process.json and as resources."""
    quietly(lambda: parse_process(data))
    quietly(lambda: parse_resources(data))
    parsed = quietly(lambda: parse_config(data))
    if parsed is not None:
        for facts in MACHINES:
            quietly(partial(compile_for, parsed[0], facts, len(data)))


def quietly(act: Callable[[], T]) -> T | None:
    """What `act` returns, or None where it ends with the one error that it may end with."""
    try:
        return act()
    except ConfigError as error:
        message = error.message
    assert message.isprintable(), f"not fit for a terminal: {message!r}"
    assert message
    return None


def compile_for(config: Config, facts: Facts, size: int) -> None:
    """Check and compile, and read the plan back."""
    validate(config, rootless=facts.rootless)
    if config.linux.seccomp is not None:
        facts = facts.replace(seccomp=ALLOW_ALL)
    plan = compile_plan(config, OPTIONS, facts, place(config, Setting(OPTIONS, facts.rootfs)))
    encoded = plan.encode()
    assert len(encoded) < PLAN_LIMIT + PLAN_FACTOR * size
    assert read_plan(encoded) == ([as_read(op) for op in plan.ops], plan.slots)
    assert text(plan)
