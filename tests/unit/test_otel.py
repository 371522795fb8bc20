"""hooks/otel.py: verbs as spans, seen by the SDK's own exporter in memory."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from slinger.hooks.otel import export, observer
from slinger.hooks.trace import Trace
from tests.unit.traces import EPOCH, MS, hostile, record, trace

FAILED = record("poststop", 1, started=EPOCH + 9_010 * MS, outcome="killed by SIGSEGV", exit_status=None)


def spans(of: Trace, verb: str, parent: str = "") -> tuple[ReadableSpan, ...]:
    """What the exporter got, in the order in which spans ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    export(of, verb, provider, parent)
    return exporter.get_finished_spans()


def ids(span: ReadableSpan) -> tuple[int, int]:
    """Of its trace, and its own."""
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def test_a_verb_is_a_span_and_its_steps_are_children_of_it() -> None:
    """With the times that they had."""
    *children, root = spans(trace(record()), "create")
    assert (root.name, root.start_time, root.end_time) == ("slinger create", EPOCH, EPOCH + 34 * MS)
    assert root.attributes == {"container.id": "box", "slinger.verb": "create", "slinger.bundle": "/bundle"}
    assert [child.name for child in children] == [
        "read config.json", "compile the plan", "clone", "mount new /proc", "gate hooks", "createRuntime[0] /opt/hook",
    ]  # fmt: skip
    assert {child.parent.span_id for child in children if child.parent} == {ids(root)[1]}
    assert (children[3].start_time, children[3].end_time) == (EPOCH + 9 * MS, EPOCH + 10 * MS)
    assert children[3].attributes == {
        "slinger.actor": "init",
        "slinger.category": "mounts",
        "slinger.origin": "mounts[0]",
        "slinger.about": "/proc",
    }


def test_a_hooks_span_has_its_record() -> None:
    """By the names of the semantic conventions where there are some."""
    attributes = spans(trace(record()), "create")[-2].attributes
    assert attributes is not None
    assert attributes["process.executable.path"] == "/opt/hook"
    assert attributes["process.command_args"] == ("hook", "a b")
    assert attributes["process.exit.code"] == 0
    assert attributes["slinger.hook.stage"] == "createRuntime"
    assert attributes["slinger.hook.capabilities"] == ("CAP_CHOWN", "CAP_KILL")


def test_what_failed_has_the_status_of_an_error() -> None:
    """Hook and verb, with the words that the command says."""
    (*_, root) = spans(trace(record()), "start")
    assert (root.status.status_code, root.status.description) == (StatusCode.ERROR, "process.args: no such file")
    hook, deleting = spans(trace(record(), FAILED), "delete")
    assert (hook.status.status_code, hook.status.description) == (StatusCode.ERROR, "killed by SIGSEGV")
    assert deleting.status.status_code == StatusCode.UNSET
    assert hook.attributes is not None
    assert "process.exit.code" not in hook.attributes


def test_the_verbs_of_a_container_are_one_trace() -> None:
    """Other processes find the same id; another container has another."""
    found = {ids(span)[0] for verb in ("create", "start") for span in spans(trace(record()), verb)}
    assert len(found) == 1
    assert found != {ids(span)[0] for span in spans(trace(record(), container_id="other"), "create")}


def test_a_callers_trace_is_gone_on_with() -> None:
    """As W3C Trace Context has it in TRACEPARENT."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    root = spans(trace(record()), "create", parent)[-1]
    assert root.parent is not None
    assert (f"{root.parent.trace_id:032x}", f"{root.parent.span_id:016x}") == tuple(parent.split("-")[1:3])


def test_hostile_text_and_a_verb_without_steps_do_no_harm() -> None:
    """The one is text, of the other there is nothing to tell."""
    assert spans(hostile(), "create")[-1].name == "slinger create"
    assert spans(trace(record()), "delete") == ()


def test_what_cannot_be_exported_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container does not fail for want of a collector."""
    warnings: list[str] = []

    def broken(*_arguments: object) -> None:
        raise OSError(5, "no way out")

    monkeypatch.setattr("slinger.hooks.otel.export", broken)
    observer({}, warnings.append)(trace(record()), "create")
    assert warnings == ["--otel: [Errno 5] no way out"]
