"""One trace for each event, over both walls and both processes; nothing of it where it is not asked for."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind

from relay import log, tracing
from relay.tracing import Origin
from tests.conftest import only_sqlite
from tests.line.conftest import TOKEN, Line

# The examples of the specification (W3C Trace Context, §3.2.2).
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
ORIGIN = Origin(event=17, received_at=1_795_000_000.123456, headers={})


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    memory = InMemorySpanExporter()
    tracing.to(SimpleSpanProcessor(memory))
    yield memory
    tracing.stop()


def by(**headers: str) -> Origin:
    """The event, posted with these headers."""
    return Origin(event=ORIGIN.event, received_at=ORIGIN.received_at, headers=headers)


def context(span: ReadableSpan) -> SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found


def trace(span: ReadableSpan) -> str:
    return f"{context(span).trace_id:032x}"


def span_id(span: ReadableSpan) -> int:
    return context(span).span_id


def tell_all(origin: Origin) -> None:
    tracing.told("intake", origin, 1.0, 2.0)
    tracing.told("decide", origin, 3.0, 4.0)
    tracing.told("deliver", origin, 5.0, 6.0, which="1")


@pytest.mark.parametrize("headers", [{}, {"traceparent": SAMPLED}], ids=["our own trace", "the sender's"])
def test_the_stages_of_an_event_are_one_trace_each_below_the_one_before(
    spans: InMemorySpanExporter, headers: dict[str, str]
) -> None:
    tell_all(by(**headers))

    intake, decide, deliver = spans.get_finished_spans()
    assert [each.name for each in (intake, decide, deliver)] == ["intake", "decide", "deliver"]
    assert trace(intake) == trace(decide) == trace(deliver)
    assert (decide.parent and decide.parent.span_id) == span_id(intake)
    assert (deliver.parent and deliver.parent.span_id) == span_id(decide)
    assert [each.kind for each in (intake, decide, deliver)] == [SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.CLIENT]


def test_a_sender_s_valid_context_is_the_parent(spans: InMemorySpanExporter) -> None:
    assert tracing.told("intake", by(traceparent=SAMPLED, tracestate="acme=1"), 1.0, 2.0) == TRACE

    (intake,) = spans.get_finished_spans()
    assert (trace(intake), f"{intake.parent.span_id:016x}" if intake.parent else "") == (TRACE, PARENT)
    assert context(intake).trace_state.get("acme") == "1"


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "garbage",
        f"ff-{TRACE}-{PARENT}-01",  # a version that is forbidden
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",  # version 00 has no more
    ],
)
def test_what_is_no_context_is_as_if_it_were_not_there(spans: InMemorySpanExporter, traceparent: str) -> None:
    assert tracing.told("intake", by(traceparent=traceparent), 1.0, 2.0) == tracing.told("decide", ORIGIN, 1.0, 2.0)
    assert spans.get_finished_spans()[0].parent is None


def test_a_sender_who_does_not_sample_is_not_traced_at_any_stage(spans: InMemorySpanExporter) -> None:
    tell_all(by(traceparent=NOT_SAMPLED))

    assert spans.get_finished_spans() == ()


@pytest.mark.parametrize(("ratio", "number"), [("0", 0), ("1", 3)])
def test_the_sampler_of_the_environment_decides_for_the_whole_trace(
    monkeypatch: pytest.MonkeyPatch, ratio: str, number: int
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    memory = InMemorySpanExporter()
    tracing.to(SimpleSpanProcessor(memory))
    tell_all(ORIGIN)
    tracing.stop()

    assert len(memory.get_finished_spans()) == number


def test_half_of_the_traces_are_sampled_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    memory = InMemorySpanExporter()
    tracing.to(SimpleSpanProcessor(memory))
    for number in range(40):
        tell_all(Origin(event=number, received_at=1.0, headers={}))
    tracing.stop()

    stages: dict[str, int] = {}
    for each in memory.get_finished_spans():
        stages[trace(each)] = stages.get(trace(each), 0) + 1
    assert 5 < len(stages) < 35
    assert set(stages.values()) == {3}


def test_another_process_reckons_the_same_trace_and_another_event_another(spans: InMemorySpanExporter) -> None:
    first = tracing.told("intake", ORIGIN, 1.0, 2.0)
    tracing.stop()
    memory = InMemorySpanExporter()
    tracing.to(SimpleSpanProcessor(memory))

    assert tracing.told("decide", ORIGIN, 1.0, 2.0) == first
    assert tracing.told("decide", Origin(event=18, received_at=ORIGIN.received_at, headers={}), 1.0, 2.0) != first
    assert tracing.told("decide", Origin(event=17, received_at=1.0, headers={}), 1.0, 2.0) != first


def test_each_sending_of_a_message_is_a_span_of_its_own(spans: InMemorySpanExporter) -> None:
    for which in ("1/0", "1/1", "2/0"):
        tracing.told("deliver", ORIGIN, 1.0, 2.0, which=which)

    assert len({span_id(each) for each in spans.get_finished_spans()}) == 3


def test_a_clock_that_was_set_back_makes_no_span_end_before_it_began(spans: InMemorySpanExporter) -> None:
    tracing.told("decide", ORIGIN, 5.0, 4.0)

    (span,) = spans.get_finished_spans()
    assert (span.start_time, span.end_time) == (5_000_000_000, 5_000_000_000)


def test_the_service_is_named_and_the_environment_may_name_it_otherwise(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracing.told("decide", ORIGIN, 1.0, 2.0)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "relay-of-the-east")
    memory = InMemorySpanExporter()
    tracing.to(SimpleSpanProcessor(memory))
    tracing.told("decide", ORIGIN, 1.0, 2.0)

    names = [each.get_finished_spans()[0].resource.attributes["service.name"] for each in (spans, memory)]
    assert names == ["bitrix24-relay", "relay-of-the-east"]


# ── The real line ─────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
@pytest.mark.parametrize("traceparent", ["", SAMPLED], ids=["our own trace", "the sender's"])
def test_an_event_is_traced_through_the_whole_line(
    make_line: Callable[..., Line], spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture, traceparent: str
) -> None:
    caplog.set_level(logging.INFO)
    line = make_line()
    headers = {"Authorization": f"Bearer {TOKEN}", "traceparent": traceparent, "X-Request-Id": "r-1"}
    line.door.post("/in/deploys", json={"id": "1", "person": "ivan", "service": "s"}, headers=headers)
    line.door.post("/in/deploys", json={"id": "1", "person": "ivan", "service": "s"}, headers=headers)
    line.start()
    line.until(line.settled)
    line.stop()

    told = {each.name: each for each in spans.get_finished_spans()}
    intakes = [each for each in spans.get_finished_spans() if each.name == "intake"]
    assert set(told) == {"intake", "decide", "deliver"}
    assert len({trace(each) for each in spans.get_finished_spans()}) == 1
    assert [dict(each.attributes or {})["relay.duplicate"] for each in intakes] == [False, True]
    assert span_id(intakes[0]) != span_id(intakes[1])
    assert (told["decide"].parent and told["decide"].parent.span_id) == span_id(intakes[0])
    assert dict(told["deliver"].attributes or {}) == {
        "relay.event": 1,
        "relay.portal": "main",
        "relay.method": "im.notify.personal.add",
        "relay.commands": 1,
        "relay.message": 1,
        "relay.verdict": "delivered",
    }
    lines = [log.Text().format(record) for record in caplog.records]
    assert sum(f"trace={trace(told['decide'])}" in each for each in lines) == 4


# ── Off ───────────────────────────────────────────────────────────────────────────────────────────────────────────

ASKED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_SERVICE_NAME": "relay"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        ASKED | {"OTEL_SDK_DISABLED": "true"},
        ASKED | {"OTEL_SDK_DISABLED": "True"},
        ASKED | {"OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=str,
)
def test_it_is_off_unless_it_is_asked_for(env: dict[str, str]) -> None:
    tracing.start(env)

    assert not tracing.is_on()
    assert tracing.told("intake", ORIGIN, 1.0, 2.0) == ""


@pytest.mark.parametrize("name", tracing.ADDRESSES)
def test_it_says_what_to_install_where_the_exporter_is_not_there(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    tracing.start({name: "http://127.0.0.1:9"})

    assert not tracing.is_on()
    assert "bitrix24-relay[otel]" in str(caplog.records[-1].__dict__["words"])


def test_where_it_is_off_nothing_of_it_is_imported() -> None:
    program = (
        "import sys; from relay import tracing, work; from relay.web import app; tracing.start({}); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    root = Path(tracing.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
