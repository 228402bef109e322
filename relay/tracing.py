"""OpenTelemetry traces, if they are asked for: what came is one trace, over both walls: intake → decide → deliver.

Never costs anything where it is off, not even an import, and never writes anything down: a trace is reckoned from what
the journal has anyway. Spans are told when the work is done, at its log line: nothing of the work runs inside them.

It is on if an address for OTLP is set (OpenTelemetry docs, OTLP exporter configuration) and the extra `otel` is there.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from relay import __version__, log

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

Stage = Literal["intake", "decide", "deliver"]
BEFORE: Mapping[Stage, Stage | None] = {"intake": None, "decide": "intake", "deliver": "decide"}

ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "bitrix24-relay"

Attribute = str | bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a trace is reckoned from: a journalled request's number, its arrival (Unix seconds), and its headers.

    Those are the sender's, in lower case: a valid ``traceparent`` (W3C Trace Context) makes his trace ours.
    """

    event: int
    received_at: float
    headers: Mapping[str, str]


class _Traces:
    """The provider, and the ids of the span that is told at this moment."""

    def __init__(self, provider: TracerProvider, ids: _Ids) -> None:
        self.provider = provider
        self.ids = ids
        self.tracer = provider.get_tracer("relay", __version__)


class _Ids:
    """Draws the ids that were laid ready (the SDK's ``IdGenerator``), in the thread that tells a span."""

    def __init__(self) -> None:
        self._ready = threading.local()

    def lay(self, trace: int, span: int) -> None:
        self._ready.trace, self._ready.span = trace, span

    def generate_trace_id(self) -> int:
        return int(self._ready.trace)

    def generate_span_id(self) -> int:
        return int(self._ready.span)

    def is_trace_id_random(self) -> bool:
        """As random as SHA-256: what samplers by trace id need (W3C Trace Context 2, random-trace-id flag)."""
        return True


_traces: _Traces | None = None


def start(env: Mapping[str, str]) -> None:
    """Trace from now on, in this process, if the environment asks for it."""
    if not _asked_for(env):
        return
    for name, value in env.items():  # of a .env file, too: the SDK and its exporter read the process's own
        if name.startswith("OTEL_"):
            os.environ.setdefault(name, value)
    try:
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        exporter = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError:
        log.trouble("tracing: asked for, but the packages are not here", why="pip install 'bitrix24-relay[otel]'")
        return
    to(export.BatchSpanProcessor(exporter.OTLPSpanExporter()))
    log.line("tracing: on", exporter="otlp")


def _asked_for(env: Mapping[str, str]) -> bool:
    """The words of the specification (OpenTelemetry docs, Environment Variable Specification)."""
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true" or env.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    return any(env.get(name) for name in ADDRESSES)


def to(processor: SpanProcessor) -> None:
    """Tell spans to this processor; the sampler is the environment's (``OTEL_TRACES_SAMPLER``)."""
    global _traces  # noqa: PLW0603 - one for a process, as its log
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415 - loaded only where it is on
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    named = Resource.create()
    if str(named.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        named = named.merge(Resource({SERVICE_NAME: SERVICE, "service.version": __version__}))
    ids = _Ids()
    provider = TracerProvider(resource=named, id_generator=ids)  # type: ignore[arg-type]  # its shape, without its import
    provider.add_span_processor(processor)
    _traces = _Traces(provider, ids)


def stop() -> None:
    """Send what is still to be sent, and trace no more."""
    global _traces  # noqa: PLW0603
    if _traces is not None:
        _traces.provider.shutdown()
    _traces = None


def is_on() -> bool:
    return _traces is not None


def told(stage: Stage, origin: Origin, began: float, ended: float, *, which: str = "", **attributes: Attribute) -> str:
    """Tell one span of an event's trace.

    Args:
        stage: what was done; its parent is the stage before it, and the first one's whatever the sender was doing.
        origin: the event.
        began, ended: Unix seconds.
        which: tells spans of one stage apart: the messages of an event, and each time that one was sent.
        attributes: of the span, under ``relay.``.

    Returns:
        The trace's id, for the log; ``""`` where nothing is traced.
    """
    if _traces is None:
        return ""
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - loaded already where it is on

    kinds = {"intake": SpanKind.SERVER, "decide": SpanKind.CONSUMER, "deliver": SpanKind.CLIENT}
    sender = _sender(origin)
    trace = _trace(sender) or _own_trace(origin)
    before = BEFORE[stage]
    parent = sender if before is None else _remote(_traces, trace, _span(trace, origin, before), sender)
    _traces.ids.lay(trace, _span(trace, origin, stage, which))
    span = _traces.tracer.start_span(
        stage,
        context=parent,
        kind=kinds[stage],
        start_time=int(began * 1e9),
        attributes={"relay.event": origin.event, **{f"relay.{name}": each for name, each in attributes.items()}},
    )
    span.end(int(max(began, ended) * 1e9))
    return f"{trace:032x}"


def _own_trace(origin: Origin) -> int:
    """The same in every process: from the number, and the moment to the microsecond, which no two relays share."""
    return _digest(f"{origin.event} {origin.received_at!r}", 16)


def _span(trace: int, origin: Origin, stage: Stage, which: str = "") -> int:
    return _digest(f"{trace:032x} {origin.event} {stage} {which}", 8)


def _digest(text: str, size: int) -> int:
    """Never 0, which is no id (W3C Trace Context, trace-id)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1


def _sender(origin: Origin) -> Context:
    """The sender's context, by the specification's own reading of it: empty if there is none or it is not valid."""
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    return TraceContextTextMapPropagator().extract(dict(origin.headers), context=Context())


def _trace(sender: Context) -> int:
    from opentelemetry.trace import get_current_span  # noqa: PLC0415

    return get_current_span(sender).get_span_context().trace_id


def _remote(traces: _Traces, trace: int, span: int, sender: Context) -> Context:
    """A span that another process has told, or this one long ago; sampled if it was, which is reckoned anew."""
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import Decision  # noqa: PLC0415
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context  # noqa: PLC0415

    sampled = traces.provider.sampler.should_sample(sender, trace, "intake").decision is Decision.RECORD_AND_SAMPLE
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return set_span_in_context(NonRecordingSpan(SpanContext(trace, span, is_remote=True, trace_flags=flags)), Context())
