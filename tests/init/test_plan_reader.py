"""The plan reader of the hands, under the sanitizers, against a second one: tests/plan_reader.py.

Rule of the file: both are given the same bytes, and either both find the same plan or both find none.
"""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from slinger.plan import ops
from slinger.plan.plan import Plan
from tests.golden.samples import ENTERED, SAMPLES
from tests.init.building import build
from tests.plan_reader import BadPlanError, ReadOp, Value, layout, read_plan
from tests.requires import requires

pytestmark = requires("clang", "sanitizers")

REFUSED: Final = "refused"
GOLDEN: Final = {
    **{name: sample.compile().encode() for name, sample in SAMPLES.items()},
    **{name: sample.compile().encode() for name, sample in ENTERED.items()},
}


def every_op() -> bytes:
    """A plan with each op once, and in each field a value that shows."""
    values: dict[str, Any] = {"int": 1, "str": "text", "bytes": b"\0\1\2", "tuple[str, ...]": ("one", "", "three")}
    each = [kind("", **{name: values[annotation] for name, annotation in layout(kind)}) for kind in ops.OPS]
    return Plan(tuple(each), 2).encode()


SMALL: Final = Plan(
    (
        ops.OpenTree("", by=ops.OUTER, slot=1, path="/a"),
        ops.MountNew("", type="tmpfs", source="s", destination="/d", options=("a", "b=1")),
        ops.Seccomp("", program=b"12345678", flags=1),
        ops.Exec("", args=("sh", ""), env=("A=1",)),
    ),
    2,
).encode()


def hands_find(plans: Sequence[bytes]) -> list[str]:
    """A line a plan, of read_plans.c. The test fails at a report of a sanitizer."""
    data = b"".join(len(plan).to_bytes(4, "little") + plan for plan in plans)
    program = build(Path(__file__).with_name("read_plans.c"))
    done = subprocess.run([program], input=data, check=False, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode().splitlines()


def shown(value: Value) -> str:
    """A field as read_plans.c writes it."""
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, tuple):
        return "l" + "".join(f"{each.hex()}," for each in value)
    return value.hex()


def line(op: ReadOp) -> Iterator[str]:
    """The fields of an op as read_plans.c writes them."""
    kind = next(kind for kind in ops.OPS if kind.__name__ == op.name)
    marks = {"str": "s", "bytes": "b"}
    for name, annotation in layout(kind):
        yield marks.get(annotation, "") + shown(op.fields[name])


def second_finds(plan: bytes) -> str:
    """The same line by the second reader."""
    try:
        found, slots = read_plan(plan)
    except BadPlanError:
        return REFUSED
    names = [kind.__name__ for kind in ops.OPS]
    heads = [f"{names.index(op.name)}.{ops.ACTORS.index(op.by)}" for op in found]
    return " ".join([str(slots), *heads, *(field for op in found for field in line(op))])


def compare(plans: Sequence[bytes]) -> list[str]:
    """What the hands find, after a look whether the second reader finds the same."""
    found = hands_find(plans)
    for plan, ours, theirs in zip(plans, found, map(second_finds, plans), strict=True):
        assert ours == theirs, plan
    return found


def test_both_find_the_same_in_every_golden_plan() -> None:
    """All fields of all ops, and in one plan every op that there is."""
    assert REFUSED not in compare([*GOLDEN.values(), every_op(), SMALL])


@pytest.mark.parametrize("name", ["small", "every op", "terminal", "hooks", "exec"])
def test_a_plan_that_is_cut_anywhere_is_refused(name: str) -> None:
    """At every byte."""
    plan = {**GOLDEN, "small": SMALL, "every op": every_op()}[name]
    assert set(compare([plan[:size] for size in range(len(plan))])) == {REFUSED}


def test_a_plan_with_more_behind_it_is_refused() -> None:
    """One byte or many, or a whole plan again."""
    behind = (b"\0", b"\xff" * 4, bytes(64), SMALL)
    assert compare([SMALL + more for more in behind]) == [REFUSED] * len(behind)


def test_a_number_put_at_any_place_is_read_alike_or_refused_by_both() -> None:
    """Wherever a length, a count, a kind or a slot stands, all that can be written there is tried."""
    numbers = (0, 1, 2, 5, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFB, 0xFFFFFFFF)
    plans = [
        SMALL[:at] + struct.pack("<I", number) + SMALL[at + 4 :] for at in range(len(SMALL) - 3) for number in numbers
    ]
    found = compare(plans)
    assert found.count(REFUSED) > len(plans) // 2
    assert found.count(REFUSED) < len(plans)


def test_every_length_that_is_enlarged_is_refused() -> None:
    """By as little as one: what follows then is no plan."""
    texts = (b"/a", b"tmpfs", b"s", b"/d", b"a", b"b=1", b"12345678")
    places = [SMALL.index(len(text).to_bytes(4, "little") + text) for text in texts]
    places.append(SMALL.index(struct.pack("<II", 2, 1) + b"a\0"))  # the count of a list
    plans = [
        SMALL[:at] + struct.pack("<I", (size + more) & 0xFFFFFFFF) + SMALL[at + 4 :]
        for at in places
        for size in [struct.unpack_from("<I", SMALL, at)[0]]
        for more in (1, 2, 100, len(SMALL), 2**16, 2**31, 2**32 - 1 - size)
    ]
    assert set(compare(plans)) == {REFUSED}


ONE_GATE: Final = Plan((ops.Gate("", name="name"),)).encode()
HEAD: Final = struct.Struct("<4sIII")


@pytest.mark.parametrize(
    "plan",
    [
        b"",
        HEAD.pack(b"SLPM", 1, 0, 0),
        HEAD.pack(b"slpl", 1, 0, 0),
        HEAD.pack(b"SLPL", 0, 0, 0),
        HEAD.pack(b"SLPL", 2, 0, 0),
        HEAD.pack(b"SLPL", 1, 1, 0),
        HEAD.pack(b"SLPL", 1, 2**32 - 1, 0),
        HEAD.pack(b"SLPL", 1, 0, 65537),
        HEAD.pack(b"SLPL", 1, 0, 2**32 - 1),
        ONE_GATE[:16] + struct.pack("<H", len(ops.OPS)) + ONE_GATE[18:],
        ONE_GATE[:16] + b"\xff\xff" + ONE_GATE[18:],
        ONE_GATE[:18] + b"\x03" + ONE_GATE[19:],
        ONE_GATE[:19] + b"\x01" + ONE_GATE[20:],
        ONE_GATE[:-1] + b"\x01",
        ONE_GATE.replace(b"name", b"na\0e"),
        Plan((ops.OpenTree("", slot=2, path="/"),), 2).encode(),
        Plan((ops.OpenTree("", slot=-1, path="/"),), 2).encode(),
        Plan((ops.OpenTree("", slot=-(2**63), path="/"),), 2).encode(),
        Plan((ops.MountBind("", slot=2**32, destination="/"),), 2).encode(),
        Plan((ops.AttachRoot("", slot=0, path="/"),), 0).encode(),
        Plan((ops.MapTree("", slot=1, map_slot=2),), 2).encode(),
    ],
    ids=[
        *("empty", "magic", "small magic", "version 0", "version 2", "no op", "most ops", "a slot too many"),
        *("most slots", "kind after the last", "largest kind", "actor", "reserved byte", "string without end"),
        *("NUL in a string", "slot after the last", "negative slot", "smallest slot", "slot of 33 bits", "no slot"),
        "second slot",
    ],
)
def test_what_is_no_plan_is_refused(plan: bytes) -> None:
    """By the hands and by the second reader."""
    assert compare([plan]) == [REFUSED]


def test_the_limits_themselves_are_no_error() -> None:
    """Nothing to do, and as many slots as there may be."""
    plans = [HEAD.pack(b"SLPL", 1, 0, 0), HEAD.pack(b"SLPL", 1, 0, 65536)]
    assert compare(plans) == ["0", "65536"]


def test_random_changes_are_read_alike_or_refused_by_both() -> None:
    """Bytes changed, taken out, put in, doubled: the same ones in every run."""
    chance = random.Random(20)  # noqa: S311 - no secret
    plans: list[bytes] = []
    originals = [SMALL, every_op(), GOLDEN["terminal"], GOLDEN["hooks"]]
    for _ in range(3000):
        plan = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 2, 5))):
            at, size = chance.randrange(len(plan)), chance.choice((1, 2, 4, 8, 40))
            match chance.randrange(4):
                case 0:
                    plan[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
                case 1:
                    del plan[at : at + size]
                    plan = plan or bytearray(1)
                case 2:
                    plan[at:at] = chance.randbytes(size)
                case _:
                    plan[at:at] = plan[at : at + size]
        plans.append(bytes(plan))
    found = compare(plans)
    assert 0 < found.count(REFUSED) < len(plans)
