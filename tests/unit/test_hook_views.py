"""The page, the terminal and the Chrome trace: what they show, and that hostile output stays text."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slinger.hooks.chrome import chrome_trace
from slinger.hooks.page import page
from slinger.hooks.terminal import render
from slinger.hooks.trace import Step, Trace
from slinger.hooks.words import moment
from slinger.spec.jsontext import dump
from tests.chrome_rules import imported
from tests.unit.traces import EPOCH, HOSTILE, MS, hostile, record, trace

FAILED = record(
    "poststop", 1, started=EPOCH + 9_010 * MS, outcome="exit status 3", exit_status=3, stderr="no veth\n", stderr_size=8
)
# Elements that load, run or send something, or change what an address means.
ACTIVE = {"img", "iframe", "object", "embed", "link", "base", "form", "a", "svg", "audio", "video", "source", "input"}


class Page(html.parser.HTMLParser):
    """What a browser would make of a page: elements with their attributes, and the text in each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Text, in the element that began last."""
        self.texts.append((self.elements[-1][0] if self.elements else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def island(text: str) -> Any:
    """The data for the script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_page_needs_nothing_else() -> None:
    """No address, no inline handler, no style attribute; the policy allows the two that it has, by their hashes."""
    text = page(trace(record(), FAILED))
    parsed = Page(text)
    assert ACTIVE & {tag for tag, _ in parsed.elements} == set()
    names = {name for _, attributes in parsed.elements for name in attributes}
    assert [name for name in names if name.startswith("on") or name in {"src", "href", "style"}] == []
    (policy,) = (each["content"] for each in parsed.of("meta") if each.get("http-equiv"))
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script"))
    assert style is not None
    assert script is not None
    hashes = [base64.b64encode(hashlib.sha256(each[1].encode()).digest()).decode() for each in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; base-uri 'none'; "
        "form-action 'none'"
    )


def test_hostile_output_is_text_in_the_page() -> None:
    """The same elements as with harmless output, and the output itself in them, whole."""
    evil = Page(page(hostile()))
    harmless = Page(page(hostile()).replace(HOSTILE, ""))
    assert [tag for tag, _ in evil.elements] == [tag for tag, _ in harmless.elements]
    assert len(evil.of("script")) == 2
    assert evil.of("img") == []
    joined = "".join(data for tag, data in evil.texts if tag not in {"script", "style"})
    assert HOSTILE.replace("\x00", "\ufffd") in joined.replace("\x00", "\ufffd")


def test_hostile_output_cannot_end_the_data_of_the_script() -> None:
    """JSON without a character that HTML knows; the script reads back what the hook wrote."""
    text = page(hostile())
    data = island(text)
    texts = [each for step in data["steps"] for each in step["texts"]]
    assert texts[0] == ["stdout, the last 8192 of 99999 bytes", HOSTILE]
    raw = text.partition('id="data">')[2].partition("</script>")[0]
    assert set(raw) & set("<>&") == set()


def test_the_script_puts_text_into_the_page_as_text_alone() -> None:
    """Whatever comes into it."""
    script = page(trace()).partition("<script>")[2]
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|setAttribute\(\"on", script)
        == []
    )


def test_the_page_shows_each_hook_with_all_about_it() -> None:
    """A failed one is open; the timeline has the same."""
    text = page(trace(record(), FAILED))
    assert "<details open><summary>poststop #1: /opt/hook, 4.00 ms, " in text
    assert '<span class="bad">exit status 3</span>' in text
    for words in ("CAP_CHOWN CAP_KILL", "hook &#x27;a b&#x27;", "no veth", "start failed: process.args: no such file"):
        assert words in text
    data = island(text)
    assert data["lanes"] == ["slinger", "outer", "init", "hooks"]
    assert [part["name"] for part in data["parts"]] == ["create", "start, delete"]
    (failed,) = (step for step in data["steps"] if step["failed"])
    assert (failed["name"], failed["kind"], failed["outcome"]) == ("poststop[1]", "hook", "exit status 3")
    assert ["outcome", "exit status 3"] in failed["rows"]


def test_the_page_can_be_used_without_seeing_and_without_scripts() -> None:
    """A language, a title, headings, names for what has no text, a table of all steps."""
    parsed = Page(page(trace(record())))
    assert parsed.of("html") == [{"lang": "en"}]
    assert [each["aria-label"] for each in parsed.of("div") if each.get("id") == "timeline"] == [
        "Timeline of the container"
    ]
    assert all(each.get("aria-labelledby") for each in parsed.of("section"))
    assert len(parsed.of("noscript")) == 1
    assert len(parsed.of("tr")) == 1 + len(trace(record()).steps)
    assert {each.get("scope") for each in parsed.of("th")} == {"col"}


def test_a_container_of_which_nothing_is_known_has_a_page_too() -> None:
    """With nothing in it."""
    assert "<p>No hook has run.</p>" in page(trace(lines=()))
    assert island(page(trace(lines=())))["steps"] == []


# ---- Trace Event Format ("JSON Object Format", "JSON Array Format", Metadata Events)


def test_the_chrome_trace_is_what_its_readers_take() -> None:
    """Every event with a name, a place and a time; nothing that they would drop or move. A thread for each actor."""
    shown = trace(record(), FAILED)
    document = json.loads(dump(chrome_trace(shown)))
    assert set(document) == {"traceEvents", "displayTimeUnit", "otherData"}
    threads = imported(document)
    for lane, slices in threads.items():
        steps = [step for step in shown.steps if step.lane == lane]
        assert [(each.began, each.ended - each.began) for each in slices] == [
            (step.started - shown.began, step.duration) for step in steps
        ]
    assert sum(map(len, threads.values())) == len(shown.steps)
    assert document["otherData"]["began"] == moment(shown.began)


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=40), st.integers(0, 10 * MS))
def test_steps_that_touch_do_not_overlap_in_the_chrome_trace(durations: list[int], offset: int) -> None:
    """To the nanosecond, though its readers take numbers for doubles."""
    moments = [*itertools.accumulate(durations, initial=EPOCH + offset)]
    steps = tuple(
        Step("create", "init", "mounts", "pivot", "", "", began, length)
        for began, length in zip(moments, durations, strict=False)
    )
    document: Any = chrome_trace(Trace("box", "/b", 0, (), steps, ()))
    slices = imported(document)["init"]
    assert sorted(each.ended - each.began for each in slices) == sorted(durations)
    assert max(each.ended for each in slices) == moments[-1] - moments[0]


def test_the_chrome_trace_has_every_step_and_the_records_of_hooks() -> None:
    """With times to the nanosecond's thousandth."""
    document: Any = chrome_trace(trace(record(), FAILED))
    events = [event for event in document["traceEvents"] if event["ph"] == "X"]
    assert [event["name"] for event in events] == [
        "read config.json", "compile the plan", "clone", "mount new /proc", "gate hooks", "createRuntime[0] /opt/hook",
        "exec", "poststop[1] /opt/hook",
    ]  # fmt: skip
    last = events[-1]
    began = int(events[0]["ts"])
    assert (began, last["ts"], last["dur"]) == (0, (9_010 * MS + EPOCH - trace(record(), FAILED).began) / 1000, 4_000.0)
    assert last["args"]["exitStatus"] == 3
    assert last["args"]["capabilities"] == ("CAP_CHOWN", "CAP_KILL")


# ---- the terminal


def test_the_terminal_shows_a_table_outputs_and_a_line_for_each_actor() -> None:
    """In plain text where there are no colours."""
    text = render(trace(record(), FAILED), width=120, colour=False)
    lines = text.splitlines()
    assert lines[0] == "start failed: process.args: no such file"
    assert lines[2].split() == ["hook", "in", "status", "pid", "took", "outcome", "program", "when"]
    assert lines[3].split()[:7] == ["createRuntime[0]", "runtime", "creating", "42", "4.00", "ms", "ok"]
    assert lines[4].split()[:9] == ["poststop[1]", "runtime", "creating", "42", "4.00", "ms", "exit", "status", "3"]
    assert "poststop #1 stderr:\n  no veth\n" in text
    assert [line.split()[0] for line in lines if line.startswith(("slinger ", "outer ", "init ", "hooks "))] == [
        "slinger", "outer", "init", "hooks",
    ]  # fmt: skip
    assert "|create 34.0 ms" in text
    assert "\x1b" not in text
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (120, "hook in status pid took outcome program when"),
        (90, "hook in status took outcome program when"),
        (76, "hook in status took outcome program"),
        (66, "hook in took outcome program"),
        (58, "hook took outcome program"),
        (46, "hook took outcome"),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns_and_how_each_run_ended(width: int, columns: str) -> None:
    """Rather than all of them cut short."""
    lines = render(trace(record("createContainer"), FAILED), width=width, colour=False).splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("hook "))
    assert lines[head].split() == columns.split()
    assert "createContainer[0]" in lines[head + 1]
    assert FAILED.outcome in lines[head + 2]
    assert max(map(len, lines)) <= width


def test_a_long_line_of_a_hook_goes_on_below_itself() -> None:
    """Indented as it began."""
    long = record(stdout="word " * 30, stdout_size=150)
    lines = render(trace(long), width=60, colour=False).splitlines()
    first = lines.index("createRuntime #0 stdout:") + 1
    assert [line[:6] for line in lines[first : first + 3]] == ["  word"] * 3


@pytest.mark.parametrize("colour", [True, False])
def test_the_legend_has_a_mark_for_each_colour_where_there_are_colours(colour: bool) -> None:
    """Without them all marks would be the same."""
    text = render(trace(record()), width=120, colour=colour)
    (legend,) = [line for line in text.splitlines() if "compile" in line]
    assert ("█" in legend) is colour


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("width", [20, 80, 200])
def test_no_output_of_a_hook_reaches_the_terminal_as_it_is(width: int, colour: bool) -> None:
    """What a terminal would obey is escaped, and what rich would take for markup is text."""
    text = render(hostile(), width=width, colour=colour)
    ours = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert set(ours) & {"\x1b", "\x00", "\u2028"} == set()
    if width == 200:
        assert r"\x1b[31m\x00\u2028{red}[bold]x[/bold]" in ours
    assert ("\x1b[" in text) is colour


def test_a_long_output_is_shown_by_its_end_and_that_is_said() -> None:
    """Twice cut: by the record, and for the screen."""
    long = record(stdout="".join(f"line {number}\n" for number in range(40)), stdout_size=9_000)
    text = render(trace(long), width=120, colour=False)
    assert "createRuntime #0 stdout, the last 8192 of 9000 bytes, the last 12 lines:\n  line 28\n" in text
    assert "line 27" not in text


def test_without_hooks_that_is_said() -> None:
    """And the timeline is there."""
    assert render(trace(lines=()), width=80, colour=False) == "No hook has run.\n"
    assert render(trace(), width=80, colour=False).splitlines()[2] == "No hook has run."
