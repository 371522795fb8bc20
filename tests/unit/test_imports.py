"""What a hot verb loads is pinned: a process start is the price of every container."""

from __future__ import annotations

import pytest

from tools.pin_modules import HOT, loaded, pinned, written

# Measured in docs/decisions/0002-launcher.md: each of these costs 2 to 15 ms.
HEAVY = set(
    """
    argparse base64 collections contextlib copy ctypes dataclasses datetime enum functools glob hashlib inspect json
    logging pathlib platform random re selectors shlex shutil signal site socket string struct subprocess tempfile
    textwrap threading traceback types typing uuid warnings weakref
    """.split()  # noqa: SIM905 - a list of one-word strings reads badly
)
VERBS = written()


def test_pins_name_hot_verbs() -> None:
    """modules.txt has the hot verbs that exist, in the order of HOT, and no others."""
    assert tuple(pinned()) == VERBS
    assert set(VERBS) <= set(HOT)


@pytest.mark.parametrize("verb", VERBS)
def test_a_hot_verb_loads_the_pinned_modules_and_no_more(verb: str) -> None:
    """What differs is a surprise to look at; `python tools/pin_modules.py` pins it when it is meant."""
    assert loaded(verb) == pinned()[verb]


@pytest.mark.parametrize("verb", VERBS)
def test_a_hot_verb_loads_nothing_heavy(verb: str) -> None:
    """Not even when it is pinned."""
    assert HEAVY.intersection(loaded(verb)) == set()
