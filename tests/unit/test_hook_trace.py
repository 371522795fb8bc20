"""hooks/trace.py, layout.py and words.py: what was kept, as steps on one clock; and idle time cut out."""

from __future__ import annotations

import json

import pytest

from slinger.errors import HostError
from slinger.hooks.layout import lay_out
from slinger.hooks.records import capability_names
from slinger.hooks.trace import Step, read_trace, totals, trace_data
from slinger.hooks.tracing import Tracer
from slinger.hooks.words import in_words, moment
from slinger.plan import ops
from slinger.undo import Undo
from tests.unit.traces import CLOCK, CREATE, EPOCH, MS, START, line, record, trace


def test_steps_of_brain_hands_and_hooks_are_on_one_clock() -> None:
    """In the order of their beginning; what is no work (waiting for start, keeping times) is no step."""
    found = [(step.lane, step.category, step.name, step.about, step.started - EPOCH, step.duration) for step in
             trace(record()).steps]  # fmt: skip
    assert found == [
        ("slinger", "parse", "read config.json", "", 0, 2 * MS),
        ("slinger", "compile", "compile the plan", "", 2 * MS, 3 * MS),
        ("outer", "namespaces", "clone", "", 6 * MS, 3 * MS),
        ("init", "mounts", "mount new", "/proc", 9 * MS, MS),
        ("init", "gate", "gate", "hooks", 10 * MS, 20 * MS),
        ("hook", "hook", "createRuntime[0]", "/opt/hook", 30 * MS, 4 * MS),
        ("slinger", "exec", "exec", "", 9_000 * MS, MS),
    ]


def test_a_trace_knows_its_errors_and_its_first_moment() -> None:
    """By verb."""
    found = trace(record())
    assert found.errors == (("start", "process.args: no such file"),)
    assert (found.began, found.id, found.bundle) == (EPOCH, "box", "/bundle")


def test_a_wait_at_a_gate_is_not_counted_but_what_the_brain_does_meanwhile() -> None:
    """So the sums say who was at work."""
    assert totals(trace(record())) == (
        ("parse", 2 * MS), ("compile", 3 * MS), ("namespaces", 3 * MS), ("mounts", MS), ("hook", 4 * MS), ("exec", MS),
    )  # fmt: skip


def test_as_json_capabilities_have_names() -> None:
    """All else as it is."""
    data = json.loads(json.dumps(trace_data(trace(record()))))
    assert data["hooks"][0]["capabilities"] == ["CAP_CHOWN", "CAP_KILL"]
    assert data["hooks"][0]["exitStatus"] == 0
    assert data["errors"] == [{"verb": "start", "message": "process.args: no such file"}]
    assert [step["name"] for step in data["steps"]][:2] == ["read config.json", "compile the plan"]
    assert capability_names(record(capabilities=1 << 63 | 1)) == ("CAP_CHOWN", "CAP_63")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        line("create", wall="1"),
        line("create", spans=[["x", 1]]),
        line("create", spans={}),
        line("create", ops=[1]),
        line("create", ops=[["x", "Clone", "", "init", ""]]),
        line("create", times="zz"),
    ],
)
def test_a_line_that_is_no_trace_is_an_error(text: str) -> None:
    """And no traceback."""
    with pytest.raises(HostError) as caught:
        read_trace("box", "/b", 0, text.encode(), b"")
    assert str(caught.value) == "a line of a trace is not as this version of slinger writes it"


def test_what_a_tracer_writes_is_what_a_trace_reads() -> None:
    """Spans one after the other; ops by what they are about."""
    tracer = Tracer("create")
    tracer.begin("prepare")
    tracer.begin("make the cgroup")
    tracer.end()
    tracer.end()
    tracer.knows({1: ops.MountNew("mounts[0]", destination="/proc", type="proc"), 2: ops.Session("process")})
    tracer.times = bytes(16) + (tracer.clock + 1).to_bytes(8, "little") + (tracer.clock + 3).to_bytes(8, "little")
    tracer.failed(ValueError("not so"))
    tracer.begin("the hands")
    found = read_trace("box", "/b", 0, tracer.line().encode(), b"")
    assert [(step.verb, step.lane, step.name) for step in found.steps if step.lane == "slinger"] == [
        ("create", "slinger", "prepare"), ("create", "slinger", "make the cgroup"), ("create", "slinger", "the hands"),
    ]  # fmt: skip
    assert [step for step in found.steps if step.lane == "init"] == [
        Step("create", "init", "mounts", "mount new", "/proc", "mounts[0]", tracer.wall + 1, 2)
    ]
    assert found.errors == (("create", "not so"),)


def test_undoing_tells_what_it_does() -> None:
    """Before each action, the last one first."""
    told: list[str] = []
    undo = Undo()
    undo.push("one", lambda: told.append("1"))
    undo.push("two", lambda: told.append("2"))
    assert undo.run(told.append) == []
    assert told == ["two", "2", "one", "1"]


def test_the_layout_cuts_what_is_idle() -> None:
    """Nine seconds between create and start are as wide as a pause; in a part nothing is shifted."""
    layout = lay_out(trace(record()))
    busy = 35 * MS
    assert [(part.name, part.began - EPOCH, part.length, part.x) for part in layout.parts] == [
        ("create", 0, 34 * MS, 0), ("start", 9_000 * MS, MS, 34 * MS + busy // 40),
    ]  # fmt: skip
    assert layout.pauses == ((34 * MS, busy // 40, 8_966 * MS),)
    assert layout.length == 34 * MS + busy // 40 + MS
    assert [layout.x(EPOCH + 5 * MS), layout.x(EPOCH + 9_000 * MS)] == [5 * MS, 34 * MS + busy // 40]


def test_verbs_without_a_pause_between_them_are_one_part() -> None:
    """As ``run`` has them."""
    again = line("start", spans=[["exec", CLOCK + 6 * MS, CLOCK + 7 * MS]])
    made = line("create", spans=[["prepare", CLOCK, CLOCK + 5 * MS]])
    assert [part.name for part in lay_out(trace(lines=(made, again))).parts] == ["create, start"]


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        *((0, "0 ns"), (999, "999 ns"), (1_000, "1.00 µs"), (12_345, "12.3 µs"), (740_000, "740 µs")),
        *((1_000_000, "1.00 ms"), (4_560_000, "4.56 ms"), (1_250_000_000, "1.25 s"), (200_000_000_000, "3 min 20 s")),
        (7_500_000_000_000, "2 h 5 min"),
    ],
)
def test_a_duration_has_three_digits(nanoseconds: int, words: str) -> None:
    """And a unit that suits it."""
    assert in_words(nanoseconds) == words


def test_a_moment_is_rfc_3339() -> None:
    """In UTC."""
    assert moment(EPOCH + 7 * MS) == "2023-11-14T22:13:20.007Z"


def test_a_trace_of_nothing_is_empty() -> None:
    """No step, no hook."""
    assert (trace(lines=()).steps, trace(lines=()).began, CREATE != START) == ((), 0, True)
