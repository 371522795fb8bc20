"""Verbs as OpenTelemetry spans, through the official SDK, which is the extra ``slinger[otel]``.

A container is one trace, whose id follows from its id and its first moment, so that create, start and delete, which are
processes of their own, land in the same. A verb is a span, its steps and hooks are children of it. Where the
environment has a TRACEPARENT (W3C Trace Context), the verb's span belongs to that instead. Where spans go is said by
the SDK's own variables, OTEL_EXPORTER_OTLP_ENDPOINT above all.
"""

from __future__ import annotations

import hashlib  # noqa: TID253 - this file is loaded for --otel alone

from slinger.errors import HostError
from slinger.hooks.records import capability_names
from slinger.hooks.trace import HOOK
from slinger.host.sites import ensure_sites

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

    from slinger.hooks.records import HookRecord
    from slinger.hooks.trace import Step, Trace
    from slinger.hooks.tracing import Observer

SCOPE = "slinger"
TIMEOUT = 5_000  # milliseconds that an exporter may hold up a verb


def observer(environment: Mapping[str, str], warn: Callable[[str], None]) -> Observer:
    """Exports each verb that it is told of. HostError if the SDK is not installed.

    What goes wrong in exporting is a warning: a container does not fail for want of somebody who watches.
    """
    ensure_sites()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        hint = "pip install 'slinger[otel]', or leave --otel out"
        raise HostError(f"--otel: {error}", hint=hint) from error

    def observe(trace: Trace, verb: str) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(timeout=TIMEOUT / 1000)))
        try:
            export(trace, verb, provider, environment.get("TRACEPARENT", ""))
        except Exception as error:  # noqa: BLE001 - whatever the exporter raises
            warn(f"--otel: {error}")
        finally:
            provider.shutdown()

    return observe


def export(trace: Trace, verb: str, provider: TracerProvider, parent: str = "") -> None:
    """Give the spans of one verb of a trace to the provider's processors. ``parent``: a traceparent, "" for none."""
    from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context  # noqa: PLC0415

    steps = [step for step in trace.steps if step.verb == verb]
    if not steps:
        return
    tracer = provider.get_tracer(SCOPE)
    message = dict(trace.errors).get(verb, "")
    span = tracer.start_span(
        f"slinger {verb}",
        context=_context(trace, parent),
        kind=SpanKind.INTERNAL,
        start_time=steps[0].started,
        attributes={"container.id": trace.id, "slinger.verb": verb, "slinger.bundle": trace.bundle},
    )
    records = {(f"{each.stage}[{each.index}]", each.started): each for each in trace.hooks}
    inside = set_span_in_context(span)
    for step in steps:
        child = tracer.start_span(
            f"{step.name} {step.about}".strip(), context=inside, start_time=step.started, attributes=_attributes(step)
        )
        if step.lane == HOOK:
            _describe(child, records[step.name, step.started])
        child.end(step.started + step.duration)
    if message:
        span.set_status(Status(StatusCode.ERROR, message))
    span.end(max(step.started + step.duration for step in steps))


def _context(trace: Trace, parent: str) -> Context:
    """Where the verb's span belongs: below the caller's, else in the container's own trace."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    if parent:
        return TraceContextTextMapPropagator().extract({"traceparent": parent})
    digest = hashlib.sha256(f"{trace.id}\0{trace.began}".encode("utf-8", "replace")).digest()
    trace_id, span_id = int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:24], "big") or 1
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(context))


def _attributes(step: Step) -> dict[str, str]:
    values = {
        "slinger.actor": step.lane,
        "slinger.category": step.category,
        "slinger.origin": step.origin,
        "slinger.about": step.about,
    }
    return {name: _text(value) for name, value in values.items() if value}


def _describe(span: Span, record: HookRecord) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    span.set_attributes(
        {
            "slinger.hook.stage": record.stage,
            "slinger.hook.index": record.index,
            "process.executable.path": _text(record.path),
            "process.command_args": [_text(each) for each in record.args],
            "process.pid": record.pid,
            "slinger.hook.status": record.status,
            "slinger.hook.namespaces": list(record.namespaces),
            "slinger.hook.capabilities": list(capability_names(record)),
            "slinger.hook.outcome": record.outcome,
            "slinger.hook.stdout": _text(record.stdout),
            "slinger.hook.stderr": _text(record.stderr),
        }
    )
    if record.exit_status is not None:
        span.set_attribute("process.exit.code", record.exit_status)
    if not record.ok:
        span.set_status(Status(StatusCode.ERROR, _text(record.outcome)))


def _text(value: str) -> str:
    """What can travel as UTF-8."""
    return value.encode("utf-8", "replace").decode("utf-8")
